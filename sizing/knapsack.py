"""The most valuable filling of one node, by branch and bound in machine code: the large pods first.

A node's room has four dimensions (milli-CPU, MiB, GPUs, pods). The ceiling of a branch is the least continuous knapsack
of several surrogate constraints (Glover, https://doi.org/10.1287/opre.16.4.741); what remains once the large pods are
chosen is small against the node, so the greedy completion of a branch comes close to its ceiling.
"""

from __future__ import annotations

import numpy as np

from sizing.machine_code import machine_code
from sizing.packing import Floats

DIMENSIONS = 4
TINY = 1e-12


# numba infers the types when it compiles, so none are written: one ignore each
@machine_code
def _sort(key, order):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Order by falling key; equal keys keep their order."""
    for i in range(1, len(order)):
        item = order[i]
        j = i - 1
        while j >= 0 and key[order[j]] < key[item]:
            order[j + 1] = order[j]
            j -= 1
        order[j + 1] = item


@machine_code
def _continuous(best, first, rank, weight, value, most, room):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0913, PLR0917
    """The continuous knapsack over the items whose rank is at least `first`, best value per weight first."""
    got = 0.0
    for item in best:
        if rank[item] < first:
            continue
        use = weight[item] * most[item]
        if use > room:
            return got + value[item] * room / weight[item]
        got += value[item] * most[item]
        room -= use
    return got


@machine_code
def _fitting(size, free, most):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """How many of an item the free room holds, at most `most`."""
    for d in range(DIMENSIONS):
        if size[d] > 0:
            most = min(most, np.int64((free[d] + 1e-9) // size[d]))
    return most


@machine_code
def _one(sizes, room, most, value, floor, ways, gap, limit, pattern):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, C901, PLR0912, PLR0913, PLR0915, PLR0917
    """Fill `pattern`; the proven ceiling of the worth, or `floor` where nothing is worth more."""
    items = np.flatnonzero((value > TINY) & (most > 0))
    count = len(items)
    if count == 0:
        return 0.0
    worth, size = value[items], sizes[items]
    limits = most[items].astype(np.int64)
    for i in range(count):
        limits[i] = _fitting(size[i], room, limits[i])
    share, largest = np.zeros((count, DIMENSIONS)), np.zeros(count)
    for i in range(count):
        for d in range(DIMENSIONS):
            if size[i, d] > 0:
                share[i, d] = size[i, d] / max(room[d], TINY)
                largest[i] = max(largest[i], share[i, d])
    rank = np.zeros(count, np.int64)
    weight, key = np.zeros((len(ways), count)), np.zeros(count)
    order, ceilings = np.zeros((len(ways), count), np.int64), np.zeros(len(ways))
    for w in range(len(ways)):
        for i in range(count):
            weight[w, i] = TINY
            for d in range(DIMENSIONS):
                weight[w, i] += ways[w, d] * share[i, d]
            key[i] = worth[i] / weight[w, i]
            order[w, i] = i if w == 0 else order[w - 1, i]
        _sort(key, order[w])
        ceilings[w] = _continuous(order[w], 0, rank, weight[w], worth, limits, 1.0)
    large = np.arange(count)
    _sort(largest, large)
    for j in range(count):
        rank[large[j]] = j
    taken, trial = np.zeros(count, np.int64), np.zeros(count, np.int64)
    free, rest = room.copy(), room.copy()
    left = np.ones(len(ways))
    got, top, most_worth, looked, j, down = 0.0, 0.0, floor, 0, 0, True
    way = int(np.argmin(ceilings))
    while j >= 0:
        if down:
            looked += 1
            enough = most_worth * (1 + gap) + TINY
            ceiling = got + _continuous(order[way], j, rank, weight[way], worth, limits, left[way])
            for w in range(len(ways)):
                if ceiling <= enough:
                    break
                other = got + _continuous(order[w], j, rank, weight[w], worth, limits, left[w])
                if other < ceiling:
                    ceiling, way = other, w
            if ceiling <= enough or looked > limit:
                if ceiling > enough:
                    top = max(top, ceiling)
                down = False
                j -= 1
                continue
            rest[:] = free
            trial[:] = taken
            filled = got
            for i in order[way]:
                if rank[i] >= j:
                    trial[i] = _fitting(size[i], rest, limits[i])
                    filled += trial[i] * worth[i]
                    rest -= trial[i] * size[i]
            if filled > most_worth:
                most_worth = filled
                for i in range(count):
                    pattern[items[i]] = trial[i]
            if j == count:
                down = False
                j -= 1
                continue
            i = large[j]
            taken[i] = _fitting(size[i], free, limits[i])
            got += taken[i] * worth[i]
            left -= taken[i] * weight[:, i]
            free -= taken[i] * size[i]
            j += 1
        else:
            i = large[j]
            if taken[i] > 0:
                taken[i] -= 1
                got -= worth[i]
                left += weight[:, i]
                free += size[i]
                j += 1
                down = True
            else:
                j -= 1
    return max(top, most_worth * (1 + gap))


@machine_code
def _each(sizes, room, most, value, floor, ways, gap, limit, patterns, tops):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0913, PLR0917
    for row in range(len(room)):
        tops[row] = _one(sizes, room[row], most[row], value[row], floor[row], ways, gap, limit, patterns[row])


def fillings(  # noqa: PLR0913, PLR0917
    sizes: Floats, room: Floats, most: Floats, value: Floats, floor: Floats, ways: Floats, gap: float, limit: int
) -> tuple[Floats, Floats]:
    """Per row the best filling found and a proven ceiling of any filling's worth.

    `sizes` (item, 4), `room` (row, 4), `most` and `value` (row, item). Where no filling is worth more than `floor`
    (row) by the share `gap`, the pattern is empty and the ceiling that. `ways` (way, 4) weigh the dimensions, each adds
    up to 1. After `limit` branches the ceiling is that of the branches left open.
    """
    patterns, tops = np.zeros(value.shape), np.zeros(len(room))
    rows = (np.ascontiguousarray(some, dtype=np.float64) for some in (sizes, room, most, value, floor, ways))
    _each(*rows, gap, limit, patterns, tops)
    return patterns, tops
