"""Cutting planes: nodes, slots and spares, with what packing forbids told to the program bit by bit.

The fluid model sees volumes only. A cut says: give every pod a worth; then the worth of a pool's pods is at most the
sum over its nodes of the most that one node can hold (a knapsack). The first worths are the duals of the column
generation. Then, in turn: solve, ask whether any filling of the nodes chosen holds the demand, and take the worths
that prove it does not as the next cuts (Benders, https://doi.org/10.1007/BF01386316); first for the continuous program,
then for the cheapest branch of a search over spares, types and whole nodes (`sizing/branching.py`). The bound holds for
every plan; the cheapest branches, rounded, are starting points that nearly pack.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sizing.branching import Chosen, Tree
from sizing.columns import Columns
from sizing.compiled import Compiled
from sizing.fluid import Cut, Fluid
from sizing.linear import Model
from sizing.packing import Floats
from sizing.pricing import Knapsacks, ceiling, exact, fill, mixed

FREE = 1e18  # room of a dimension that is not cut
LOADS = 8  # loads of the fullest node per dimension in the first cuts
ROUNDS = 12  # of generating fillings for one set of nodes
NEARLY = 0.03  # a cut with less slack than this is made exact
PACKED = 1 - 1e-4
LEAST = 1e-7
LEAF = 20  # programs between two looks at the cheapest branch
SOME = 0.3  # of a node, from where on a type is part of a starting point


@dataclass(frozen=True)
class Cutting:
    """Fixed numbers: cuts before and after branching, programs of the search, knapsacks solved exactly a round."""

    rounds: int
    programs: int
    leaves: int
    exact: int


@dataclass
class Cuts:
    """What was found: a proven bound on every plan cheaper than the one known, and starting points."""

    bound: float = 0.0
    status: str = "optimal"
    rounds: int = 0
    cuts: list[Cut] = field(default_factory=list)
    starts: list[Fluid] = field(default_factory=list)
    sharp: set[tuple[int, int]] = field(default_factory=set)  # (cut, type) with the exact knapsack


def cut(made: Columns, below: float, effort: Cutting) -> Cuts:
    """Branch and cut; `below` is the cost of the best plan known, infinite where there is none."""
    compiled, found = made.compiled, Cuts()
    for k in range(len(made.worth)):
        _add(made, found, k, np.maximum(made.worth[k], 0.0), _loads(compiled, k))
    tree = Tree(compiled, found.cuts, below)
    for _ in range(effort.rounds):
        if not _separate(made, found, tree, effort.exact):
            break
    tree.grow(effort.programs)
    for _ in range(effort.leaves):
        if not _separate(made, found, tree, effort.exact):
            break
        tree.grow(tree.solved + LEAF)
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


def _separate(made: Columns, found: Cuts, tree: Tree, exactly: int) -> bool:
    """Cuts that the cheapest branch breaks, sharper knapsacks among them; whether there were any."""
    out = tree.best()
    if out is None:
        return False
    found.rounds += 1
    before = [one.most for one in found.cuts]
    _sharpen(made, found, out, exactly)
    worth = _worths(made, out)
    if worth is not None:
        for k in range(len(made.compiled.pools)):
            _add(made, found, k, worth, _spare_caps(made.compiled, k, out))
    fresh = [one for i, one in enumerate(found.cuts) if i >= len(before) or one.most is not before[i]]
    tree.add(fresh)
    return bool(fresh)


def rounded(compiled: Compiled, out: Chosen) -> Fluid:
    """The same with whole nodes, in each pool of as many types as it has slots: those of most money."""
    nodes = []
    for k, some in enumerate(out.nodes):
        part = compiled.pools[k]
        ranked = sorted(some, key=lambda t, some=some, part=part: (-some[t] * float(part.price[t]), t))  # type: ignore[misc]
        kept = [t for t in ranked if some[t] >= SOME or t == ranked[0]][: part.wish.slots]
        nodes.append({t: max(1, round(some[t])) for t in sorted(kept)})
    return Fluid("limit", 0.0, out.pods, tuple(nodes))


def loosened(compiled: Compiled, found: Cuts, below: float, programs: int, fills: Sequence[float]) -> Iterator[Fluid]:
    """Starting points that leave room for what a greedy scheduler wastes: nodes and cuts count only up to a share.

    Each share sends the pods elsewhere. No bound.
    """
    for share in fills:
        tree = Tree(compiled, found.cuts, below / share, share)
        tree.grow(programs)
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
        for load in loads[:: max(1, -(-len(loads) // LOADS))]:
            cap = np.full(4, FREE)
            cap[d] = load
            caps.append(cap)
    return caps


def _spare_caps(compiled: Compiled, k: int, out: Chosen) -> list[Floats]:
    """Caps at the room of the spares that the program chose."""
    part = compiled.pools[k]
    if part.wish.spot or not out.spares[k]:
        return []
    room = part.room[list(out.spares[k])].max(axis=0)
    caps = []
    for dimensions in ((0,), (1,), (0, 1)):
        cap = np.full(4, FREE)
        cap[list(dimensions)] = room[list(dimensions)]
        caps.append(cap)
    return caps


def _sacks(made: Columns, rows: npt.NDArray[np.int64], cap: Floats | None) -> Knapsacks:
    """The nodes of some knapsack rows, filled to `cap` at most."""
    room = made.sacks.room[rows]
    if cap is None:
        return Knapsacks(made.sizes, room, made.sacks.most[rows])
    return _capped(made, rows, np.minimum(room, cap))


def _capped(made: Columns, rows: npt.NDArray[np.int64], room: Floats) -> Knapsacks:
    fit = np.floor(np.where(made.sizes > 0, room[:, None] / np.maximum(made.sizes, 1e-9)[None], np.inf).min(axis=2))
    return Knapsacks(made.sizes, room, np.minimum(made.sacks.most[rows], fit))


def _add(made: Columns, found: Cuts, k: int, worth: Floats, caps: list[Floats]) -> None:
    """The cut of these worths for one pool, and one more for each cap."""
    rows = np.flatnonzero(made.pool == k)
    mine = worth * (made.sacks.most[rows].max(axis=0, initial=0) > 0)
    if not mine.any():
        return
    mine = mine / mine.max()
    value = np.tile(mine, (len(rows), 1))
    by_class = mine[made.item_of]
    for cap in (None, *caps):
        found.cuts.append(Cut(k, by_class, ceiling(_sacks(made, rows, cap), value), cap))


def _sharpen(made: Columns, found: Cuts, out: Chosen, left: int) -> bool:
    """Solve the knapsacks of types in use exactly, for cuts that hold tightly; newest first."""
    sharper = False
    for number in range(len(found.cuts) - 1, -1, -1):
        one = found.cuts[number]
        used = out.nodes[one.pool]
        held = float(one.worth @ out.pods[:, one.pool])
        most = sum(float(one.most[t]) * n for t, n in used.items())
        if one.cap is not None:
            spares = list(out.spares[one.pool])
            if not spares or (made.compiled.pools[one.pool].room[spares] > one.cap).any():
                continue
        if held <= 0 or most > held * (1 + NEARLY):
            continue
        rows = np.flatnonzero(made.pool == one.pool)
        sacks = _sacks(made, rows, one.cap)
        worth = np.zeros(len(made.counts))
        worth[made.item_of] = one.worth
        for t in sorted(used):
            if (number, t) in found.sharp or left <= 0:
                continue
            left -= 1
            found.sharp.add((number, t))
            solved = exact(sacks, t, worth)
            if solved is not None and solved[1] < one.most[t] * (1 - 1e-6):
                one.most = one.most.copy()
                one.most[t] = solved[1]
                sharper = True
    return sharper


class _Fillings:
    """Fillings known for the nodes that a program chose: one knapsack row per pool and type."""

    def __init__(self, made: Columns, out: Chosen) -> None:
        chosen = [(k, t, n) for k, nodes in enumerate(out.nodes) for t, n in sorted(nodes.items())]
        self.numbers = [n for _, _, n in chosen]
        self.rows = np.array(
            [int(np.flatnonzero((made.pool == k) & (made.kind == t))[0]) for k, t, _ in chosen], dtype=np.int64
        )
        room = made.sacks.room[self.rows]
        for at, (k, _, _) in enumerate(chosen):
            part = made.compiled.pools[k]
            if not part.wish.spot and out.spares[k]:  # a node is never fuller than a spare
                room[at] = np.minimum(room[at], part.room[list(out.spares[k])].max(axis=0))
        self.sacks = _capped(made, self.rows, room)
        self.known: dict[tuple[int, bytes], tuple[int, Floats]] = {}
        place_of = {int(row): at for at, row in enumerate(self.rows)}
        for row, pattern in zip(made.rows, made.patterns, strict=True):
            at = place_of.get(row, -1)
            if at >= 0 and (pattern @ made.sizes <= room[at]).all():
                self.keep(at, np.minimum(pattern, self.sacks.most[at]))
        for at, i in np.argwhere(self.sacks.most > 0).tolist():
            alone = np.zeros(len(made.counts))
            alone[i] = self.sacks.most[at, i]
            self.keep(at, alone)

    def keep(self, at: int, pattern: Floats) -> bool:
        """Whether it is new."""
        key = (at, pattern.tobytes())
        if key in self.known or not pattern.any():
            return False
        self.known[key] = (at, pattern.copy())
        return True

    def grow(self, worth: Floats, price: Floats) -> bool:
        """Add fillings worth more than their node, quickly found."""
        value = np.tile(worth, (len(self.rows), 1))
        fresh = False
        for pattern, gain in (fill(self.sacks, value), mixed(self.sacks, value)):
            for at in np.flatnonzero(gain > price + LEAST):
                fresh |= self.keep(int(at), pattern[at])
        return fresh


def _worths(made: Columns, out: Chosen) -> Floats | None:
    """Worths of the items that prove these nodes too small, whatever goes where; None when a filling holds all.

    Columns: the share of the demand that fits, and fillings of the nodes; the duals of the demand are the worths.
    """
    fillings = _Fillings(made, out)
    if not len(fillings.rows):
        return None
    worth = None
    for _ in range(ROUNDS):
        share, worth, price = _covered(made, list(fillings.known.values()), fillings.numbers)
        if worth is None or share > PACKED:
            return None
        if not fillings.grow(worth, price):
            break
    for at, pattern in fillings.known.values():
        made.add(int(fillings.rows[at]), pattern)
    return worth


def _covered(
    made: Columns, known: list[tuple[int, Floats]], numbers: list[float]
) -> tuple[float, Floats | None, Floats]:
    """The share of the demand that these fillings of so many nodes hold; worths of the items and of the nodes."""
    model = Model()
    share = model.column(-1.0, 0.0, 1.0)
    columns = [model.column(0.0, 0.0, np.inf) for _ in known]
    patterns = np.array([pattern for _, pattern in known])
    items = [
        model.row(
            {columns[j]: float(patterns[j, i]) for j in np.flatnonzero(patterns[:, i])} | {share: -float(count)},
            0.0,
            np.inf,
        )
        for i, count in enumerate(made.counts)
    ]
    nodes = [
        model.row({columns[j]: 1.0 for j, (at, _) in enumerate(known) if at == number}, -np.inf, float(count))
        for number, count in enumerate(numbers)
    ]
    out = model.solve(seed=made.compiled.problem.seed)
    if out.duals is None or out.values is None:
        return 0.0, None, np.zeros(0)
    return float(out.values[share]), np.abs(out.duals[items]), np.abs(out.duals[nodes])
