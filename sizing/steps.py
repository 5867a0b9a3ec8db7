"""At most so many nodes made or removed at once: the plan that runs moves towards the better one step by step."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np

from sizing.compiled import Compiled
from sizing.exactly import exactly
from sizing.greedy import share_out
from sizing.packing import Floats
from sizing.part import PartSolution, within_limits
from sizing.plan import Plan
from sizing.pools import FIRST, PATTERNS, SPREAD, Ints, PoolSolution, finish, pack

SHARES = (0.9, 0.75, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05)  # of the way to the better plan


def changed(compiled: Compiled, made: PartSolution, previous: Plan) -> int:
    """Nodes made plus nodes removed, by pool and type, spares included."""
    total = 0
    for pool in made.pools:
        part = compiled.pools[pool.pool]
        now: Counter[str] = Counter()
        for t, n, s in pool.slots:
            now[part.types[t].name] += n + s
        for row in previous.pools:
            if row.pool == part.wish.name:
                now[row.instance_type] -= row.min
        total += sum(abs(count) for count in now.values())
    return total


def stepped(
    compiled: Compiled, near: list[PartSolution], goal: PartSolution, previous: Plan, most: int
) -> PartSolution:
    """The cheapest plan between the nearest of `near` and `goal` that changes at most `most` nodes.

    Where none is so near, the demand asks for more: then the one with the fewest changes.
    """
    options = [*near, goal]
    start = min(options, key=lambda o: (changed(compiled, o, previous), round(o.cost, 6)))
    options += between(compiled, start, goal)
    options += _fewer(compiled, start, most)
    fine = [o for o in options if changed(compiled, o, previous) <= most]
    if not fine:
        return min(options, key=lambda o: (changed(compiled, o, previous), round(o.cost, 6)))
    return min(fine, key=lambda o: (round(o.cost, 6), changed(compiled, o, previous)))


def _fewer(compiled: Compiled, start: PartSolution, most: int) -> list[PartSolution]:
    """The start without one node, without two and so on: each time the loss that saves most and holds all pods."""
    found: list[PartSolution] = []
    now = start
    for _ in range(most):
        tried = [
            PartSolution((*now.pools[:k], less, *now.pools[k + 1 :]))
            for k, pool in enumerate(now.pools)
            for at in range(len(pool.slots))
            if (less := _without(compiled, pool, at)) is not None
        ]
        fine = [one for one in tried if one.cost < now.cost and within_limits(compiled, one)]
        if not fine:
            break
        now = min(fine, key=lambda one: round(one.cost, 6))
        found.append(now)
    return found


def _without(compiled: Compiled, pool: PoolSolution, at: int) -> PoolSolution | None:
    """The pool without one working node of a slot; None where its pods then have no place."""
    counts = np.array(pool.counts, dtype=float)
    left = [(t, n - (i == at)) for i, (t, n, _) in enumerate(pool.slots)]
    types = tuple(t for t, n in left if n > 0)
    numbers: Ints = np.array([n for _, n in left if n > 0], dtype=np.int64)
    if not counts.any() or pool.slots[at][1] < 1 or not types:
        return None
    if pool.manner == PATTERNS:
        slots = tuple((t, n - (i == at), s) for i, (t, n, s) in enumerate(pool.slots))
        return exactly(compiled, pool.pool, tuple(slot for slot in slots if slot[1] + slot[2]), counts)
    _, packed = pack(compiled, pool.pool, types, numbers[None], counts, pool.manner)
    return None if packed.left.any() else finish(compiled, pool.pool, types, numbers, counts, pool.manner)


def between(compiled: Compiled, start: PartSolution, goal: PartSolution) -> list[PartSolution]:
    """Plans on the way from one to the other, near the goal first, with the pods of the start or some of the goal's."""
    made = [
        _between(compiled, pods, start, goal, share)
        for share in SHARES
        for pods in (start.pods(), share_out(compiled, start.pods() * (1 - share) + goal.pods() * share))
    ]
    return [one for one in made if one is not None]


def _between(
    compiled: Compiled, pods: Floats, start: PartSolution, goal: PartSolution, share: float
) -> PartSolution | None:
    """Every pool that share of the way, its pods packed anew; None when one of them does not hold its pods."""
    made = []
    ends = {pool.pool: pool for pool in goal.pools}
    for pool in start.pools:
        counts = pods[:, pool.pool]
        other = ends[pool.pool]
        if tuple(int(c) for c in counts) == pool.counts and pool.slots == other.slots:
            made.append(pool)
            continue
        found = _mixed(compiled, pool, other, counts, share)
        if found is None:
            return None
        made.append(found)
    whole = PartSolution(tuple(made))
    return whole if within_limits(compiled, whole) else None


def _mixed(
    compiled: Compiled, start: PoolSolution, goal: PoolSolution, counts: Floats, share: float
) -> PoolSolution | None:
    """The pool with both ends' working nodes in proportion; rounded up in one end's favour if it must be."""
    if not counts.any():
        return min((p for p in (start, goal) if not any(p.counts)), key=lambda p: p.cost, default=None)
    old, new = ({t: n for t, n, _ in pool.slots if n} for pool in (start, goal))
    types = sorted({*old, *new}, key=lambda t: (-compiled.pools[start.pool].room[t][0], t))
    best: PoolSolution | None = None
    for rounded, manner in product((np.floor, np.ceil), (FIRST, SPREAD)):
        left = {t: old.get(t, 0) + int(rounded(share * (new.get(t, 0) - old.get(t, 0)))) for t in types}
        used = tuple(t for t in types if left[t] > 0)
        numbers: Ints = np.array([left[t] for t in used], dtype=np.int64)
        if not used or len(used) > compiled.pools[start.pool].wish.slots:
            continue
        _, packed = pack(compiled, start.pool, used, numbers[None], counts, manner)
        if packed.left.any():
            continue
        made = finish(compiled, start.pool, used, numbers, counts, manner)
        if made is not None and (best is None or made.cost < best.cost):
            best = made
    return best
