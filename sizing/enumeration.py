"""Small pools, wholly searched: every mix of nodes between the bound and the best plan known, cheapest first.

A mix is refuted when no packing of any kind exists (an integer program over its nodes); the cheapest that is not
refuted is the new bound. A mix is taken when a greedy scheduler packs it and kube-scheduler accepts it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, permutations, product

import numpy as np

from sizing.compiled import Compiled
from sizing.exactly import exactly
from sizing.linear import Model
from sizing.packing import Floats
from sizing.part import PartSolution, within_limits
from sizing.pools import FIRST, SPREAD, PoolSolution, finish, least_nodes, pack

Mix = tuple[tuple[int, int], ...]  # (type, nodes), spares included
CENT = 1e-6
STEPS = 20  # of the walk over mixes, for each mix that may be looked at
NODES = 1000  # of branch and bound, for one packing


@dataclass(frozen=True)
class Reach:
    """Fixed numbers: mixes looked at, nodes of a pool, mixes refuted by integer programs."""

    mixes: int
    nodes: int
    refuted: int


@dataclass(frozen=True)
class Searched:
    """The best solution, the bound, and the cost of the cheapest mix that some packing fills, if one was found."""

    best: PartSolution
    bound: float
    packed: float | None = None


def search_all(compiled: Compiled, made: PartSolution, bound: float, reach: Reach) -> Searched:
    """A solution no dearer and a bound no lower; the same where the part has several pools or too many mixes."""
    if len(compiled.pools) != 1 or not any(made.pools[0].counts):
        return Searched(made, bound)
    mixes = _between(compiled, bound, made.cost, reach)
    if mixes is None:
        return Searched(made, bound)
    best = made
    for cost, mix in mixes:
        if cost >= best.cost - CENT:
            break
        found = _taken(compiled, mix, best.cost)
        if found is not None and within_limits(compiled, PartSolution((found,))):
            best = PartSolution((found,))
    left = reach.refuted
    for cost, mix in mixes:
        if cost >= best.cost - CENT:
            break
        left -= 1
        if left < 0:
            return Searched(best, max(bound, cost))
        said = {_packing(compiled, mix, spares) for spares in _spare_sets(compiled, mix)}
        if said != {"none"}:
            return Searched(best, max(bound, cost), cost if "packed" in said else None)
    return Searched(best, best.cost, best.cost)


def _between(compiled: Compiled, lower: float, upper: float, reach: Reach) -> list[tuple[float, Mix]] | None:
    """Mixes within the slots that cost from `lower` to below `upper` and hold the volume; None when too many."""
    part, counts = compiled.pools[0], compiled.counts
    volume = counts @ compiled.classes.sizes
    least = least_nodes(compiled, 0, counts)
    found: list[tuple[float, Mix]] = []
    looked = 0
    for mix in _mixes(compiled, lower, upper, reach.mixes * STEPS):
        looked += 1
        if mix is None or looked > reach.mixes:
            return None
        types, nodes = [t for t, _ in mix], tuple(n for _, n in mix)
        if sum(nodes) < least or not _holds(part.room[types], nodes, volume):
            continue
        if sum(nodes) > reach.nodes:
            return None
        found.append((float(part.price[types] @ nodes), mix))
    return sorted(found)


def _holds(room: Floats, nodes: tuple[int, ...], volume: Floats) -> bool:
    return bool((np.array(nodes) @ room >= volume - CENT).all())


def _mixes(compiled: Compiled, lower: float, upper: float, steps: int) -> Iterator[Mix | None]:  # noqa: C901 - one walk
    """Mixes that cost from `lower` to below `upper`, each pod fitting some node; None and the end after `steps`.

    Dear types come first, so that the number of the last and cheapest type follows from what the cost leaves.
    """
    part = compiled.pools[0]
    order = np.argsort(-part.price, kind="stable")
    price = part.price[order].tolist()
    fits = compiled.fits(0)[compiled.counts > 0][:, order]
    takes = [int.from_bytes(np.packbits(column).tobytes(), "big") for column in fits.T]
    every = int.from_bytes(np.packbits(np.ones(len(fits), dtype=bool)).tobytes(), "big")
    later = [0] * (len(price) + 1)  # what the types from here on take
    for t in reversed(range(len(price))):
        later[t] = later[t + 1] | takes[t]
    stack: list[tuple[int, int, float, int, Mix]] = [(0, part.wish.max, 0.0, 0, ())]
    while stack:
        start, left, spent, taken, mix = stack.pop()
        for t in range(start, len(price)):
            steps -= 1
            if steps < 0:
                yield None
                return
            if taken | later[t] != every:
                break
            cost, now, kind = price[t], taken | takes[t], int(order[t])
            most = min(left, int((upper - CENT - spent) // cost))
            if now == every:
                first = max(1, int(np.ceil((lower - CENT - spent) / cost - 1e-9)))
                for n in range(first, most + 1):
                    yield tuple(sorted((*mix, (kind, n))))
            if len(mix) + 1 < part.wish.slots and t + 1 < len(price):
                for n in range(1, min(most, left - 1) + 1):
                    reached = spent + n * cost
                    if reached + price[-1] < upper and reached + (left - n) * price[t + 1] >= lower - CENT:
                        stack.append((t + 1, left - n, reached, now, (*mix, (kind, n))))


def _spare_sets(compiled: Compiled, mix: Mix) -> Iterator[tuple[int, ...]]:
    """Which types have a spare: one in each of some types, none in a spot pool."""
    if compiled.pools[0].wish.spot:
        yield ()
        return
    for size in range(1, len(mix) + 1):
        yield from combinations([t for t, _ in mix], size)


def _taken(compiled: Compiled, mix: Mix, below: float) -> PoolSolution | None:
    """The cheapest solution with these nodes that a greedy scheduler packs and kube-scheduler accepts."""
    counts = compiled.counts
    best: PoolSolution | None = None
    for spares in _spare_sets(compiled, mix):
        working = {t: n - (t in spares) for t, n in mix if n > (t in spares)}
        if not working:
            continue
        for order, manner in product(permutations(working), (FIRST, SPREAD)):
            trial = np.array([[working[t] for t in order]], dtype=np.int64)
            if pack(compiled, 0, order, trial, counts, manner)[1].left.any():
                continue
            made = finish(compiled, 0, order, trial[0], counts, manner, best.cost if best else below)
            best = made or best
        for dealt in permutations(mix) if best is None else ():
            slots = tuple((t, n - (t in spares), int(t in spares)) for t, n in dealt)
            best = best or exactly(compiled, 0, slots, counts)
    return best


def _packing(compiled: Compiled, mix: Mix, spares: tuple[int, ...]) -> str:  # noqa: C901 - one program
    """Whether any packing exists with these spares, by an integer program: packed, none or unknown."""
    room = compiled.pools[0].room
    kinds = [t for t, n in mix for _ in range(n - (t in spares))]
    rooms = room[kinds]
    if spares:
        rooms = np.minimum(rooms, room[list(spares)].max(axis=0))
    sizes, classes = compiled.classes.sizes, compiled.classes
    if not kinds or (rooms.sum(axis=0) < compiled.counts @ sizes - CENT).any():
        return "none"
    model, nodes = Model(), range(len(kinds))
    zones = compiled.zones if (classes.zone >= 0).any() else 1
    stands = [[model.column(0.0, 0.0, 1.0, whole=True) for _ in range(zones)] for _ in nodes]
    for j in nodes:
        model.row(dict.fromkeys(stands[j], 1.0), 1.0, 1.0)
    every, more = divmod(sum(n for _, n in mix), zones)
    for zone in range(zones):  # the cloud deals all nodes, spares included, evenly over the zones
        held = {stands[j][zone]: 1.0 for j in nodes}
        model.row(held, float(every - len(spares)), float(every + (more > 0)))
    pods = {}
    for c, count in enumerate(compiled.counts):
        most = min(float(count), 1.0) if classes.host[c] >= 0 else float(count)
        for j in nodes:
            pods[c, j] = model.column(0.0, 0.0, most if (sizes[c] <= rooms[j]).all() else 0.0, whole=True)
            if classes.zone[c] >= 0 and zones > 1:
                model.row({pods[c, j]: 1.0, stands[j][int(classes.zone[c])]: -float(count)}, -np.inf, 0.0)
        model.row({pods[c, j]: 1.0 for j in nodes}, float(count), float(count))
    for j in nodes:
        for d in range(4):
            load = {pods[c, j]: float(sizes[c, d]) for c in range(len(compiled.counts)) if sizes[c, d]}
            if load:
                model.row(load, -np.inf, float(rooms[j, d]))
        for group in sorted(set(classes.host.tolist()) - {-1}):
            model.row({pods[int(c), j]: 1.0 for c in np.flatnonzero(classes.host == group)}, -np.inf, 1.0)
    out = model.solve(nodes_limit=NODES, gap=1.0, seed=compiled.problem.seed)
    if out.status == "infeasible":
        return "none"
    return "unknown" if out.values is None else "packed"
