"""What every cloud's network and cluster promise, and what each is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol, runtime_checkable

import pulumi
import pulumi_kubernetes as kubernetes

from components.grants import Grant, Holder, PodIdentity, UseBucket
from components.kubernetes.crds.external_secrets import ClusterSecretStoreSpecProvider
from stacks.addresses import RegionPlan
from stacks.clouds import Cloud
from stacks.data import Store
from stacks.links import Beyond
from stacks.model import ControlPlaneAccess, NodePool, Region
from stacks.off_hours import OffHours


@dataclass(frozen=True, kw_only=True)
class SizedPool:
    """One slot of a pool of the stack file: a node pool of one instance type.

    `key` is `POOL-SLOT` (`general-0`). The shape (which slots exist, spot, taints) is plain; numbers come from the
    sizing plan and are known at preview.
    """

    key: str
    pool: str
    slot: int
    wish: NodePool
    instance_type: pulumi.Input[str]
    minimum: pulumi.Input[int]
    desired: pulumi.Input[int]  # max(plan's minimum, live desired): initial only, the autoscaler owns it afterwards
    maximum: pulumi.Input[int]
    evidence: pulumi.Input[str]  # base32 sha256 of this slot's canonical plan object


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """`plan` holds every CIDR of the region; `environment` is a name part, nothing branches on it."""

    environment: str
    region: str
    wish: Region
    plan: RegionPlan
    clusters: tuple[str, ...]  # names of the clusters that will live here (subnet tags)
    store_ports: tuple[int, ...] = ()  # at which the stores of the region answer
    gateway_from: tuple[str, ...] = ()  # ranges of the internet that may call the cluster's gateway
    beyond: Beyond | None = None  # the networks of other clouds that this one is joined with
    protect: bool = False


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    environment: str
    region: str
    wish: Region
    plan: RegionPlan
    version: str
    channel: str
    access: ControlPlaneAccess
    beyond: Beyond | None = None
    pools: Mapping[str, SizedPool] = field(default_factory=dict)  # by key
    off_hours: OffHours | None = None  # when pools may be smaller than the plan says, where the cloud keeps hours
    snapshots: bool = False  # whether something on the cluster takes snapshots of volumes
    protect: bool = False


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a cloud gives to the services of its cluster; services use it and never ask which cloud it is."""

    volumes: str
    """CSI driver of disks."""
    volume_parameters: Mapping[str, pulumi.Input[str]]
    """Of a storage class whose disks are encrypted with the cluster's own key."""
    snapshot_parameters: Mapping[str, pulumi.Input[str]]
    """Of a class of snapshots."""
    secrets: ClusterSecretStoreSpecProvider
    """The cloud's manager of secrets, read by the identity of whoever runs External Secrets."""
    apis: tuple[str, ...]
    """Private ranges in which the cloud's own services answer on port 443; the others are on the internet."""
    credentials: tuple[tuple[str, int], ...]
    """Link-local address and port from which a pod gets the credentials of its identity."""
    stores: tuple[str, ...]
    """Ranges in which the stores of the stack file answer."""
    exchanged: bool
    """Whether a pod exchanges its token for credentials on the internet, on port 443."""
    inside: Mapping[str, str]
    """Annotations of a load balancer that only the network reaches."""
    outside: Mapping[str, str]
    """Annotations of a load balancer that the internet reaches."""


@dataclass(frozen=True, kw_only=True)
class Launching:
    """What pods that start machines for their cluster are told, on a cloud that lets them."""

    identity: PodIdentity
    profile: pulumi.Input[str]
    """Instance profile of the machines: who they are."""
    queue: pulumi.Input[str]
    """Name of the queue that says which machine will go."""
    disk_key: pulumi.Input[str]
    """Key of their disks."""
    found_by: Mapping[str, str]
    """Tags of the subnets and of the security group that they stand in."""
    image: str
    """Their image, by its release."""


@dataclass(frozen=True, kw_only=True)
class BudgetArgs:
    """What one cloud may cost a month, and who hears of it, at which shares (0.8 is 80 %) and by forecast."""

    environment: str
    monthly_usd: float
    alert_at: tuple[float, ...]
    receivers: tuple[str, ...]
    anomaly_usd: float
    starts: date | None = None


