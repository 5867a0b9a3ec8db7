"""The typed model of a stack file: closed, immutable, and silent about the values it rejects."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt

from stacks.clouds import CLOUDS, Cloud

Name = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")]
Arch = Literal["amd64", "arm64"]
Spread = Literal["none", "zone", "host"]


class Part(BaseModel):
    """Closed, immutable and discreet: an error never repeats the value it rejects."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Share(Part):
    """Which of `of` equal parts of the address block this stack owns; other stacks own the others."""

    index: NonNegativeInt = 0
    of: Literal[1, 2, 4, 8, 16] = 1


class Addresses(Part):
    block: IPv4Network
    share: Share = Share()


class ControlPlaneAccess(Part):
    """Who reaches a cluster's API server, and who may deploy through it."""

    mode: Literal["private", "restricted"] = "private"
    allowed_cidrs: tuple[IPv4Network, ...] = ()  # only with `restricted`; never /0
    deployers: tuple[str, ...] = ()  # IAM role ARNs, Google groups/service accounts, Entra object ids


class Budget(Part):
    monthly_usd: PositiveFloat
    alert_at: tuple[PositiveFloat, ...] = (0.5, 0.8, 1.0)
    receivers: tuple[str, ...]


class Prices(Part):
    """Age of prices is counted from `as_of`, an input: nothing expires by the calendar."""

    as_of: date
    max_age_days: PositiveInt = 900


class Region(Part):
    zones: Annotated[int, Field(ge=1, le=3)]
    nat: Literal["none", "single", "per_zone"] = "single"
    slot: NonNegativeInt | None = None  # position in the address plan; known regions have a fixed one


class Aws(Part):
    account: Annotated[str, Field(pattern=r"^\d{12}$")]
    regions: Annotated[Mapping[str, Region], Field(min_length=1)]


class Gcp(Part):
    project: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")]
    project_number: Annotated[str, Field(pattern=r"^\d{6,15}$")] | None = None
    regions: Annotated[Mapping[str, Region], Field(min_length=1)]


class Azure(Part):
    subscription: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    tenant: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    regions: Annotated[Mapping[str, Region], Field(min_length=1)]


class Clouds(Part):
    """Any non-empty subset of the clouds."""

    aws: Aws | None = None
    gcp: Gcp | None = None
    azure: Azure | None = None


class Taint(Part):
    key: str
    value: str = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"


class NodePool(Part):
    """A wish for nodes; `slots` node pools of one instance type each fulfil it, some possibly empty."""

    purpose: Literal["system", "general"] = "general"
    spot: Literal["never", "only"] = "never"
    min: NonNegativeInt
    max: PositiveInt
    arch: tuple[Arch, ...] = ("amd64",)
    taints: tuple[Taint, ...] = ()
    labels: Mapping[str, str] = {}
    gpu: bool = False
    slots: Annotated[int, Field(ge=1, le=5)] = 3


class ClusterDefaults(Part):
    version: str
    channel: Literal["rapid", "regular", "stable"] = "stable"


class ClusterOverride(Part):
    """What one cluster (key: `CLOUD-REGION`) wants differently."""

    version: str | None = None
    channel: Literal["rapid", "regular", "stable"] | None = None
    pools: Mapping[Name, NodePool] | None = None  # replaces the shared wish as a whole


class Clusters(Part):
    """One cluster per region of each cloud, named `CLOUD-REGION`."""

    defaults: ClusterDefaults
    pools: Annotated[Mapping[Name, NodePool], Field(min_length=1)]
    overrides: Mapping[str, ClusterOverride] = {}


class Workload(Part):
    """Pods that ask for room; `replicas` run in each cluster listed (default: every cluster)."""

    name: Name
    cpu: str  # Kubernetes quantity: 500m, 2
    memory: str  # Kubernetes quantity: 512Mi, 1Gi
    gpu: NonNegativeInt = 0
    replicas: PositiveInt
    spread: Spread = "none"
    spot: Literal["never", "tolerant", "only"] = "never"
    pools: Annotated[tuple[str, ...], Field(min_length=1)]
    clusters: tuple[str, ...] = ()


class Demand(Part):
    """A file of measured demand, relative to the project; a row overrides the workload of its name."""

    file: str


class Sizing(Part):
    """How the optimizer works, for every cluster of the stack."""

    seed: NonNegativeInt = 7
    quality: Literal["fast", "standard", "best"] = "standard"
    threshold: Annotated[float, Field(ge=0, lt=1)] = 0.03  # hysteresis: keep the plan unless this share is saved
    vcpu_quota: Mapping[str, PositiveInt] = {}  # per cluster; absent = no limit known


class Namespace(Part):
    """A tenant namespace on every cluster, with its quota."""

    pods: PositiveInt = 50
    cpu_requests: str = "100"
    cpu_limits: str = "200"
    memory_requests: str = "200Gi"
    memory_limits: str = "400Gi"
    load_balancers: NonNegativeInt = 5


class Stack(Part):
    """One environment, whole: its file is the only place where it differs from another."""

    environment: Name
    owner: Name
    cost_centre: str
    data_classification: Literal["public", "internal", "confidential", "restricted"]
    addresses: Addresses
    control_plane_access: ControlPlaneAccess = ControlPlaneAccess()
    availability_target: Annotated[float, Field(gt=0, lt=1)]
    production: bool = False  # the law is stricter: a fact handed to the policies, never a branch of ours
    protect: bool = False  # deletion protection in the clouds and in the engine
    budget: Budget
    prices: Prices
    clouds: Clouds
    clusters: Clusters
    workloads: tuple[Workload, ...] = ()
    demand: Demand | None = None
    sizing: Sizing = Sizing()
    namespaces: Mapping[Name, Namespace] = {"platform": Namespace()}
    services: Mapping[str, object] = {}  # the platform on the clusters

    def regions(self) -> dict[Cloud, Mapping[str, Region]]:
        """The regions of each cloud that is in use, in the order of `CLOUDS`."""
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

    def cluster_pools(self, cluster: str) -> Mapping[str, NodePool]:
        """The pools wished for in a cluster: its override's, else the shared ones."""
        override = self.clusters.overrides.get(cluster)
        return self.clusters.pools if override is None or override.pools is None else override.pools

    def cluster_version(self, cluster: str) -> str:
        """Kubernetes minor version of a cluster, for example 1.34."""
        override = self.clusters.overrides.get(cluster)
        return (override.version if override else None) or self.clusters.defaults.version

    def cluster_channel(self, cluster: str) -> Literal["rapid", "regular", "stable"]:
        """Release channel of a cluster."""
        override = self.clusters.overrides.get(cluster)
        return (override.channel if override else None) or self.clusters.defaults.channel
