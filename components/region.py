"""One region of a stack: its network, its sized cluster and the ground on it, and what services and stores need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from components.contracts import (
    BucketArgs,
    BudgetArgs,
    Cluster,
    ClusterArgs,
    HeldBucket,
    Make,
    MakeBucket,
    Network,
    NetworkArgs,
    SizedPool,
)
from components.kubernetes.base import ClusterBase, ClusterBaseArgs
from components.kubernetes.flows import tenant_annotations, tenant_labels
from components.links import MakeGateway, MakePeering, Place
from stacks import split
from stacks.addresses import RegionPlan
from stacks.data import ports
from stacks.links import Beyond
from stacks.model import Stack, Workload
from stacks.place import Region
from stacks.services import quota
from stacks.tags import common_tags

ZONES_ELSEWHERE: Final = 3
"""Zones of a region that holds backups and no cluster: each region with prices has three."""
KEPT_LONGER_DAYS: Final = 7


@dataclass(frozen=True, kw_only=True)
class Site:
    """One cloud, opened: its explicit provider, who answers to it, and what is built there."""

    provider: pulumi.ProviderResource
    identity: pulumi.Output[str]
    network: Callable[[str, NetworkArgs, pulumi.ResourceOptions], Network]
    cluster: Callable[[str, ClusterArgs, Any, pulumi.ResourceOptions], Cluster]
    budget: Callable[[str, BudgetArgs, pulumi.ResourceOptions], object]
    stores: Mapping[str, Make]  # by engine
    gateway: MakeGateway
    peering: MakePeering
    bucket: MakeBucket


@dataclass(frozen=True, kw_only=True)
class RegionArgs:
    """A region of the stack file, where it lies, and what its cluster is given."""

    stack: Stack
    site: Site
    wish: Region
    plan: RegionPlan
    pools: Mapping[str, SizedPool]
    beyond: Beyond | None
    """Networks of other clusters that its own is joined with."""
    peers: tuple[str, ...]
    """Ranges of the other clusters: where their nodes, pods and API servers are."""


class RegionBuild:
    """What stands in one region, as children of the platform: so it has the names that it always had."""

    network: Network
    cluster: Cluster
    place: Place

    def __init__(self, name: str, args: RegionArgs, platform: pulumi.Resource) -> None:
        stack, site, plan = args.stack, args.site, args.plan
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=platform)
        self._here = pulumi.ResourceOptions(parent=platform, provider=site.provider)
        self.network = site.network(
            name,
            NetworkArgs(
                environment=stack.environment,
                region=plan.region,
                wish=args.wish,
                plan=plan,
                clusters=(f"{stack.environment}-{plan.region}",),
                store_ports=ports(stack.stores_of(name)),
                gateway_from=tuple(map(str, mesh.gateway_from)) if (mesh := stack.services.mesh) else (),
                beyond=args.beyond,
                protect=stack.protect,
            ),
            self._here,
        )
        self.cluster = site.cluster(
            name,
            ClusterArgs(
                environment=stack.environment,
                region=plan.region,
                wish=args.wish,
                plan=plan,
                version=stack.cluster_version(name),
                channel=stack.cluster_channel(name),
                access=stack.control_plane_access,
                off_hours=stack.off_hours,
                beyond=args.beyond,
                pools=args.pools,
                snapshots=stack.services.backup is not None,
                protect=stack.protect,
            ),
            self.network,
            self._here,
        )
        workloads = stack.workloads_of(name)
        base = ClusterBase(
            name,
            ClusterBaseArgs(
                namespaces=quota.held(stack.namespaces, split.services_of(stack, name), workloads),
                version=stack.cluster_version(name),
                labels={each: tenant_labels(stack.services, each) for each in stack.namespaces},
                annotations={each: tenant_annotations(stack.services, each) for each in stack.namespaces},
            ),
            self.cluster,
            self._child,
        )
        if any(stack.services.on()):
            self._services(base, workloads)
        self._stores(base)
        self.place = Place(
            network=self.network, cluster=self.cluster, make=site.gateway, peer=site.peering, opts=self._here
        )

    def _stores(self, base: ClusterBase) -> None:
        """Make the stores beside the cluster; their SDKs are imported only then."""
        stack, cloud = self._args.stack, self.cluster.cloud
        beside = stack.stores_of(self._name)
        if not beside:
            return
        from components.stores import Stores, StoresArgs  # noqa: PLC0415

        stores = StoresArgs(
            wishes=beside,
            environment=stack.environment,
            plan=self._args.plan,
            copy_region=(other := stack.other_region(self._name)),
            copy_zones=stack.regions()[cloud][other].zones if other else 1,
            protect=stack.protect,
            makers=self._args.site.stores,
            after=tuple(base.namespaces.values()),
        )
        Stores(f"{self._name}-data", stores, self.network, self.cluster, self._here)

    def _backups(self) -> HeldBucket | None:
        """Make the bucket for backups of the cluster, in another region."""
        stack = self._args.stack
        wish, region = stack.services.backup, stack.backup_region(self._name)
        if wish is None or region is None:
            return None
        return self._bucket("backups", f"Backups of {self._name}", region, wish.retention_days)

    def _archive(self) -> HeldBucket | None:
        """Make the bucket for what databases of the cluster log, in another region where there is one in reach."""
        stack = self._args.stack
        wish, region = stack.services.cloudnative_pg, stack.archive_region(self._name)
        if wish is None or region is None:
            return None
        return self._bucket("db-backups", f"Databases of {self._name}", region, wish.retention_days)

    def _bucket(self, key: str, what: str, region: str, days: int) -> HeldBucket:
        """Make a bucket that the cluster writes to; what was deleted there stays a week longer."""
        stack = self._args.stack
        beside = stack.regions()[self.cluster.cloud].get(region)
        args = BucketArgs(
            what=what,
            environment=stack.environment,
            region=region,
            elsewhere=region != self.cluster.region,
            zones=ZONES_ELSEWHERE if beside is None else beside.zones,
            kept_days=days + KEPT_LONGER_DAYS,
            protect=stack.protect,
        )
        return self._args.site.bucket(f"{self._name}-{key}", args, self.network, self.cluster, self._here)

    def _services(self, base: ClusterBase, workloads: Mapping[str, Workload]) -> None:
        """Install what the stack file switches on; the SDKs of services are imported only then."""
        backups, archive = self._backups(), self._archive()
        from components.kubernetes.service import ServicesArgs  # noqa: PLC0415
        from components.kubernetes.services import ClusterServices  # noqa: PLC0415
        from stacks.services import rendered  # noqa: PLC0415

        stack, plan, beyond = self._args.stack, self._args.plan, self._args.beyond
        ranges = (*plan.control_plane, *((plan.master,) if plan.master else ()), plan.endpoints)
        ClusterServices(
            f"{self._name}-services",
            ServicesArgs(
                services=split.services_of(stack, self._name),
                version=stack.cluster_version(self._name),
                environment=stack.environment,
                tenants=tuple(sorted(stack.namespaces)),
                control_plane=tuple(dict.fromkeys(map(str, ranges))),
                availability_target=stack.availability_target,
                nodes=(str(plan.nodes),),
                workloads=workloads,
                physical_name=f"{stack.environment}-{plan.region}",
                others=tuple(each for each in stack.cluster_names() if each != self._name),
                peers=self._args.peers,
                callers=beyond.callers if beyond else (),
                rules=rendered.of(stack.services),
                off_hours=split.off_hours_of(stack, self._name),
                tags=common_tags(stack),
                backups=backups,
                archive=archive,
                after=tuple(base.namespaces.values()),
            ),
            self.cluster,
            self._child,
        )
