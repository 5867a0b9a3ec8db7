"""Mixes of up to three types for one pool, drawn where they could pay, and taken by the scheduler's own verdict.

The descent exchanges a few nodes and mixes two types; what lies further off it never sees. Here whole mixes are drawn:
types by the price of what they waste (duals of the fluid program) and of a spare, numbers by random shares of the
money, every third draw in multiples of the zones. Trying one costs a third of a millisecond, so hundreds are tried.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sizing.compiled import Compiled
from sizing.descent import CENT, Trial, attempt
from sizing.linear import Model
from sizing.packing import Floats, fit_in
from sizing.part import PartSolution, within_limits
from sizing.pools import PoolSolution

Ints = npt.NDArray[np.int64]
KINDS = 24  # types drawn from
MOST_KINDS = 3  # in one mix
BATCH = 48
NODES = 20  # a pool of more nodes tries fewer mixes, as each takes longer
SLACK = 1.005  # no greedy scheduler fills nodes wholly
LEAST_SHARE = 0.02  # of the cost: smaller pools are left as they are


@dataclass(frozen=True)
class Drawing:
    """Fixed numbers: mixes drawn for a pool, and mixes tried in all pools together."""

    drawn: int
    tried: int


def deepen(compiled: Compiled, made: PartSolution, effort: Drawing) -> PartSolution:
    """The solution with better mixes, each pool with its pods; never dearer. Pools get tries by their share of cost."""
    pools = []
    for one in made.pools:
        share = one.cost / made.cost if made.cost else 0.0
        tries = round(effort.tried * share * min(1.0, NODES / max(1, one.nodes)))
        worth = share > LEAST_SHARE and tries and any(one.counts)
        pools.append(_better(compiled, one, effort.drawn, tries) if worth else one)
    better = PartSolution(tuple(pools))
    return better if better.cost < made.cost - CENT and within_limits(compiled, better) else made


def _better(compiled: Compiled, made: PoolSolution, drawn: int, tries: int) -> PoolSolution:
    counts = np.array(made.counts, dtype=float)
    known = draw(compiled, made, counts, drawn)
    while known and tries > 0:
        known = [(cost, trial) for cost, trial in known if cost < made.cost - CENT]
        some, known = sorted(known[: min(BATCH, tries)]), known[BATCH:]
        tries -= len(some)
        made = attempt(compiled, made, [trial for _, trial in some], counts, BATCH) or made
    return made


def draw(compiled: Compiled, made: PoolSolution, counts: Floats, drawn: int) -> list[tuple[float, Trial]]:
    """Different mixes cheaper than `made` whose volume holds the pods, with their cost, in the order drawn."""
    part = compiled.pools[made.pool]
    volume = counts @ compiled.classes.sizes
    top, least = _worthwhile(compiled, made.pool, volume)
    if not len(top) or least >= made.cost:
        return []
    slots = min(part.wish.slots, MOST_KINDS, len(top))
    rng = np.random.default_rng([compiled.problem.seed % 2**31, made.pool])
    kinds = top[np.argsort(rng.random((drawn, len(top))), axis=1, kind="stable")[:, :slots]]
    share = rng.random((drawn, slots)) ** 2
    share[np.arange(slots)[None] >= rng.integers(1, slots + 1, drawn)[:, None]] = 0.0
    share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-12)
    money = least + rng.random(drawn) * (made.cost - least)
    numbers = share * money[:, None] / part.price[kinds]
    step = np.where(rng.random(drawn) < 1 / 3, compiled.zones, 1)[:, None]
    nodes = (np.round(numbers / step) * step).astype(np.int64)
    cost = (part.price[kinds] * nodes).sum(axis=1)
    if not part.wish.spot:
        cost = cost + np.where(nodes > 0, part.price[kinds], np.inf).min(axis=1)
    room = (part.room[kinds] * nodes[:, :, None]).sum(axis=1)
    zoned = bool((counts[compiled.classes.zone >= 0] > 0).any())
    fine = (cost < made.cost - CENT) & (room[:, :2] >= volume[:2] * SLACK).all(axis=1) & (room >= volume).all(axis=1)
    fine &= nodes.sum(axis=1) >= (compiled.zones if zoned else 1)
    fits = fit_in(compiled.classes.sizes[counts > 0], part.room)
    found: dict[Trial, float] = {}
    for row in np.flatnonzero(fine).tolist():
        pairs = zip(kinds[row].tolist(), nodes[row].tolist(), strict=True)
        trial = tuple(sorted((t, n) for t, n in pairs if n > 0))
        if trial not in found and fits[:, [t for t, _ in trial]].any(axis=1).all():
            found[trial] = round(float(cost[row]), 6)
    return [(cost, trial) for trial, cost in found.items()]


def _worthwhile(compiled: Compiled, pool: int, volume: Floats) -> tuple[Ints, float]:
    """The types that could pay, best first, and what the volume costs at least."""
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
