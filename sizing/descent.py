"""Descent on one pool: exchange a few nodes for cheaper ones of any type, as long as a greedy scheduler still packs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from sizing.compiled import Compiled
from sizing.packing import Floats, first_fit, spread_fit
from sizing.part import PartSolution, within_limits
from sizing.pools import FIRST, SPREAD, PoolSolution, finish, node_zones

Nodes = dict[int, int]
STEPS = 60  # exchanges of one pool


@dataclass(frozen=True)
class Width:
    """How many exchanges are tried at once, and how many in all per step."""

    batch: int = 48
    most: int = 192


def polish(compiled: Compiled, made: PartSolution, width: Width) -> PartSolution:
    """The solution with every pool descended; never dearer."""
    pools = tuple(_descend(compiled, pool, width) for pool in made.pools)
    better = PartSolution(pools)
    return better if better.cost < made.cost - 1e-6 and within_limits(compiled, better) else made


def _descend(compiled: Compiled, made: PoolSolution, width: Width) -> PoolSolution:
    if not any(made.counts):
        return made
    counts = np.array(made.counts, dtype=float)
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
    trials: list[tuple[float, tuple[tuple[int, int], ...]]] = []
    for out, less in product(sorted(nodes), (1, 2, 3, 4)):
        if nodes[out] < less:
            continue
        saved = float(part.price[out]) * less
        trials.append((-saved, _changed(nodes, out, less, out, 0)))
        for into in range(len(part.types)):
            most = int(saved / float(part.price[into]) - 1e-9)
            if into == out or most < 1:
                continue
            for more in sorted({most, max(1, most - 1), max(1, most // 2)}):
                trials.append((float(part.price[into]) * more - saved, _changed(nodes, out, less, into, more)))
    fine = []
    for change, trial in sorted(set(trials)):
        if not trial or len(trial) > part.wish.slots or change >= -1e-6:
            continue
        types = [t for t, _ in trial]
        room = sum(part.room[t] * n for t, n in trial)
        if (room >= volume - 1e-6).all() and (biggest[:, None] <= part.room[types][None]).all(axis=2).any(axis=1).all():
            fine.append(trial)
    for start in range(0, min(len(fine), width.most), width.batch):
        some = fine[start : start + width.batch]
        for manner in (made.manner, SPREAD if made.manner == FIRST else FIRST):
            for index in _packs(compiled, made.pool, some, counts, manner):
                types = tuple(t for t, _ in some[index])
                numbers = np.array([n for _, n in some[index]], dtype=np.int64)
                done = finish(compiled, made.pool, types, numbers, counts, manner)
                if done is not None and done.cost < made.cost - 1e-6:
                    return done
    return None


def _changed(nodes: Nodes, out: int, less: int, into: int, more: int) -> tuple[tuple[int, int], ...]:
    after = dict(nodes)
    after[out] -= less
    if more:
        after[into] = after.get(into, 0) + more
    return tuple(sorted((t, n) for t, n in after.items() if n > 0))


def _packs(
    compiled: Compiled, pool: int, trials: list[tuple[tuple[int, int], ...]], counts: Floats, manner: str
) -> list[int]:
    """Which trials the greedy scheduler packs, cheapest change first."""
    room = compiled.pools[pool].room
    wide = max(sum(n for _, n in trial) for trial in trials)
    capacity = np.zeros((4, len(trials), wide))
    for b, trial in enumerate(trials):
        filled = np.repeat(room[[t for t, _ in trial]], [n for _, n in trial], axis=0)
        capacity[:, b, : len(filled)] = filled.T
    order = compiled.order[counts[compiled.order] > 0]
    many = np.broadcast_to(counts, (len(trials), len(counts)))
    fit = spread_fit if manner == SPREAD else first_fit
    packed = fit(compiled.classes, many, capacity, node_zones(compiled, wide), order)
    return [int(b) for b in np.flatnonzero(~packed.left.any(axis=1))]
