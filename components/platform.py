"""The whole platform of one stack; the only place that asks which cloud."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, assert_never

import pulumi

from components import live, placements, tagging
from components.contracts import BudgetArgs, Cluster, Network, SizedPool
from components.links import Links, Place, links_of
from components.optimizer import PythonProvider, Sizing
from components.region import RegionArgs, RegionBuild, Site
from sizing import evidence
from sizing.canonical import canonical
from stacks import addresses, links, outputs
from stacks.addresses import RegionPlan
from stacks.clouds import Cloud
from stacks.model import Stack
from stacks.place import Region

PROJECT: Final = Path(__file__).parent.parent
"""Relative files of a stack file are read from here: an offline run has another root directory."""


class Platform(pulumi.ComponentResource):
    """Networks, sized clusters and their ground, on every cloud and region of the stack file."""

    sizing: Sizing
    networks: dict[str, Network]  # by cluster name
    clusters: dict[str, Cluster]
    identities: dict[str, pulumi.Output[str]]  # the account, project and subscription that a run really reaches

    def __init__(self, name: str, stack: Stack, opts: pulumi.ResourceOptions | None = None) -> None:
        tagging.install(stack)  # first: the SDK hands transformations down when a resource is made
        sizes = live.from_state()  # before the first resource: from then on an update writes the state
        self._sized = placements.decide(stack, PROJECT)
        stack = self._sized.stack
        super().__init__("ecosystem:index:Platform", name, {}, opts)
        self._stack = stack
        self._child = pulumi.ResourceOptions(parent=self)
        self.networks, self.clusters, self.identities = {}, {}, {}
        self._python = PythonProvider("python", self._child)
        self.sizing = self._size()
        self._ranges = ranges = addresses.lay_out(stack.addresses, stack.regions())
        self._links = links.of_stack(stack, ranges)
        self._places: dict[str, Place] = {}
        for cloud, regions in stack.regions().items():
            site = self._open(cloud)
            self.identities[cloud] = site.identity
            self._budget(site, cloud)
            for region, wish in regions.items():
                self._region(site, f"{cloud}-{region}", wish, ranges[cloud][region], sizes)
        if stack.links is not None:
            Links("links", links_of(stack, self._links, self._places, self._python), self._child)
        self.register_outputs({})

    def export(self) -> None:
        """Export what the stack promises, under the names of `stacks.outputs`."""
        pulumi.export(outputs.ENVIRONMENT, self._stack.environment)
        pulumi.export(outputs.IDENTITIES, self.identities)
        pulumi.export(outputs.NETWORKS, {name: {"id": network.network_id} for name, network in self.networks.items()})
        pulumi.export(
            outputs.CLUSTERS,
            {
                name: {
                    "cloud": cluster.cloud,
                    "region": cluster.region,
                    "version": self._stack.cluster_version(name),
                    "endpoint": cluster.endpoint,
                    "oidc_issuer": cluster.oidc_issuer,
                }
                for name, cluster in self.clusters.items()
            },
        )
        pulumi.export(outputs.SIZING, self.sizing.plan)
        pulumi.export(outputs.DOCUMENT_HASH, self.sizing.document_hash)
        if self._sized.placement is not None:
            pulumi.export(outputs.PLACEMENT, canonical(self._sized.placement))

    def _size(self) -> Sizing:
        shared_out = self._sized.placement
        return Sizing(
            "sizing",
            evidence.problems_json(self._sized.problems),
            self._stack.sizing.seed,
            pulumi.ResourceOptions(parent=self, provider=self._python),
            None if shared_out is None else canonical(shared_out),
        )

    def _region(self, site: Site, name: str, wish: Region, plan: RegionPlan, sizes: live.LiveSizes) -> None:
        args = RegionArgs(
            stack=self._stack,
            site=site,
            wish=wish,
            plan=plan,
            pools=self._pools(name, sizes),
            beyond=links.beyond(self._stack, self._links, name),
            peers=self._peers(name),
        )
        built = RegionBuild(name, args, self)
        self.networks[name], self.clusters[name] = built.network, built.cluster
        self._places[name] = built.place

    def _peers(self, cluster: str) -> tuple[str, ...]:
        """Ranges of the other clusters: where their nodes, pods and API servers are."""
        return tuple(
            dict.fromkeys(
                str(each)
                for cloud, regions in self._ranges.items()
                for region, plan in regions.items()
                if f"{cloud}-{region}" != cluster
                for each in (plan.network, plan.pods, *((plan.master,) if plan.master else ()))
            )
        )

    def _budget(self, site: Site, cloud: Cloud) -> None:
        wish = self._stack.budget
        if cloud in wish.clouds:
            args = BudgetArgs(
                environment=self._stack.environment,
                monthly_usd=wish.clouds[cloud],
                alert_at=wish.alert_at,
                receivers=wish.receivers,
                anomaly_usd=wish.anomaly_usd,
                starts=wish.starts,
            )
            site.budget(f"{cloud}-budget", args, pulumi.ResourceOptions(parent=self, provider=site.provider))

    def _pools(self, cluster: str, sizes: live.LiveSizes) -> Mapping[str, SizedPool]:
        return {
            f"{pool}-{slot}": self.sizing.slot(cluster, pool, slot, wish, sizes)
            for pool, wish in sorted(self._stack.cluster_pools(cluster).items())
            for slot in range(wish.slots)
        }

    def _open(self, cloud: Cloud) -> Site:
        """Open one cloud; its SDK is imported inside its own case, so that a cloud not used costs nothing."""
        stack, clouds = self._stack, self._stack.clouds
        match cloud:
            case "aws":
                from components.aws import account as aws  # noqa: PLC0415
                from components.aws import objects as aws_objects  # noqa: PLC0415
                from components.aws.budget import Budget as AwsBudget  # noqa: PLC0415
                from components.aws.cache import Cache as AwsCache  # noqa: PLC0415
                from components.aws.cluster import Cluster as EksCluster  # noqa: PLC0415
                from components.aws.link_gateway import LinkGateway as AwsGateway  # noqa: PLC0415
                from components.aws.network import Network as Vpc  # noqa: PLC0415
                from components.aws.peering import peering as aws_peering  # noqa: PLC0415
                from components.aws.postgres import Postgres as AwsPostgres  # noqa: PLC0415

                assert clouds.aws is not None  # noqa: S101  `regions()` names only clouds that are there
                at_aws = aws.Account(
                    "aws",
                    aws.AccountArgs(
                        account_id=clouds.aws.account,
                        region=min(clouds.aws.regions),
                        launches=stack.services.overflow is not None,
                    ),
                    self._child,
                )
                return Site(
                    provider=at_aws.provider,
                    identity=at_aws.identity,
                    network=Vpc,
                    cluster=EksCluster,
                    budget=AwsBudget,
                    stores={"postgres": AwsPostgres, "redis": AwsCache, "objects": aws_objects.objects},
                    bucket=aws_objects.bucket,
                    gateway=AwsGateway,
                    peering=aws_peering,
                )
            case "gcp":
                from components.gcp import account as gcp  # noqa: PLC0415
                from components.gcp import apis  # noqa: PLC0415
                from components.gcp import objects as gcp_objects  # noqa: PLC0415
                from components.gcp.budget import Budget as GcpBudget  # noqa: PLC0415
                from components.gcp.cache import Cache as GcpCache  # noqa: PLC0415
                from components.gcp.cluster import Cluster as GkeCluster  # noqa: PLC0415
                from components.gcp.link_gateway import LinkGateway as GcpGateway  # noqa: PLC0415
                from components.gcp.network import Network as GcpNetwork  # noqa: PLC0415
                from components.gcp.peering import peering as gcp_peering  # noqa: PLC0415
                from components.gcp.postgres import Postgres as GcpPostgres  # noqa: PLC0415

                assert clouds.gcp is not None  # noqa: S101
                at_gcp = gcp.Account(
                    "gcp",
                    gcp.AccountArgs(
                        project=clouds.gcp.project,
                        project_number=clouds.gcp.project_number,
                        apis=apis.needed(stack),
                        regions=tuple(clouds.gcp.regions),
                        deployers=gcp.members(stack.control_plane_access.deployers),
                        protect=stack.protect,
                    ),
                    self._child,
                )
                pays = clouds.gcp.billing_account or ""
                return Site(
                    provider=at_gcp.provider,
                    identity=at_gcp.identity,
                    network=GcpNetwork,
                    cluster=GkeCluster,
                    budget=lambda name, args, opts: GcpBudget(name, args, pays, opts),
                    stores={"postgres": GcpPostgres, "redis": GcpCache, "objects": gcp_objects.objects},
                    bucket=gcp_objects.bucket,
                    gateway=GcpGateway,
                    peering=gcp_peering,
                )
            case "azure":
                from components.azure import account as azure  # noqa: PLC0415
                from components.azure import objects as azure_objects  # noqa: PLC0415
                from components.azure.budget import Budget as AzureBudget  # noqa: PLC0415
                from components.azure.cache import Cache as AzureCache  # noqa: PLC0415
                from components.azure.cluster import Cluster as AksCluster  # noqa: PLC0415
                from components.azure.link_gateway import LinkGateway as AzureGateway  # noqa: PLC0415
                from components.azure.network import Network as VirtualNetwork  # noqa: PLC0415
                from components.azure.peering import peering as azure_peering  # noqa: PLC0415
                from components.azure.postgres import Postgres as AzurePostgres  # noqa: PLC0415

                assert clouds.azure is not None  # noqa: S101
                at_azure = azure.Account("azure", clouds.azure.subscription, clouds.azure.tenant, self._child)
                return Site(
                    provider=at_azure.provider,
                    identity=at_azure.identity,
                    network=VirtualNetwork,
                    cluster=AksCluster,
                    budget=lambda name, args, opts: AzureBudget(name, args, at_azure.identity, opts),
                    stores={"postgres": AzurePostgres, "redis": AzureCache, "objects": azure_objects.objects},
                    bucket=azure_objects.bucket,
                    gateway=AzureGateway,
                    peering=azure_peering,
                )
            case _:
                assert_never(cloud)
