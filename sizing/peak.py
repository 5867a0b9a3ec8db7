"""Whether pools can hold what workloads may grow to: a necessary condition, looked at before a plan is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from sizing.allocatable import Room
from sizing.problem import PoolWish, Problem, WrongProblem

PARTS: Final = {"cpu_milli": "mCPU", "memory_mib": "MiB", "pods": "pods"}


def check(problem: Problem, most: Mapping[str, int]) -> None:
    """Raise WrongProblem where pods at their most cannot fit, whichever types a plan chooses.

    `most` is the largest number of replicas of each workload that an autoscaler changes, by its name. For each set of
    pools that some workload names: all pods that may only run there, against as many of the largest nodes as the
    pools allow. That this holds does not promise a packing; that it does not hold rules every packing out.
    """
    for short in shortages(problem, most):
        raise WrongProblem(short)


def shortages(problem: Problem, most: Mapping[str, int]) -> Iterator[str]:
    """Yield what is too small, in words."""
    if not most:
        return
    pools = {pool.name: pool for pool in problem.pools}
    known = frozenset(pools)
    groups = {frozenset(job.pools) & known for job in problem.workloads} | {known}
    for group in sorted(groups, key=sorted):
        inside = [job for job in problem.workloads if frozenset(job.pools) & known <= group]
        growing = sorted(job.name for job in inside if job.name in most)
        if not group or not growing:
            continue
        asked = dict.fromkeys(PARTS, 0)
        for job in inside:
            replicas = max(most.get(job.name, 0), job.replicas)
            for part, one in zip(PARTS, (job.cpu_milli, job.memory_mib, 1), strict=True):
                asked[part] += one * replicas
        room = {part: sum(pools[name].max * _largest(problem, pools[name], part) for name in group) for part in PARTS}
        for part, unit in PARTS.items():
            if asked[part] > room[part]:
                names = ", ".join(sorted(group))
                yield (
                    f"clusters.pools: {names} of {problem.cluster} hold {room[part]} {unit} on their largest nodes, and"
                    f" {', '.join(growing)} with what runs beside them reach {asked[part]} {unit}; raise max of a pool,"
                    " or lower horizontal.max in services.scaling.workloads"
                )


def _largest(problem: Problem, pool: PoolWish, part: str) -> int:
    """The most of one thing that a node of the pool can have."""
    rooms: list[Room] = [t.room for t in problem.types if t.arch in pool.arch and (t.gpu > 0) == pool.gpu]
    return max((getattr(room, part) for room in rooms), default=0)