@dataclass(frozen=True, kw_only=True)
class BucketArgs:
    """One bucket; `kept_days` is how long what was deleted or overwritten can be fetched back."""

    what: str
    """What is in it, for people."""
    environment: str
    region: str
    elsewhere: bool = False
    """Whether `region` is another one than the cluster's."""
    zones: int = 1
    """Zones of the region in the stack file: with one Azure copies within the zone only."""
    kept_days: int
    protect: bool = False


class HeldBucket(Protocol):
    """A bucket that is there, whichever cloud keeps it."""

    name: pulumi.Output[str]
    """Of the bucket; of the container on Azure."""
    region: str
    host: pulumi.Output[str]
    ready: pulumi.Resource

    def use(self, key: str, *, read_only: bool = False) -> UseBucket:
        """What an identity needs for what is in it."""
        ...


@dataclass(frozen=True, kw_only=True)
class StoreArgs:
    """One store beside one cluster; `key` is its name in the stack file."""

    key: str
    environment: str
    region: str
    wish: Store
    plan: RegionPlan
    copy_region: str | None = None
    """Another region of the stack in the same cloud, for copies of backups."""
    copy_zones: int = 1
    """Zones of that region."""
    protect: bool = False


class HeldStore(Protocol):
    """A store that runs: where it answers, and how a workload gets in."""

    address: pulumi.Output[str]
    port: int
    outside: bool
    """Whether it answers at addresses of the internet, closed to whoever has no right to it."""
    secret: pulumi.Output[str]
    """Name of the secret with the password in the cloud's manager; empty where identities log in without one."""
    ready: pulumi.Resource

    @property
    def database(self) -> pulumi.Input[str]:
        """Name of the database, or of the bucket."""
        ...

    def grant(self, holder: Holder) -> Grant:
        """What an identity needs for it."""
        ...

    def let_in(self, holder: Holder, identity: PodIdentity) -> pulumi.Output[str]:
        """Make the identity a user of the store, and return the name that it logs in with."""
        ...


Make = Callable[[str, StoreArgs, Any, Any, pulumi.ResourceOptions], HeldStore]
"""Make a store from its name and wish, a network and a cluster of the same cloud."""


def bucket_args(args: StoreArgs) -> BucketArgs:
    """Say what bucket a store of objects wants."""
    elsewhere = args.copy_region if args.wish.elsewhere else None
    return BucketArgs(
        what=f"Objects {args.key}",
        environment=args.environment,
        region=elsewhere or args.region,
        elsewhere=elsewhere is not None,
        zones=args.copy_zones if elsewhere else len(args.plan.zones),
        kept_days=args.wish.retention_days,
        protect=args.protect,
    )


MakeBucket = Callable[[str, BucketArgs, Any, Any, pulumi.ResourceOptions], HeldBucket]
"""Make a bucket from its name and wish, a network and a cluster of the same cloud."""


class Network(Protocol):
    """A region's network: private by default, with a way out."""

    region: str
    network_id: pulumi.Output[str]  # VPC id, network self link, VNet id
    private_subnet_ids: pulumi.Output[list[str]]
    ready: pulumi.Resource  # depend on this one, never on the component


class Cluster(Protocol):
    """A Kubernetes cluster that runs; nobody who holds one asks which cloud made it."""

    name: str  # CLOUD-REGION
    cloud: Cloud
    region: str
    resource: pulumi.Resource  # the cluster itself: what `deleted_with` names
    provider: kubernetes.Provider
    endpoint: pulumi.Output[str]
    certificate_authority: pulumi.Output[str]
    oidc_issuer: pulumi.Output[str]
    node_pools: Mapping[str, pulumi.Resource]  # by SizedPool.key
    ready: pulumi.Resource  # depend on this one, never on the component
    offer: Offer

    def identity_for(self, holder: Holder, grants: Sequence[Grant]) -> PodIdentity:
        """Make the identity that pods of a service account take, with these rights and no others."""
        ...


@runtime_checkable
class Launches(Protocol):
    """A cluster whose pods may start machines for it beyond the sized pools."""

    def launching_for(self, holder: Holder) -> Launching:
        """Make what the machines need, and the identity that starts them."""
        ...
