"""Descent on one pool: exchange a few nodes for cheaper ones of any type, as long as a greedy scheduler still packs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from sizing.compiled import Compiled
from sizing.packing import Floats, first_fit, fit_in, spread_fit
from sizing.part import PartSolution, within_limits
from sizing.pools import FIRST, SPREAD, Ints, PoolSolution, finish, node_zones

Nodes = dict[int, int]
Trial = tuple[tuple[int, int], ...]  # (type, nodes)
CENT = 1e-6
SLACK = 1.02  # no greedy scheduler fills nodes to the last 2 %
STEPS_OF_MIX = 10
STEPS = 60  # exchanges of one pool
CELLS = 12_000  # nodes looked at a step: large pools try fewer exchanges
LARGE = 100  # nodes; from here on an exchange must save its share of the pool's cost
WORTH = 3e-4


@dataclass(frozen=True)
class Width:
    """How many exchanges are tried at once, and how many in all per step."""

    batch: int = 48
    most: int = 192
    kinds: int = 8  # types of which mixes are tried
    mixes: int = 384  # mixes tried


def polish(compiled: Compiled, made: PartSolution, width: Width) -> PartSolution:
    """The solution with every pool descended; never dearer."""
    pools = tuple(_descend(compiled, pool, width) for pool in made.pools)
    better = PartSolution(pools)
    return better if better.cost < made.cost - 1e-6 and within_limits(compiled, better) else made


def _descend(compiled: Compiled, made: PoolSolution, width: Width) -> PoolSolution:
    if not any(made.counts):
        return made
    counts = np.array(made.counts, dtype=float)
    most = max(12, CELLS // max(1, made.nodes))
    width = replace(width, most=min(width.most, most), mixes=min(width.mixes, most))
    known = mixes(compiled, made, counts, width.kinds)
    for _ in range(STEPS):
        known = {trial: cost for trial, cost in known.items() if cost < made.cost - CENT}
        mixed = attempt(compiled, made, list(known), counts, width.mixes)
        if mixed is None:
            break
        made = mixed
    for _ in range(STEPS):
        better = _step(compiled, made, counts, width)
        if better is None:
            return made
        made = better
    return made


def _step(compiled: Compiled, made: PoolSolution, counts: Floats, width: Width) -> PoolSolution | None:
    """The cheapest exchange that packs, or None."""
    part = compiled.pools[made.pool]
    nodes: Nodes = {t: n for t, n, _ in made.slots if n}
    volume = counts @ compiled.classes.sizes
    biggest = compiled.classes.sizes[counts > 0]
    trials: list[tuple[float, Trial]] = []
    for out, less in product(sorted(nodes), (1, 2, 3, 4)):
        if nodes[out] < less:
            continue
        saved = float(part.price[out]) * less
        trials.append((-saved, _changed(nodes, out, less, out, 0)))
        for into in range(len(part.types)):
            most = int(saved / float(part.price[into]) - 1e-9)
            if into == out or most < 1:
                continue
            numbers = sorted({most, max(1, most - 1), max(1, most // 2)})
            trials += [(float(part.price[into]) * n - saved, _changed(nodes, out, less, into, n)) for n in numbers]
    fine = []
    for change, trial in sorted(set(trials)):
        if not trial or len(trial) > part.wish.slots or change >= -CENT:
            continue
        types = [t for t, _ in trial]
        room = sum(part.room[t] * n for t, n in trial)
        if (room >= volume - 1e-6).all() and fit_in(biggest, part.room[types]).any(axis=1).all():
            fine.append(trial)
    return attempt(compiled, made, fine, counts, width.most, width.batch)


def attempt(  # noqa: PLR0917, PLR0913
    compiled: Compiled, made: PoolSolution, trials: list[Trial], counts: Floats, most: int, batch: int = 48
) -> PoolSolution | None:
    """The first trial (they come cheapest first) that packs and costs less than `made`."""
    below = made.cost - (made.cost * WORTH if made.nodes > LARGE else CENT)
    for start in range(0, min(len(trials), most), batch):
        some = trials[start : start + batch]
        turned = [trial[::-1] for trial in some]
        for manner, rows in ((SPREAD, some), (FIRST, some), (FIRST, turned)):
            for index in _packs(compiled, made.pool, rows, counts, manner):
                types = tuple(t for t, _ in rows[index])
                numbers = np.array([n for _, n in rows[index]], dtype=np.int64)
                done = finish(compiled, made.pool, types, numbers, counts, manner, below)
                if done is not None and done.cost < below:
                    return done
    return None


def mixes(compiled: Compiled, made: PoolSolution, counts: Floats, kinds: int) -> dict[Trial, float]:
    """Mixes of one or two types whose volume holds the pods, cheaper than `made`, cheapest first, and their costs.

    A spare, of the cheapest type in the mix, is counted.
    """
    part = compiled.pools[made.pool]
    volume = counts @ compiled.classes.sizes
    biggest = compiled.classes.sizes[counts > 0]
    value = (volume[None] / np.maximum(part.room, 1e-9))[:, :2]
    both = np.minimum(value.max(axis=1), value.sum(axis=1) * 0.6) * part.price
    ranked = [int(t) for t in np.argsort(both, kind="stable")[:kinds]]
    ranked = sorted({*ranked, *(t for t, _, _ in made.slots)})
    fits = fit_in(biggest, part.room)
    zoned = bool((counts[compiled.classes.zone >= 0] > 0).any())
    least = compiled.zones if zoned else 1
    found: dict[Trial, float] = {}
    for a, b in ((a, b) for a in ranked for b in ranked if a <= b):
        if not (fits[:, a] | fits[:, b]).all() or (a != b and part.wish.slots < 2):  # noqa: PLR2004
            continue
        alone = int(np.ceil((volume / np.maximum(part.room[a], 1e-9)).max()))
        for n in sorted(
            {round(alone * step / STEPS_OF_MIX) for step in range(1, STEPS_OF_MIX + 1)}
            | set(range(1, min(alone, 8) + 1))
        ):
            rest = np.maximum(volume * SLACK - n * part.room[a], 0)
            need = int(np.ceil((rest / np.maximum(part.room[b], 1e-9)).max())) if a != b else 0
            for more in range(3):
                trial = tuple(sorted({a: n, b: need + more}.items())) if a != b else ((a, n + more),)
                trial = tuple((t, k) for t, k in trial if k > 0)
                room = sum(part.room[t] * k for t, k in trial)
                if sum(k for _, k in trial) < least or (room < volume).any():
                    continue
                spare = 0.0 if part.wish.spot else min(float(part.price[t]) for t, _ in trial)
                cost = sum(float(part.price[t]) * k for t, k in trial) + spare
                if cost < made.cost - CENT and fits[:, [t for t, _ in trial]].any(axis=1).all():
                    found[trial] = cost
    return {trial: found[trial] for trial in sorted(found, key=lambda trial: (found[trial], trial))}


def _changed(nodes: Nodes, out: int, less: int, into: int, more: int) -> Trial:
    after = dict(nodes)
    after[out] -= less
    if more:
        after[into] = after.get(into, 0) + more
    return tuple(sorted((t, n) for t, n in after.items() if n > 0))


def _packs(compiled: Compiled, pool: int, trials: list[Trial], counts: Floats, manner: str) -> list[int]:
    """Which trials the greedy scheduler packs, cheapest change first; no trial is packed twice."""
    known: dict[Trial, bool] = compiled.memo.setdefault(("packs", pool, manner, counts.tobytes()), {})
    fresh = [trial for trial in dict.fromkeys(trials) if trial not in known]
    if fresh:
        packed = set(_packed(compiled, pool, fresh, counts, manner))
        known.update((trial, i in packed) for i, trial in enumerate(fresh))
    return [i for i, trial in enumerate(trials) if known[trial]]


def _packed(compiled: Compiled, pool: int, trials: list[Trial], counts: Floats, manner: str) -> list[int]:
    """The same, each packed anew."""
    room = compiled.pools[pool].room
    wide = max(sum(n for _, n in trial) for trial in trials)
    capacity = np.zeros((4, len(trials), wide))
    for b, trial in enumerate(trials):
        filled = np.repeat(room[[t for t, _ in trial]], [n for _, n in trial], axis=0)
        capacity[:, b, : len(filled)] = filled.T
    zones = node_zones(compiled, wide)
    some = np.flatnonzero(zones_hold(compiled, capacity, zones, counts))
    if not len(some):
        return []
    order = compiled.order if manner == SPREAD else compiled.bound_first
    order = order[counts[order] > 0]
    many = np.broadcast_to(counts, (len(some), len(counts)))
    fit = spread_fit if manner == SPREAD else first_fit
    packed = fit(compiled.classes, many, capacity[:, some], zones, order, stop=True)
    return [int(some[b]) for b in np.flatnonzero(~packed.left.any(axis=1))]


def zones_hold(compiled: Compiled, capacity: Floats, zones: Ints, counts: Floats) -> npt.NDArray[np.bool_]:
    """(trial,): the volume of the pods bound to a zone is no more than that zone's room, in every zone."""
    fine = np.ones(capacity.shape[1], dtype=bool)
    for zone in range(compiled.zones) if (compiled.classes.zone >= 0).any() else ():
        bound = (counts * (compiled.classes.zone == zone)) @ compiled.classes.sizes
        fine &= (capacity[:, :, zones == zone].sum(axis=2) >= bound[:, None]).all(axis=0)
    return fine
