"""The cheapest mix of types for one pool with its pods: all mixes, cheapest first, each judged by what must hold.

The descent exchanges a few nodes and asks a greedy packing. Here all mixes of up to three types with one spare are
walked that could hold the pods: by volume, no node beyond the spare, and by every worth of pods that refuted a mix
before (`sizing/refutations.py`). Then kube-scheduler has to place every pod on all nodes, and some packing of the
working nodes has to let the spare take over any one of them (`sizing/exactly.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from sizing.compiled import Compiled
from sizing.descent import CENT
from sizing.dive import refuted
from sizing.exactly import exactly
from sizing.linear import Model
from sizing.packing import Floats, fit_in
from sizing.part import PartSolution, within_limits
from sizing.patterns import Fillings, fillings_of
from sizing.pools import MOST_SCHEDULED, Ints, PoolSolution, Slots, each_node, least_nodes
from sizing.refutations import SHORT, refutations_of
from sizing.scheduler import taken

MOST_KINDS = 3  # in one mix
STEPS = 24  # a large number of nodes is walked in so many steps
MORE = 2  # nodes of the last type beyond those that are enough
STRIDES = (4096, 1024, 256, 64, 16, 4, 1)  # of many mixes every so many are tried first
SOME = 50  # mixes tried at a stride at least
LEAST_SHARE = 0.02  # of the cost: smaller pools are left as they are
CHUNK = 512  # mixes asked at once
LARGE = 1_000  # pods of a pool: with more of them there are as many more looks
LEARNED = 4  # worths that refute mixes, to begin with


@dataclass(frozen=True)
class Mixing:
    """Fixed numbers: types, mixes kept; looks of the scheduler and programs of packing for a pool that costs all.

    A look is one pod on one node.
    """

    kinds: int
    kept: int
    looks: float
    programs: int


@dataclass(frozen=True)
class Mixes:
    """Mixes with one spare, cheapest first: types (mix, 3), -1 for none, working nodes, the spare's type or -1."""

    kinds: Ints
    nodes: Ints
    spare: Ints
    cost: Floats

    def slots(self, row: int) -> Slots:
        """(type, working nodes, spares), the largest nodes first, as the types stand."""
        spare = int(self.spare[row])
        both = zip(self.kinds[row].tolist(), self.nodes[row].tolist(), strict=True)
        found = tuple((t, n, int(t == spare)) for t, n in both if t >= 0)
        return found if spare < 0 or spare in self.kinds[row] else (*found, (spare, 0, 1))


def deepen(compiled: Compiled, made: PartSolution, effort: Mixing) -> PartSolution:
    """The solution with cheaper mixes, each pool with its pods; never dearer. A pool's share of the cost buys tries."""
    pools = []
    for one in made.pools:
        share = one.cost / made.cost if made.cost else 0.0
        worth = share > LEAST_SHARE and any(one.counts)
        pools.append(cheapest(compiled, one, share**0.5, effort) if worth else one)
    better = PartSolution(tuple(pools))
    return better if better.cost < made.cost - CENT and within_limits(compiled, better) else made


def cheapest(compiled: Compiled, made: PoolSolution, share: float, effort: Mixing) -> PoolSolution:
    """The cheapest of all mixes that holds the pool's pods, or the pool as it is.

    Some of many first, over all costs; once one holds, more of those that cost less.
    """
    counts = np.array(made.counts, dtype=float)
    known = fillings_of(compiled, made.pool, counts)
    if len(known.refutations.worths) < LEARNED:
        _learn(known, every_mix(compiled, made, counts, effort), counts, effort.programs)
    mixes = every_mix(compiled, made, counts, effort)
    rows = _open(known, mixes, counts, np.arange(len(mixes.cost)))
    finer = [step for step in STRIDES if step * SOME <= len(rows)] or [1]
    best, end = made, known.programs + effort.programs * share
    looks = effort.looks * share * max(1.0, float(counts.sum()) / LARGE) / len(finer)
    for number, step in enumerate(finer):
        until = known.programs + (end - known.programs) / (len(finer) - number)
        for row in _accepted(known, mixes, counts, rows[::step], looks):
            if known.programs >= until:
                break
            done = exactly(compiled, made.pool, mixes.slots(row), counts)
            if done is not None:
                best, rows = done, rows[rows < row]
                break
    return best


def _learn(known: Fillings, mixes: Mixes, counts: Floats, programs: int) -> None:
    """Worths that refute the cheapest mixes: they refute most others. So many programs at most, some prove nothing."""
    rows, end = np.arange(min(CHUNK, len(mixes.cost))), known.programs + programs
    while len(rows) and len(known.refutations.worths) < LEARNED and known.programs < end:
        if not refuted(known, *each_node(mixes.slots(rows[0]))):
            break
        rows = _open(known, mixes, counts, rows[1:])


