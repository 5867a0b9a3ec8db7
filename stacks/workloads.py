"""What each cluster has to carry: the stack file's workloads and services; measured rows override."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from stacks.demand import DemandRow, read_demand
from stacks.model import Spread, Stack, Workload
from stacks.quantities import cpu_milli, memory_mib
from stacks.services.room import Shape, replicas
from stacks.services.table import KUBE_SYSTEM, TABLE, pods_of
from stacks.work import Placed

PROJECT: Final = Path(__file__).resolve().parents[1]
"""Relative files of a stack file are relative to the project, wherever the engine was started."""


@dataclass(frozen=True, kw_only=True)
class WorkloadDemand:
    """Replicas of one shape that a cluster has to carry, and the pools that may do it."""

    name: str
    cpu_milli: int
    memory_mib: int
    gpu: int
    replicas: int
    spread: Spread
    spot: Literal["never", "tolerant", "only"]
    pools: tuple[str, ...]
    survives: Literal["none", "zone"] = "none"
    zone: int | None = None
    """Of its volumes, counted from 0."""


def demand(stack: Stack, project: Path = PROJECT) -> dict[str, tuple[WorkloadDemand, ...]]:
    """Demand of each cluster, sorted by name. Raises ValueError when the demand file cannot be read."""
    rows = _rows(stack, project)
    return {cluster: _of_cluster(stack, cluster, rows) for cluster in stack.cluster_names()}


def measured(stack: Stack, project: Path = PROJECT) -> set[str]:
    """Names of the workloads in the demand file. Raises ValueError when it cannot be read."""
    return set(_rows(stack, project))


def _rows(stack: Stack, project: Path) -> dict[str, DemandRow]:
    return {row.name: row for row in read_demand(project / stack.demand.file)} if stack.demand else {}


def _of_cluster(stack: Stack, cluster: str, rows: dict[str, DemandRow]) -> tuple[WorkloadDemand, ...]:
    wished = {name: _from_workload(each) for name, each in stack.workloads_of(cluster).items()}
    elsewhere = {w.name for w in stack.workloads} - wished.keys()
    shared_out = {w.name: w.replicas for w in stack.workloads if isinstance(w, Placed) and cluster in w.clusters}
    fallback = tuple(
        name
        for name, pool in stack.cluster_pools(cluster).items()
        if pool.purpose == "general" and pool.spot == "never"
    )
    pools = stack.cluster_pools(cluster)
    steady = tuple(name for name in fallback if not pools[name].taints and not pools[name].gpu)
    on = [TABLE[service] for service in pods_of(stack.services)]
    ours = {namespace for each in on for namespace in (each.namespace, *each.more)} - {KUBE_SYSTEM}
    for name, row in rows.items():
        if name in elsewhere or row.namespace in ours:  # pods of our services are counted from the table
            continue
        measured = replace(row, replicas=shared_out[name]) if name in shared_out else row  # a row counts all clusters'
        wished[name] = _overridden(wished.get(name), measured, fallback)
    cloud = stack.region_of(cluster)[0]
    wished |= {shape.name: _of_service(shape, steady) for shape in replicas(stack.services, cloud)}
    return tuple(wished[name] for name in sorted(wished))


def _of_service(shape: Shape, pools: tuple[str, ...]) -> WorkloadDemand:
    """Services stand on steady nodes; where their replicas go is the scheduler's choice."""
    return WorkloadDemand(
        name=shape.name,
        cpu_milli=shape.cpu_milli,
        memory_mib=shape.memory_mib,
        gpu=0,
        replicas=shape.replicas,
        spread="none",
        spot="never",
        pools=pools,
    )


def _from_workload(workload: Workload) -> WorkloadDemand:
    return WorkloadDemand(
        name=workload.name,
        cpu_milli=cpu_milli(workload.cpu),
        memory_mib=memory_mib(workload.memory),
        gpu=workload.gpu,
        replicas=workload.replicas,
        spread=workload.spread,
        spot=workload.spot,
        pools=workload.pools,
        survives=workload.survives,
        zone=None if workload.volume_zone is None else workload.volume_zone - 1,
    )


def _overridden(wish: WorkloadDemand | None, row: DemandRow, fallback: tuple[str, ...]) -> WorkloadDemand:
    """Let what was measured win; what a pod list cannot tell (pools, spread, spot) stays as wished."""
    return WorkloadDemand(
        name=row.name,
        cpu_milli=row.cpu_milli,
        memory_mib=row.memory_mib,
        gpu=row.gpu,
        replicas=row.replicas,
        spread=row.spread or (wish.spread if wish else "none"),
        spot=row.spot or (wish.spot if wish else "never"),
        pools=row.pools or (wish.pools if wish else fallback),
        survives=wish.survives if wish else "none",
        zone=wish.zone if wish else None,
    )
