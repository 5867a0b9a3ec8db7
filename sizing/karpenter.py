"""Karpenter's algorithm: what it would launch for the pods of one pool, from an empty cluster.

Followed as sigs.k8s.io/karpenter publishes it (read 2026-11-21): pods by CPU, then memory, largest first; each onto a
node that stands, else onto the node about to be created that has fewest pods, else onto a new one; a node about to be
created keeps every type that still holds its pods and becomes the cheapest of them at the end
(pkg/controllers/provisioning/scheduling/{scheduler,queue,nodeclaim}.go). Then consolidation until nothing more is
found: several nodes, those with fewest pods first, by binary search, then single ones, are removed where their pods fit
on the others and at most one cheaper node (pkg/controllers/disruption/{consolidation,multinodeconsolidation}.go); spot
nodes are removed, never replaced (SpotToSpotConsolidation is off by default).

Deviations: zones of spread pods are dealt beforehand, as for our own plans; equal counts are taken in the order of
creation (Go's sort leaves it open); a node without a zone of its own goes where the pool has fewest; spot costs its
list price marked up by risk, not what the fleet API allocates by capacity; limits of time are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sizing.compiled import Compiled
from sizing.packing import Floats, fit_in
from sizing.pools import Ints

BATCH = 100  # nodes looked at together by a consolidation
ACTIONS = 200  # of consolidation in one pool
SLACK = 1e-9


@dataclass
class Fleet:
    """Nodes of one pool: type, zone and pods by class of each."""

    compiled: Compiled
    pool: int
    kinds: list[int] = field(default_factory=list)
    zones: list[int] = field(default_factory=list)
    pods: list[Ints] = field(default_factory=list)

    @property
    def cost(self) -> float:
        """USD a month."""
        return float(sum(self.compiled.pools[self.pool].price[k] for k in self.kinds))

    def add(self, kind: int, pods: Ints, zone: int = -1) -> None:
        """A node; without a zone of its own it goes where fewest stand."""
        if zone < 0:
            zone = min(range(self.compiled.zones), key=lambda z: (self.zones.count(z), z))
        self.kinds.append(kind)
        self.zones.append(zone)
        self.pods.append(pods)

    def without(self, gone: set[int]) -> Fleet:
        """The same without some nodes."""
        kept = [i for i in range(len(self.kinds)) if i not in gone]
        pods = [self.pods[i].copy() for i in kept]
        return Fleet(self.compiled, self.pool, [self.kinds[i] for i in kept], [self.zones[i] for i in kept], pods)

    def held(self) -> Ints:
        """(node, class)."""
        return np.array(self.pods, dtype=np.int64).reshape(len(self.kinds), len(self.compiled.pods))


def provision(fleet: Fleet, counts: Floats, types: Ints) -> bool:
    """Launch what these pods need, of `types` only; False when a pod fits on none of them."""
    left = _onto_standing(fleet, counts)
    classes, part = fleet.compiled.classes, fleet.compiled.pools[fleet.pool]
    room = part.room[types]
    claims = _Claims(len(fleet.compiled.pods))
    for c in _order(fleet.compiled):
        for _ in range(int(left[c])):
            if not claims.take(int(c), classes.sizes[c], int(classes.zone[c]), int(classes.host[c]), room):
                return False
    cheapest = types[np.argsort(part.price[types], kind="stable")]
    for load, zone, pods in claims.rows():
        kind = next(int(t) for t in cheapest if (part.room[t] >= load - SLACK).all())
        fleet.add(kind, pods, zone)
    return True


def _order(compiled: Compiled) -> list[int]:
    """Classes as Karpenter's queue has them: by CPU, then by memory, decreasing."""
    sizes = compiled.classes.sizes
    return sorted(range(len(sizes)), key=lambda c: (-sizes[c][0], -sizes[c][1], c))


