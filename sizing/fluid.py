"""The fluid model: each pool one big vessel, whole nodes. A lower bound that holds, and a start that nearly packs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sizing.compiled import Compiled
from sizing.linear import Model, Outcome
from sizing.packing import Floats
from sizing.pools import least_nodes
from sizing.problem import SPOT_POOL_SHARE


@dataclass(frozen=True)
class Fluid:
    """x (class, pool) pods, n (pool -> type -> nodes), spares likewise, the proven bound, and how HiGHS ended."""

    status: str
    bound: float
    pods: Floats
    nodes: tuple[dict[int, int], ...]
    spares: tuple[dict[int, int], ...] = ()


@dataclass
class Cut:
    """What every packing of a pool keeps: `worth` (class) of its pods <= sum of `most` (type) over its nodes.

    `most` is the greatest worth of what one node holds. Where `caps` (cap, 4) are given, it holds while every spare is
    within one of them: what a node holds always fits on one of the spares.
    """

    pool: int
    worth: Floats
    most: Floats
    caps: Floats | None = None


@dataclass
class Program:
    """The model and where its columns stand: pods (class, pool), nodes, spares and types in use (pool, type)."""

    model: Model
    pods: dict[tuple[int, int], int]
    work: list[list[int]]
    spare: list[list[int]]
    flags: list[list[int]]


def choosing(compiled: Compiled) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(class,): spot-eligible with several spot pools to choose from; the 60 % rule counts these."""
    spot = np.array([p.wish.spot for p in compiled.pools], dtype=bool)
    several: np.ndarray[Any, np.dtype[np.bool_]] = compiled.eligible & (compiled.allowed[:, spot].sum(axis=1) > 1)
    return several


def solve_fluid(  # noqa: PLR0913
    compiled: Compiled,
    *,
    fill: float = 1.0,
    whole: bool = True,
    nodes_limit: int = 500,
    gap: float = 0.002,
    without: frozenset[str] = frozenset(),
) -> Fluid:
    """Solve it with nodes filled to at most `fill`; `without` leaves out named limits (quota, pool_max, spot_share)."""
    made = program(compiled, fill=fill, whole=whole, without=without)
    out: Outcome = made.model.solve(nodes_limit=nodes_limit, gap=gap, seed=compiled.problem.seed)
    if out.values is None:
        return Fluid(out.status, out.bound, np.zeros((0, 0)), ())
    work, spare = _numbers(out.values, made.work), _numbers(out.values, made.spare)
    return Fluid(out.status, out.bound, pods_of(compiled, made, out.values), work, spare)


def pods_of(compiled: Compiled, made: Program, values: Floats) -> Floats:
    """(class, pool) pods, as the values of the program's columns say."""
    x = np.zeros((len(compiled.pods), len(compiled.pools)))
    for (c, p), column in made.pods.items():
        x[c, p] = values[column]
    return x


