"""What the clusters have to carry: workloads, measured demand, tenant namespaces, and how it is sized."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from stacks.part import Cpu, FreezeMapping, Frozen, Memory, Name, Part
from stacks.placement import Placement

Spread = Literal["none", "zone", "host"]
SpotUse = Literal["never", "tolerant", "only"]


class Workload(Part):
    """Pods that ask for room; `replicas` run in each cluster listed (default: every cluster)."""

    name: Name = Field(examples=["gateway"])
    """Name of the workload, once in a stack."""
    cpu: Cpu = Field(examples=["500m"])
    """CPU request of one pod, a Kubernetes quantity: 500m, 2."""
    memory: Memory = Field(examples=["1Gi"])
    """Memory request of one pod, a Kubernetes quantity: 512Mi, 1Gi."""
    gpu: NonNegativeInt = 0
    """GPUs of one pod."""
    replicas: PositiveInt = Field(examples=[3])
    """Pods in each cluster."""
    spread: Spread = "none"
    """Whether pods are kept apart, over zones or over hosts."""
    spot: SpotUse = "never"
    """Whether pods may (`tolerant`) or must (`only`) run on spot capacity."""
    survives: Literal["none", "zone"] = "none"
    """`zone`: room is kept so that all pods run when any one zone is lost; they are spread over the zones."""
    volume_zone: Annotated[int, Field(ge=1, le=3)] | None = None
    """The zone that the pods' volumes are in, counted from 1: the pods cannot run elsewhere."""
    pools: Annotated[tuple[str, ...], Field(min_length=1)] = Field(examples=[["general"]])
    """Pools that may carry the pods."""
    clusters: tuple[str, ...] = ()
    """Clusters that run the workload; none listed means every cluster."""
    placement: Placement | None = None
    """Whether its pods are shared out over these clusters by cost; then `replicas` are all of them together."""


class Placed(Workload):
    """The part of a workload that one cluster runs, once its placement is decided; no stack file holds one."""


class Demand(Part):
    """A file of measured demand, relative to the project; a row overrides the workload of its name."""

    file: str = Field(examples=["demand/prod.csv"])
    """CSV with our columns, the JSON of `kubectl get pods -A -o json`, or a series of use (docs/demand.md)."""


class Sizing(Part):
    """How the optimizer works, for every cluster of the stack."""

    seed: NonNegativeInt = 7
    """Same inputs and same seed give the same plan, byte for byte."""
    quality: Literal["fast", "standard", "best"] = "standard"
    """How hard the solvers try."""
    threshold: Annotated[float, Field(ge=0, lt=1)] = 0.03
    """Hysteresis: a plan is kept unless a new one saves more than this share of its cost."""
    max_changed_nodes: PositiveInt | None = None
    """Nodes made or removed per update and cluster, unless the demand needs more; absent means as many as it takes."""
    vcpu_quota: Annotated[Mapping[str, PositiveInt], FreezeMapping] = Frozen()
    """vCPU limit of a cluster's account and region, by cluster name; absent means no limit known."""
    budget_usd_month: Annotated[Mapping[str, PositiveFloat], FreezeMapping] = Frozen()
    """The most that a cluster's nodes may cost a month, by cluster name; a plan above it is refused."""


class Namespace(Part):
    """A tenant namespace on every cluster, with its quota."""

    pods: PositiveInt = 50
    """Pods in the namespace."""
    cpu_requests: Cpu = "100"
    """Sum of the CPU requests."""
    cpu_limits: Cpu = "200"
    """Sum of the CPU limits."""
    memory_requests: Memory = "200Gi"
    """Sum of the memory requests."""
    memory_limits: Memory = "400Gi"
    """Sum of the memory limits."""
    load_balancers: NonNegativeInt = 5
    """Services of type LoadBalancer."""
