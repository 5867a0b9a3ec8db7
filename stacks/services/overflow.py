"""Overflow: nodes beyond the sizing plan, started on EKS when pods that tolerate them wait for room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from stacks.part import FreezeMapping, Memory, Name, Part
from stacks.pool import Arch
from stacks.services.facts import Facts, Pods
from stacks.services.service import Service

TAINT = "ecosystem.dev/overflow"
"""Key of the taint, and of the label, of every overflow node; the value is the pool's name."""
MOST_NODES = 100
"""Nodes that a cluster has at most where `node_scaling.max_nodes` says nothing else."""
Cron = Annotated[
    str,
    Field(
        pattern=r"^(\*|[0-9,/*-]+)( (\*|[0-9,/*-]+)){4}$",
        json_schema_extra={"x-allowed": "five fields of cron in UTC, for example `0 8 * * 1-5`"},
    ),
]


class Quiet(Part):
    """A window in which no node is taken away that still carries pods."""

    starts: Cron = Field(examples=["0 8 * * 1-5"])
    """When it begins: five fields of cron, UTC."""
    hours: Annotated[int, Field(ge=1, le=168)] = Field(examples=[10])
    """How long it lasts."""


class OverflowPool(Part):
    """Nodes of any fitting type, for pods that tolerate the taint `ecosystem.dev/overflow=NAME`; never in the plan."""

    cpu: Annotated[int, Field(ge=2, le=10_000)] = Field(examples=[64])
    """Virtual CPUs that all its nodes have together at most; they count into `sizing.vcpu_quota`."""
    memory: Memory | None = Field(default=None, examples=["256Gi"])
    """Memory that all its nodes have together at most; absent means that the CPUs are the limit."""
    node_cpu_min: Annotated[int, Field(ge=2, le=192)] = 4
    """Virtual CPUs of its smallest node: `cpu` divided by it is how many nodes there may be."""
    node_cpu_max: Annotated[int, Field(ge=2, le=192)] = 16
    """Virtual CPUs of its largest node."""
    arch: Annotated[tuple[Arch, ...], Field(min_length=1)] = ("amd64",)
    """Processor architectures."""
    families: Annotated[tuple[Literal["c", "m", "r"], ...], Field(min_length=1)] = ("c", "m", "r")
    """Categories of instances: for computing, for anything, for memory."""
    spot: Literal["never", "first", "only"] = "never"
    """Whether nodes are spot capacity; `first` means where there is some, else on demand."""
    consolidate_after_minutes: Annotated[int, Field(ge=1, le=1440)] = 10
    """How long a node's pods are left alone after a change before they are moved to fewer or cheaper nodes."""
    disrupted_percent: Annotated[int, Field(ge=1, le=100)] = 10
    """Share of its nodes that is taken away at once, at most."""
    quiet: Annotated[tuple[Quiet, ...], Field(max_length=10)] = ()
    """Windows in which only empty nodes are taken away."""
    expire_days: Annotated[int, Field(ge=1, le=90)] = 30
    """Age at which a node is replaced, patches included."""
    clusters: tuple[str, ...] = Field(default=(), examples=[["aws-eu-west-1"]])
    """Clusters on AWS that have it; none means all of them."""


class Overflow(Service):
    """Nodes beyond the plan on EKS: Karpenter. Pools of the plan stay as they are and stay with their autoscaler."""

    pools: Annotated[Mapping[Name, OverflowPool], Field(min_length=1), FreezeMapping] = Field(
        examples=[{"overflow": {"cpu": 64}}]
    )
    """Overflow pools, by name."""


def nodes(pool: OverflowPool) -> PositiveInt:
    """How many nodes a pool may have: as many of its smallest as its CPUs are enough for."""
    return pool.cpu // pool.node_cpu_min


def of_cluster(overflow: Overflow | None, cluster: str) -> dict[str, OverflowPool]:
    """Give the pools of one cluster on AWS, by name."""
    pools = {} if overflow is None else overflow.pools
    return {name: each for name, each in pools.items() if not each.clusters or cluster in each.clusters}


def _pods(_wish: Overflow) -> tuple[Pods, ...]:
    return (Pods(name="controller", cpu_milli=250, memory_mib=768, replicas=2, clouds=("aws",)),)


OVERFLOW = Facts(
    title="Nodes beyond the plan (Karpenter)",
    charts=("karpenter", "karpenter-crd"),
    namespace="karpenter",
    definitions=("karpenter.sh", "karpenter.k8s.aws"),
    after=("mesh", "monitoring", "node_scaling"),
    clouds=("aws",),
    pods=_pods,
)