def program(  # noqa: PLR0913
    compiled: Compiled,
    *,
    fill: float = 1.0,
    whole: bool = True,
    without: frozenset[str] = frozenset(),
    cuts: Sequence[Cut] = (),
    below: float = np.inf,
) -> Program:
    """The model, built and not solved; arguments as `solve_fluid`.

    `cuts` are added; no type may cost more than `below` in all, so a bound holds up to `below`.
    """
    model = Model()
    pods = {
        (c, p): model.column(0.0, 0.0, float(compiled.counts[c]))
        for c in range(len(compiled.pods))
        for p in compiled.pods[c].pools
    }
    work: list[list[int]] = []
    spare: list[list[int]] = []
    flags: list[list[int]] = []
    for k, part in enumerate(compiled.pools):
        cap = float(part.wish.max) if "pool_max" not in without else 1e6
        caps = [max(1.0, min(cap, below // float(c))) if np.isfinite(below) else cap for c in part.price]
        for columns in (work, spare):
            both = zip(part.price, caps, strict=True)
            columns.append([model.column(float(c), 0.0, most, whole=whole) for c, most in both])
        flags.append(_pool_rows(model, compiled, k, pods, work[k], spare[k], cap, fill, whole=whole, caps=caps))
    made = Program(model, pods, work, spare, flags)
    for cut in cuts:
        row = cut_row(compiled, cut, made, fill)
        if row:
            model.row(row, -np.inf, 0.0)
    for c in range(len(compiled.pods)):
        model.row(
            {pods[c, p]: 1.0 for p in compiled.pods[c].pools}, float(compiled.counts[c]), float(compiled.counts[c])
        )
    if compiled.problem.vcpu_quota is not None and "quota" not in without:
        vcpu = {
            column: float(part.vcpu[t])
            for k, part in enumerate(compiled.pools)
            for t in range(len(part.types))
            for column in (work[k][t], spare[k][t])
        }
        model.row(vcpu, -np.inf, float(compiled.problem.vcpu_quota))
    if "spot_share" not in without:
        several = choosing(compiled)
        total = float((compiled.counts * compiled.classes.sizes[:, 0])[several].sum())
        for k, part in enumerate(compiled.pools):
            mine = {
                pods[c, k]: float(compiled.classes.sizes[c, 0])
                for c in (int(i) for i in np.flatnonzero(several))
                if (c, k) in pods
            }
            if part.wish.spot and mine:
                model.row(mine, -np.inf, SPOT_POOL_SHARE * total)
    return made


def _numbers(values: Floats, columns: list[list[int]]) -> tuple[dict[int, int], ...]:
    return tuple(
        {t: int(round(values[col])) for t, col in enumerate(some) if values[col] > 1e-6}  # noqa: PLR2004, RUF046
        for some in columns
    )


def within(room: Floats, caps: Floats) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(room,): no larger than one of the caps in any dimension."""
    each = np.all(room[:, None] <= caps[None], axis=2)
    held: np.ndarray[Any, np.dtype[np.bool_]] = np.any(each, axis=1)
    return held


def cut_row(compiled: Compiled, cut: Cut, made: Program, fill: float = 1.0) -> dict[int, float]:
    """The cut as entries of a row that is at most zero; empty where it says nothing."""
    scale = float(cut.worth.max())
    if scale <= 0:
        return {}
    work, spare = made.work[cut.pool], made.spare[cut.pool]
    row = {
        column: float(cut.worth[c]) / scale
        for (c, k), column in made.pods.items()
        if k == cut.pool and cut.worth[c] > 0
    }
    row |= {work[t]: -float(cut.most[t]) * fill / scale for t in np.flatnonzero(cut.most > 0)}
    if cut.caps is not None:
        every = float(cut.worth @ compiled.counts) / scale
        larger = ~within(compiled.pools[cut.pool].room, cut.caps)
        row |= {spare[t]: -every for t in np.flatnonzero(larger)}
    return row


def _pool_rows(  # noqa: C901, PLR0912, PLR0917, PLR0913
    model: Model,
    compiled: Compiled,
    k: int,
    pods: dict[tuple[int, int], int],
    work: list[int],
    spare: list[int],
    cap: float,
    fill: float,
    *,
    whole: bool,
    caps: Sequence[float],
) -> list[int]:
    part = compiled.pools[k]
    mine = [c for c in range(len(compiled.pods)) if (c, k) in pods]
    fits = compiled.fits(k)
    for c in mine:
        if not fits[c].any():
            model.bound(pods[c, k], 0.0, 0.0)
    sets = {fits[c].tobytes(): fits[c] for c in mine if fits[c].any()}
    sets[np.ones(len(work), dtype=bool).tobytes()] = np.ones(len(work), dtype=bool)
    for _, inside in sorted(sets.items()):
        small = [c for c in mine if fits[c].any() and not (fits[c] & ~inside).any()]
        for d in range(4):
            load = {pods[c, k]: float(compiled.classes.sizes[c, d]) for c in small if compiled.classes.sizes[c, d]}
            if not load:
                continue
            scale = max(load.values())
            row = {column: value / scale for column, value in load.items()}
            row |= {work[t]: -float(part.room[t, d]) * fill / scale for t in np.flatnonzero(inside)}
            model.row(row, -np.inf, 0.0)
    groups = compiled.classes.host
    for group in sorted(set(groups[mine].tolist()) - {-1}):  # at most one a node: as many working nodes as pods
        held = [c for c in mine if groups[c] == group and fits[c].any()]
        if held:
            room = {work[t]: 1.0 for t in np.flatnonzero(fits[held].any(axis=0))}
            model.row(room | {pods[c, k]: -1.0 for c in held}, 0.0, np.inf)
    for c in (c for c in mine if compiled.classes.zone[c] >= 0 and fits[c].any() and len(compiled.pods[c].pools) == 1):
        others = [o for o in mine if compiled.pods[o].workload == compiled.pods[c].workload]
        if len({int(compiled.classes.zone[o]) for o in others if len(compiled.pods[o].pools) == 1}) == compiled.zones:
            model.row({work[t]: 1.0 for t in np.flatnonzero(fits[c])}, float(compiled.zones), np.inf)
    zero = np.zeros(len(compiled.pods))
    both = dict.fromkeys((*work, *spare), 1.0)
    forced = compiled.counts * (compiled.allowed.sum(axis=1) == 1) * compiled.allowed[:, k]
    model.row(both, float(least_nodes(compiled, k, forced if forced.any() else zero)), cap)
    if not part.wish.spot:
        for c in mine:
            if fits[c].any():
                need = {spare[t]: 1.0 for t in np.flatnonzero(fits[c])}
                model.row(need | {pods[c, k]: -1.0 / float(compiled.counts[c])}, 0.0, np.inf)
        if whole:
            _spare_takes_over(model, compiled, k, pods, work, spare)
    flags: list[int] = []
    if whole:
        flags = [model.column(0.0, 0.0, 1.0, whole=True) for _ in work]
        for t in range(len(work)):
            model.row({work[t]: 1.0, spare[t]: 1.0, flags[t]: -caps[t]}, -np.inf, 0.0)
        model.row(dict.fromkeys(flags, 1.0), 0.0, float(part.wish.slots))
    return flags


def _spare_takes_over(  # noqa: PLR0917, PLR0913
    model: Model, compiled: Compiled, k: int, pods: dict[tuple[int, int], int], work: list[int], spare: list[int]
) -> None:
    """Without a spare larger than K no node holds more than K: its room counts only up to K (CPU, then memory)."""
    room = compiled.pools[k].room
    mine = [c for c in range(len(compiled.pods)) if (c, k) in pods]
    for d in (0, 1):
        size = compiled.classes.sizes[:, d]
        most = float(sum(compiled.counts[c] * size[c] for c in mine))
        if most <= 0:
            continue
        sizes = sorted(set(room[:, d].tolist()))
        for load in sizes[:: max(1, len(sizes) // 10)]:
            row = {pods[c, k]: float(size[c]) / most for c in mine if size[c]}
            row |= {work[t]: -float(min(room[t, d], load)) / most for t in range(len(work))}
            row |= {spare[t]: -1.0 for t in range(len(work)) if room[t, d] > load}
            model.row(row, -np.inf, 0.0)