def _onto_standing(fleet: Fleet, counts: Floats) -> Floats:
    """Put pods on the nodes that stand, in their order; what is left by class."""
    left = counts.copy()
    if not fleet.kinds:
        return left
    classes = fleet.compiled.classes
    held = fleet.held()
    free = fleet.compiled.pools[fleet.pool].room[fleet.kinds] - held @ classes.sizes
    zones = np.array(fleet.zones)
    for c in _order(fleet.compiled):
        if left[c] <= 0:
            continue
        size = classes.sizes[c]
        fit = np.floor((free[:, size > 0] / size[size > 0]).min(axis=1) + 1e-9)
        if classes.zone[c] >= 0:
            fit[zones != classes.zone[c]] = 0
        if classes.host[c] >= 0:
            mates = classes.host == classes.host[c]
            fit = np.where(held[:, mates].any(axis=1), 0, np.minimum(fit, 1))
        fit = np.maximum(fit, 0)
        take = np.minimum(np.maximum(left[c] - (np.cumsum(fit) - fit), 0), fit)
        held[:, c] += take.astype(np.int64)
        free -= take[:, None] * size
        left[c] -= take.sum()
    fleet.pods = list(held)
    return left


class _Claims:
    """Nodes about to be created: their load, zone (or none yet), number of pods, hosts taken."""

    def __init__(self, classes: int) -> None:
        self.classes = classes
        self.load = np.zeros((0, 4))
        self.zone = np.zeros(0, dtype=np.int64)
        self.count = np.zeros(0, dtype=np.int64)
        self.pods: list[Ints] = []
        self.hosts: list[set[int]] = []

    def take(self, c: int, size: Floats, zone: int, host: int, room: Floats) -> bool:
        """One pod: onto the claim with fewest pods that may still hold it, else a new one; False where it fits none."""
        after = self.load + size
        fits = fit_in(after, room + SLACK).any(axis=1)
        if zone >= 0:
            fits &= (self.zone == zone) | (self.zone < 0)
        if host >= 0:
            fits &= np.array([host not in taken for taken in self.hosts], dtype=bool)
        if fits.any():
            at = int(np.where(fits, self.count, np.iinfo(np.int64).max).argmin())
        elif fit_in(size[None], room + SLACK).any():
            at = len(self.pods)
            self.load = np.vstack([self.load, np.zeros(4)])
            self.zone, self.count = np.append(self.zone, -1), np.append(self.count, 0)
            self.pods.append(np.zeros(self.classes, dtype=np.int64))
            self.hosts.append(set())
        else:
            return False
        self.load[at] += size
        self.count[at] += 1
        self.pods[at][c] += 1
        if zone >= 0:
            self.zone[at] = zone
        if host >= 0:
            self.hosts[at].add(host)
        return True

    def rows(self) -> list[tuple[Floats, int, Ints]]:
        """(load, zone or -1, pods by class) in the order of creation."""
        return [(self.load[i], int(self.zone[i]), self.pods[i]) for i in range(len(self.pods))]


def consolidate(fleet: Fleet, types: Ints) -> Fleet:
    """Remove and replace nodes until neither several together nor a single one can be."""
    for _ in range(ACTIONS):
        made = _several(fleet, types) or _single(fleet, types)
        if made is None:
            return fleet
        fleet = made
    return fleet


def _ranked(fleet: Fleet) -> list[int]:
    """Nodes by what their disruption costs: one a pod."""
    return sorted(range(len(fleet.kinds)), key=lambda i: (int(fleet.pods[i].sum()), i))


def _several(fleet: Fleet, types: Ints) -> Fleet | None:
    ranked = _ranked(fleet)
    low, high = 1, min(BATCH, len(ranked) - 1)
    best = None
    while low <= high:
        middle = (low + high) // 2
        made = _moved(fleet, ranked[: middle + 1], types)
        if made is not None:
            best, low = made, middle + 1
        else:
            high = middle - 1
    return best


def _single(fleet: Fleet, types: Ints) -> Fleet | None:
    return next((made for i in _ranked(fleet) if (made := _moved(fleet, [i], types)) is not None), None)


def _moved(fleet: Fleet, gone: list[int], types: Ints) -> Fleet | None:
    """Their pods on the other nodes and at most one cheaper node; None where that is not possible."""
    part = fleet.compiled.pools[fleet.pool]
    made = fleet.without(set(gone))
    before = len(made.kinds)
    pods = np.sum([fleet.pods[i] for i in gone], axis=0).astype(float)
    if not provision(made, pods, types):
        return None
    new = made.kinds[before:]
    if not new:
        return made
    if len(new) > 1 or part.wish.spot:
        return None
    price = float(part.price[new[0]])
    if price >= sum(float(part.price[fleet.kinds[i]]) for i in gone) - 1e-9:
        return None
    # of a type that is being removed, the replacement must be cheaper than the cheapest such node: else delete only
    return None if len(gone) > 1 and new[0] in {fleet.kinds[i] for i in gone} else made
