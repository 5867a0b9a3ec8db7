"""Placement: which clusters a workload may run on, how many of its pods each may have, and whom it talks to."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveInt

from stacks.clouds import Cloud
from stacks.part import Part

INTERNET = "internet"
WORKLOAD = "workload/"
STORE = "store/"

Peer = Annotated[
    str,
    Field(
        pattern=r"^(internet|(workload|store)/[a-z]([a-z0-9-]{0,38}[a-z0-9])?)$",
        json_schema_extra={"x-allowed": "internet, workload/NAME or store/NAME"},
    ),
]
Gigabytes = Annotated[NonNegativeFloat, Field(le=1e9)]


class Traffic(Part):
    """What all pods of a workload together exchange with one other in a month."""

    peer: Peer = Field(examples=["internet"])
    """The internet, another workload of the stack, or a store of `data`."""
    sends_gb: Gigabytes = 0.0
    """GB a month from the workload to the other."""
    receives_gb: Gigabytes = 0.0
    """GB a month from the other to the workload; from the internet no cloud charges any."""


class Placement(Part):
    """The workload's `replicas` are pods in total; how many each cluster runs is chosen by the cost of it all."""

    clouds: tuple[Cloud, ...] = ()
    """Clouds that may run it; none listed means all."""
    regions: tuple[str, ...] = Field(default=(), examples=[["eu-west-1", "westeurope"]])
    """Regions that may run it (where its data may be); none listed means all."""
    min_per_cluster: PositiveInt = 1
    """Pods of a cluster that runs it at all."""
    max_per_cluster: PositiveInt | None = None
    """Pods of one cluster at most; absent means all of them."""
    max_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the pods that one cluster may have, rounded down to whole pods."""
    min_clusters: PositiveInt = 1
    """Clusters, that is regions, that run it at least."""
    min_clouds: Annotated[int, Field(ge=1, le=3)] = 1
    """Clouds that run it at least."""
    traffic: tuple[Traffic, ...] = ()
    """Whom it talks to; what leaves a zone, a region or a cloud is part of the cost."""

    def allows(self, cloud: Cloud, region: str) -> bool:
        """Whether the workload may run there."""
        return (not self.clouds or cloud in self.clouds) and (not self.regions or region in self.regions)

    def most(self, replicas: int) -> int:
        """Pods that one cluster may have."""
        share = int(self.max_share * replicas + 1e-9)
        return min(replicas, share, self.max_per_cluster or replicas)


def possible(replicas: int, wish: tuple[int, int], need: tuple[int, int], allowed: tuple[int, int]) -> bool:
    """Whether whole pods can be shared out.

    `wish` is the least and most of a cluster that runs any; `need` and `allowed` are clusters and clouds.
    """
    low, high = wish
    first = max(need[0], need[1])
    return need[1] <= allowed[1] and any(
        count * low <= replicas <= count * high for count in range(first, allowed[0] + 1)
    )
