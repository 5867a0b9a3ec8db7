"""kube-scheduler's loop, pod by pod, in machine code.

The rules are those of `sizing/scheduler.py`. Numba infers types when it compiles, so none are written here.
"""

from __future__ import annotations

import numpy as np

from sizing.machine_code import machine_code


@machine_code
def _score(free_cpu, free_memory, cpu, memory, whole_cpu, whole_memory):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0913, PLR0917
    """LeastAllocated and BalancedAllocation in whole points."""
    before_cpu, before_memory = 1 - free_cpu / whole_cpu, 1 - free_memory / whole_memory
    after_cpu, after_memory = before_cpu + cpu / whole_cpu, before_memory + memory / whole_memory
    least = np.floor((np.floor((1 - after_cpu) * 100 + 1e-9) + np.floor((1 - after_memory) * 100 + 1e-9)) / 2)
    with_pod = np.floor((1 - abs(after_cpu - after_memory) / 2) * 100 + 1e-9)
    without = np.floor((1 - abs(before_cpu - before_memory) / 2) * 100 + 1e-9)
    return least + 50 + np.floor((50 + with_pod - without) / 2)  # `//` of floats takes longer


@machine_code
def _fits(size, free):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Whether a node's free room holds one more; what is not asked for may be overdrawn."""
    fits = True
    for d in range(len(size)):
        fits = fits and (size[d] <= 0 or free[d] >= size[d])
    return fits


@machine_code
def draw(sizes, counts, spread, host, bound, room, zones, lots, early, where):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, C901, PLR0913, PLR0917
    """Pods without a node, ties decided by `lots` (turn, node); with `early` the first one ends it.

    `where` (kind, node) counts the pods where they are put, unless it is empty.
    """
    nodes = len(room)
    free, whole = room.copy(), np.maximum(room[:, :2], 1.0)
    taken = np.zeros((len(counts) + 1, nodes), np.bool_)
    score, held = np.zeros(nodes), np.zeros(zones.max() + 1, np.int64)
    left = turn = 0
    for k in range(len(counts)):
        size = sizes[k]
        held[:] = 0
        for n in range(nodes):
            barred = 0 <= bound[k] != zones[n] or (host[k] >= 0 and taken[host[k], n])
            fits = not barred and _fits(size, free[n])
            score[n] = _score(free[n, 0], free[n, 1], size[0], size[1], whole[n, 0], whole[n, 1]) if fits else -1.0
        for number in range(counts[k]):
            best, most, least = -1, -1.0, held.min()
            for n in range(nodes):
                if score[n] >= 0 and (not spread[k] or held[zones[n]] <= least):
                    worth = score[n] + lots[(turn + number) % len(lots), n]
                    if worth > most:
                        best, most = n, worth
            if best < 0:
                if early:
                    return 1
                left += counts[k] - number
                break
            held[zones[best]] += 1
            free[best] -= size
            if len(where):
                where[k, best] += 1
            if host[k] >= 0:
                taken[host[k], best] = True
            fits = host[k] < 0 and _fits(size, free[best])
            score[best] = (
                _score(free[best, 0], free[best, 1], size[0], size[1], whole[best, 0], whole[best, 1]) if fits else -1.0
            )
        turn += counts[k]
    return left


@machine_code
def first_taken(start, looks, kinds, nodes, spare, types, zones, pods):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, PLR0913, PLR0917
    """The first mix from `start` whose nodes take all pods, ties falling to the first node, and what looks are left.

    `kinds` (mix, 3) types, -1 where `nodes` are none, so many in this order, then one of `spare` (mix,) unless -1;
    `types` their rooms, dealt over `zones` in turn; `pods` as `draw` takes them. Past the last mix: none; -1: out of
    looks.
    """
    sizes, counts, spread, host, bound = pods
    nowhere = np.zeros((0, 0), np.int64)
    for m in range(start, len(kinds)):
        total = nodes[m].sum() + np.int64(spare[m] >= 0)
        looks -= total * counts.sum()
        if looks < 0:
            return -1, looks
        room, at = np.empty((total, types.shape[1])), 0
        for i in range(kinds.shape[1]):
            for _ in range(nodes[m, i]):
                room[at] = types[kinds[m, i]]
                at += 1
        if spare[m] >= 0:
            room[at] = types[spare[m]]
        lots, dealt = np.zeros((1, total)), np.arange(total) % zones
        if draw(sizes, counts, spread, host, bound, room, dealt, lots, True, nowhere) == 0:  # noqa: FBT003
            return m, looks
    return len(kinds), looks
