"""What is known of packing one pool's pods: fillings of its nodes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sizing.compiled import Compiled
from sizing.linear import Ints
from sizing.packing import Classes, Floats, largest
from sizing.pools import node_zones
from sizing.pricing import SURROGATES
from sizing.refutations import GAIN, Refutations, most_held, refutations_of

BRANCHES, GAP = 1_000, 1e-3  # of one knapsack


@dataclass(frozen=True)
class Nodes:
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
    """What is known of packing the pods of one pool: fillings, and the pool's worths that refute nodes.

    Items are the classes that have pods; `programs` counts the linear programs solved.
    """

    compiled: Compiled
    pool: int
    of: Ints  # (item,) the class
    need: Floats  # (item,)
    known: list[Floats] = field(default_factory=list)
    seen: set[bytes] = field(default_factory=set)
    programs: int = 0
    refutations: Refutations = field(init=False)

    def __post_init__(self) -> None:
        every = self.compiled.classes
        self.classes = Classes(every.sizes[self.of], every.zone[self.of], every.host[self.of])
        self.room = self.compiled.pools[self.pool].room
        self.refutations = refutations_of(self.compiled, self.pool)

    def nodes(self, types: tuple[int, ...], spares: tuple[int, ...]) -> Nodes | None:
        """The nodes in groups; None where their volume is too small or pods fit on none of them."""
        bound = bool((self.classes.zone >= 0).any())
        zones = node_zones(self.compiled, len(types)) if bound else np.full(len(types), -1, dtype=np.int64)
        groups: dict[tuple[int, int], list[int]] = {}
        for node, key in enumerate(zip(types, zones.tolist(), strict=True)):
            groups.setdefault(key, []).append(node)
        rows: list[tuple[int, Floats, Floats]] = []
        volume = np.zeros(4)
        for g, ((kind, zone), places) in enumerate(groups.items()):
            held = largest([np.minimum(self.room[kind], self.room[s]) for s in spares] or [self.room[kind]])
            most = most_held(self.classes, np.array(held), self.need)
            most[:, (self.classes.zone >= 0) & (self.classes.zone != zone)] = 0.0
            rows += [(g, some, row) for some, row in zip(held, most, strict=True)]
            volume += len(places) * np.max(held, axis=0)
        most = np.array([most for _, _, most in rows]).reshape(-1, len(self.need))
        if (volume < self.need @ self.classes.sizes).any() or not len(most) or (most.max(axis=0) <= 0).any():
            return None
        return Nodes(
            np.array([zone for _, zone in groups], dtype=np.int64),
            tuple(tuple(some) for some in groups.values()),
            np.array([g for g, _, _ in rows], dtype=np.int64),
            np.array([some for _, some, _ in rows]),
            most,
        )

    def best(self, nodes: Nodes, worth: Floats, floor: Floats) -> tuple[Floats, Floats]:
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

    def fitting(self, nodes: Nodes) -> tuple[Ints, Floats]:
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


def fillings_of(compiled: Compiled, pool: int, counts: Floats) -> Fillings:
    """What is known of the fillings of a pool with these pods (class,)."""
    key = ("fillings", pool, counts.tobytes())
    if key not in compiled.memo:
        used = np.flatnonzero(counts > 0).astype(np.int64)
        compiled.memo[key] = Fillings(compiled, pool, used, counts[used])
    made: Fillings = compiled.memo[key]
    return made
