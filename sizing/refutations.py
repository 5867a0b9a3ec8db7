"""Worths of a pool's pods that refute mixes of nodes, whatever number of each kind the pool is given.

Give every pod a worth: nodes whose fillings are worth less than all pods together cannot hold them, whatever else they
are (Farley, https://doi.org/10.1287/opre.38.5.922). So what refuted one mix of nodes refutes others at once, and stays
true when pods move between pools.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sizing.compiled import Compiled
from sizing.linear import Ints
from sizing.packing import Classes, Floats
from sizing.pricing import SURROGATES, most_of

FEW, COARSE = 60, 1e-3  # branches of one knapsack, and what it may be off by: only a ceiling is asked for
SHORT = 1e-7  # share of all pods' volume: what is left over is none
ASKED = 24  # worths that refuted nodes last are asked about others
GAIN = 1e-9


def most_held(classes: Classes, room: Floats, need: Floats) -> Floats:
    """(row, class) how many of `need` (class,) a node of each room (row, 4) holds, others apart; one of those apart."""
    most = np.minimum(most_of(classes.sizes, room + GAIN), need)
    host = classes.host >= 0
    most[:, host] = np.minimum(most[:, host], 1.0)
    return most


@dataclass
class Refutations:
    """Worths (class,) of one pool's pods, each of which refuted nodes."""

    compiled: Compiled
    pool: int
    worths: list[Floats] = field(default_factory=list)
    tops: dict[int, Floats] = field(default_factory=dict)  # by worth: (zone, pair of type and spare)

    def __post_init__(self) -> None:
        self.room = self.compiled.pools[self.pool].room
        mine = self.compiled.allowed[:, self.pool]
        self.zones = self.compiled.zones if (self.compiled.classes.zone[mine] >= 0).any() else 1

    def add(self, of: Ints, worth: Floats) -> None:
        """Remember the worth of some classes; the others' is nothing."""
        every = np.zeros(len(self.compiled.pods))
        every[of] = worth
        self.worths.append(every)

    def asked(self) -> range:
        """The worths that are asked."""
        return range(max(0, len(self.worths) - ASKED), len(self.worths))

    def due(self, counts: Floats) -> Floats:
        """(worth,) what these pods (class,) are worth, by the last worths."""
        return np.array([self.worths[number] @ counts for number in self.asked()])

    def refuted(self, counts: Floats, kinds: Ints, nodes: Ints, spare: Ints) -> npt.NDArray[np.bool_]:
        """(mix,) whether such nodes cannot hold the pods (class,), by the last worths.

        Types (mix, n), -1 with no nodes, so many nodes of each, dealt over the zones in this order, within a spare
        (mix,) or -1.
        """
        tops = self.ceilings(np.maximum(kinds, 0), np.broadcast_to(spare[:, None], kinds.shape))
        last = np.cumsum(nodes, axis=1)
        zone = np.arange(self.zones)[:, None, None]
        dealt = (last - zone - 1) // self.zones - (last - nodes - zone - 1) // self.zones  # (zone, mix, n)
        held = (tops * dealt).sum(axis=(1, 3))
        short: npt.NDArray[np.bool_] = (held < self.due(counts)[:, None] - SHORT).any(axis=0)
        return short

    def ceilings(self, kinds: Ints, spares: Ints) -> Floats:
        """(worth, zone, ...) the most that a node of each type within its spare (-1: none) is worth."""
        pair = kinds * (len(self.room) + 1) + spares + 1
        found = []
        for number in self.asked():
            row = self.tops.setdefault(number, np.full((self.zones, len(self.room) * (len(self.room) + 1)), np.nan))
            fresh = np.unique(pair[np.isnan(row[0, pair])])
            if len(fresh):
                row[:, fresh] = [self._most_worth(fresh, self.worths[number], zone) for zone in range(self.zones)]
            found.append(row[:, pair])
        return np.array(found).reshape(-1, self.zones, *kinds.shape)

    def _most_worth(self, pairs: Ints, worth: Floats, zone: int) -> Floats:
        from sizing.knapsack import fillings  # noqa: PLC0415 - numba takes half a second

        every = self.compiled.classes
        some = np.flatnonzero((worth > 0) & ((every.zone < 0) | (every.zone == zone)))
        classes = Classes(every.sizes[some], every.zone[some], every.host[some])
        kind, spare = np.divmod(pairs, len(self.room) + 1)
        held = np.minimum(self.room[kind], np.where((spare > 0)[:, None], self.room[spare - 1], np.inf))
        most = most_held(classes, held, self.compiled.counts[some])
        value = np.broadcast_to(worth[some], most.shape)
        return fillings(classes.sizes, held, most, value, np.zeros(len(held)), SURROGATES, COARSE, FEW)[1]


def refutations_of(compiled: Compiled, pool: int) -> Refutations:
    """What is known of the mixes of a pool."""
    key = ("refutations", pool)
    if key not in compiled.memo:
        compiled.memo[key] = Refutations(compiled, pool)
    made: Refutations = compiled.memo[key]
    return made
