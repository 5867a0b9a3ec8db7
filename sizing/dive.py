"""Packing given nodes: column generation over their fillings, then a dive to whole ones.

Gilmore and Gomory, https://doi.org/10.1287/opre.9.6.849; diving as in https://doi.org/10.1287/ijoc.2018.0822.
"""

from __future__ import annotations

import numpy as np

from sizing.linear import Ints, Live, Model
from sizing.packing import Floats, first_fit
from sizing.patterns import Fillings, Nodes
from sizing.refutations import GAIN, SHORT

ROUNDS = 60  # of the generation
DIVES = 40  # programs of one dive
LOST = 5  # choices of one dive that led nowhere
SMOOTH = 0.7  # of the worths that refuted most, in those that are asked next


def packed(known: Fillings, types: tuple[int, ...], spares: tuple[int, ...]) -> Ints | None:
    """(class, node) pods on working nodes of these types, each node's within one of the spares; None if not found.

    The nodes stand in the zones in turn; without spares they may be full.
    """
    nodes = known.nodes(types, spares)
    placed = None if nodes is None else Dive(known, nodes).found(len(types))
    if placed is None:
        return None
    whole = np.zeros((len(known.compiled.pods), len(types)), dtype=np.int64)
    whole[known.of] = placed
    return whole


def refuted(known: Fillings, types: tuple[int, ...], spares: tuple[int, ...]) -> bool:
    """Whether no packing of such nodes is possible, not even one in parts; what refutes them is remembered."""
    nodes = known.nodes(types, spares)
    return nodes is None or not Dive(known, nodes).possible()


class Dive:
    """The program over fillings of given nodes, and the way to whole ones."""

    def __init__(self, known: Fillings, nodes: Nodes) -> None:
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
        """How often each filling is used, in parts, where all pods have a place; None where some have none.

        Fillings are looked for at worths between those of the program and those that refuted most so far (Wentges,
        https://doi.org/10.1016/S0969-6016(97)00001-4): they swing less.
        """
        items, first = len(self.known.need), not taken.any()
        left = self.known.need - taken @ self.pattern
        free = self.number - np.bincount(self.group, weights=taken, minlength=len(self.number))
        held = np.flatnonzero((taken > 0) | np.isfinite(most))
        limits = {items + int(i): (float(taken[i]), float(most[i])) for i in held}
        center: Floats | None = None
        proven = -np.inf
        for _ in range(ROUNDS):
            self.known.programs += 1
            status, short, values = self.live.solve(limits)
            if status != "optimal":
                return None
            if short <= SHORT:
                return values[items:]
            duals = self.live.duals()
            worth, price = np.maximum(duals[:items], 0.0), np.maximum(-duals[items:], 0.0)
            for asked in (worth,) if center is None else (SMOOTH * center + (1 - SMOOTH) * worth, worth):
                patterns, tops = self._most_worth(asked)
                least = float(asked @ left - tops @ free)  # of the pods left over, whatever the fillings of free nodes
                if least > SHORT:
                    if first:
                        self.known.refutations.add(self.known.of, asked)
                    return None
                if least > proven:
                    center, proven = asked, least
                better = np.flatnonzero(patterns @ worth > price[self.nodes.group] + GAIN)
                if len(better):
                    break
            else:
                return None
            self.known.keep(patterns[better])
            self._add(self.nodes.group[better], patterns[better])
        return None

    def _most_worth(self, worth: Floats) -> tuple[Floats, Floats]:
        """(row, item) the filling that is worth most, empty where one known is; (group,) what any is worth at most."""
        group, groups = self.nodes.group, len(self.number)
        known, tops = np.zeros(groups), np.zeros(groups)
        np.maximum.at(known, self.group, self.pattern @ worth)
        patterns, found = self.known.best(self.nodes, worth, known[group])
        np.maximum.at(tops, group, found)
        return patterns, tops

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
