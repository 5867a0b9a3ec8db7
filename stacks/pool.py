"""The clusters of a stack and the node pools wished for in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from stacks.part import FreezeMapping, Frozen, Name, Part

Arch = Literal["amd64", "arm64"]
Channel = Literal["rapid", "regular", "stable"]
Version = Annotated[
    str,
    Field(
        pattern=r"^\d+\.\d+$",
        json_schema_extra={"x-allowed": 'a minor version in quotes, for example "1.34"'},
    ),
]


class Taint(Part):
    """Keeps pods away that do not tolerate it."""

    key: str = Field(examples=["example.org/spot"])
    """Name of the taint, with an optional domain before it."""
    value: str = ""
    """Value of the taint."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"
    """What happens to pods that do not tolerate it."""


class NodePool(Part):
    """A wish for nodes; `slots` node pools of one instance type each fulfil it, some possibly empty."""

    purpose: Literal["system", "general"] = "general"
    """`system` carries the cluster's own add-ons, `general` the workloads."""
    spot: Literal["never", "only"] = "never"
    """Whether the nodes are spot capacity, which the cloud may take back."""
    min: NonNegativeInt = Field(examples=[1])
    """Nodes that always run, over all slots."""
    max: PositiveInt = Field(examples=[10])
    """Nodes that the autoscaler may reach, over all slots."""
    arch: Annotated[tuple[Arch, ...], Field(min_length=1)] = ("amd64",)
    """Processor architectures that the optimizer may choose from."""
    taints: tuple[Taint, ...] = ()
    """Taints of the pool's nodes."""
    labels: Annotated[Mapping[str, str], FreezeMapping] = Frozen()
    """Kubernetes labels of the pool's nodes."""
    gpu: bool = False
    """Whether the nodes carry GPUs."""
    slots: Annotated[int, Field(ge=1, le=5)] = 3
    """Node pools of one instance type each that fulfil the wish."""


class ClusterDefaults(Part):
    """What all clusters of the stack have in common."""

    version: Version = Field(examples=["1.34"])
    """Kubernetes minor version, in quotes."""
    channel: Channel = "stable"
    """How early the cloud may bring patches and new versions."""


Pools = Annotated[Mapping[Name, NodePool], Field(min_length=1), FreezeMapping]


class ClusterOverride(Part):
    """What one cluster (key: `CLOUD-REGION`) wants differently."""

    version: Version | None = None
    """Kubernetes minor version of this cluster."""
    channel: Channel | None = None
    """Release channel of this cluster."""
    pools: Pools | None = None
    """Pools of this cluster; replaces the shared wish as a whole."""


class Clusters(Part):
    """One cluster per region of each cloud, named `CLOUD-REGION`."""

    defaults: ClusterDefaults
    """What all clusters have in common."""
    pools: Pools = Field(examples=[{"general": {"min": 1, "max": 10}}])
    """The pools wished for in every cluster that has no override, by name."""
    overrides: Annotated[Mapping[str, ClusterOverride], FreezeMapping] = Frozen()
    """Differences of single clusters, by cluster name (`aws-eu-west-1`)."""
