"""A bound that sees zones: each zone must hold its own pods on its own whole nodes, evenly dealt over the zones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from sizing.compiled import Compiled
from sizing.linear import Model, Outcome
from sizing.pools import least_nodes

LOADS = 6  # steps of the fullest node's load
Part = dict[int, float]


def zoned_bound(compiled: Compiled, nodes_limit: int, most: int) -> float:
    """A proven lower bound on the cost, 0 where there are more than `most` types by zone or it is not solved.

    Relaxed: pods are divisible and only their volume counts. Kept: whole nodes per type and zone, at most one node
    more in one zone than in another, slots, pool minima and maxima, one pod of a host group a node, a spare that takes
    over the fullest node.
    """
    zones = compiled.zones
    if zones < 2 or zones * sum(len(p.types) for p in compiled.pools) > most:  # noqa: PLR2004 - one zone: no more
        return 0.0
    model = Model()
    pods: dict[tuple[int, int, int], int] = {}
    for c, pod in enumerate(compiled.pods):
        for k in pod.pools:
            for z in range(zones) if pod.zone < 0 else (pod.zone,):
                pods[c, k, z] = model.column(0.0, 0.0, float(compiled.counts[c]))
        mine = {column: 1.0 for (i, _, _), column in pods.items() if i == c}
        model.row(mine, float(compiled.counts[c]), float(compiled.counts[c]))
    quota: Part = {}
    for k in range(len(compiled.pools)):
        quota |= _pool(model, compiled, k, {(c, z): column for (c, p, z), column in pods.items() if p == k})
    if compiled.problem.vcpu_quota is not None:
        model.row(quota, -np.inf, float(compiled.problem.vcpu_quota))
    out: Outcome = model.solve(nodes_limit=nodes_limit, gap=0.01, seed=compiled.problem.seed, quick=True)
    return max(0.0, out.bound) if out.status in ("optimal", "limit") else 0.0


def _pool(model: Model, compiled: Compiled, k: int, pods: dict[tuple[int, int], int]) -> Part:
    """Columns and rows of one pool; the vCPUs of its nodes."""
    part, zones = compiled.pools[k], range(compiled.zones)
    kinds, cap = range(len(part.types)), float(part.wish.max)
    work = {(t, z): model.column(float(part.price[t]), 0.0, cap, whole=True) for t in kinds for z in zones}
    spare = [model.column(float(part.price[t]), 0.0, cap, whole=True) for t in kinds]
    for row in _volume(compiled, k, pods, work):
        model.row(row, -np.inf, 0.0)
    per_zone = [{work[t, z]: 1.0 for t in kinds} for z in zones]
    for one in zones:
        for other in zones:
            if one != other:
                model.row(per_zone[one] | dict.fromkeys(per_zone[other], -1.0), -np.inf, 1.0)
    flags = [model.column(0.0, 0.0, 1.0, whole=True) for _ in kinds]
    for t in kinds:
        model.row({work[t, z]: 1.0 for z in zones} | {spare[t]: 1.0, flags[t]: -cap}, -np.inf, 0.0)
    model.row(dict.fromkeys(flags, 1.0), 0.0, float(part.wish.slots))
    every = dict.fromkeys((*work.values(), *spare), 1.0)
    forced = compiled.counts * (compiled.allowed.sum(axis=1) == 1) * compiled.allowed[:, k]
    model.row(every, float(least_nodes(compiled, k, forced)), cap)
    groups = compiled.classes.host
    for group in sorted({int(groups[c]) for c, _ in pods} - {-1}):
        held = {column: -1.0 for (c, _), column in pods.items() if groups[c] == group}
        model.row(dict.fromkeys(work.values(), 1.0) | held, 0.0, np.inf)
    if not part.wish.spot:
        _spare(model, compiled, k, pods, work, spare)
        if forced.any():
            model.row(dict.fromkeys(spare, 1.0), 1.0, np.inf)
    vcpu = {work[t, z]: float(part.vcpu[t]) for t in kinds for z in zones}
    return vcpu | {spare[t]: float(part.vcpu[t]) for t in kinds}


def _volume(
    compiled: Compiled, k: int, pods: dict[tuple[int, int], int], work: dict[tuple[int, int], int]
) -> Iterator[Part]:
    """What must fit: per zone, dimension and set of types, the pods that fit on no other type."""
    part, fits, sizes = compiled.pools[k], compiled.fits(k), compiled.classes.sizes
    sets: dict[bytes, npt.NDArray[np.bool_]] = {fits[c].tobytes(): fits[c] for c, _ in pods}
    sets[b""] = np.ones(len(part.types), dtype=bool)
    for _, inside in sorted(sets.items()):
        for zone in range(compiled.zones):
            small = [(c, column) for (c, z), column in pods.items() if z == zone and not (fits[c] & ~inside).any()]
            for d in range(4):
                load = {column: float(sizes[c, d]) for c, column in small if sizes[c, d]}
                if load:
                    scale = max(load.values())
                    row = {column: value / scale for column, value in load.items()}
                    yield row | {work[int(t), zone]: -float(part.room[t, d]) / scale for t in np.flatnonzero(inside)}


def _spare(  # noqa: PLR0913, PLR0917
    model: Model,
    compiled: Compiled,
    k: int,
    pods: dict[tuple[int, int], int],
    work: dict[tuple[int, int], int],
    spare: list[int],
) -> None:
    """Without a spare larger than K no node holds more than K: its room counts only up to K (CPU, then memory)."""
    room, sizes = compiled.pools[k].room, compiled.classes.sizes
    for d in (0, 1):
        most = float(sum(compiled.counts[c] * sizes[c, d] for c in {c for c, _ in pods}))
        if most <= 0:
            continue
        loads = sorted(set(room[:, d].tolist()))
        for load in sorted({*loads[:LOADS], *loads[:: max(1, len(loads) // LOADS)]}):
            row = {column: float(sizes[c, d]) / most for (c, _), column in pods.items() if sizes[c, d]}
            row |= {column: -float(min(room[t, d], load)) / most for (t, _), column in work.items()}
            row |= {spare[t]: -1.0 for t in range(len(spare)) if room[t, d] > load}
            model.row(row, -np.inf, 0.0)
