"""From a stack's wish to one capacity problem per cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sizing import peak
from sizing.allocatable import Room
from sizing.catalogue import Catalogue, InstanceType, fit_for_nodes, fresh, prune
from sizing.problem import PoolWish, Problem, WorkloadDemand
from stacks.model import NodePool, Stack
from stacks.services.overflow import of_cluster
from stacks.services.room import per_node
from stacks.split import services_of, undecided
from stacks.workloads import demand


@dataclass(frozen=True, kw_only=True)
class Sized:
    """A stack whose placements are decided, the problem of each of its clusters, and the account of the placements.

    `placement` is None where the stack file has none.
    """

    stack: Stack
    problems: Mapping[str, Problem]
    placement: Mapping[str, Any] | None = None


def from_stack(stack: Stack, project_dir: Path, catalogue: Catalogue) -> dict[str, Problem]:
    """The problem of every cluster; UnknownPrice for a region without prices, WrongProblem for a wrong wish.

    A placement that is not decided yet is decided; PlacementRefused where that cannot be.
    """
    return dict(sized(stack, project_dir, catalogue).problems)


def sized(stack: Stack, project_dir: Path, catalogue: Catalogue, previous: Mapping[str, Any] | None = None) -> Sized:
    """The same with the stack as placed; `previous` is the account of the placement that runs now."""
    made = _problems(stack, project_dir, catalogue)
    account = None
    if undecided(stack):
        from sizing.placed import place  # noqa: PLC0415 - solvers load only where there is something to choose

        stack, account = place(stack, made, previous)
        made = _problems(stack, project_dir, catalogue)
    for name, problem in made.items():
        peak.check(problem, _most(stack, name))
    return Sized(stack=stack, problems=made, placement=account)


def _problems(stack: Stack, project_dir: Path, catalogue: Catalogue) -> dict[str, Problem]:
    wanted = demand(stack, project_dir)
    return {
        name: _problem(stack, name, tuple(wanted.get(name, ())), catalogue) for name in sorted(stack.cluster_names())
    }


def _most(stack: Stack, cluster: str) -> dict[str, int]:
    """The largest number of pods of each workload that an autoscaler changes, by its name."""
    services = services_of(stack, cluster)
    scaled = services.scaling.workloads if services.scaling is not None else {}
    return {name: each.horizontal.max for name, each in scaled.items() if each.horizontal is not None}


def wish(name: str, pool: NodePool) -> PoolWish:
    """A pool of the stack file as the solvers see it."""
    return PoolWish(
        name=name,
        purpose=pool.purpose,
        spot=pool.spot == "only",
        min=pool.min,
        max=pool.max,
        arch=tuple(pool.arch),
        gpu=pool.gpu,
        slots=pool.slots,
    )


def node_agents(stack: Stack, cluster: str) -> Room:
    """What the daemon sets of the switched-on services take of every node of a cluster."""
    shape = per_node(stack.services, stack.region_of(cluster)[0])
    return Room(shape.cpu_milli, shape.memory_mib, 0, shape.replicas)


def _problem(stack: Stack, cluster: str, jobs: tuple[object, ...], catalogue: Catalogue) -> Problem:
    cloud, region_name, region = stack.region_of(cluster)
    pools = tuple(wish(name, pool) for name, pool in sorted(stack.cluster_pools(cluster).items()))
    fields = ("name", "cpu_milli", "memory_mib", "gpu", "replicas", "spread", "spot", "survives", "zone")
    workloads = tuple(
        WorkloadDemand(**{key: getattr(job, key) for key in fields}, pools=tuple(job.pools))  # type: ignore[attr-defined]
        for job in sorted(jobs, key=lambda job: job.name)  # type: ignore[attr-defined]
    )
    agents = node_agents(stack, cluster)
    everything = tuple(replace(t, agents=agents) for t in catalogue.types(cloud, region_name))
    kept = allowed_slice(everything, pools, stack)
    return Problem(
        cluster=cluster,
        cloud=cloud,
        region=region_name,
        zones=region.zones,
        pools=pools,
        workloads=workloads,
        types=kept,
        vcpu_quota=_quota(stack, cluster),
        budget_usd_month=stack.sizing.budget_usd_month.get(cluster),
        seed=stack.sizing.seed,
        quality=stack.sizing.quality,
        threshold=stack.sizing.threshold,
        max_changed_nodes=stack.sizing.max_changed_nodes,
        as_of=stack.prices.as_of,
        max_age_days=stack.prices.max_age_days,
        agents=agents,
        notes={"types_priced": len(everything), "types_offered": len(kept)},
    )


def _quota(stack: Stack, cluster: str) -> int | None:
    """Virtual CPUs that are left to the plan: overflow pools take theirs from the same quota."""
    whole = stack.sizing.vcpu_quota.get(cluster)
    if whole is None or not cluster.startswith("aws-"):
        return whole
    return whole - sum(each.cpu for each in of_cluster(stack.services.overflow, cluster).values())


def allowed_slice(
    types: tuple[InstanceType, ...], pools: tuple[PoolWish, ...], stack: Stack
) -> tuple[InstanceType, ...]:
    """Types that at least one pool may choose; stale rows stay, to be listed.

    Left out is what another type does for less by more than the threshold: nodes that are dearer by less stay, if they
    run, and then they must be among the types.
    """
    young, stale = fresh(fit_for_nodes(types), stack.prices.as_of, stack.prices.max_age_days)
    keep: dict[str, InstanceType] = {t.name: t for t in stale}
    for pool in pools:
        mine = [t for t in young if t.arch in pool.arch and (t.gpu > 0) == pool.gpu]
        keep |= {t.name: t for t in prune(mine, spot=pool.spot, slack=stack.sizing.threshold)}
    return tuple(keep[name] for name in sorted(keep))
