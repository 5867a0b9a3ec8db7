"""Two autoscalers everybody knows, as baselines of cost: what they would buy for the same demand.

Both start from an empty cluster and place pods largest first, under the same pools, zones, hosts and spot rules (30 %
of a tolerant workload stay on demand, 60 % at most in one spot pool); neither pays a spare.

`karpenter`: batches all pending pods and opens nodes in turn: fills a hypothetical node of every type (first fit
decreasing) and opens the cheapest per unit of the pods' dominant share it takes, mixing types freely. Deviations from
sigs.k8s.io/karpenter (pkg/controllers/provisioning/scheduling): Karpenter keeps all types that fit a node's pods and
launches the cheapest at the end, we choose per node; no consolidation afterwards; zones are dealt beforehand.

`cluster_autoscaler`: one fixed type of about 8 vCPU and 4 GiB a vCPU a pool (what node groups look like by hand; the
smallest larger one where a pod needs it), nodes added until first fit places all. With one type the expander
`least-waste` has nothing to choose. Deviation: one estimate of the whole demand instead of many loops; no scale-down.
"""

from __future__ import annotations

import numpy as np

from sizing.compiled import Compiled, compile_problem, parts
from sizing.greedy import cheapest_pool_first
from sizing.packing import Floats, fit_in
from sizing.plan import Infeasible
from sizing.pools import Ints, least_nodes, one_type
from sizing.problem import Problem

USUAL_VCPU = 8
USUAL_RATIO = 4.0  # GiB a vCPU
MOST_NODES = 100_000


def baselines(problem: Problem) -> dict[str, float]:
    """Cost in USD per month by name; infinite where the baseline finds no plan."""
    total = {"karpenter": 0.0, "cluster_autoscaler": 0.0}
    for part in parts(problem):
        compiled = compile_problem(part)
        if isinstance(compiled, Infeasible):
            return dict.fromkeys(total, float("inf"))
        pods = cheapest_pool_first(compiled)
        for k in range(len(compiled.pools)):
            total["karpenter"] += karpenter(compiled, k, pods[:, k])
            total["cluster_autoscaler"] += cluster_autoscaler(compiled, k, pods[:, k])
    return {name: round(cost, 4) if np.isfinite(cost) else cost for name, cost in total.items()}


def karpenter(compiled: Compiled, pool: int, counts: Floats) -> float:
    """Cost of mixed nodes, opened one at a time, the best value for what is pending first."""
    part, sizes = compiled.pools[pool], compiled.classes.sizes
    left, cost, nodes = counts.copy(), 0.0, 0
    scale = sizes.T @ counts
    weight = (sizes / np.maximum(scale, 1e-9)).max(axis=1)
    hosts = compiled.classes.host
    while left.any() and nodes < MOST_NODES:
        best: tuple[float, int, Floats] | None = None
        zones = sorted({int(z) for z in compiled.classes.zone[left > 0]})
        for zone in [z for z in zones if z >= 0][:1] or [-1]:
            for t in range(len(part.types)):
                taken = _filled(compiled, part.room[t], left, zone, hosts)
                if not taken.any():
                    continue
                value = float(part.price[t]) / float(weight @ taken)
                if best is None or value < best[0] - 1e-15:
                    best = (value, t, taken)
        if best is None:
            return float("inf")
        _, t, taken = best
        times = max(1, int(np.floor((left[taken > 0] / taken[taken > 0]).min())))
        left -= taken * times
        cost += float(part.price[t]) * times
        nodes += times
    short = least_nodes(compiled, pool, counts) - nodes
    return cost + max(0, short) * float(part.price.min())


def _filled(compiled: Compiled, room: Floats, left: Floats, zone: int, hosts: Ints) -> Floats:
    """What a node of this room takes of the pending pods: largest first, as many as fit."""
    free = room.copy()
    taken = np.zeros(len(left))
    for c in compiled.order:
        if left[c] <= 0 or (compiled.classes.zone[c] >= 0 and compiled.classes.zone[c] != zone):
            continue
        size = compiled.classes.sizes[c]
        fits = int(np.floor(np.where(size > 0, free / np.maximum(size, 1e-9), np.inf).min()))
        many = min(fits, int(left[c]), 1 if hosts[c] >= 0 else fits)
        if many > 0:
            taken[c] = many
            free = free - many * size
    return taken


def cluster_autoscaler(compiled: Compiled, pool: int, counts: Floats) -> float:
    """Cost of the pool on its usual type."""
    part = compiled.pools[pool]
    cost, nodes = one_type(compiled, pool, counts)
    pods = compiled.classes.sizes[counts > 0]
    fits = np.asarray(fit_in(pods, part.room).all(axis=0)) if len(pods) else np.ones(len(part.types), dtype=bool)
    usual = [
        (
            t.vcpu < USUAL_VCPU,
            abs(t.vcpu - USUAL_VCPU),
            abs(t.memory_gib / t.vcpu - USUAL_RATIO),
            float(part.price[i]),
            i,
        )
        for i, t in enumerate(part.types)
        if fits[i]
    ]
    if not usual or not np.isfinite(cost[min(usual)[-1]]):
        return float("inf")
    best = min(usual)[-1]
    return float(part.price[best]) * max(int(nodes[best]), least_nodes(compiled, pool, counts))
