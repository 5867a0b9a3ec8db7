"""Cluster Autoscaler's algorithm: what it would add to node groups made by hand for the pods of one pool.

After the algorithm of kubernetes/autoscaler (its packages `estimator` and `expander/waste`, as they are known to work;
the sources were not at hand and were not compared line by line): for each node group, pods that fit it are packed first
fit, largest share of a node first, on new nodes of its type; the expander `least-waste` takes the group with the least
idle CPU and memory after that; again until no pod is pending.

Node groups are what people write by hand: one of about 8 vCPU and 4 GiB a vCPU, and where a pod needs more, a second of
the smallest type that holds it. By hand one such type is chosen for all pools (`one_type`): the cheapest of that shape
on demand, of the architecture that every image runs on.

Deviations: one estimate of the whole demand instead of many loops, nothing is scaled down; groups exist in every zone
and are balanced (`balance-similar-node-groups`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sizing.catalogue import InstanceType
from sizing.compiled import Compiled
from sizing.karpenter import Fleet
from sizing.packing import Floats, first_fit, fit_in
from sizing.pools import Ints, node_zones
from sizing.problem import Problem

USUAL_VCPU = 8
USUAL_RATIO = 4.0  # GiB a vCPU
COMMON = "amd64"
GROUPS = 4


def one_type(problem: Problem) -> Problem:
    """The same problem with one type of the usual shape, which every pool of amd64 nodes without GPUs takes."""
    shape = [t for t in problem.types if t.arch == COMMON and not t.gpu]
    fresh = [t for t in shape if (problem.as_of - t.price_date).days <= problem.max_age_days]
    if not fresh:
        return problem
    usual = min(fresh, key=lambda t: (_from_usual(t), t.price_usd_hour, t.name))
    pools = tuple(replace(p, arch=(COMMON,)) if COMMON in p.arch and not p.gpu else p for p in problem.pools)
    types = tuple(t for t in problem.types if t not in shape or t == usual or _from_usual(t) > _from_usual(usual))
    return replace(problem, pools=pools, types=types, running=(*problem.running, usual.name))


def _from_usual(one: InstanceType) -> tuple[bool, int, float]:
    """How far a type is from the usual shape: smaller ones last, then by vCPU, then by memory a vCPU."""
    return one.vcpu < USUAL_VCPU, abs(one.vcpu - USUAL_VCPU), abs(one.memory_gib / one.vcpu - USUAL_RATIO)


def groups(compiled: Compiled, pool: int, counts: Floats) -> list[int]:
    """Types of the node groups: the usual one, then the smallest that holds what none before holds."""
    part = compiled.pools[pool]
    usual = min(
        range(len(part.types)),
        key=lambda t: (_from_usual(part.types[t]), float(part.price[t]), t),
    )
    chosen = [usual]
    fits = fit_in(compiled.classes.sizes, part.room)
    for _ in range(GROUPS - 1):
        out = (counts > 0) & ~fits[:, chosen].any(axis=1)
        if not out.any():
            break
        holds = fits[out]
        most = int(holds.sum(axis=0).max())
        if not most:
            break
        enough = [t for t in range(len(part.types)) if holds[:, t].sum() == most]
        chosen.append(min(enough, key=lambda t: (part.types[t].vcpu, float(part.price[t]), t)))
    return chosen


def scale_up(fleet: Fleet, counts: Floats, kinds: list[int]) -> bool:
    """Add nodes of these groups until first fit places all pods; False when a pod fits in no group."""
    compiled, part = fleet.compiled, fleet.compiled.pools[fleet.pool]
    sizes = compiled.classes.sizes
    left = counts.copy()
    while left.any():
        options = []
        for t in kinds:
            mine = np.where(fit_in(sizes, part.room[[t]])[:, 0], left, 0.0)
            if not mine.any():
                continue
            packed = _estimate(fleet, mine, t)
            if packed is None:
                continue
            nodes = len(packed)
            asked = mine @ sizes[:, :2]
            idle = 1 - asked / np.maximum(nodes * part.room[t][:2], 1e-9)
            options.append((float(idle.sum()), kinds.index(t), t, packed, mine))
        if not options:
            return False
        _, _, kind, packed, mine = min(options, key=lambda one: one[:2])
        for zone, pods in packed:
            fleet.add(kind, pods, zone)
        left = left - mine
    return True


def _estimate(fleet: Fleet, counts: Floats, kind: int) -> list[tuple[int, Ints]] | None:
    """(zone, pods by class) of the nodes of one group, zones in turn."""
    compiled = fleet.compiled
    classes, room = compiled.classes, compiled.pools[fleet.pool].room[kind]
    share = (classes.sizes[:, :2] / np.maximum(room[:2], 1e-9)).sum(axis=1)
    order = np.array(sorted(np.flatnonzero(counts), key=lambda c: (-share[c], int(c))), dtype=np.int64)
    most = int(counts.sum())
    width = min(most, 8)
    while True:
        zones = (node_zones(compiled, width) + len(fleet.kinds)) % compiled.zones
        capacity = np.repeat(room[:, None, None], width, axis=2)
        packed = first_fit(classes, counts[None], capacity, zones, order, keep=True)
        if not packed.left.any():
            break
        if width >= most * compiled.zones:
            return None
        width = min(width * 2, most * compiled.zones)
    placed = packed.placed
    if placed is None:
        return None
    used = placed.sum(axis=0) > 0
    return [(int(zones[n]), placed[:, n]) for n in range(width) if used[n]]