def _open(known: Fillings, mixes: Mixes, counts: Floats, rows: Ints) -> Ints:
    """Those of the rows that no worth refutes."""
    if not len(rows) or not known.refutations.worths:
        return rows
    left: Ints = rows[~known.refutations.refuted(counts, mixes.kinds[rows], mixes.nodes[rows], mixes.spare[rows])]
    return left


def _accepted(known: Fillings, mixes: Mixes, counts: Floats, rows: Ints, looks: float) -> Iterator[int]:
    """Those on which kube-scheduler places all pods in its first draw, in their order, and that no worth refutes."""
    asked = len(known.refutations.worths)
    found: Iterable[int]
    if counts.sum() <= MOST_SCHEDULED:
        some = (mixes.kinds[rows], mixes.nodes[rows], mixes.spare[rows])
        found = taken(known.compiled, known.pool, counts, *some, looks)
    else:  # looked at in one go by whoever asks
        found = np.flatnonzero(np.cumsum(counts.sum() * mixes.nodes[rows].sum(axis=1)) <= looks).tolist()
    for at in found:
        if len(known.refutations.worths) == asked or len(_open(known, mixes, counts, rows[at : at + 1])):
            yield int(rows[at])


def every_mix(compiled: Compiled, made: PoolSolution, counts: Floats, effort: Mixing) -> Mixes:
    """Mixes cheaper than `made` whose volume, no node beyond the spare, holds the pods; some of very many.

    What is known of their worths is asked like one more dimension each.
    """
    from sizing.mixing import walk  # noqa: PLC0415 - numba takes half a second

    part, volume = compiled.pools[made.pool], counts @ compiled.classes.sizes
    top, least = worthwhile(compiled, made.pool, volume, effort.kinds)
    none = np.zeros(0, dtype=np.int64)
    slots, limit = min(part.wish.slots, MOST_KINDS), made.cost - CENT
    spares = _spares(compiled, made.pool, counts, top)
    if not slots or not len(top) or not len(spares) or least >= limit:
        return Mixes(none.reshape(0, MOST_KINDS), none.reshape(0, MOST_KINDS), none, np.zeros(0))
    types = np.array(sorted({*top.tolist(), *spares[spares >= 0].tolist()}, key=lambda t: (-part.room[t][0], t)))
    place = {t: i for i, t in enumerate(types.tolist())}
    known, asked = refutations_of(compiled, made.pool), volume > 0
    held = np.minimum(part.room[types][None], np.where((spares >= 0)[:, None], part.room[spares], np.inf)[:, None])
    held, due = held[:, :, asked], volume[asked]
    if known.worths:
        tops = known.ceilings(np.tile(types, (len(spares), 1)), np.repeat(spares[:, None], len(types), axis=1)).max(
            axis=1
        )
        held, due = np.concatenate([held, np.moveaxis(tops, 0, 2)], axis=2), np.append(due, known.due(counts) - SHORT)
    some = sorted(place[t] for t in top.tolist())
    mixes = np.array(
        [(*[-1] * (MOST_KINDS - n), *mix) for n in range(1, slots + 1) for mix in combinations(some, n)], dtype=np.int64
    )
    own = np.array([place.get(int(t), -1) for t in spares])
    numbers = (limit, slots, least_nodes(compiled, made.pool, counts), part.wish.max, STEPS, MORE)
    kinds, nodes = np.zeros((effort.kept, MOST_KINDS), np.int64), np.zeros((effort.kept, MOST_KINDS), np.int64)
    spare, cost = np.zeros(effort.kept, np.int64), np.zeros(effort.kept)
    walked = (part.price[types], mixes, own, np.ascontiguousarray(held), due)
    count = walk(*walked, numbers, kinds, nodes, spare, cost)
    order = np.argsort(np.round(cost[:count], 6), kind="stable")
    kinds, spare = (np.where(some[order] >= 0, types[some[order]], -1) for some in (kinds, spare))
    return Mixes(kinds, nodes[order], spare, cost[order])


def _spares(compiled: Compiled, pool: int, counts: Floats, top: Ints) -> Ints:
    """Types that may be the spare: they take each of the pods; -1 where a pool needs none."""
    part = compiled.pools[pool]
    if part.wish.spot:
        return np.array([-1])
    takes = np.flatnonzero(np.all(fit_in(compiled.classes.sizes[counts > 0], part.room), axis=0))
    some = takes[np.isin(takes, top)]
    return some if len(some) else takes[np.argsort(part.price[takes], kind="stable")[:1]]


def worthwhile(compiled: Compiled, pool: int, volume: Floats, most: int) -> tuple[Ints, float]:
    """The types that could pay, best first, `most` of them, and what the volume costs at least."""
    key = ("worthwhile", pool, volume.tobytes())
    if key not in compiled.memo:
        compiled.memo[key] = _ranked(compiled, pool, volume)
    ranked, least = compiled.memo[key]
    return ranked[:most], least


def _ranked(compiled: Compiled, pool: int, volume: Floats) -> tuple[Ints, float]:
    """All types, those that waste least first, and what the volume costs at least."""
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
    return np.argsort(score, kind="stable").astype(np.int64), out.objective
