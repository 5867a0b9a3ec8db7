"""Packing given nodes exactly: column generation over their fillings, then a dive to whole fillings.

A greedy packing leaves up to 4 % of a pool's nodes unused that some packing fills. Working nodes with a spare need not
be filled greedily: kube-scheduler places the pods on all nodes, spares included, and the packing of the working nodes
is the witness that a spare takes over any one of them. Gilmore and Gomory, https://doi.org/10.1287/opre.9.6.849; the
dive as in https://doi.org/10.1016/j.ejor.2016.04.030.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sizing.compiled import Compiled
from sizing.linear import Ints, Live, Model
from sizing.packing import Classes, Floats, first_fit
from sizing.pools import MOST_SCHEDULED, PATTERNS, PoolSolution, least_nodes, node_zones, scheduler_accepts
from sizing.pricing import SURROGATES, most_of
from sizing.scheduler import kinds, once, pending

ROUNDS = 60  # of the generation
DIVES = 80  # programs of one dive
LOST = 5  # choices of one dive that led nowhere
BRANCHES, GAP = 1_000, 1e-3  # of one knapsack
FEW, COARSE = 60, 1e-3  # the same where only a ceiling is asked for
SHORT = 1e-7  # share of all pods' volume: what is left over is none
ASKED = 8  # worths that refuted nodes last, asked first about others
GAIN = 1e-9
Slots = tuple[tuple[int, int, int], ...]  # (type, working nodes, spares)


@dataclass(frozen=True)
class Worth:
    """What pods are worth (item,), and what all of them are worth."""

    value: Floats
    due: float


@dataclass(frozen=True)
class _Nodes:
    """Equal nodes: a group per type and zone; per group a row for each spare that may take its pods over."""

    zone: Ints  # (group,); -1 where no pod is bound to a zone
    places: tuple[tuple[int, ...], ...]  # (group,) which of all nodes
    group: Ints  # (row,)
    room: Floats  # (row, 4)
    most: Floats  # (row, item)

    @property
    def number(self) -> Floats:
        """(group,) nodes."""
        return np.array([len(some) for some in self.places], dtype=float)


@dataclass
class Fillings:
    """What is known of packing the pods of one pool: fillings, and worths that refute nodes.

    Items are the classes that have pods; `programs` counts the linear programs solved.
    """

    compiled: Compiled
    pool: int
    of: Ints  # (item,) the class
    need: Floats  # (item,)
    known: list[Floats] = field(default_factory=list)
    seen: set[bytes] = field(default_factory=set)
    worths: list[Worth] = field(default_factory=list)
    tops: dict[int, Floats] = field(default_factory=dict)  # by worth: (pair of type and spare)
    programs: int = 0

    def __post_init__(self) -> None:
        every = self.compiled.classes
        self.classes = Classes(every.sizes[self.of], every.zone[self.of], every.host[self.of])
        self.room = self.compiled.pools[self.pool].room

    def packed(self, types: tuple[int, ...], spares: tuple[int, ...]) -> Ints | None:
        """(class, node) pods on working nodes of these types, each node's within one of the spares; None if not found.

        The nodes stand in the zones in turn; without spares they may be full.
        """
        nodes = self._nodes(types, spares)
        placed = None if nodes is None else _Dive(self, nodes).found(len(types))
        if placed is None:
            return None
        whole = np.zeros((len(self.compiled.pods), len(types)), dtype=np.int64)
        whole[self.of] = placed
        return whole

    def refutes(self, slots: Slots) -> bool:
        """Whether no packing of such nodes is possible, not even one in parts; what refutes them is remembered."""
        types, spares = _each(slots)
        nodes = self._nodes(types, spares)
        return nodes is None or not _Dive(self, nodes).possible()

    def ceilings(self, kinds: Ints, spares: Ints) -> Floats:
        """(worth, ...) the most that a node of each type is worth within its spare (-1: none), by the last worths.

        Of all zones' pods: a node in one zone is worth no more.
        """
        pair = kinds * (len(self.room) + 1) + spares + 1
        found = []
        for number in self.asked():
            row = self.tops.setdefault(number, np.full(len(self.room) * (len(self.room) + 1), np.nan))
            fresh = np.unique(pair[np.isnan(row[pair])])
            if len(fresh):
                row[fresh] = self._worth_most(fresh, self.worths[number].value)
            found.append(row[pair])
        return np.array(found).reshape(-1, *kinds.shape)

    def asked(self) -> range:
        """The worths that are asked."""
        return range(max(0, len(self.worths) - ASKED), len(self.worths))

    def _worth_most(self, pairs: Ints, worth: Floats) -> Floats:
        from sizing.knapsack import fillings  # noqa: PLC0415 - numba takes half a second

        kind, spare = np.divmod(pairs, len(self.room) + 1)
        held = np.minimum(self.room[kind], np.where((spare > 0)[:, None], self.room[spare - 1], np.inf))
        most = self._most(held)
        value = np.broadcast_to(worth, most.shape)
        return fillings(self.classes.sizes, held, most, value, np.zeros(len(held)), SURROGATES, COARSE, FEW)[1]

    def _most(self, room: Floats) -> Floats:
        """(row, item) how many of a kind of pods a node of that room holds, others apart."""
        most = np.minimum(most_of(self.classes.sizes, room + GAIN), self.need)
        host = self.classes.host >= 0
        most[:, host] = np.minimum(most[:, host], 1.0)
        return most

    def _nodes(self, types: tuple[int, ...], spares: tuple[int, ...]) -> _Nodes | None:
        """The nodes in groups; None where their volume is too small or pods fit on none of them."""
        bound = bool((self.classes.zone >= 0).any())
        zones = node_zones(self.compiled, len(types)) if bound else np.full(len(types), -1, dtype=np.int64)
        groups: dict[tuple[int, int], list[int]] = {}
        for node, key in enumerate(zip(types, zones.tolist(), strict=True)):
            groups.setdefault(key, []).append(node)
        rows: list[tuple[int, Floats, Floats]] = []
        volume = np.zeros(4)
        for g, ((kind, zone), places) in enumerate(groups.items()):
            held = _largest([np.minimum(self.room[kind], self.room[s]) for s in spares] or [self.room[kind]])
            most = self._most(np.array(held))
            most[:, (self.classes.zone >= 0) & (self.classes.zone != zone)] = 0.0
            rows += [(g, some, row) for some, row in zip(held, most, strict=True)]
            volume += len(places) * np.max(held, axis=0)
        most = np.array([most for _, _, most in rows]).reshape(-1, len(self.need))
        if (volume < self.need @ self.classes.sizes).any() or not len(most) or (most.max(axis=0) <= 0).any():
            return None
        return _Nodes(
            np.array([zone for _, zone in groups], dtype=np.int64),
            tuple(tuple(some) for some in groups.values()),
            np.array([g for g, _, _ in rows], dtype=np.int64),
            np.array([some for _, some, _ in rows]),
            most,
        )

    def best(self, nodes: _Nodes, worth: Floats, floor: Floats) -> tuple[Floats, Floats]:
        """Per row the most valuable filling (empty where none is worth more than `floor`) and the most it is worth."""
        from sizing.knapsack import fillings  # noqa: PLC0415 - numba takes half a second

        value = np.broadcast_to(worth, nodes.most.shape)
        patterns, tops = fillings(self.classes.sizes, nodes.room, nodes.most, value, floor, SURROGATES, GAP, BRANCHES)
        host = self.classes.host
        for pattern in patterns:
            for group in set(host[(pattern > 0) & (host >= 0)].tolist()):
                same = np.flatnonzero((host == group) & (pattern > 0))
                pattern[same[np.argsort(-worth[same], kind="stable")[1:]]] = 0.0
        return patterns, np.maximum(tops, floor)

    def keep(self, patterns: Floats) -> None:
        """Remember fillings."""
        for pattern in patterns:
            if (key := pattern.tobytes()) not in self.seen:
                self.seen.add(key)
                self.known.append(pattern)

    def fitting(self, nodes: _Nodes) -> tuple[Ints, Floats]:
        """(column,) group and (column, item): fillings known that the nodes hold, and single kinds of pods."""
        every = np.array(self.known).reshape(-1, len(self.need))
        load = every @ self.classes.sizes
        groups, columns = [], []
        for g in range(len(nodes.places)):
            mine = np.flatnonzero(nodes.group == g)
            fine = np.zeros(len(every), dtype=bool)
            for row in mine:
                fine |= (every <= nodes.most[row]).all(axis=1) & (load <= nodes.room[row] + GAIN).all(axis=1)
            most = nodes.most[mine].max(axis=0)
            single = np.diag(most)[most > 0]
            columns += [every[fine], single]
            groups += [g] * (int(fine.sum()) + len(single))
        return np.array(groups, dtype=np.int64), np.concatenate(columns)


def _largest(rooms: list[Floats]) -> list[Floats]:
    """Rooms that lie within no other."""
    held: list[Floats] = []
    for some in rooms:
        if not any((other >= some).all() for other in held):
            held = [other for other in held if not (some >= other).all()] + [some]
    return held


class _Dive:
    """The program over fillings of given nodes, and the way to whole ones."""

    def __init__(self, known: Fillings, nodes: _Nodes) -> None:
        self.known, self.nodes, self.number = known, nodes, nodes.number
        volume = known.need @ known.classes.sizes[:, :3]
        self.weight = (known.classes.sizes[:, :3] / np.maximum(volume, GAIN)).sum(axis=1)
        model = Model()
        for weight in self.weight:
            model.column(float(weight), 0.0, np.inf)  # pods left over
        for item, need in enumerate(known.need):
            model.row({item: 1.0}, float(need), np.inf)
        for number in self.number:
            model.row({}, -np.inf, float(number))
        self.live = Live(model, known.compiled.problem.seed)
        self.group: Ints = np.zeros(0, dtype=np.int64)
        self.pattern = np.zeros((0, len(known.need)))
        self._add(*known.fitting(nodes))

    def _add(self, group: Ints, pattern: Floats) -> None:
        items = len(self.known.need)
        entries = np.zeros((len(group), items + len(self.number)))
        entries[:, :items] = pattern
        entries[np.arange(len(group)), items + group] = 1.0
        self.live.columns(np.zeros(len(group)), entries)
        self.group, self.pattern = np.concatenate([self.group, group]), np.concatenate([self.pattern, pattern])

    def found(self, width: int) -> Ints | None:
        """(item, node) pods, or None when the nodes are too small or the dive ended nowhere."""
        taken, most = np.zeros(len(self.group)), np.full(len(self.group), np.inf)
        before: Floats | None = None
        last, lost = -1, 0
        for _ in range(DIVES):
            held = self._covered(taken, most)
            taken, most = self._wide(taken, 0.0), self._wide(most, np.inf)
            if held is not None:
                more = np.maximum(np.floor(held + 1e-6), taken)
                before, last = None, -1
                if (more == taken).all() and (held > taken + 1e-6).any():
                    rest = held - taken
                    last = int(np.lexsort((np.arange(len(rest)), -(self.pattern @ self.weight), -np.round(rest, 6)))[0])
                    before = taken
                    more[last] += 1
                taken = more
                done = self._whole(taken, width)
                if done is not None:
                    return done
                if taken.sum() < self.number.sum():
                    continue
            lost += 1
            if before is None or lost > LOST:
                return None
            taken, before = self._wide(before, 0.0), None
            most[last] = taken[last]
        return None

    def possible(self) -> bool:
        """Whether the pods have places at least in parts of fillings."""
        return self._covered(np.zeros(len(self.group)), np.full(len(self.group), np.inf)) is not None

    def _wide(self, values: Floats, other: float) -> Floats:
        """The values, and this one for columns that came later."""
        return np.concatenate([values, np.full(len(self.group) - len(values), other)])

    def _covered(self, taken: Floats, most: Floats) -> Floats | None:
        """How often each filling is used, in parts, where all pods have a place; None where some have none."""
        items, groups, first = len(self.known.need), len(self.number), not taken.any()
        for _ in range(ROUNDS):
            self.known.programs += 1
            held = np.flatnonzero((taken > 0) | np.isfinite(most))
            status, short, values = self.live.solve({items + int(i): (float(taken[i]), float(most[i])) for i in held})
            if status != "optimal":
                return None
            if short <= SHORT:
                return values[items:]
            duals = self.live.duals()
            worth = np.maximum(duals[:items], 0.0)
            price = np.maximum(-duals[items:], 0.0)[self.nodes.group]
            patterns, tops = self.known.best(self.nodes, worth, price)
            gain = np.zeros(groups)
            np.maximum.at(gain, self.nodes.group, tops - price)
            if first and short - gain @ self.number > SHORT:
                self.known.worths.append(Worth(worth, float(worth @ self.known.need)))
                return None
            better = np.flatnonzero((patterns @ worth > price + GAIN) & patterns.any(axis=1))
            if not len(better):
                return None
            self.known.keep(patterns[better])
            self._add(self.nodes.group[better], patterns[better])
            taken, most = self._wide(taken, 0.0), self._wide(most, np.inf)
        return None

    def _whole(self, taken: Floats, width: int) -> Ints | None:
        """The fillings taken, dealt to their nodes, and what is left of the pods by first fit on the nodes left."""
        known = self.known
        placed = np.zeros((len(known.need), width), dtype=np.int64)
        left, free = known.need.copy(), [list(some) for some in self.nodes.places]
        for at in np.flatnonzero(taken):
            for _ in range(int(taken[at])):
                node = free[self.group[at]].pop(0)
                put = np.minimum(self.pattern[at], left)
                placed[:, node] = put
                left -= put
        rest = [(node, g) for g, some in enumerate(free) for node in some]
        if left.any() and rest:
            left -= self._rest(placed, left, rest)
        return None if left.any() else placed

    def _rest(self, placed: Ints, left: Floats, rest: list[tuple[int, int]]) -> Floats:
        """Put what is left on these nodes (place, group), as far as it goes; how many of each found a place."""
        groups = [g for _, g in rest]
        room = np.array([self.nodes.room[int(np.flatnonzero(self.nodes.group == g)[0])] for g in groups])
        capacity = np.ascontiguousarray(room.T)[:, None, :]
        classes = self.known.classes
        share = (classes.sizes[:, :2] * self.weight[:, None]).sum(axis=1)
        bound = np.where(classes.host >= 0, 0, np.where(classes.zone >= 0, 1, 2))
        best: Ints = np.zeros((len(left), 0), dtype=np.int64)
        for order in (np.lexsort((-share, bound)), np.argsort(-share, kind="stable")):
            some = order[left[order] > 0]
            packed = first_fit(classes, left[None], capacity, self.nodes.zone[groups], some, keep=True)
            if packed.placed is not None and packed.placed.sum() > best.sum():
                best = packed.placed
            if not packed.left.any():
                break
        if not best.size:
            return np.zeros(len(left))
        placed[:, [node for node, _ in rest]] = best
        found: Floats = best.sum(axis=1).astype(float)
        return found


def _each(slots: Slots) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Types of the working nodes one by one, and of the spares."""
    return tuple(t for t, n, _ in slots for _ in range(n)), tuple(t for t, _, s in slots for _ in range(s))


