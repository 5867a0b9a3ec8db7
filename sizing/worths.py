"""Worths of pods where no node holds more than its spare: column generation under caps, for cuts.

What a continuous program gets wrong on few large nodes is the spare: it takes small ones and fills nodes beyond them.
Once a branch has chosen its spares, nodes hold no more than these, and the duals of the generation over such nodes are
the worths that make the branch's program as dear as the generation itself (Dantzig and Wolfe,
https://doi.org/10.1287/opre.8.1.101). They are a guide: the cut made of them is valid whatever they are.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sizing.columns import SMOOTH, Columns
from sizing.linear import Ints, Live, Model
from sizing.packing import Floats
from sizing.pricing import Knapsacks, exact, most_of, quickly
from sizing.problem import SPOT_POOL_SHARE

ROUNDS = 20
NEAR = 0.003  # of a node's price: a filling that gains less is not looked for
LEAST = 1e-4
TINY = 1e-9
LEFT_OVER = 10  # nodes of the dearest type: what a pod without a place costs
FEW = 20_000  # columns of one item each: more make the program slow and the bound no better
Bounds = Mapping[int, tuple[float, float]]


class _Nodes:
    """Nodes within caps: a knapsack row per pool, type and cap, without those that another beats in price and room.

    Types of which a branch says how many there are (`bounds`) beat none and stay.
    """

    def __init__(self, made: Columns, caps: Mapping[int, Floats], bounds: Bounds) -> None:
        kept: list[tuple[int, Floats, Floats]] = []  # row, room, most
        for k in range(len(made.compiled.pools)):
            mine = np.flatnonzero(made.pool == k)
            best: list[tuple[int, Floats, Floats]] = []
            for r in mine[np.lexsort((mine, made.price[mine]))].tolist():
                least, highest = bounds.get(r, (0.0, np.inf))
                if highest <= 0:
                    continue
                for cap in caps.get(k, np.full((1, 4), np.inf)):
                    room = np.minimum(made.sacks.room[r], cap)
                    most = np.minimum(made.sacks.most[r], most_of(made.sizes, room[None])[0])
                    beaten = least <= 0 and any((other >= room).all() for q, other, _ in best if q not in bounds)
                    if most.any() and not beaten:
                        best.append((r, room, most))
            kept += best
        self.rows: Ints = np.array([r for r, _, _ in kept], dtype=np.int64)
        width = len(made.counts)
        room, most = (np.array([one[i] for one in kept]) for i in (1, 2))
        self.sacks = Knapsacks(made.sizes, room.reshape(len(kept), 4), most.reshape(len(kept), width))
        self.price, self.pool = made.price[self.rows], made.pool[self.rows]

    def known(self, made: Columns) -> tuple[Ints, Ints]:
        """Columns that some program used and that these nodes hold: their places among the rows, and their numbers."""
        some = np.array(sorted(made.basic), dtype=np.int64)
        rows = np.array(made.rows, dtype=np.int64)[some]
        patterns = np.array([made.patterns[j] for j in some]).reshape(len(some), len(made.counts))
        load, taken = patterns @ made.sizes, np.zeros(len(rows), dtype=bool)
        places: list[int] = []
        numbers: list[int] = []
        for at, r in enumerate(self.rows.tolist()):
            mine = np.flatnonzero((rows == r) & ~taken)
            fine = (patterns[mine] <= self.sacks.most[at]).all(axis=1)
            fine &= (load[mine] <= self.sacks.room[at] + 1e-6).all(axis=1)
            taken[mine[fine]] = True
            places += [at] * int(fine.sum())
            numbers += some[mine[fine]].tolist()
        return np.array(places, dtype=np.int64), np.array(numbers, dtype=np.int64)

    def alone(self) -> tuple[Ints, Ints]:
        """Nodes with one item only, as places among the rows and items: all; of many, each pool's cheapest by pod."""
        if np.count_nonzero(self.sacks.most) <= FEW:
            every = np.argwhere(self.sacks.most > 0)
            return every[:, 0], every[:, 1]
        price = np.where(self.sacks.most > 0, self.price[:, None] / np.maximum(self.sacks.most, 1), np.inf)
        places: list[Ints] = []
        items: list[Ints] = []
        for k in np.unique(self.pool).tolist():
            mine = np.flatnonzero(self.pool == k)
            some = np.flatnonzero(np.isfinite(price[mine].min(axis=0)))
            places.append(mine[price[np.ix_(mine, some)].argmin(axis=0)])
            items.append(some)
        return np.concatenate(places), np.concatenate(items)


