"""What a cluster still needs when some workloads rest, on machines of the kinds that the plan has chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sizing.plan import Plan
from sizing.problem import Problem


def at_rest(problem: Problem, plan: Plan, pods: Mapping[str, int], least: Mapping[str, int]) -> Problem:
    """Take the pods away that rest (`pods` by workload stay), and offer only what the plan has bought.

    `least` are the nodes that stay in each slot, by pool; a pool that is not named keeps its own least number, as one
    does whose cloud knows no hours.
    """
    bought = {pool.instance_type for pool in plan.pools if pool.desired > 0}
    workloads = tuple(
        replace(each, replicas=min(each.replicas, pods.get(each.name, each.replicas)))
        for each in problem.workloads
        if pods.get(each.name, each.replicas) > 0
    )
    pools = tuple(
        replace(each, min=min(each.min, least[each.name] * each.slots)) if each.name in least else each
        for each in problem.pools
    )
    types = tuple(each for each in problem.types if each.name in bought) or problem.types
    return replace(problem, workloads=workloads, pools=pools, types=types)
