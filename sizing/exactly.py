"""A pool with given nodes, packed exactly: kube-scheduler places every pod, and a spare takes over any one node.

A greedy packing leaves up to 4 % of a pool's nodes unused that some packing fills. Working nodes with a spare need not
be filled greedily: kube-scheduler places the pods on all nodes, spares included, and the packing of the working nodes
is the witness that a spare takes over any one of them.
"""

from __future__ import annotations

import numpy as np

from sizing.compiled import Compiled
from sizing.dive import packed
from sizing.linear import Ints
from sizing.packing import Floats, fit_in
from sizing.patterns import fillings_of
from sizing.pools import (
    MOST_SCHEDULED,
    PATTERNS,
    PoolSolution,
    Slots,
    each_node,
    least_nodes,
    node_zones,
    scheduler_accepts,
)
from sizing.scheduler import pending, stands


def exactly(compiled: Compiled, pool: int, slots: Slots, counts: Floats) -> PoolSolution | None:
    """The pool with exactly these nodes: kube-scheduler places all pods on them, and some packing needs no spare.

    None where that was not found, or where the nodes break the pool's own limits. `slots` are (type, working nodes,
    spares), pods (class,). An on-demand pool without a spare is refused.
    """
    made = _within_limits(compiled, pool, slots, counts)
    if made is None:
        return None
    if sum(made.counts) <= MOST_SCHEDULED:
        return None if pending(compiled, made, first=True) or placement(compiled, made) is None else made
    if not scheduler_accepts(compiled, made) or placement(compiled, made) is None:  # a look in one go first
        return None
    return None if pending(compiled, made, first=True) else made


def as_scheduled(compiled: Compiled, pool: int, slots: Slots, counts: Floats) -> PoolSolution | None:
    """The same with the pods where kube-scheduler itself puts them on the working nodes.

    For pools of hundreds of nodes, where it fills them better than first fit and a packing program takes long.
    """
    made = _within_limits(compiled, pool, slots, counts)
    if made is None:
        return None
    types, spares = each_node(slots)
    placed = stands(compiled, pool, list(types), counts)
    if placed is None:
        return None
    loads, room = placed.T @ compiled.classes.sizes, compiled.pools[pool].room[list(spares)]
    if (spares and not fit_in(loads, room).any(axis=1).all()) or pending(compiled, made, first=True):
        return None
    _known(compiled, made)[tuple(sorted(spares))] = placed
    return made


def _within_limits(compiled: Compiled, pool: int, slots: Slots, counts: Floats) -> PoolSolution | None:
    """The pool with these nodes, however its pods are packed; None where the nodes break its limits."""
    part = compiled.pools[pool]
    total = sum(n + s for _, n, s in slots)
    types, spares = each_node(slots)
    if not types or not least_nodes(compiled, pool, counts) <= total <= part.wish.max or len(slots) > part.wish.slots:
        return None
    if not counts.any() or not (part.wish.spot or spares):
        return None
    return PoolSolution(pool, slots, part.cost(slots), tuple(int(c) for c in counts), PATTERNS)


def _known(compiled: Compiled, made: PoolSolution) -> dict[tuple[int, ...], Ints | None]:
    """Where the pods of a pool stand on its working nodes, by the spares that take them over."""
    key = ("placement", made.pool, each_node(made.slots)[0], made.counts)
    known: dict[tuple[int, ...], Ints | None] = compiled.memo.setdefault(key, {})
    return known


def continued(compiled: Compiled, pool: int, slots: Slots, counts: Floats, before: Ints) -> PoolSolution | None:
    """The pool as a plan has it that runs, `before` (class, working node) its pods: fewer are taken away, more put in.

    None where one more has no place on the working nodes, no spare takes over a node, or kube-scheduler leaves pods.
    """
    part, classes = compiled.pools[pool], compiled.classes
    types, spares = each_node(slots)
    if before.shape[1] != len(types) or not counts.any() or not (part.wish.spot or spares):
        return None
    zones, placed = node_zones(compiled, len(types)), before.copy()
    caps = part.room[list(spares)] if spares else np.full((1, 4), np.inf)

    def takes(c: int, node: int) -> bool:
        load = placed[:, node] @ classes.sizes + classes.sizes[c]
        apart = classes.host == classes.host[c] if classes.host[c] >= 0 else np.zeros(len(classes.host), dtype=bool)
        fine = bool(np.all(load <= part.room[types[node]])) and bool(np.any(np.all(load <= caps, axis=1)))
        here = int(classes.zone[c]) in {-1, int(zones[node])}
        return fine and here and not placed[apart, node].sum()

    for c in compiled.order.tolist():
        for node in np.flatnonzero(placed[c])[::-1]:
            placed[c, node] -= min(int(placed[c, node]), max(0, int(placed[c].sum() - counts[c])))
    for c in compiled.order.tolist():
        while placed[c].sum() < counts[c]:
            node = next((node for node in range(len(types)) if takes(c, node)), None)
            if node is None:
                return None
            placed[c, node] += 1
    loads = placed.T @ classes.sizes
    held = np.all(loads <= part.room[list(types)]) and np.all(
        np.any(np.all(loads[:, None] <= caps[None], axis=2), axis=1)
    )
    bound = (placed > 0) & (classes.zone >= 0)[:, None] & (classes.zone[:, None] != zones[None])
    made = PoolSolution(pool, slots, part.cost(slots), tuple(int(c) for c in counts), PATTERNS)
    if not held or bound.any() or pending(compiled, made, first=True):
        return None
    _known(compiled, made)[tuple(sorted(spares))] = placed
    return made


def placement(compiled: Compiled, made: PoolSolution) -> Ints | None:
    """(class, node) pods on the working nodes of a pool, each node's within one of its spares; None if not found.

    Found once, it stays the same, also when spares come.
    """
    types, unsorted = each_node(made.slots)
    spares = tuple(sorted(unsorted))
    known = _known(compiled, made)
    for before, placed in known.items():
        if before == spares or (placed is not None and set(before) <= set(spares)):
            return placed
    known[spares] = packed(fillings_of(compiled, made.pool, np.array(made.counts, dtype=float)), types, spares)
    return known[spares]