def fillings_of(compiled: Compiled, pool: int, counts: Floats) -> Fillings:
    """What is known of the fillings of a pool with these pods (class,)."""
    key = ("fillings", pool, counts.tobytes())
    if key not in compiled.memo:
        used = np.flatnonzero(counts > 0).astype(np.int64)
        compiled.memo[key] = Fillings(compiled, pool, used, counts[used])
    made: Fillings = compiled.memo[key]
    return made


def exactly(compiled: Compiled, pool: int, slots: Slots, counts: Floats) -> PoolSolution | None:
    """The pool with exactly these nodes: kube-scheduler places all pods on them, and some packing needs no spare.

    None where that was not found, or where the nodes break the pool's own limits. `slots` are (type, working nodes,
    spares), pods (class,). An on-demand pool without a spare is refused.
    """
    part = compiled.pools[pool]
    total = sum(n + s for _, n, s in slots)
    types, spares = _each(slots)
    if not types or not least_nodes(compiled, pool, counts) <= total <= part.wish.max or len(slots) > part.wish.slots:
        return None
    if not counts.any() or not (part.wish.spot or spares):
        return None
    made = PoolSolution(pool, slots, part.cost(slots), tuple(int(c) for c in counts), PATTERNS)
    if not _first_draw(compiled, made) or placement(compiled, made) is None:
        return None
    return None if pending(compiled, made, first=True) else made


