"""An AKS cluster that nobody reaches from the internet, and its node pools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_azure_native import authorization, managedidentity
from pulumi_azure_native import containerservice as aks

from components.azure import cluster_profile as profile
from components.azure import credentials, diagnostics
from components.azure.identity import GrantArgs, grant, identity
from components.azure.network import Network
from components.azure.node_pool import PoolArgs, bootstrap, node_pool
from components.azure.offer import offer
from components.azure.old_names import spared
from components.azure.private_dns import PrivateZoneArgs, private_zone
from components.azure.workload_identity import Place, pod_identity
from components.contracts import ClusterArgs, Offer
from components.grants import Grant, Holder, PodIdentity
from stacks.clouds import Cloud

CLUSTER_TIMEOUTS: Final = pulumi.CustomTimeouts(create="60m", update="120m", delete="60m")

WINDOWS: Final[dict[str, tuple[str, str]]] = {
    "upgrade-window": ("aksManagedAutoUpgradeSchedule", "Tuesday"),
    "image-window": ("aksManagedNodeOSUpgradeSchedule", "Sunday"),
}
"""The two windows that AKS knows by name (https://learn.microsoft.com/azure/aks/planned-maintenance, 2026-11-21)."""


class Cluster(pulumi.ComponentResource):
    """A managed control plane inside the network, identities with the least they need, and sized pools.

    Roles are given before the cluster is made: it refuses to start without them. What is deployed on it waits for
    `ready`: nodes for add-ons, the deployers' roles, and an audit log that already runs.
    """

    name: str
    cloud: Cloud = "azure"
    region: str
    resource: pulumi.Resource
    provider: kubernetes.Provider
    endpoint: pulumi.Output[str]
    certificate_authority: pulumi.Output[str]
    oidc_issuer: pulumi.Output[str]
    node_pools: Mapping[str, pulumi.Resource]
    ready: pulumi.Resource
    offer: Offer

    def __init__(
        self, name: str, args: ClusterArgs, network: Network, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(
            "ecosystem:azure:Cluster", name, {"region": args.region, "version": args.version}, spared(opts)
        )
        self.name = name
        self.region = args.region
        self._args = args
        self._network = network
        self._child = pulumi.ResourceOptions(parent=self)
        self._physical = f"{args.environment}-{args.region}"  # typed by people
        self._pinned = None if profile.moves_minor(args.channel) else args.version

        self._cluster = cluster = self._make()
        self.resource = cluster
        self.oidc_issuer = cluster.oidc_issuer_profile.issuer_url
        self.node_pools = {
            key: node_pool(f"{name}-{key}", pool, self._pool_args(cluster.name), self._child)
            for key, pool in sorted(args.pools.items())
        }
        deployers = self._deployers()
        self._reach(deployers)
        self._windows()
        self._observe(deployers)
        vault = network.vault
        self.offer = offer(vault.uri, network.tenant, network.disk_encryption_set_id, args.plan.endpoints)
        self.register_outputs({"endpoint": self.endpoint, "oidc_issuer": self.oidc_issuer})

    def identity_for(self, holder: Holder, grants: Sequence[Grant]) -> PodIdentity:
        """Make a user-assigned identity for the pods of a service account."""
        place = Place(
            name=self.name,
            group=self._network.group,
            region=self.region,
            subscription=self._network.subscription,
            issuer=self.oidc_issuer,
            vault_id=self._network.vault.vault_id,
        )
        return pod_identity(place, holder, grants, self._child)

    def _pool_args(self, cluster: pulumi.Input[str]) -> PoolArgs:
        return PoolArgs(
            group=self._network.group,
            cluster=cluster,
            zones=self._args.wish.zones,
            subnets={key: subnet.id for key, subnet in self._network.node_subnets.items()},
            version=self._pinned,
        )

    def _make(self) -> aks.ManagedCluster:
        args, network = self._args, self._network
        control_plane = identity(f"{self.name}-control-plane", network.group, args.region, self._child)
        kubelet = identity(f"{self.name}-kubelet", network.group, args.region, self._child)
        needed: list[pulumi.Resource] = [network.vault.ready, network.ready]
        zone_id: pulumi.Output[str] | None = None
        if args.access.mode == "private":
            linked = private_zone(
                f"{self.name}-api",
                PrivateZoneArgs(
                    group=network.group,
                    domain=f"privatelink.{args.region}.azmk8s.io",
                    network_id=network.network_id,
                ),
                self._child,
            )
            zone_id = linked.zone.id
            needed.append(linked.link)
        needed += self._roles(control_plane, kubelet, zone_id)
        places = profile.Places(
            api_server_subnet_id=network.api_server_subnet.id,
            private_zone_id=zone_id,
            workspace_id=network.workspace_id,
            vault_id=network.vault.vault_id,
            etcd_key=network.vault.keys["etcd"].key_uri_with_version,
        )
        return aks.ManagedCluster(
            self.name,
            resource_group_name=network.group,
            resource_name_=self._physical,
            location=args.region,
            dns_prefix=self._physical,
            node_resource_group=f"{self._physical}-nodes",
            node_resource_group_profile=aks.ManagedClusterNodeResourceGroupProfileArgs(restriction_level="ReadOnly"),
            kubernetes_version=args.version,
            sku=aks.ManagedClusterSKUArgs(name="Base", tier="Standard"),
            support_plan="KubernetesOfficial",
            identity=aks.ManagedClusterIdentityArgs(
                type=aks.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[control_plane.id]
            ),
            identity_profile={
                "kubeletidentity": aks.UserAssignedIdentityArgs(
                    resource_id=kubelet.id, client_id=kubelet.client_id, object_id=kubelet.principal_id
                )
            },
            enable_rbac=True,
            disable_local_accounts=True,
            aad_profile=aks.ManagedClusterAADProfileArgs(
                managed=True,
                enable_azure_rbac=True,
                admin_group_object_ids=profile.deployers(args.access),
                tenant_id=network.tenant,
            ),
            api_server_access_profile=profile.access_profile(args.access, places),
            network_profile=profile.network_profile(args.plan, args.wish),
            bootstrap_profile=profile.bootstrap_profile(args.wish),
            agent_pool_profiles=[bootstrap(self._pool_args(self._physical))],
            auto_scaler_profile=profile.autoscaler_profile(),
            auto_upgrade_profile=aks.ManagedClusterAutoUpgradeProfileArgs(
                upgrade_channel=profile.CHANNELS[args.channel], node_os_upgrade_channel="NodeImage"
            ),
            disk_encryption_set_id=network.disk_encryption_set_id,
            oidc_issuer_profile=aks.ManagedClusterOIDCIssuerProfileArgs(enabled=True),
            security_profile=profile.security_profile(places),
            storage_profile=profile.storage_profile(),
            addon_profiles=profile.addons(places),
            metrics_profile=aks.ManagedClusterMetricsProfileArgs(
                cost_analysis=aks.ManagedClusterCostAnalysisArgs(enabled=True)
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect,
                depends_on=needed,
                custom_timeouts=CLUSTER_TIMEOUTS,
                ignore_changes=[
                    "agentPoolProfiles[0].availabilityZones",  # a pool keeps its zones, and this one cannot be renamed
                    *(["kubernetesVersion"] if profile.moves_minor(args.channel) else []),
                ],
                delete_before_replace=True,  # its name is fixed
            ),
        )

    def _roles(
        self,
        control_plane: managedidentity.UserAssignedIdentity,
        kubelet: managedidentity.UserAssignedIdentity,
        zone_id: pulumi.Output[str] | None,
    ) -> list[authorization.RoleAssignment]:
        """Give the control plane what it needs, each role on one thing.

        Sources: https://learn.microsoft.com/azure/aks/use-managed-identity, .../use-kms-etcd-encryption (private
        vault), .../azure-disk-customer-managed-keys, 2026-11-21.
        """
        network = self._network
        wanted: dict[str, tuple[str, pulumi.Input[str]]] = {
            f"nodes-{key}": ("Network Contributor", subnet.id) for key, subnet in network.node_subnets.items()
        }
        wanted["api-server"] = ("Network Contributor", network.api_server_subnet.id)
        wanted["kubelet"] = ("Managed Identity Operator", kubelet.id)
        wanted["etcd-key"] = ("Key Vault Crypto User", network.vault.keys["etcd"].id)
        wanted["vault"] = ("Key Vault Contributor", network.vault.vault_id)
        wanted["disks"] = ("Reader", network.disk_encryption_set_id)
        if zone_id is not None:
            wanted["api-zone"] = ("Private DNS Zone Contributor", zone_id)
        return [
            grant(
                f"{self.name}-{key}",
                GrantArgs(
                    role=role, principal=control_plane.principal_id, scope=scope, subscription=network.subscription
                ),
                self._child,
            )
            for key, (role, scope) in wanted.items()
        ]

    def _deployers(self) -> list[authorization.RoleAssignment]:
        """Let each deployer fetch the address and do everything inside; not only groups deploy, so roles are given."""
        return [
            grant(
                f"{self.name}-{deployer}-{key}",
                GrantArgs(
                    role=role,
                    principal=deployer,
                    principal_type=None,
                    scope=self._cluster.id,
                    subscription=self._network.subscription,
                ),
                self._child,
            )
            for deployer in profile.deployers(self._args.access)
            for key, role in (("user", "AKS Cluster User"), ("admin", "AKS RBAC Cluster Admin"))
        ]

    def _reach(self, deployers: list[authorization.RoleAssignment]) -> None:
        """Ask for the address once the deployers may, and throw away whatever else comes with it."""
        answer = aks.list_managed_cluster_user_credentials_output(
            resource_group_name=self._network.group,
            resource_name=self._cluster.name,
            opts=pulumi.InvokeOutputOptions(parent=self, depends_on=deployers),
        )
        reached = answer.kubeconfigs[0].value.apply(credentials.address_and_authority)
        self.endpoint = reached[0]
        self.certificate_authority = reached[1]
        self.provider = kubernetes.Provider(
            self.name,
            kubernetes.ProviderArgs(
                kubeconfig=credentials.kubeconfig(self._physical, self.endpoint, self.certificate_authority)
            ),
            opts=self._child,
        )

    def _windows(self) -> None:
        for key, (config, day) in WINDOWS.items():
            aks.MaintenanceConfiguration(
                f"{self.name}-{key}",
                resource_group_name=self._network.group,
                resource_name_=self._cluster.name,
                config_name=config,
                maintenance_window=profile.window(day),
                opts=self._child,
            )

    def _observe(self, deployers: list[authorization.RoleAssignment]) -> None:
        """Export the audit log; it comes last, so that waiting for it is waiting for a usable cluster."""
        diagnostics.container_insights(
            f"{self.name}-insights",
            diagnostics.ContainerInsightsArgs(
                group=self._network.group,
                region=self.region,
                workspace_id=self._network.workspace_id,
                cluster_id=self._cluster.id,
            ),
            self._child,
        )
        system = [self.node_pools[key] for key, pool in self._args.pools.items() if pool.wish.purpose == "system"]
        self.ready = diagnostics.export(
            f"{self.name}-audit",
            self._cluster.id,
            self._network.workspace_id,
            diagnostics.CLUSTER_LOGS,
            pulumi.ResourceOptions(parent=self, depends_on=[*system, *deployers]),
        )
