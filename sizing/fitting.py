"""Putting pods on nodes, trial by trial, in machine code.

The loops of `sizing/packing.py`; their arguments are explained there. Numba infers types when it compiles, so none are
written here.
"""

from __future__ import annotations

import numpy as np

from sizing.machine_code import machine_code


@machine_code
def _room(free, size, t, n):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """How many pods of a size node `n` of trial `t` still takes."""
    most = np.inf
    for d in range(len(size)):
        if size[d] > 0:
            most = min(most, free[d, t, n] / size[d])
    return np.floor(most)


@machine_code
def first(sizes, zone, host, counts, free, zones, order, stop, left, last, placed):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, C901, PLR0913, PLR0917
    """Fill `left`, `last`, `free` and `placed` (first trial; empty where not asked for): the first node with room."""
    dimensions, trials, nodes = free.shape
    taken = np.zeros((len(sizes) + 1, nodes), np.bool_)
    for t in range(trials):
        taken[:] = False
        for c in order:
            need = counts[t, c]
            if need <= 0:
                continue
            size = sizes[c]
            for n in range(nodes):
                if need <= 0:
                    break
                if 0 <= zone[c] != zones[n] or (host[c] >= 0 and taken[host[c], n]):
                    continue
                take = min(need, _room(free, size, t, n))
                if host[c] >= 0:
                    take = min(take, 1.0)
                if take <= 0:
                    continue
                for d in range(dimensions):
                    free[d, t, n] -= take * size[d]
                need -= take
                last[t] = max(last[t], n + 1)
                if host[c] >= 0:
                    taken[host[c], n] = True
                if t == 0 and len(placed):
                    placed[c, n] = np.int64(take)
            left[t, c] = need
            if stop and need > 0:
                break


@machine_code
def spread(sizes, zone, host, counts, free, zones, order, stop, left, last, placed):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, C901, PLR0912, PLR0913, PLR0917
    """The same: round by round on the emptiest and most balanced nodes."""
    dimensions, trials, nodes = free.shape
    taken = np.zeros((len(sizes) + 1, nodes), np.bool_)
    key, chosen, whole = np.zeros(nodes), np.zeros(nodes, np.int64), np.zeros((2, nodes))
    for t in range(trials):
        taken[:] = False
        whole[:] = np.maximum(free[:2, t], 1e-9)
        for c in order:
            need, size = counts[t, c], sizes[c]
            while need > 0:
                found = 0
                for n in range(nodes):
                    fits = not (0 <= zone[c] != zones[n] or (host[c] >= 0 and taken[host[c], n]))
                    for d in range(dimensions):
                        fits = fits and (size[d] <= 0 or free[d, t, n] >= size[d])
                    if fits:
                        chosen[found] = n
                        found += 1
                if found == 0:
                    break
                take = found if need >= found else int(need)
                if take < found:
                    for i in range(found):
                        n = chosen[i]
                        cpu = (free[0, t, n] - size[0]) / whole[0, n]
                        memory = (free[1, t, n] - size[1]) / whole[1, n]
                        key[i] = -((cpu + memory) / 2 + (1 - abs(cpu - memory) / 2))
                    chosen[:found] = chosen[:found][np.argsort(key[:found], kind="mergesort")]
                for i in range(take):
                    n = chosen[i]
                    for d in range(dimensions):
                        free[d, t, n] -= size[d]
                    last[t] = max(last[t], n + 1)
                    if host[c] >= 0:
                        taken[host[c], n] = True
                    if t == 0 and len(placed):
                        placed[c, n] += 1
                need -= take
            left[t, c] = need
            if stop and need > 0:
                break
