"""Cheaper mixes of types for one pool, drawn close to what its pods' volume needs, each judged by what must hold.

The descent exchanges a few nodes and asks a greedy packing. Here whole mixes of up to three types with one spare are
drawn, types by the price of what they waste (duals of the fluid program) and of a spare, and taken in the order of
their cost: kube-scheduler has to place every pod on all nodes, and some packing of the working nodes has to let the
spare take over any one of them (`sizing/exactly.py`). Worths that refuted one mix refute most others at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from sizing.compiled import Compiled
from sizing.descent import CENT
from sizing.dive import refuted
from sizing.exactly import exactly
from sizing.linear import Model
from sizing.packing import Floats, fit_in
from sizing.part import PartSolution, within_limits
from sizing.patterns import SHORT, Fillings, fillings_of
from sizing.pools import Ints, PoolSolution, Slots, each_node, least_nodes

KINDS = 16  # types drawn from
MOST_KINDS = 3  # in one mix
LEAST_SHARE = 0.02  # of the cost: smaller pools are left as they are
CHUNK = 2048  # mixes asked at once
LEARNED = 8  # worths that refute mixes, to begin with
FIRST_DRAW = 10  # a share of the mixes from which these are learned


@dataclass(frozen=True)
class Drawing:
    """Fixed numbers: mixes drawn for a pool; mixes scheduled and programs of packing for one that costs all."""

    drawn: int
    scheduled: int
    programs: int


@dataclass(frozen=True)
class Mixes:
    """Mixes with one spare, cheapest first: types (mix, slot), working nodes (mix, slot), the spare's slot or -1."""

    kinds: Ints
    nodes: Ints
    spare: Ints
    cost: Floats
    room: Floats  # of the pool's types

    def slots(self, row: int) -> Slots:
        """(type, working nodes, spares), the largest nodes first."""
        kinds, spare = self.kinds[row].tolist(), int(self.spare[row])
        order = sorted(range(len(kinds)), key=lambda i: (-self.room[kinds[i]][0], kinds[i]))
        found = ((kinds[i], int(self.nodes[row, i]), int(i == spare)) for i in order)
        return tuple((t, n, s) for t, n, s in found if n + s)


def deepen(compiled: Compiled, made: PartSolution, effort: Drawing) -> PartSolution:
    """The solution with cheaper mixes, each pool with its pods; never dearer. A pool's share of the cost buys tries."""
    pools = []
    for one in made.pools:
        share = one.cost / made.cost if made.cost else 0.0
        worth = share > LEAST_SHARE and any(one.counts)
        pools.append(_better(compiled, one, share**0.5, effort) if worth else one)
    better = PartSolution(tuple(pools))
    return better if better.cost < made.cost - CENT and within_limits(compiled, better) else made


