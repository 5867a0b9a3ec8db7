"""The typed model of a stack file: closed, immutable, and silent about the values it rejects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, model_validator

from stacks.checks import every_problem
from stacks.clouds import CLOUDS, Cloud
from stacks.data import Store
from stacks.elsewhere import Elsewhere
from stacks.links import Links
from stacks.money import Budget, Prices
from stacks.off_hours import OffHours
from stacks.part import FreezeMapping, Frozen, Name, Part, Tag
from stacks.place import Addresses, Aws, Azure, Clouds, ControlPlaneAccess, Gcp, Region, Share
from stacks.pool import Arch, Channel, ClusterDefaults, ClusterOverride, Clusters, NodePool, Taint
from stacks.services.settings import Services
from stacks.tree import Tree
from stacks.work import Demand, Namespace, Sizing, SpotUse, Spread, Workload

__all__ = [
    "Addresses", "Arch", "Aws", "Azure", "Budget", "Channel", "Clouds", "ClusterDefaults", "ClusterOverride",
    "Clusters", "ControlPlaneAccess", "Demand", "Elsewhere", "Gcp", "Links", "Name", "Namespace", "NodePool", "Part",
    "Prices", "Region", "Services", "Share", "Sizing", "SpotUse", "Spread", "Stack", "Store", "Taint", "Workload",
]  # fmt: skip


class Stack(Part):
    """One environment, whole: its file is the only place where it differs from another."""

    environment: Name = Field(examples=["dev"])
    """Label and tag of everything in the stack; nothing branches on it."""
    owner: Name = Field(examples=["platform-team"])
    """Team that answers for the stack; a tag."""
    cost_centre: Tag = Field(examples=["1000"])
    """Where the cost is booked; a tag."""
    data_classification: Literal["public", "internal", "confidential", "restricted"] = Field(examples=["internal"])
    """Most sensitive data that the stack may hold; a tag, and a fact for the policies."""
    addresses: Addresses = Field(examples=[{"block": "10.0.0.0/8"}])
    """Where all networks are cut from."""
    control_plane_access: ControlPlaneAccess = ControlPlaneAccess()
    """Who reaches the API servers, and who deploys."""
    availability_target: Annotated[float, Field(gt=0, lt=1)] = Field(examples=[0.999])
    """Share of the time that the platform has to answer."""
    production: bool = False
    """The law is stricter: a fact handed to the policies, never a branch of ours."""
    protect: bool = False
    """Deletion protection, in the clouds and in the engine."""
    budget: Budget
    """What the stack may cost."""
    prices: Prices
    """Which prices it is sized with."""
    clouds: Clouds
    """The clouds in use, their accounts and regions."""
    clusters: Clusters
    """Versions and node pools."""
    workloads: tuple[Workload, ...] = ()
    """What the clusters have to carry."""
    demand: Demand | None = None
    """Measured demand, which overrides or adds to the workloads."""
    sizing: Sizing = Sizing()
    """How the optimizer works."""
    namespaces: Annotated[Mapping[Name, Namespace], FreezeMapping] = Frozen({"platform": Namespace()})
    """Tenant namespaces on every cluster, by name."""
    data: Annotated[Mapping[Name, Store], FreezeMapping] = Frozen()
    """Stores that the clouds run for the workloads, by name."""
    elsewhere: Elsewhere = Elsewhere()
    """What other stacks keep for this one."""
    links: Links | None = None
    """Whether the networks of different clouds are joined, so that the mesh's clusters reach each other."""
    off_hours: OffHours | None = None
    """When nobody works here, and what rests then."""
    services: Services = Services()
    """The platform on the clusters; a service is on when it has a line."""

    @model_validator(mode="after")
    def _parts_agree(self, info: ValidationInfo) -> Self:
        if not (info.context or {}).get("checked"):  # the loader checks the raw file, to report all at once
            problems = tuple(every_problem(Tree(self.model_dump(mode="json", exclude_none=True))))
            if problems:
                raise ValueError("; ".join(problem.line() for problem in problems))
        return self

    def regions(self) -> dict[Cloud, Mapping[str, Region]]:
        """Return the regions of each cloud that is in use, in the order of `CLOUDS`."""
        return {cloud: part.regions for cloud in CLOUDS if (part := getattr(self.clouds, cloud)) is not None}

    def cluster_names(self) -> tuple[str, ...]:
        """One cluster per region: `CLOUD-REGION`."""
        return tuple(f"{cloud}-{region}" for cloud, regions in self.regions().items() for region in regions)

    def region_of(self, cluster: str) -> tuple[Cloud, str, Region]:
        """Cloud, region name and region of a cluster. Raises KeyError for an unknown one."""
        for cloud, regions in self.regions().items():
            for name, region in regions.items():
                if cluster == f"{cloud}-{name}":
                    return cloud, name, region
        raise KeyError(cluster)

    def other_region(self, cluster: str) -> str | None:
        """Return the region of the same cloud that follows a cluster's own, the first after the last; None if alone."""
        cloud, name, _ = self.region_of(cluster)
        names = list(self.regions()[cloud])
        return names[(names.index(name) + 1) % len(names)] if len(names) > 1 else None

    def backup_region(self, cluster: str) -> str | None:
        """Return the region that backups of a cluster go to; None without backups, or without another region."""
        wish = self.services.backup
        return None if wish is None else wish.regions.get(self.region_of(cluster)[0]) or self.other_region(cluster)

    def archive_region(self, cluster: str) -> str | None:
        """Return the region that databases of a cluster are copied to, another one if it can be; None without them.

        A region of AWS without NAT reaches S3 of its own only.
        """
        if self.services.cloudnative_pg is None or not self.services.cloudnative_pg.databases:
            return None
        cloud, name, region = self.region_of(cluster)
        closed = cloud == "aws" and region.nat == "none"
        return name if closed else self.other_region(cluster) or name

    def regions_in_use(self, cloud: Cloud) -> set[str]:
        """Return the regions of a cloud that anything of the stack stands in."""
        wish = self.services.backup
        kept = {wish.regions[cloud]} if wish is not None and cloud in wish.regions else set()
        return {*self.regions().get(cloud, ()), *kept}

    def stores_of(self, cluster: str) -> dict[str, Store]:
        """Return the stores that stand beside a cluster, by name."""
        return {name: each for name, each in self.data.items() if not each.clusters or cluster in each.clusters}

    def workloads_of(self, cluster: str) -> dict[str, Workload]:
        """Return the workloads that run in a cluster, by name; while a placement is not decided, those that may."""
        cloud, region, _ = self.region_of(cluster)
        return {
            each.name: each
            for each in self.workloads
            if (not each.clusters or cluster in each.clusters)
            and (each.placement is None or each.placement.allows(cloud, region))
        }

    def cluster_pools(self, cluster: str) -> Mapping[str, NodePool]:
        """Return the pools wished for in a cluster: its override's, else the shared ones."""
        override = self.clusters.overrides.get(cluster)
        return self.clusters.pools if override is None or override.pools is None else override.pools

    def cluster_version(self, cluster: str) -> str:
        """Kubernetes minor version of a cluster, for example 1.34."""
        override = self.clusters.overrides.get(cluster)
        return (override.version if override else None) or self.clusters.defaults.version

    def cluster_channel(self, cluster: str) -> Channel:
        """Release channel of a cluster."""
        override = self.clusters.overrides.get(cluster)
        return (override.channel if override else None) or self.clusters.defaults.channel
