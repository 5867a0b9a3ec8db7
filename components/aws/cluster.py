"""A Kubernetes cluster on AWS: EKS with managed node groups, ready to be deployed into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from components.aws.account import account_of
from components.aws.addons import AddonsArgs, ClusterAddons, NodeAddons
from components.aws.cluster_access import ClusterAccess, ClusterAccessArgs
from components.aws.cluster_firewall import ClusterFirewall, ClusterFirewallArgs
from components.aws.cluster_keys import ClusterKeys, ClusterKeysArgs
from components.aws.control_plane import ControlPlane, ControlPlaneArgs
from components.aws.credentials import kubeconfig
from components.aws.documents import trust
from components.aws.identity import Identity, IdentityArgs, pod_trust
from components.aws.names import physical_name
from components.aws.network import Network
from components.aws.node_pool import NodePool, NodePoolArgs
from components.aws.offer import offer
from components.aws.overflow import OverflowArgs, OverflowNodes
from components.aws.releases import release_of
from components.aws.workload_identity import Place, pod_role, secrets_key
from components.contracts import ClusterArgs, Launching, Offer
from components.grants import Grant, Holder, PodIdentity, ReadSecrets
from stacks.clouds import Cloud


class Cluster(pulumi.ComponentResource):
    """Control plane, add-ons, node pools, and a provider that asks for a fresh token each time.

    Its name is `aws-REGION`; needs `opts.provider` to be the provider of an `Account`.
    """

    name: str
    physical_name: str
    cloud: Cloud = "aws"
    region: str
    resource: pulumi.Resource
    provider: kubernetes.Provider
    endpoint: pulumi.Output[str]
    certificate_authority: pulumi.Output[str]
    oidc_issuer: pulumi.Output[str]
    oidc_provider_arn: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    disk_key_arn: pulumi.Output[str]
    nodes_group_id: pulumi.Output[str]
    node_pools: Mapping[str, pulumi.Resource]
    ready: pulumi.Resource
    offer: Offer

    def __init__(
        self, name: str, args: ClusterArgs, network: Network, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ecosystem:aws:Cluster", name, {"version": args.version}, opts)
        self.name, self.region = name, args.region
        self.physical_name = physical_name(args.environment, args.region)
        self._args, self._network = args, network
        self._child = pulumi.ResourceOptions(parent=self)
        self._account = account = account_of(self)
        self._arn = f"arn:{account.partition}:eks:{args.region}:{account.account_id}:cluster/{self.physical_name}"
        release = release_of(args.version)
        control_role = self._control_role()
        disk_role = self._pod_role("disks", "Makes and attaches volumes", "service-role/AmazonEBSCSIDriverPolicy")
        network_role = self._pod_role("network", "Gives addresses to pods", "AmazonEKS_CNI_Policy")
        keys = self._keys(control_role, disk_role)
        self._firewall = firewall = self._walls()
        control = ControlPlane(
            name,
            ControlPlaneArgs(
                cluster=args,
                physical_name=self.physical_name,
                network=network,
                role=control_role,
                keys=keys,
                firewall=firewall,
            ),
            self._child,
        )
        access = ClusterAccess(
            f"{name}-access",
            ClusterAccessArgs(cluster=control.resource.name, region=args.region, deployers=args.access.deployers),
            self._child,
        )
        node_addons = NodeAddons(
            f"{name}-node-addons",
            AddonsArgs(cluster=control.resource.name, region=args.region, release=release, role_arn=network_role.arn),
            self._child,
        )
        self.node_pools = self._node_pools(
            control.resource.name,
            keys,
            release.node_image,
            [network.ready, *network_role.ready, *keys.ready, *node_addons.ready],
        )
        self.ready = ClusterAddons(
            f"{name}-addons",
            AddonsArgs(
                cluster=control.resource.name,
                region=args.region,
                release=release,
                role_arn=disk_role.arn,
                snapshots=args.snapshots,
                after=[*self._system_pools(), *disk_role.ready, *access.ready],
            ),
            self._child,
        ).ready
        self.resource, self._control_name = control.resource, control.resource.name
        self.endpoint = control.endpoint
        self.certificate_authority = control.certificate_authority
        self.oidc_issuer, self.oidc_provider_arn = control.oidc_issuer, control.oidc_provider_arn
        self.disk_key_arn, self.nodes_group_id = keys.disks_arn, firewall.nodes_id
        self.kubeconfig = kubeconfig(self.physical_name, args.region, self.endpoint, self.certificate_authority)
        self.provider = kubernetes.Provider(
            name, kubeconfig=self.kubeconfig, enable_server_side_apply=True, opts=self._child
        )
        self.offer = offer(args.region, keys.disks_arn, args.plan.network)
        self._keeps_secrets = False
        self.register_outputs({"endpoint": self.endpoint, "oidc_issuer": self.oidc_issuer})

    def identity_for(self, holder: Holder, grants: Sequence[Grant]) -> PodIdentity:
        """Make a role for the pods of a service account; the first that reads secrets brings their key."""
        place = self._place()
        if not self._keeps_secrets and any(isinstance(each, ReadSecrets) for each in grants):
            secrets_key(self, place, protect=self._args.protect)
            self._keeps_secrets = True
        return pod_role(self, place, holder, grants)

    def launching_for(self, holder: Holder) -> Launching:
        """Make what overflow nodes need: their own role, key and queue, and the role of who starts them."""
        return OverflowNodes(
            f"{self.name}-overflow",
            OverflowArgs(
                place=self._place(),
                holder=holder,
                image=f"al2023@v{release_of(self._args.version).node_image.partition('-')[2]}",
                protect=self._args.protect,
            ),
            self._child,
        ).launching

    def _place(self) -> Place:
        return Place(
            cluster=self._control_name,
            physical_name=self.physical_name,
            arn=self._arn,
            region=self.region,
            environment=self._args.environment,
        )

    def _control_role(self) -> Identity:
        account = self._account
        return Identity(
            f"{self.name}-control",
            IdentityArgs(
                description=f"Control plane of {self.physical_name}",
                trust=trust("eks.amazonaws.com", account_id=account.account_id, source_arn=self._arn),
                managed={"cluster": "AmazonEKSClusterPolicy"},
            ),
            self._child,
        )

    def _pod_role(self, key: str, description: str, policy: str) -> Identity:
        return Identity(
            f"{self.name}-{key}",
            IdentityArgs(
                description=f"{description} in {self.physical_name}",
                trust=pod_trust(self._account.account_id, self._arn),
                managed={"service": policy},
            ),
            self._child,
        )

    def _node_role(self) -> Identity:
        return Identity(
            f"{self.name}-nodes",
            IdentityArgs(
                description=f"Nodes of {self.physical_name}",
                trust=trust(f"ec2.{self._account.dns_suffix}"),
                managed={"worker": "AmazonEKSWorkerNodePolicy", "images": "AmazonEC2ContainerRegistryPullOnly"},
            ),
            self._child,
        )

    def _keys(self, control_role: Identity, disk_role: Identity) -> ClusterKeys:
        return ClusterKeys(
            f"{self.name}-keys",
            ClusterKeysArgs(
                cluster=self.physical_name,
                region=self.region,
                cluster_role_arn=control_role.arn,
                disk_role_arn=disk_role.arn,
                protect=self._args.protect,
            ),
            self._child,
        )

    def _walls(self) -> ClusterFirewall:
        return ClusterFirewall(
            f"{self.name}-firewall",
            ClusterFirewallArgs(
                cluster=self.physical_name,
                region=self.region,
                vpc_id=self._network.network_id,
                vpc_cidr=str(self._args.plan.network),
                beyond=self._args.beyond,
            ),
            self._child,
        )

    def _node_pools(
        self, cluster_name: pulumi.Input[str], keys: ClusterKeys, node_image: str, after: list[pulumi.Resource]
    ) -> dict[str, pulumi.Resource]:
        role = self._node_role()
        subnets = list(self._network.private_subnets.values())
        return {
            key: NodePool(
                f"{self.name}-{key}",
                NodePoolArgs(
                    cluster=self.physical_name,
                    cluster_name=cluster_name,
                    region=self.region,
                    off_hours=self._args.off_hours,
                    version=self._args.version,
                    node_image=node_image,
                    pool=pool,
                    role_arn=role.arn,
                    subnet_ids=subnets,
                    security_group_id=self._firewall.nodes_id,
                    disk_key_arn=keys.disks_arn,
                    after=[*role.ready, *after],
                ),
                self._child,
            ).node_group
            for key, pool in self._args.pools.items()
        }

    def _system_pools(self) -> list[pulumi.Resource]:
        """Where add-ons run: the system pools, or every pool where there is none."""
        system = [key for key, pool in self._args.pools.items() if pool.wish.purpose == "system"]
        return [self.node_pools[key] for key in system or self.node_pools]