def _better(compiled: Compiled, made: PoolSolution, share: float, effort: Drawing) -> PoolSolution:
    """The cheapest of the mixes drawn that holds, or the pool as it is; what refutes the first ones leads the draw."""
    counts = np.array(made.counts, dtype=float)
    known = fillings_of(compiled, made.pool, counts)
    first = draw(compiled, made, counts, effort.drawn // FIRST_DRAW)
    for row in _open(known, first):
        if len(known.worths) >= LEARNED or not refuted(known, *each_node(first.slots(row))):
            break
    mixes = draw(compiled, made, counts, effort.drawn, known)
    scheduled, programs = round(effort.scheduled * share), known.programs + round(effort.programs * share)
    for row in _open(known, mixes):
        if scheduled <= 0 or known.programs >= programs:
            break
        scheduled -= 1
        done = exactly(compiled, made.pool, mixes.slots(row), counts)
        if done is not None:
            return done
    return made


def _open(known: Fillings, mixes: Mixes) -> Iterator[int]:
    """Those that no worth refutes, in their order; worths found meanwhile are asked too."""
    for start in range(0, len(mixes.cost), CHUNK):
        kinds, nodes, at = (some[start : start + CHUNK] for some in (mixes.kinds, mixes.nodes, mixes.spare))
        spare = np.where(at < 0, -1, kinds[np.arange(len(at)), at])[:, None]
        asked, left = -1, np.ones(len(kinds), dtype=bool)
        for i in range(len(kinds)):
            if left[i] and len(known.worths) != asked:
                asked = len(known.worths)
                rest = i + np.flatnonzero(left[i:])
                tops = known.ceilings(kinds[rest], np.repeat(spare[rest], kinds.shape[1], axis=1))
                due = np.array([known.worths[number].due for number in known.asked()])
                left[rest] = ((tops * nodes[rest]).sum(axis=2) >= due[:, None] - SHORT).all(axis=0)
            if left[i]:
                yield start + i


def draw(compiled: Compiled, made: PoolSolution, counts: Floats, drawn: int, known: Fillings | None = None) -> Mixes:
    """Different mixes cheaper than `made` whose volume, no node beyond the spare, holds the pods.

    What is known of their fillings is asked like one more dimension each.
    """
    part = compiled.pools[made.pool]
    volume = counts @ compiled.classes.sizes
    top, least = _worthwhile(compiled, made.pool, volume)
    slots = min(part.wish.slots, MOST_KINDS, len(top))
    if not slots or least >= made.cost:
        none = np.zeros(0, dtype=np.int64)
        return Mixes(none[:, None], none[:, None], none, np.zeros(0), part.room)
    rng = np.random.default_rng([compiled.problem.seed % 2**31, made.pool])
    each = np.arange(drawn)
    types = top[rng.integers(0, len(top), (drawn, slots))]
    firm = not part.wish.spot
    spare = rng.integers(0, slots, drawn) if firm else np.full(drawn, -1)
    room = np.minimum(part.room[types], part.room[types[each, spare]][:, None]) if firm else part.room[types]
    asked = volume > 0
    due, held = volume[asked], room[:, :, asked]
    if known is not None and known.worths:
        within = np.broadcast_to(types[each, spare][:, None] if firm else -1, types.shape)
        held = np.concatenate([held, np.moveaxis(known.ceilings(types, within), 0, 2)], axis=2)
        due = np.append(due, [known.worths[number].due for number in known.asked()])
    held = np.maximum(held, 1e-9)
    nodes = np.zeros((drawn, slots), dtype=np.int64)
    left = np.broadcast_to(due, (drawn, len(due))).copy()
    use = rng.random((drawn, slots)) ** 2
    for i in range(slots):
        enough = np.minimum(np.ceil((np.maximum(left, 0) / held[:, i]).max(axis=1)), part.wish.max + 1)
        nodes[:, i] = np.floor(use[:, i] * (enough + 1)) if i < slots - 1 else enough
        left -= nodes[:, i, None] * held[:, i]
    cost = (part.price[types] * nodes).sum(axis=1) + (part.price[types[each, spare]] if firm else 0.0)
    total = nodes.sum(axis=1) + firm
    fine = (cost < made.cost - CENT) & (left <= 0).all(axis=1) & (total <= part.wish.max)
    fine &= total >= least_nodes(compiled, made.pool, counts)
    if firm:  # the largest pods fit on the spare
        takes: npt.NDArray[np.bool_] = np.all(fit_in(compiled.classes.sizes[counts > 0], part.room), axis=0)
        fine &= takes[types[each, spare]]
    for i, j in combinations(range(slots), 2):
        fine &= types[:, i] != types[:, j]
    rows = np.flatnonzero(fine)
    rows = rows[np.argsort(cost[rows], kind="stable")]
    key = types[rows] * 2**32 + nodes[rows] * 2 + (np.arange(slots) == spare[rows, None])
    key[(key % 2**32) == 0] = 0
    _, first = np.unique(np.sort(key, axis=1), axis=0, return_index=True)
    rows = rows[np.sort(first)]
    return Mixes(types[rows], nodes[rows], spare[rows], cost[rows], part.room)


def _worthwhile(compiled: Compiled, pool: int, volume: Floats) -> tuple[Ints, float]:
    """The types that could pay, best first, and what the volume costs at least."""
    key = ("worthwhile", pool, volume.tobytes())
    if key not in compiled.memo:
        compiled.memo[key] = _priced(compiled, pool, volume)
    made: tuple[Ints, float] = compiled.memo[key]
    return made


def _priced(compiled: Compiled, pool: int, volume: Floats) -> tuple[Ints, float]:
    """The program behind `_worthwhile`."""
    part = compiled.pools[pool]
    model = Model()
    columns = [model.column(float(price), 0.0, np.inf) for price in part.price]
    for d in range(4):
        room = part.room[:, d]
        if volume[d] > 0 and room.any():
            model.row({columns[t]: float(room[t] / volume[d]) for t in np.flatnonzero(room)}, 1.0, np.inf)
    out = model.solve(seed=compiled.problem.seed)
    if out.duals is None or out.status != "optimal":
        return np.zeros(0, dtype=np.int64), np.inf
    rows = [d for d in range(4) if volume[d] > 0 and part.room[:, d].any()]
    worth = sum((out.duals[i] * part.room[:, d] / volume[d] for i, d in enumerate(rows)), np.zeros(len(part.price)))
    wasted = (part.price - worth) / part.price * out.objective
    score = wasted + (0.0 if part.wish.spot else part.price)
    return np.argsort(score, kind="stable")[:KINDS].astype(np.int64), out.objective
