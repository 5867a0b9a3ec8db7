"""From the pods given to one pool to its cheapest nodes: how many of each type, packed greedily, with a spare."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import numpy.typing as npt

from sizing.compiled import Compiled
from sizing.packing import Floats, Packed, first_fit, fit_in, spread_fit

Ints = npt.NDArray[np.int64]
Slots = tuple[tuple[int, int, int], ...]  # (type, working nodes, spares)
FIRST, SPREAD, PATTERNS = "first fit", "spread", "patterns"
"""Manners of packing the working nodes: fill them in order, pods bound to hosts and zones first; or score them as
kube-scheduler does, largest pods first; or pack them exactly, by whole fillings. Whatever the manner, kube-scheduler
must place all pods on all nodes."""
MOST_SCHEDULED = 6000  # pods of a pool that are scheduled one by one while solving
SINGLES = 3  # types looked at when the cheapest one's packing is not the scheduler's
MOST_STEPS = 400  # of growing or shrinking one pool; a bound that no sane pool reaches


@dataclass(frozen=True)
class PoolSolution:
    """Nodes of one pool: slots of (type index, working nodes, spare nodes) in the order the scheduler fills them."""

    pool: int
    slots: Slots
    cost: float
    counts: tuple[int, ...]
    manner: str  # which greedy scheduler finds the packing

    @property
    def nodes(self) -> int:
        """All nodes, spares included."""
        return sum(n + s for _, n, s in self.slots)


def each_node(slots: Slots) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Types of the working nodes one by one, and of the spares."""
    return tuple(t for t, n, _ in slots for _ in range(n)), tuple(t for t, _, s in slots for _ in range(s))


def node_zones(compiled: Compiled, nodes: int) -> Ints:
    """Zone of each node: the cloud spreads a pool evenly, so round robin."""
    return np.arange(nodes, dtype=np.int64) % compiled.zones


def _capacity(compiled: Compiled, pool: int, types: tuple[int, ...], trials: Ints) -> Floats:
    """(4, trial, node) for trial numbers of nodes (trial, slot)."""
    room = compiled.pools[pool].room
    width = max(1, int(trials.sum(axis=1).max()))
    made = np.zeros((4, len(trials), width))
    for b, row in enumerate(trials):
        filled = np.repeat(room[list(types)], row, axis=0)
        made[:, b, : len(filled)] = filled.T
    return made


def pack(  # noqa: PLR0917, PLR0913
    compiled: Compiled,
    pool: int,
    types: tuple[int, ...],
    trials: Ints,
    counts: Floats,
    manner: str,
    *,
    keep: bool = False,
) -> tuple[Floats, Packed]:
    """The capacity of each trial and what the greedy scheduler of that manner does with the pods."""
    capacity = _capacity(compiled, pool, types, trials)
    zones = node_zones(compiled, capacity.shape[2])
    many = np.broadcast_to(counts, (len(trials), len(counts)))
    fit = spread_fit if manner == SPREAD else first_fit
    order = compiled.order if manner == SPREAD else compiled.bound_first
    order = order[counts[order] > 0]
    return capacity, fit(compiled.classes, many, capacity, zones, order, keep=keep)


def left_over(  # noqa: PLR0917, PLR0913
    compiled: Compiled, pool: int, types: tuple[int, ...], trials: Ints, counts: Floats, manner: str
) -> Floats:
    """(trial, class) pods that the greedy scheduler cannot place."""
    return pack(compiled, pool, types, trials, counts, manner)[1].left


