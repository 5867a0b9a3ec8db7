"""Branch and bound on one continuous program that stays loaded: spares first, then types in use, then whole nodes.

What a continuous program gets wrong most is the spare: it buys a tenth of a large one. So a branch says that a pool's
largest spare is at most so large (then no node of it is fuller), the other that one is larger; a handful of such
branches gives what HiGHS's own search gives in a hundred times the time, since each program starts from the last one's
basis. The bound is the least over all open branches: it holds wherever the search stops.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sizing.compiled import Compiled
from sizing.fluid import Cut, Program, cut_row, pods_of, program
from sizing.linear import Live
from sizing.packing import Floats

TRACE = 1e-6
SURE = 1 - 1e-7  # what HiGHS may be off by
Change = dict[int, tuple[float, float]]


@dataclass(frozen=True)
class Chosen:
    """A branch: pods (class, pool), nodes and spares by pool and type; parts of a node where it is not whole yet.

    `bounds`: how many working nodes of a (pool, type) the branch has at least and at most, where it says so.
    """

    pods: Floats
    nodes: tuple[dict[int, float], ...]
    spares: tuple[dict[int, float], ...]
    bounds: dict[tuple[int, int], tuple[float, float]]


@dataclass(order=True)
class _Branch:
    value: float
    number: int
    changes: Change = field(compare=False)
    at: Floats = field(compare=False)
    rows: int = field(compare=False, default=0)  # of the program when it was solved


class Tree:
    """The search over one program; `below` as in `program`."""

    def __init__(self, compiled: Compiled, cuts: Sequence[Cut], below: float, fill: float = 1.0) -> None:
        self.compiled, self.below, self.fill = compiled, below, fill
        self.made: Program = program(compiled, cuts=cuts, below=below, fill=fill)
        self.live = Live(self.made.model, compiled.problem.seed)
        self.levels: dict[tuple[int, int, float], int] = {}  # (pool, dimension, load): a larger spare
        self.solved = self.rows = self.count = 0
        self.floor = np.inf  # least value of a branch that was not solved
        self.open: list[_Branch] = []
        self._enter({}, 0.0)

    @property
    def bound(self) -> float:
        """No plan cheaper than `below` costs less; infinite where there is none."""
        return min(self.open[0].value if self.open else np.inf, self.floor) * SURE

    @property
    def feasible(self) -> bool:
        """Whether any branch is left."""
        return bool(self.open) or np.isfinite(self.floor)

    def _enter(self, changes: Change, parent: float) -> None:
        """Solve a branch and keep it, unless nothing in it is cheaper than `below`."""
        status, value, at = self.live.solve(changes)
        self.solved += 1
        self.count += 1
        if status == "failed":
            self.floor = min(self.floor, parent)
        elif status == "optimal" and value < self.below:
            heapq.heappush(self.open, _Branch(max(value, parent), self.count, changes, at, self.rows))

    def add(self, cuts: Sequence[Cut]) -> None:
        """More cuts, for all branches."""
        for cut in cuts:
            row = cut_row(self.compiled, cut, self.made, self.fill)
            if row:
                self.live.row(row, -np.inf, 0.0)
                self.rows += 1

    def best(self) -> Chosen | None:
        """The cheapest open branch, with what was added since."""
        while self.open and self.open[0].rows < self.rows:
            one = heapq.heappop(self.open)
            self._enter(one.changes, one.value)
        return self.read(self.open[0]) if self.open else None

    def read(self, one: _Branch) -> Chosen:
        """A branch as pods, nodes and spares."""
        work, spare = (
            tuple({t: float(one.at[col]) for t, col in enumerate(some) if one.at[col] > TRACE} for some in columns)
            for columns in (self.made.work, self.made.spare)
        )
        places = {col: (k, t) for k, some in enumerate(self.made.work) for t, col in enumerate(some)}
        bounds = {places[col]: limits for col, limits in sorted(one.changes.items()) if col in places}
        return Chosen(pods_of(self.compiled, self.made, one.at), work, spare, bounds)

    def grow(self, programs: int) -> None:
        """Part the cheapest branch, again and again, until so many programs were solved in all."""
        while self.open and self.solved < programs:
            if self.open[0].rows < self.rows:
                self.best()
                continue
            one = heapq.heappop(self.open)
            ways = self._spares(one) or self._slots(one) or self._nodes(one)
            if not ways:  # whole: only a cut makes it dearer
                heapq.heappush(self.open, one)
                return
            for way in ways:
                self._enter(one.changes | way, one.value)

    def _spares(self, one: _Branch) -> list[Change]:
        """Where spares of several sizes share a pool: none larger than a load, or one that is."""
        found: tuple[float, int, int, float] | None = None
        for k, part in enumerate(self.compiled.pools):
            if part.wish.spot:
                continue
            value = one.at[self.made.spare[k]]
            used = np.flatnonzero(value > TRACE)
            for d in (0, 1):
                room = part.room[used, d]
                for load in sorted(set(room.tolist()))[:-1]:
                    if one.changes.get(self.levels.get((k, d, load), -1), (0.0, 1.0))[0] > 0:
                        continue
                    low, high = (float(value[used][side].sum()) for side in (room <= load, room > load))
                    gain = min(low, high, 1.0) * float(part.price[used].max())
                    if gain > 1 and (found is None or gain > found[0]):
                        found = (gain, k, d, load)
        if found is None:
            return []
        _, k, d, load = found
        larger = [self.made.spare[k][int(t)] for t in np.flatnonzero(self.compiled.pools[k].room[:, d] > load)]
        key = (k, d, load)
        if key not in self.levels:
            self.levels[key] = self.live.column(0.0, 1.0)
            self.live.row({**dict.fromkeys(larger, 1.0), self.levels[key]: -1.0}, 0.0, np.inf)
        none: Change = dict.fromkeys((*larger, self.levels[key]), (0.0, 0.0))
        return [none, {self.levels[key]: (1.0, 1.0)}]

    def _slots(self, one: _Branch) -> list[Change]:
        """Where a pool has more types than slots: one of them not at all, or it takes a slot."""
        found: tuple[float, int, int] | None = None
        for k, part in enumerate(self.compiled.pools):
            money = (one.at[self.made.work[k]] + one.at[self.made.spare[k]]) * part.price
            used = np.flatnonzero(money > TRACE)
            if len(used) <= part.wish.slots:
                continue
            free = [t for t in used.tolist() if one.changes.get(self.made.flags[k][t], (0.0, 1.0))[0] < 1]
            if free:
                t = max(free, key=lambda t: (money[t], -t))
                if found is None or money[t] > found[0]:
                    found = (float(money[t]), k, t)
        if found is None:
            return []
        _, k, t = found
        gone = dict.fromkeys((self.made.flags[k][t], self.made.work[k][t], self.made.spare[k][t]), (0.0, 0.0))
        return [gone, {self.made.flags[k][t]: (1.0, 1.0)}]

    def _nodes(self, one: _Branch) -> list[Change]:
        """The number of nodes that is furthest from whole, by money: rounded down or up."""
        best, column = TRACE, -1
        for k, part in enumerate(self.compiled.pools):
            for columns in (self.made.work[k], self.made.spare[k]):
                value = one.at[columns]
                off = np.abs(value - np.round(value)) * part.price
                t = int(off.argmax())
                if off[t] > best and abs(value[t] - round(value[t])) > TRACE:
                    best, column = float(off[t]), columns[t]
        if column < 0:
            return []
        low, high = one.changes.get(column, (float(self.live.lower[column]), float(self.live.upper[column])))
        down, value = float(np.floor(one.at[column])), one.at[column]
        return [{column: (low, down)}, {column: (float(np.ceil(value)), high)}]
