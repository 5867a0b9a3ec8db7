"""Cutting planes: nodes, slots and spares, with what packing forbids told to the program bit by bit.

The fluid model sees volumes only. A cut says: give every pod a worth; then the worth of a pool's pods is at most the
sum over its nodes of the most that one node can hold (a knapsack). The first worths are the duals of the column
generation; then, in turn, those of the generation under the spares of the cheapest branch (`sizing/worths.py`) of a
search over spares, types and whole nodes (`sizing/branching.py`). The bound holds for every plan; the cheapest
branches, rounded, are starting points that nearly pack.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from sizing.branching import Chosen, Tree
from sizing.columns import FLOOR, Columns
from sizing.compiled import Compiled
from sizing.fluid import Cut, Fluid, within
from sizing.packing import Floats, largest
from sizing.pricing import Knapsacks, exact, most_of
from sizing.worths import worths

FREE = 1e18  # room of a dimension that is not cut
LOADS = 8  # loads of the fullest node per dimension in the first cuts
LOOSE = 40  # programs of a search for a starting point
LEAST_WORTH = 1e-6  # USD a month: less is noise of the duals, which knapsacks count as nothing
SOME = 0.3  # of a node, from where on a type is part of a starting point


@dataclass(frozen=True)
class Cutting:
    """Fixed numbers: looks at the cheapest branch, and programs of the search after each."""

    looks: int
    programs: int


@dataclass
class Cuts:
    """What was found: a proven bound on every plan cheaper than the one known, and starting points."""

    bound: float = 0.0
    status: str = "optimal"
    cuts: list[Cut] = field(default_factory=list)
    starts: list[Fluid] = field(default_factory=list)


def cut(made: Columns, below: float, effort: Cutting) -> Cuts:
    """Branch and cut; `below` is the cost of the best plan known, infinite where there is none."""
    compiled, found = made.compiled, Cuts()
    for k in range(len(made.worth)):
        _add(made, found, k, np.maximum(made.worth[k], 0.0), _loads(compiled, k))
    tree = Tree(compiled, found.cuts, below)
    for _ in range(effort.looks):
        if not _separate(made, found, tree):
            break
        tree.grow(tree.solved + effort.programs)
    best = tree.best()
    if best is not None:
        found.starts.append(rounded(compiled, best))
    if not tree.feasible:  # nothing is cheaper than what is known, if anything is
        found.bound = below if np.isfinite(below) else 0.0
        found.status = found.status if np.isfinite(below) else "infeasible"
    else:
        found.bound = min(tree.bound, below)
        found.status = "limit"
    return found


def _separate(made: Columns, found: Cuts, tree: Tree) -> bool:
    """Cuts that the cheapest branch breaks; whether there were any."""
    out = tree.best()
    if out is None:
        return False
    before = len(found.cuts)
    firm = [k for k, part in enumerate(made.compiled.pools) if not part.wish.spot]
    rooms = {k: _spare_rooms(made.compiled, k, out) for k in firm}
    start = np.searchsorted(made.pool, np.arange(len(made.compiled.pools)))
    worth = worths(made, rooms, {int(start[k]) + t: limits for (k, t), limits in out.bounds.items()})
    for k, mine in enumerate(worth if worth is not None else ()):
        _add(made, found, k, np.maximum(mine, 0.0), _spare_caps(rooms.get(k)))
    tree.add(found.cuts[before:])
    return len(found.cuts) > before


def rounded(compiled: Compiled, out: Chosen) -> Fluid:
    """The same with whole nodes, in each pool of as many types as it has slots: those of most money."""
    nodes = []
    for k, some in enumerate(out.nodes):
        part = compiled.pools[k]
        ranked = sorted(some, key=lambda t, some=some, part=part: (-some[t] * float(part.price[t]), t))  # type: ignore[misc]
        kept = [t for t in ranked if some[t] >= SOME or t == ranked[0]][: part.wish.slots]
        nodes.append({t: max(1, round(some[t])) for t in sorted(kept)})
    return Fluid("limit", 0.0, out.pods, tuple(nodes))


def loosened(compiled: Compiled, found: Cuts, below: float, fills: Sequence[float]) -> Iterator[Fluid]:
    """Starting points that leave room for what a greedy scheduler wastes: nodes and cuts count only up to a share.

    Each share sends the pods elsewhere. No bound.
    """
    for share in fills:
        tree = Tree(compiled, found.cuts, below / share, share)
        tree.grow(LOOSE)
        best = tree.best()
        if best is not None:
            yield rounded(compiled, best)


def _loads(compiled: Compiled, k: int) -> list[Floats]:
    """Caps of one dimension each, at some of the pool's rooms."""
    if compiled.pools[k].wish.spot:
        return []
    caps = []
    for d in (0, 1):
        loads = sorted(set(compiled.pools[k].room[:, d].tolist()))[:-1]
        caps += [_cap(d, load) for load in loads[:: max(1, -(-len(loads) // LOADS))]]
    return caps


def _cap(dimension: int, load: float) -> Floats:
    """(1, 4): a cap of one dimension."""
    cap = np.full((1, 4), FREE)
    cap[0, dimension] = load
    return cap


def _spare_rooms(compiled: Compiled, k: int, out: Chosen) -> Floats:
    """(spare, 4): the rooms of the spares that the program chose, without traces and those within others."""
    spares = out.spares[k]
    main = [t for t, n in spares.items() if n >= min(SOME, max(spares.values()))]
    return np.array(largest(np.unique(compiled.pools[k].room[main], axis=0)))


def _spare_caps(room: Floats | None) -> list[Floats]:
    """Caps at these rooms: of each dimension, and of all; none where a pool has no spares."""
    if room is None or not len(room):
        return []
    return [*(_cap(d, float(room[:, d].max())) for d in (0, 1)), room]


def _add(made: Columns, found: Cuts, k: int, worth: Floats, caps: list[Floats]) -> None:
    """The cut of these worths (USD a month) for one pool, and one more for each set of caps."""
    rows = np.flatnonzero(made.pool == k)
    room, held = made.sacks.room[rows], made.sacks.most[rows]
    mine = np.where((worth > LEAST_WORTH) & (held.max(axis=0, initial=0) > 0), worth, 0.0)
    if not mine.any():
        return
    binding = [some for some in caps if not within(room, some).all()]
    asked = [np.full((1, 4), FREE), *binding]
    rooms = np.minimum(room, np.concatenate(asked)[:, None])
    tops = _tops(made, rooms, held, mine, FLOOR * made.price[rows])
    each = np.split(tops, np.cumsum([len(some) for some in asked])[:-1])
    for some, most in zip((None, *binding), each, strict=True):
        found.cuts.append(Cut(k, mine[made.item_of], most.max(axis=0), some))


def _tops(made: Columns, rooms: Floats, held: Floats, worth: Floats, floor: Floats) -> Floats:
    """(cap, row): what a node of each room (cap, row, 4) is worth at most, but its floor (row,); of equal ones once."""
    most = np.minimum(held, np.array([most_of(made.sizes, some) for some in rooms]))
    every = np.concatenate([rooms, most], axis=2).reshape(-1, rooms.shape[2] + held.shape[1])
    once, which = np.unique(every, axis=0, return_inverse=True)
    least = np.full(len(once), np.inf)
    np.minimum.at(least, which.ravel(), np.tile(floor, len(rooms)))
    sacks = Knapsacks(made.sizes, once[:, : rooms.shape[2]], once[:, rooms.shape[2] :])
    _, tops = exact(sacks, np.tile(worth, (len(once), 1)), least)
    return np.maximum(tops[which.ravel()].reshape(rooms.shape[:2]), floor)
