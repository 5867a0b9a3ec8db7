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
STEP = 0.05  # of the weight of the dimensions: first, and least, move of a surrogate constraint
FINEST = 0.0005


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
            most = min(most, np.int64(np.floor((free[d] + 1e-9) / size[d])))
    return most


@machine_code
def _weigh(way, share, worth, weight, key, order):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0913, PLR0917
    """The weight of each item by one surrogate constraint; `order` comes near the right one and is put right."""
    for i in range(len(worth)):
        weight[i] = TINY
        for d in range(DIMENSIONS):
            weight[i] += way[d] * share[i, d]
        key[i] = worth[i] / weight[i]
    _sort(key, order)


@machine_code
def _refine(way, best, share, worth, limits, rank, key, weights, orders):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0913, PLR0917
    """Move a surrogate constraint to where its ceiling is least: share by share between two dimensions.

    `weights` and `orders` (2, item): those of `way` first; they end with those of the constraint found.
    """
    trial, step = way.copy(), STEP
    while step > FINEST:
        better = False
        for into in range(DIMENSIONS):
            for out in range(DIMENSIONS):
                move = min(step, way[out])
                if into == out or move <= 0 or (into > 1 and way[into] <= 0):
                    continue
                trial[:] = way
                trial[into] += move
                trial[out] -= move
                orders[1] = orders[0]
                _weigh(trial, share, worth, weights[1], key, orders[1])
                ceiling = _continuous(orders[1], 0, rank, weights[1], worth, limits, 1.0)
                if ceiling < best * (1 - TINY):
                    best, better = ceiling, True
                    way[:] = trial
                    weights[0] = weights[1]
                    orders[0] = orders[1]
        if not better:
            step /= 2


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
    rank, many = np.zeros(count, np.int64), len(ways)
    weight, key = np.zeros((many + 2, count)), np.zeros(count)  # the last two: a constraint of this node's own
    order, ceilings = np.zeros((many + 2, count), np.int64), np.zeros(many)
    for w in range(many):
        order[w] = np.arange(count) if w == 0 else order[w - 1]
        _weigh(ways[w], share, worth, weight[w], key, order[w])
        ceilings[w] = _continuous(order[w], 0, rank, weight[w], worth, limits, 1.0)
    way = int(np.argmin(ceilings))
    if ceilings[way] > floor * (1 + gap) + TINY:
        weight[many], order[many] = weight[way], order[way]
        _refine(ways[way].copy(), ceilings[way], share, worth, limits, rank, key, weight[many:], order[many:])
        way = many
        many += 1
    large = np.arange(count)
    _sort(largest, large)
    for j in range(count):
        rank[large[j]] = j
    taken, trial = np.zeros(count, np.int64), np.zeros(count, np.int64)
    free, rest = room.copy(), room.copy()
    left, least = np.ones(len(weight)), np.zeros(DIMENSIONS)
    for d in range(DIMENSIONS):
        least[d] = size[:, d].min()
    got, top, most_worth, looked, j, down = 0.0, 0.0, floor, 0, 0, True
    while j >= 0:
        if down:
            looked += 1
            enough = most_worth * (1 + gap) + TINY
            ceiling = got + _continuous(order[way], j, rank, weight[way], worth, limits, left[way])
            for w in range(many):
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
            filled, full = got, False
            for i in order[way]:
                if rank[i] >= j:
                    trial[i] = 0 if full else _fitting(size[i], rest, limits[i])
                    if trial[i] > 0:
                        filled += trial[i] * worth[i]
                        for d in range(DIMENSIONS):
                            rest[d] -= trial[i] * size[i, d]
                            full = full or rest[d] + 1e-9 < least[d]
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
            for w in range(many):
                left[w] -= taken[i] * weight[w, i]
            for d in range(DIMENSIONS):
                free[d] -= taken[i] * size[i, d]
            j += 1
        else:
            i = large[j]
            if taken[i] > 0:
                taken[i] -= 1
                got -= worth[i]
                for w in range(many):
                    left[w] += weight[w, i]
                for d in range(DIMENSIONS):
                    free[d] += size[i, d]
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
    up to 1. After `limit` branches the ceiling is that of the branches left open. Values up to TINY count as nothing.
    """
    patterns, tops = np.zeros(value.shape), np.zeros(len(room))
    rows = (np.ascontiguousarray(some, dtype=np.float64) for some in (sizes, room, most, value, floor, ways))
    _each(*rows, gap, limit, patterns, tops)
    return patterns, tops
