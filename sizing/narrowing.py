"""From a free mix of types down to the slots: the types that carry least money are given up one by one."""

from __future__ import annotations

import numpy as np

from sizing.columns import Columns, generate
from sizing.packing import Floats

TRACE = 1e-6  # nodes or money below this count as none
MANY = 300  # kinds of pods; with more, each generation takes seconds, and half of the types too many go at once


def starts(made: Columns, rounds: int, most: int | None = None) -> list[tuple[Floats, tuple[dict[int, int], ...]]]:
    """Starting points (pods wanted per class and pool, nodes per type), types given up one by one down to the slots.

    After each loss the rest is generated anew; every set that respects the slots is a starting point. Where there are
    many kinds of pods, half of the types too many are given up at once. At most `most` of them, the roomiest first.
    """
    found: list[tuple[Floats, tuple[dict[int, int], ...]]] = []
    compiled = made.compiled
    made.closed = np.zeros(len(made.pool), dtype=bool)
    while True:
        weight = _weights(made)
        over: dict[int, list[int]] = {}
        for k, part in enumerate(compiled.pools):
            mine = [int(r) for r in np.flatnonzero(made.pool == k) if weight[r] > TRACE]
            more = len(mine) - part.wish.slots
            if more > 0:
                least = sorted(mine, key=lambda r: (weight[r], r))
                over[k] = least[: (more + 1) // 2 if len(made.counts) > MANY else 1]
        if not over:
            found.append(_start(made))
            if len(found) == most:
                break
            over = {
                k: [min(mine, key=lambda r: (weight[r], r))]
                for k in range(len(compiled.pools))
                if len(mine := [int(r) for r in np.flatnonzero(made.pool == k) if weight[r] > TRACE]) > 1
            }
            if not over:
                break
        for k in range(len(compiled.pools)):
            made.closed |= (made.pool == k) & (weight <= TRACE) & (k in over) & bool(found)
        for rows in over.values():
            made.closed[rows] = True
        before = made.used
        generate(made, rounds)
        if len(made.used) == len(before) and np.array_equal(made.used, before):
            break
    made.closed = None
    return found


def _weights(made: Columns) -> Floats:
    """Money per knapsack row in the last LP."""
    rows = np.array(made.rows[: len(made.used)], dtype=np.int64)
    return np.bincount(rows, weights=made.used * made.price[rows], minlength=len(made.pool)).astype(float)


def _start(made: Columns) -> tuple[Floats, tuple[dict[int, int], ...]]:
    rows = np.array(made.rows[: len(made.used)], dtype=np.int64)
    share = np.zeros((len(made.counts), len(made.compiled.pools)))
    nodes: list[dict[int, float]] = [{} for _ in made.compiled.pools]
    for j in np.flatnonzero(made.used > TRACE):
        k, t = int(made.pool[rows[j]]), int(made.kind[rows[j]])
        share[:, k] += made.used[j] * made.patterns[j]
        nodes[k][t] = nodes[k].get(t, 0.0) + float(made.used[j])
    share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-9)
    wanted = made.compiled.counts[:, None] * share[made.item_of] * made.compiled.allowed
    return wanted, tuple({t: max(1, round(n)) for t, n in sorted(some.items())} for some in nodes)
