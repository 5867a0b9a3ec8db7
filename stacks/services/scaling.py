"""Scaling: which workloads grow with their load and within which bounds, and how clusters get nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from stacks.part import Cpu, FreezeMapping, Frozen, Memory, Name, Part
from stacks.services.facts import Facts, Pods
from stacks.services.service import Service

Percent = Annotated[int, Field(ge=10, le=95)]
Replicas = Annotated[int, Field(ge=2, le=1000)]


class Horizontal(Part):
    """More pods when they are busy, fewer when they are not; the metric that asks for most pods wins."""

    min: Replicas = 3
    """Pods that always run."""
    max: Replicas = 100
    """Pods that are never exceeded."""
    cpu_percent: Percent | None = 70
    """Share of the requested CPU that pods use on average; null means that it is not looked at."""
    memory_percent: Percent | None = 80
    """Share of the requested memory that pods use on average; null means that it is not looked at."""
    requests_per_second: Annotated[int, Field(ge=1, le=100000)] | None = 100
    """Requests per second and pod, as the mesh counts them; null means that they are not looked at."""


class Vertical(Part):
    """What a pod should ask for, within bounds."""

    mode: Literal["recommend", "initial", "auto"] = "recommend"
    """`recommend` only says it, `initial` gives it to new pods, `auto` also restarts pods that ask for the wrong."""
    min_cpu: Cpu = "100m"
    """CPU request that is never undercut."""
    max_cpu: Cpu = "2"
    """CPU request that is never exceeded."""
    min_memory: Memory = "128Mi"
    """Memory request that is never undercut."""
    max_memory: Memory = "4Gi"
    """Memory request that is never exceeded."""


class Scaled(Part):
    """How one workload of the stack scales: its Deployment, which has the workload's name."""

    namespace: Name = Field(examples=["platform"])
    """Tenant namespace of the workload."""
    horizontal: Horizontal | None = Horizontal()
    """How many pods; null means that their number is not changed."""
    vertical: Vertical | None = Vertical()
    """How large the pods are; null means that nothing is recommended."""


class Scaling(Service):
    """Pods by load: KEDA, the metrics API, the vertical autoscaler."""

    workloads: Annotated[Mapping[Name, Scaled], FreezeMapping] = Frozen()
    """Workloads of the stack that scale, by name."""


class NodeScaling(Service):
    """Nodes by need: the cluster autoscaler on EKS; GKE and AKS scale their pools by settings of the pools."""

    min_nodes: Annotated[int, Field(ge=1, le=100)] = 3
    """Nodes that all pools of a cluster have at least; the pools' `min` must add up to it."""
    max_nodes: Annotated[int, Field(ge=1, le=1000)] = 100
    """Nodes that all pools of a cluster have at most; the autoscaler stops there."""


def _scaling(wish: Scaling) -> tuple[Pods, ...]:
    modes = {each.vertical.mode for each in wish.workloads.values() if each.vertical is not None}
    found = [
        Pods(name="operator", cpu_milli=100, memory_mib=256, replicas=2),
        Pods(name="adapter", cpu_milli=50, memory_mib=128, replicas=2),
        Pods(name="webhooks", cpu_milli=25, memory_mib=96, replicas=2),
        Pods(name="metrics-server", cpu_milli=100, memory_mib=200, replicas=2, clouds=("aws",)),
    ]
    if modes:
        found.append(Pods(name="recommender", cpu_milli=50, memory_mib=512, replicas=2, clouds=("aws", "azure")))
    if modes - {"recommend"}:
        found.append(Pods(name="updater", cpu_milli=50, memory_mib=160, replicas=2, clouds=("aws", "azure")))
        found.append(Pods(name="admission", cpu_milli=50, memory_mib=224, replicas=2, clouds=("aws", "azure")))
    return tuple(found)


def _node_scaling(_wish: NodeScaling) -> tuple[Pods, ...]:
    return (Pods(name="autoscaler", cpu_milli=100, memory_mib=640, replicas=2, clouds=("aws",)),)


SCALING = Facts(
    title="Scaling of pods (KEDA, metrics-server, vertical autoscaler)",
    charts=("keda", "metrics-server", "vertical-pod-autoscaler"),
    namespace="scaling",
    definitions=("keda.sh", "eventing.keda.sh", "autoscaling.k8s.io"),
    needs=("cert_manager",),
    after=("mesh", "monitoring"),
    pods=_scaling,
)
"""GKE brings the metrics API and the vertical autoscaler, AKS the metrics API (charts of each cloud, 2026-11)."""
NODE_SCALING = Facts(
    title="Scaling of nodes (cluster autoscaler)",
    charts=("cluster-autoscaler",),
    namespace="node-scaling",
    after=("mesh", "monitoring"),
    clouds=("aws",),
    pods=_node_scaling,
)