def one_type(compiled: Compiled, pool: int, counts: Floats, most: int | None = None) -> tuple[Floats, Ints]:
    """(cost per type or inf, working nodes per type): all pods of the pool on nodes of one type."""
    part = compiled.pools[pool]
    spare = 0 if part.wish.spot or not counts.any() else 1
    limit = (most if most is not None else part.wish.max) - spare
    if limit < 1 and counts.any():
        return np.full(len(part.types), np.inf), np.zeros(len(part.types), dtype=np.int64)
    volume = (counts[:, None] * compiled.classes.sizes).sum(axis=0)
    fluid = np.ceil((volume[None] / np.maximum(part.room, 1e-9)).max(axis=1))
    groups = compiled.classes.host
    hosts = max((int(counts[groups == g].sum()) for g in set(groups[groups >= 0])), default=0)
    guess = np.maximum(fluid * 2 + 3 * compiled.zones, hosts + compiled.zones)
    width = np.minimum(guess, max(limit, 1)).astype(int)
    nodes = np.zeros(len(part.types), dtype=np.int64)
    bad = (fluid > limit) & bool(counts.any())
    for low, high in ((0, 16), (16, 64), (64, 256), (256, 10**9)):  # equal widths share one run
        chosen = np.flatnonzero((width > low) & (width <= high) & ~bad)
        if not len(chosen) or not counts.any():
            continue
        wide = int(width[chosen].max())
        step = max(1, 400_000 // wide)
        for start in range(0, len(chosen), step):
            some = chosen[start : start + step]
            capacity = np.zeros((4, len(some), wide))
            for row, t in enumerate(some):
                capacity[:, row, : width[t]] = part.room[t][:, None]
            zones = node_zones(compiled, wide)
            many = np.broadcast_to(counts, (len(some), len(counts)))
            packed = first_fit(compiled.classes, many, capacity, zones, compiled.bound_first)
            nodes[some] = packed.last
            bad[some] |= packed.left.any(axis=1)
    total = np.maximum(nodes + spare, least_nodes(compiled, pool, counts))
    return np.where(bad | (total > part.wish.max), np.inf, total * part.price), nodes


def least_nodes(compiled: Compiled, pool: int, counts: Floats) -> int:
    """The pool's own minimum: the wish's, and a node in every zone where pods or purpose ask for it."""
    part = compiled.pools[pool]
    zoned = bool((counts[compiled.classes.zone >= 0] > 0).any()) if counts.any() else False
    every_zone = compiled.zones if (compiled.needs_zones[pool] or (zoned and compiled.zones > 1)) else 0
    return max(part.wish.min, every_zone)


def settle(compiled: Compiled, pool: int, counts: Floats, start: dict[int, int]) -> PoolSolution | None:
    """The cheapest numbers of nodes near `start` (type -> nodes) that a greedy scheduler fills; None beyond the cap."""
    key = ("settle", pool, counts.tobytes(), tuple(sorted(start.items())))
    if key not in compiled.memo:
        compiled.memo[key] = _settle(compiled, pool, counts, start)
    made: PoolSolution | None = compiled.memo[key]
    return made


def _settle(compiled: Compiled, pool: int, counts: Floats, start: dict[int, int]) -> PoolSolution | None:
    part = compiled.pools[pool]
    types = tuple(sorted(start, key=lambda t: (-part.room[t][0], -part.room[t][1], t)))
    if not counts.any():
        return empty(compiled, pool)
    limit = part.wish.max - (0 if part.wish.spot else 1)
    best: PoolSolution | None = None
    for manner, ordered in ((FIRST, types), (FIRST, types[::-1]), (SPREAD, types)):
        if manner == FIRST and ordered != types and len(types) == 1:
            continue
        begin = np.array([start[t] for t in ordered], dtype=np.int64)
        numbers = grow(compiled, pool, ordered, begin, counts, limit, manner)
        if numbers is None:
            continue
        numbers = _shrink(compiled, pool, ordered, numbers, counts, manner)
        made = finish(compiled, pool, ordered, numbers, counts, manner, best.cost if best else np.inf)
        if made and (best is None or made.cost < best.cost - 1e-9):
            best = made
    return best


def grow(  # noqa: PLR0913, PLR0917
    compiled: Compiled, pool: int, types: tuple[int, ...], numbers: Ints, counts: Floats, limit: int, manner: str
) -> Ints | None:
    """More nodes, those of best value first, until a greedy scheduler places all pods; None beyond `limit` nodes."""
    part = compiled.pools[pool]
    price, room = part.price[list(types)], part.room[list(types)]
    numbers = numbers.copy()
    for _ in range(MOST_STEPS):
        if numbers.sum() > limit:
            return None
        left = left_over(compiled, pool, types, numbers[None], counts, manner)[0]
        if not left.any():
            return numbers
        stuck = np.flatnonzero(left)
        fits = fit_in(compiled.classes.sizes[stuck], room)
        if not fits.any(axis=1).all():
            return None
        volume = left @ compiled.classes.sizes
        jump = int(min(np.ceil((volume[None] / np.maximum(room, 1e-9)).max(axis=1)).min() // 2, limit))
        trials = numbers[None] + np.eye(len(types), dtype=np.int64) * max(1, jump)
        after = left_over(compiled, pool, types, trials, counts, manner)
        weight = compiled.classes.sizes[:, :3] @ (1 / np.maximum(room[:, :3].max(axis=0), 1))
        gain = (left @ weight) - (after @ weight)
        done = ~after.any(axis=1)
        if done.any() and jump <= 1:
            best: Ints = trials[int(np.where(done, price, np.inf).argmin())]
            return best
        value = gain / price
        numbers = trials[int(value.argmax())] if value.max() > 1e-12 else numbers + fits.any(axis=0).astype(np.int64)  # noqa: PLR2004
    return None


def _shrink(compiled: Compiled, pool: int, types: tuple[int, ...], numbers: Ints, counts: Floats, manner: str) -> Ints:  # noqa: PLR0917, PLR0913
    part = compiled.pools[pool]
    price, room = part.price[list(types)], part.room[list(types)]
    volume = counts @ compiled.classes.sizes
    unit = np.eye(len(types), dtype=np.int64)
    moves = [-unit[i] for i in range(len(types))]
    for i, j in product(range(len(types)), repeat=2):
        if i != j:
            moves += [unit[j] - unit[i], 2 * unit[j] - unit[i], unit[j] - 2 * unit[i], 3 * unit[j] - unit[i]]
    cheaper = [m for m in moves if float(m @ price) < -1e-9]  # noqa: PLR2004
    big = [m * k for m in cheaper if (np.abs(m).sum() == 1) for k in (2, 4, 8, 16)]
    for _ in range(MOST_STEPS):
        trials = [numbers + m for m in cheaper + big if (numbers + m >= 0).all() and (numbers + m).sum() > 0]
        trials = [t for t in trials if (t @ room >= volume - 1e-6).all()]
        if not trials:
            return numbers
        many = np.array(trials)
        done = ~left_over(compiled, pool, types, many, counts, manner).any(axis=1)
        if not done.any():
            return numbers
        numbers = many[int(np.where(done, many @ price, np.inf).argmin())]
    return numbers


def finish(  # noqa: PLR0917, PLR0913
    compiled: Compiled,
    pool: int,
    types: tuple[int, ...],
    numbers: Ints,
    counts: Floats,
    manner: str,
    below: float = np.inf,
) -> PoolSolution | None:
    """Add the spare and the minimum; None beyond the pool's cap, at `below` or more, or when pods stay pending."""
    part = compiled.pools[pool]
    kept = [i for i in range(len(types)) if numbers[i] > 0]
    types = tuple(types[i] for i in kept)
    working = [int(numbers[i]) for i in kept]
    spares = [0] * len(types)
    if counts.any():
        least = _least_spares(compiled, pool, types, working, counts)
        if float(part.price[list(types)] @ working) + least >= below - 1e-9:
            return None
    if not part.wish.spot and counts.any():
        for i in spare_slots(compiled, pool, types, np.array([working]), counts, manner):
            spares[i] += 1
    short = least_nodes(compiled, pool, counts) - sum(working) - sum(spares)
    if short > 0:  # of the cheapest type, where a slot is free for it
        offered = range(len(part.types)) if len(types) < part.wish.slots else types
        cheapest = min(offered, key=lambda t: (part.price[t], t not in types, part.vcpu[t], t))
        if cheapest not in types:
            types, working, spares = (*types, cheapest), [*working, 0], [*spares, 0]
        spares[types.index(cheapest)] += short
    slots = tuple(zip(types, working, spares, strict=True))
    cost = part.cost(slots)
    made = PoolSolution(pool, slots, cost, tuple(int(c) for c in counts), manner)
    if made.nodes > part.wish.max or len(slots) > part.wish.slots or cost >= below - 1e-9:
        return None
    return made if scheduler_accepts(compiled, made) else None


def _least_spares(compiled: Compiled, pool: int, types: tuple[int, ...], working: list[int], counts: Floats) -> float:
    """Spares cost no less, however the pods are packed: one takes the largest pod, and nodes hold no more than it."""
    part = compiled.pools[pool]
    if part.wish.spot or not counts.any():
        return 0.0
    room, price = part.room[list(types)], part.price[list(types)]
    sizes = compiled.classes.sizes[counts > 0]
    volume = counts @ compiled.classes.sizes
    least = np.inf
    for size in range(1, len(types) + 1):
        for some in combinations(range(len(types)), size):
            cost = float(price[list(some)].sum())
            if cost >= least:
                continue
            taken = room[list(some)]
            held = np.array(working) @ np.minimum(room, taken.max(axis=0))
            if (held >= volume - 1e-6).all() and fit_in(sizes, taken).any(axis=1).all():
                least = cost
    return least


def scheduler_accepts(compiled: Compiled, made: PoolSolution) -> bool:
    """Whether kube-scheduler's own order and scores place every pod of the pool on all its nodes, spares included."""
    counts = np.array(made.counts, dtype=float)
    if not counts.any():
        return True
    key = ("accepts", made.pool, made.slots, made.counts)
    if key not in compiled.memo:
        if counts.sum() <= MOST_SCHEDULED:
            from sizing.scheduler import pending  # noqa: PLC0415 - it reads this module

            compiled.memo[key] = not pending(compiled, made, first=True)
        else:
            compiled.memo[key] = _quickly_accepts(compiled, made, counts)
    return bool(compiled.memo[key])


def _quickly_accepts(compiled: Compiled, made: PoolSolution, counts: Floats) -> bool:
    """The same by rounds of equal pods, for large pools; the plan that is chosen is looked at pod by pod later."""
    room = compiled.pools[made.pool].room
    working, spares = each_node(made.slots)
    kinds = [*working, *spares]
    capacity = np.ascontiguousarray(room[kinds].T)[:, None, :]
    order = compiled.order[counts[compiled.order] > 0]
    return not spread_fit(compiled.classes, counts[None], capacity, node_zones(compiled, len(kinds)), order).left.any()


def spare_slots(  # noqa: PLR0913, PLR0917
    compiled: Compiled, pool: int, types: tuple[int, ...], trial: Ints, counts: Floats, manner: str
) -> tuple[int, ...]:
    """Cheapest set of slots such that, with one spare in each, the pods of any one node fit on a spare."""
    part = compiled.pools[pool]
    capacity, packed = pack(compiled, pool, types, trial, counts, manner)
    loads = (capacity - packed.free)[:, 0, :].T
    fits = fit_in(loads, part.room[list(types)])
    best, least = tuple(range(len(types))), np.inf
    for size in range(1, len(types) + 1):
        for some in combinations(range(len(types)), size):
            cost = float(sum(part.price[types[i]] for i in some))
            if cost < least - 1e-9 and fits[:, list(some)].any(axis=1).all():
                best, least = some, cost
    return best


def empty(compiled: Compiled, pool: int) -> PoolSolution:
    """A pool without pods: its minimum, of the cheapest type."""
    part = compiled.pools[pool]
    least = least_nodes(compiled, pool, np.zeros(len(compiled.pods)))
    cheapest = int(np.lexsort((part.vcpu, part.price))[0])
    slots = ((cheapest, 0, least),) if least else ()
    return PoolSolution(pool, slots, float(part.price[cheapest] * least), (0,) * len(compiled.pods), FIRST)


def best_single(compiled: Compiled, pool: int, counts: Floats) -> PoolSolution | None:
    """The cheapest plan of the pool with one instance type."""
    if not counts.any():
        return empty(compiled, pool)
    key = ("single", pool, counts.tobytes())
    if key not in compiled.memo:
        compiled.memo[key] = _best_single(compiled, pool, counts)
    made: PoolSolution | None = compiled.memo[key]
    return made


def _best_single(compiled: Compiled, pool: int, counts: Floats) -> PoolSolution | None:
    cost, nodes = one_type(compiled, pool, counts)
    ranked = [int(t) for t in np.argsort(cost, kind="stable")[:SINGLES] if np.isfinite(cost[t])]
    best: PoolSolution | None = None
    for t in ranked:
        if best is not None and cost[t] >= best.cost:
            break
        made = finish(compiled, pool, (t,), np.array([nodes[t]]), counts, FIRST, best.cost if best else np.inf)
        if made is None:
            made = settle(compiled, pool, counts, {t: int(nodes[t])})
        if made is not None and (best is None or made.cost < best.cost):
            best = made
    return best


def place(compiled: Compiled, made: PoolSolution) -> tuple[Ints, list[int]]:
    """The witness: pods by class and node (spares at the end), and the slot of each node."""
    numbers = np.array([[n for _, n, _ in made.slots]], dtype=np.int64)
    slot_of = [i for i, (_, n, _) in enumerate(made.slots) for _ in range(n)]
    spare_of = [i for i, (_, _, s) in enumerate(made.slots) for _ in range(s)]
    counts = np.array(made.counts, dtype=float)
    width = len(slot_of)
    placed = np.zeros((len(compiled.pods), width + len(spare_of)), dtype=np.int64)
    if width and made.manner == PATTERNS:
        from sizing.exactly import placement  # noqa: PLC0415 - it reads this module

        found = placement(compiled, made)
        if found is None:
            raise AssertionError("a settled pool no longer packs: the packing is not deterministic")
        placed[:, :width] = found
    elif width:
        types = tuple(t for t, _, _ in made.slots)
        _, packed = pack(compiled, made.pool, types, numbers, counts, made.manner, keep=True)
        if packed.placed is None or packed.left.any():
            raise AssertionError("a settled pool no longer packs: the packing is not deterministic")
        placed[:, :width] = packed.placed[:, :width]
    return placed, slot_of + spare_of
