"""A solution of one independent part of a problem: pods given to pools, and each pool's nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sizing.compiled import Compiled
from sizing.fluid import choosing
from sizing.packing import Floats
from sizing.pools import PoolSolution, best_single, settle
from sizing.problem import SPOT_POOL_SHARE


@dataclass(frozen=True)
class PartSolution:
    """Nodes of every pool of the part; cost in USD per month."""

    pools: tuple[PoolSolution, ...]

    @property
    def cost(self) -> float:
        """What is minimised."""
        return sum(pool.cost for pool in self.pools)

    def pods(self) -> Floats:
        """(class, pool)."""
        return np.array([pool.counts for pool in self.pools], dtype=float).T


def within_limits(compiled: Compiled, made: PartSolution) -> bool:
    """The limits that span pools: vCPU quota and the share of one spot pool."""
    quota = compiled.problem.vcpu_quota
    if quota is not None:
        vcpu = sum(float(compiled.pools[p.pool].vcpu[t]) * (n + s) for p in made.pools for t, n, s in p.slots)
        if vcpu > quota:
            return False
    several = choosing(compiled)
    cpu = (compiled.counts * compiled.classes.sizes[:, 0])[several].sum()
    pods = made.pods()
    for k, part in enumerate(compiled.pools):
        held = (pods[several, k] * compiled.classes.sizes[several, 0]).sum()
        if part.wish.spot and held > SPOT_POOL_SHARE * cpu + 1e-6:
            return False
    return True


def build(compiled: Compiled, pods: Floats, starts: tuple[dict[int, int], ...] | None = None) -> PartSolution | None:
    """Settle every pool with the pods given: near `starts`, or with one type, whichever is cheaper."""
    made = []
    for k in range(len(compiled.pools)):
        options = [best_single(compiled, k, pods[:, k])]
        if starts is not None and starts[k]:
            options.append(settle(compiled, k, pods[:, k], starts[k]))
        fine = [option for option in options if option is not None]
        if not fine:
            return None
        made.append(min(fine, key=lambda o: (o.cost, o.slots)))
    solution = PartSolution(tuple(made))
    return solution if within_limits(compiled, solution) else None
