"""Greedy fillings of nodes in machine code: the items of most value for what they fill come first.

The loops of `sizing/pricing.py`. Numba infers types when it compiles, so none are written here.
"""

from __future__ import annotations

import numpy as np

from sizing.machine_code import machine_code
from sizing.packing import Floats

DIMENSIONS = 4
TINY = 1e-9


@machine_code
def _sink(heap, key, at, count):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Restore the heap below a place: the greatest key on top, of equal keys the first item."""
    item = heap[at]
    while 2 * at + 1 < count:
        below = 2 * at + 1
        if below + 1 < count:
            one, other = heap[below], heap[below + 1]
            if key[other] > key[one] or (key[other] == key[one] and other < one):
                below += 1
        one = heap[below]
        if key[item] > key[one] or (key[item] == key[one] and item < one):
            break
        heap[at] = one
        at = below
    heap[at] = item


@machine_code
def _fill(sizes, free, most, value, key, heap, count, least, slack, taken):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, C901, PLR0913, PLR0917
    """Take items by falling key until the room is used up; the worth of all that is taken."""
    for at in range(count // 2 - 1, -1, -1):
        _sink(heap, key, at, count)
    while count > 0:
        for d in range(DIMENSIONS):
            if free[d] + TINY < least[d]:
                count = 0
        if count == 0:
            break
        item = heap[0]
        count -= 1
        heap[0] = heap[count]
        _sink(heap, key, 0, count)
        fit = np.inf
        for d in range(DIMENSIONS):
            if sizes[item, d] > 0:
                fit = min(fit, free[d] / sizes[item, d])
        fit = min(np.floor(fit + slack), most[item] - taken[item])
        if fit > 0:
            taken[item] += fit
            for d in range(DIMENSIONS):
                free[d] -= fit * sizes[item, d]
    worth = 0.0
    for item in range(len(value)):
        worth += taken[item] * value[item]
    return worth


@machine_code
def _each(sizes, room, most, value, weights, base, slack, best, worth):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, C901, PLR0913, PLR0917
    rows, items = value.shape
    some, heap, key, taken = np.zeros(items, np.int64), np.zeros(items, np.int64), np.zeros(items), np.zeros(items)
    share, free, least = np.zeros((items, DIMENSIONS)), np.zeros(DIMENSIONS), np.zeros(DIMENSIONS)
    for row in range(rows):
        count = 0
        least[:] = np.inf
        for item in range(items):
            if value[row, item] > TINY and most[row, item] > 0:
                some[count] = item
                count += 1
                for d in range(DIMENSIONS):
                    share[item, d] = sizes[item, d] / max(room[row, d], TINY)
                    least[d] = min(least[d], sizes[item, d])
        for way in range(len(weights)):
            for j in range(count):
                item = some[j]
                weight = 0.0
                for d in range(DIMENSIONS):
                    weight += share[item, d] * weights[way, d]
                key[item] = value[row, item] / (weight + TINY)
                heap[j] = item
            free[:] = room[row]
            taken[:] = base[row]
            for j in range(count):
                for d in range(DIMENSIONS):
                    free[d] -= taken[some[j]] * sizes[some[j], d]
            got = _fill(sizes, free, most[row], value[row], key, heap, count, least, slack, taken)
            if got > worth[row]:
                worth[row] = got
                best[row] = taken


def greedy(  # noqa: PLR0913, PLR0917
    sizes: Floats, room: Floats, most: Floats, value: Floats, weights: Floats, base: Floats, slack: float = 0.0
) -> tuple[Floats, Floats]:
    """Per row the best of several greedy fillings on top of `base`, and its worth; nothing where none is worth any.

    `sizes` (item, 4), `room` (row, 4), `most`, `value` and `base` (row, item): `base` takes only items of some value.
    Each of `weights` (way, 4) says how much the dimensions count when items are ranked by value. `slack` of a pod is
    what rounding may cost.
    """
    best, worth = np.zeros(value.shape), np.zeros(len(room))
    given = (np.ascontiguousarray(some, dtype=np.float64) for some in (sizes, room, most, value, weights, base))
    _each(*given, slack, best, worth)
    return best, worth
