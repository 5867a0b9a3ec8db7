"""Large pools: the proportions in which two or three types hold the pods best, sought on a sample of them.

What kube-scheduler leaves free on some nodes it leaves on many: the cheapest proportion for every tenth pod is near the
cheapest for all. Where a pool has hundreds of nodes, every mix on all pods would take minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from sizing.compiled import Compiled
from sizing.descent import CENT, LARGE
from sizing.exactly import as_scheduled
from sizing.mixtures import worthwhile
from sizing.packing import Floats, fit_in
from sizing.part import PartSolution, within_limits
from sizing.pools import Ints, PoolSolution, node_zones
from sizing.scheduler import kinds, schedule

SAMPLE = 500  # pods
PARTS = 10  # of the money: so many steps from one type to another
THIRD = (0.5, 1.0, 2.0)  # of such a part for one more type
KEPT = 5  # proportions that are tried with all pods
MOST = 1.5  # times the volume, on the sample: no proportion that wastes more is of use
AROUND = 0.04  # of what the sample needs: all pods need about as much
HALVINGS = 6
MORE, TRIES = 0.003, 6  # nodes beyond those, and how often, where kube-scheduler leaves a pod
DRAWS = 2  # of kube-scheduler's ties on the sample


def proportioned(compiled: Compiled, made: PartSolution, most: int) -> PartSolution:
    """The solution with every large pool in the best proportion of up to three of `most` types; never dearer."""
    better = PartSolution(
        tuple(_cheapest(compiled, one, most) if one.nodes > LARGE and any(one.counts) else one for one in made.pools)
    )
    return better if better.cost < made.cost - CENT and within_limits(compiled, better) else made


def _cheapest(compiled: Compiled, made: PoolSolution, most: int) -> PoolSolution:
    """The pool in the cheapest proportion that was found, or as it is."""
    part, counts = compiled.pools[made.pool], np.array(made.counts, dtype=float)
    types = worthwhile(compiled, made.pool, counts @ compiled.classes.sizes, most)[0]
    types = types[fit_in(compiled.classes.sizes[counts > 0], part.room[types]).any(axis=0)]
    if min(part.wish.slots, len(types)) < 2:  # noqa: PLR2004 - one type has no proportion
        return made
    some = Bought(compiled, made.pool, types, sample(compiled, counts), DRAWS)
    money = _pairs(len(types))
    cost, times, _ = some.least(money, np.ones(len(money)), np.full(len(money), MOST))
    if part.wish.slots > 2 and np.isfinite(cost.min()):  # noqa: PLR2004
        more = _thirds(money[int(cost.argmin())])
        further = some.least(more, np.ones(len(more)), np.full(len(more), MOST))
        money, cost, times = np.concatenate([money, more]), np.append(cost, further[0]), np.append(times, further[1])
    kept = np.argsort(np.round(cost, 6), kind="stable")[:KEPT]
    kept = kept[np.isfinite(cost[kept])]
    near = np.maximum(times[kept] - AROUND, 1.0), times[kept] + AROUND
    every = Bought(compiled, made.pool, types, counts, 1)
    cost, _, numbers = every.least(money[kept], *near)
    best = made
    for at in np.argsort(np.round(cost, 6), kind="stable"):
        if np.isfinite(cost[at]):
            best = _finished(compiled, best, types, numbers[at], counts)
    return best


def _finished(compiled: Compiled, best: PoolSolution, types: Ints, numbers: Ints, counts: Floats) -> PoolSolution:
    """The pool on these nodes or on some more, with the cheapest spare for them, where it is cheaper; else `best`."""
    part, used = compiled.pools[best.pool], np.flatnonzero(numbers)
    spares = [None] if part.wish.spot else sorted(used.tolist(), key=lambda t: (part.price[types[t]], t))
    for turn in range(TRIES):
        more = np.ceil(numbers * (1 + MORE * turn) - CENT).astype(np.int64)
        for spare in spares:
            slots = tuple((int(types[t]), int(more[t]), int(t == spare)) for t in used)
            if part.cost(slots) >= best.cost - CENT:
                continue
            made = as_scheduled(compiled, best.pool, slots, counts)
            if made is not None:
                return made
    return best


def sample(compiled: Compiled, counts: Floats) -> Floats:
    """Every so many-th of the pods (class,), as they come to the scheduler: of each size as many as its share."""
    step = max(1.0, float(counts.sum()) / SAMPLE)
    till = np.floor(np.cumsum(counts[compiled.order]) / step + CENT)
    drawn = np.zeros(len(counts))
    drawn[compiled.order] = np.diff(till, prepend=0.0)
    return drawn


def _pairs(types: int) -> Floats:
    """(trial, type) shares of the money: each type alone, and two of them in every step from one to the other."""
    rows = list(np.eye(types))
    for one, other in combinations(range(types), 2):
        for step in range(1, PARTS):
            row = np.zeros(types)
            row[one], row[other] = step / PARTS, 1 - step / PARTS
            rows.append(row)
    return np.array(rows)


def _thirds(money: Floats) -> Floats:
    """The same with a little of one more type, and half a step towards either of its own."""
    rows = [money + (np.eye(len(money))[t] * part / PARTS) for t in range(len(money)) for part in THIRD]
    return np.array([row / row.sum() for row in rows])


@dataclass(frozen=True)
class Bought:
    """Nodes of some types bought for a pool's pods (class,), and what kube-scheduler makes of them."""

    compiled: Compiled
    pool: int
    types: Ints
    counts: Floats
    draws: int

    def least(self, money: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats, Ints]:
        """Cost, times the volume and (trial, type) nodes: the least that takes all pods, between `low` and `high`.

        `money` (trial, type): its shares; the cost is infinite where `high` (trial,) times the volume does not suffice.
        """
        part, volume = self.compiled.pools[self.pool], self.counts @ self.compiled.classes.sizes
        asked = volume > 0
        nodes = money / part.price[self.types]
        nodes *= np.max(volume[asked] / (nodes @ part.room[self.types][:, asked]), axis=1)[:, None]

        def numbers(times: Floats) -> Ints:
            whole: Ints = np.ceil(nodes * times[:, None] - CENT).astype(np.int64)
            return whole

        fine = self._taken(numbers(high))
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            held = self._taken(numbers(middle))
            low, high = np.where(held, low, middle), np.where(held, middle, high)
        found = numbers(high)
        return np.where(fine, found @ part.price[self.types], np.inf), high, found

    def _taken(self, numbers: Ints) -> npt.NDArray[np.bool_]:
        """(trial,) whether all pods find a place on so many nodes of each type."""
        room, wanted = self.compiled.pools[self.pool].room[self.types], kinds(self.compiled, self.counts)
        taken = np.zeros(len(numbers), dtype=bool)
        for row, each in enumerate(numbers):
            nodes = np.repeat(room, each, axis=0)
            zones, seed = node_zones(self.compiled, len(nodes)), self.compiled.problem.seed
            taken[row] = not schedule(wanted, nodes, zones, self.draws, seed, first=True)
        return taken