def _first_draw(compiled: Compiled, made: PoolSolution) -> bool:
    """Whether kube-scheduler places all pods in its first draw; large pools are looked at in one go."""
    counts = np.array(made.counts, dtype=float)
    if counts.sum() > MOST_SCHEDULED:
        return scheduler_accepts(compiled, made)
    wanted = compiled.memo.setdefault(("kinds", made.pool, made.counts), None) or kinds(compiled, counts)
    compiled.memo["kinds", made.pool, made.counts] = wanted
    working, spares = _each(made.slots)
    types = [*working, *spares]
    return once(wanted, compiled.pools[made.pool].room[types], node_zones(compiled, len(types)))


def placement(compiled: Compiled, made: PoolSolution) -> Ints | None:
    """(class, node) pods on the working nodes of a pool, each node's within one of its spares; None if not found.

    Found once, it stays the same, also when spares come.
    """
    types, unsorted = _each(made.slots)
    spares = tuple(sorted(unsorted))
    key = ("placement", made.pool, types, made.counts)
    known: dict[tuple[int, ...], Ints | None] = compiled.memo.setdefault(key, {})
    for before, placed in known.items():
        if before == spares or (placed is not None and set(before) <= set(spares)):
            return placed
    known[spares] = fillings_of(compiled, made.pool, np.array(made.counts, dtype=float)).packed(types, spares)
    return known[spares]
