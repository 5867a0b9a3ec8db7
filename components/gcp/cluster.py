"""A GKE cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes

from components.contracts import ClusterArgs, Offer, SizedPool
from components.gcp import control_plane, node_pool
from components.gcp.identity import NodeIdentity, NodeIdentityArgs
from components.gcp.keys import Keys, KeysArgs
from components.gcp.kubeconfig import kubeconfig
from components.gcp.names import cluster_name
from components.gcp.network import PODS_RANGE, SERVICES_RANGE, Network
from components.gcp.offer import offer
from components.gcp.workload_identity import Place, pod_account
from components.gcp.zones import location, zones
from components.grants import Grant, Holder, PodIdentity
from stacks.clouds import Cloud

MAX_PODS_PER_NODE: Final = 110
"""GKE sets a /24 of the pods' block aside per node for it; the price catalogue counts with the same number."""

TIMEOUTS: Final = pulumi.CustomTimeouts(create="60m", update="120m", delete="60m")


class Cluster(pulumi.ComponentResource):
    """A private GKE cluster with its keys, its nodes' identity and its pools.

    Three zones make it regional; one zone makes it zonal, control plane and all. Going from one to the other
    replaces it, as GKE demands.
    """

    name: str
    cloud: Cloud
    region: str
    resource: gcp.container.Cluster
    provider: kubernetes.Provider
    endpoint: pulumi.Output[str]
    certificate_authority: pulumi.Output[str]
    oidc_issuer: pulumi.Output[str]
    node_pools: Mapping[str, gcp.container.NodePool]
    ready: pulumi.Resource
    offer: Offer

    def __init__(
        self, name: str, args: ClusterArgs, network: Network, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ecosystem:gcp:Cluster", name, {"region": args.region}, opts)
        self.name = f"gcp-{args.region}"
        self.cloud = "gcp"
        self.region = args.region
        self._account = network.account
        self.keys = Keys(
            f"{name}-keys",
            KeysArgs(region=args.region, protect=args.protect),
            self._account,
            pulumi.ResourceOptions(parent=self),
        )
        self.identity = NodeIdentity(
            f"{name}-nodes",
            NodeIdentityArgs(environment=args.environment, region=args.region),
            self._account,
            pulumi.ResourceOptions(parent=self),
        )
        self.resource = self._cluster(name, args, network)
        self.endpoint = pulumi.Output.format("https://{0}", self.resource.endpoint)
        self.certificate_authority = pulumi.Output.unsecret(  # public; its neighbour, the client's key, is secret
            self.resource.master_auth.apply(lambda auth: auth.cluster_ca_certificate)
        )
        self.oidc_issuer = pulumi.Output.format(
            "https://container.googleapis.com/v1/projects/{0}/locations/{1}/clusters/{2}",
            self._account.project,
            self.resource.location,
            self.resource.name,
        )
        self.provider = kubernetes.Provider(
            f"{name}-kubernetes",
            kubeconfig=kubeconfig(
                cluster_name(args.environment, args.region), self.endpoint, self.certificate_authority
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.node_pools = self._pools(name, args)
        self.ready = self.node_pools[first] if (first := _first(args.pools)) else self.resource
        self.offer = offer(self._account.project, self.keys.disks, args.plan.nodes)
        self._place = Place(name=name, cluster=self.resource, environment=args.environment, region=args.region)
        self.register_outputs(
            {
                "endpoint": self.endpoint,
                "certificate_authority": self.certificate_authority,
                "oidc_issuer": self.oidc_issuer,
            }
        )

    def identity_for(self, holder: Holder, grants: Sequence[Grant]) -> PodIdentity:
        """Make a service account for the pods of an account of the cluster."""
        return pod_account(self._place, holder, grants, self._account, pulumi.ResourceOptions(parent=self))

    def _pools(self, name: str, args: ClusterArgs) -> dict[str, gcp.container.NodePool]:
        shared = node_pool.NodePoolArgs(
            cluster=self.resource.name,
            location=location(args.region, args.wish.zones),
            zones=zones(args.region, args.wish.zones),
            service_account=self.identity.email,
            disk_key=self.keys.disks,
        )
        opts = pulumi.ResourceOptions(parent=self, provider=self._account.provider)
        return {
            key: node_pool.build(name, pool, shared, self._account, opts) for key, pool in sorted(args.pools.items())
        }

    def _cluster(self, name: str, args: ClusterArgs, network: Network) -> gcp.container.Cluster:
        where = zones(args.region, args.wish.zones)
        return gcp.container.Cluster(
            name,
            name=cluster_name(args.environment, args.region),  # people type it
            description=f"{args.environment} in {args.region}",
            project=self._account.project,
            location=location(args.region, args.wish.zones),
            node_locations=list(where) if len(where) > 1 else None,  # a zonal cluster's own zone is not to be listed
            deletion_protection=args.protect,
            network=network.vpc.id,
            subnetwork=network.nodes_subnet.id,
            networking_mode="VPC_NATIVE",
            datapath_provider="ADVANCED_DATAPATH",
            default_max_pods_per_node=MAX_PODS_PER_NODE,
            enable_intranode_visibility=True,
            enable_l4_ilb_subsetting=True,
            ip_allocation_policy=gcp.container.ClusterIpAllocationPolicyArgs(
                cluster_secondary_range_name=PODS_RANGE,
                services_secondary_range_name=SERVICES_RANGE,
                stack_type="IPV4",
            ),
            private_cluster_config=control_plane.private(args),
            master_authorized_networks_config=control_plane.authorized(args),
            min_master_version=args.version,
            release_channel=gcp.container.ClusterReleaseChannelArgs(channel=args.channel.upper()),
            maintenance_policy=control_plane.maintenance(),
            remove_default_node_pool=True,  # pools are resources of their own: they come and go without the cluster
            initial_node_count=1,
            node_config=control_plane.first_pool(self.identity.email, self.keys.disks),
            enable_shielded_nodes=True,
            enable_legacy_abac=False,
            master_auth=gcp.container.ClusterMasterAuthArgs(
                client_certificate_config=gcp.container.ClusterMasterAuthClientCertificateConfigArgs(
                    issue_client_certificate=False
                )
            ),
            anonymous_authentication_config=gcp.container.ClusterAnonymousAuthenticationConfigArgs(mode="LIMITED"),
            rbac_binding_config=gcp.container.ClusterRbacBindingConfigArgs(
                enable_insecure_binding_system_authenticated=False,
                enable_insecure_binding_system_unauthenticated=False,
            ),
            workload_identity_config=gcp.container.ClusterWorkloadIdentityConfigArgs(
                workload_pool=pulumi.Output.concat(self._account.project, ".svc.id.goog")
            ),
            binary_authorization=gcp.container.ClusterBinaryAuthorizationArgs(
                evaluation_mode="PROJECT_SINGLETON_POLICY_ENFORCE"
            ),
            database_encryption=gcp.container.ClusterDatabaseEncryptionArgs(
                state="ENCRYPTED", key_name=self.keys.database
            ),
            security_posture_config=gcp.container.ClusterSecurityPostureConfigArgs(mode="BASIC"),
            service_external_ips_config=gcp.container.ClusterServiceExternalIpsConfigArgs(enabled=False),
            node_pool_defaults=gcp.container.ClusterNodePoolDefaultsArgs(
                node_config_defaults=gcp.container.ClusterNodePoolDefaultsNodeConfigDefaultsArgs(
                    insecure_kubelet_readonly_port_enabled="FALSE", logging_variant="DEFAULT"
                )
            ),
            addons_config=control_plane.addons(),
            dns_config=gcp.container.ClusterDnsConfigArgs(cluster_dns="KUBE_DNS"),  # what the DNS allowance names
            gateway_api_config=gcp.container.ClusterGatewayApiConfigArgs(channel="CHANNEL_STANDARD"),
            cluster_autoscaling=control_plane.node_autoscaling(),
            vertical_pod_autoscaling=gcp.container.ClusterVerticalPodAutoscalingArgs(enabled=True),
            logging_config=gcp.container.ClusterLoggingConfigArgs(enable_components=list(control_plane.LOGS)),
            monitoring_config=control_plane.metrics(),
            cost_management_config=gcp.container.ClusterCostManagementConfigArgs(enabled=True),
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=self._account.provider,
                depends_on=[
                    network.ready,
                    self._account.admission,
                    *self.keys.grants,
                    *self.identity.grants,
                ],
                custom_timeouts=TIMEOUTS,
                protect=args.protect or None,  # absent, a parent's protection is inherited
                delete_before_replace=True,  # the name is fixed
                ignore_changes=["nodeConfig"],  # GKE answers with some other pool's once the first one is gone
            ),
        )


def _first(pools: Mapping[str, SizedPool]) -> str | None:
    """Return the pool that stands for a cluster with room: a system pool where there is one."""
    ordered = sorted(pools, key=lambda key: (pools[key].wish.purpose != "system", pools[key].wish.min == 0, key))
    return ordered[0] if ordered else None