class _Master:
    """The program over the columns, kept loaded: demand, the share of one spot pool, and how many nodes a branch takes.

    Pods may be left over, dearly: a branch of too few nodes has worths too.
    """

    def __init__(self, made: Columns, nodes: _Nodes, bounds: Bounds) -> None:
        model = Model()
        dear = made.price.max() * LEFT_OVER
        for i, count in enumerate(made.counts):
            model.column(dear, 0.0, np.inf)
            model.row({i: 1.0}, float(count), np.inf)
        self.cpu = made.sizes[:, 0] * made.several
        self.share: dict[int, int] = {}
        for k, part in enumerate(made.compiled.pools):
            if part.wish.spot and self.cpu.any():
                self.share[k] = model.row({}, -np.inf, SPOT_POOL_SHARE * float(made.counts @ self.cpu))
        self.bound: dict[int, int] = {}
        for r in sorted(set(nodes.rows.tolist()) & set(bounds)):
            least, most = bounds[r]
            empty = {model.column(float(made.price[r]), 0.0, np.inf): 1.0} if least > 0 else {}
            self.bound[r] = model.row(empty, least, most)
        self.first, self.rows, self.nodes = len(model.cost), len(model.rows), nodes
        self.numbers: list[int] = []
        self.inside: set[int] = set()
        self.live = Live(model, made.compiled.problem.seed)

    def add(self, at: Ints, numbers: Ints, patterns: Floats) -> None:
        """More columns: their places among the rows, their numbers, and what they hold."""
        self.numbers += numbers.tolist()
        self.inside.update(numbers.tolist())
        entries = np.zeros((len(at), self.rows))
        entries[:, : patterns.shape[1]] = patterns
        for k, row in self.share.items():
            mine = self.nodes.pool[at] == k
            entries[mine, row] = patterns[mine] @ self.cpu
        for r, row in self.bound.items():
            entries[self.nodes.rows[at] == r, row] = 1.0
        self.live.columns(self.nodes.price[at], entries)

    def worths(self, pools: int) -> Floats | None:
        """(pool, item): duals of the demand, less what the share costs; None when it is not solved."""
        status, _, used = self.live.solve({})
        if status != "optimal":
            return None
        self.used = used[self.first :]
        duals = self.live.duals()
        self.price = self.nodes.price.copy()  # what a node still costs, once a branch has paid for it or has no more
        for r, row in self.bound.items():
            self.price[self.nodes.rows == r] -= duals[row]
        worth = np.tile(np.maximum(duals[: len(self.cpu)], 0.0), (pools, 1))
        for k, row in self.share.items():
            worth[k] += min(0.0, float(duals[row])) * self.cpu
        return worth


def worths(made: Columns, caps: Mapping[int, Floats], bounds: Bounds | None = None) -> Floats | None:
    """(pool, item) worth of a pod where a pool's nodes are within one of its caps; None where some pod fits on no node.

    `bounds`: by knapsack row, how many nodes a branch has at least and at most. New columns stay with `made`.
    """
    bounds = bounds or {}
    nodes = _Nodes(made, caps, bounds)
    if not len(nodes.rows) or (nodes.sacks.most.max(axis=0) <= 0).any():
        return None
    master = _Master(made, nodes, bounds)
    at, numbers = nodes.known(made)
    if len(at):
        master.add(at, numbers, np.array([made.patterns[j] for j in numbers]))
    at, item = nodes.alone()
    singles = np.zeros((len(at), len(made.counts)))
    singles[np.arange(len(at)), item] = nodes.sacks.most[at, item]
    _keep(made, master, at, singles)
    center: Floats | None = None
    worth: Floats | None = None
    for _ in range(ROUNDS):
        found = master.worths(len(made.compiled.pools))
        if found is None:
            return worth
        worth = found
        made.basic.update(master.numbers[j] for j in np.flatnonzero(master.used > 0))
        value = worth[nodes.pool]
        center = value if center is None else SMOOTH * center + (1 - SMOOTH) * value
        if _quickly(made, master, (center, value), value):
            continue
        if not _exactly(made, master, value):
            break
    return worth


def _keep(made: Columns, master: _Master, at: Ints, patterns: Floats) -> int:
    """Those of the columns that the program does not have; how many."""
    fresh = made.missing(master.inside, master.nodes.rows[at], patterns)
    if fresh:
        some = list(fresh.values())
        master.add(at[some], np.array(list(fresh), dtype=np.int64), patterns[some])
    return len(fresh)


def _quickly(made: Columns, master: _Master, guesses: tuple[Floats, ...], value: Floats) -> bool:
    """Add fillings found quickly; whether they gain so much that nothing better need be looked for."""
    nodes, gain, fresh = master.nodes, 0.0, 0
    for patterns, gained in quickly(nodes.sacks, guesses, value, master.price, nodes.price):
        some = np.flatnonzero(gained > LEAST)
        fresh += _keep(made, master, some, patterns[some])
        gain = max(gain, float(gained.max()))
    return fresh > 0 and gain > NEAR


def _exactly(made: Columns, master: _Master, value: Floats) -> int:
    """Add fillings found by branch and bound; how many."""
    nodes = master.nodes
    patterns, _ = exact(nodes.sacks, value, np.maximum(master.price + nodes.price * NEAR, TINY))
    better = np.flatnonzero(patterns.any(axis=1))
    return _keep(made, master, better, patterns[better])
