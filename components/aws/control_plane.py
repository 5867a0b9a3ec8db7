"""The control plane of a cluster: closed to the internet, encrypted with our key, every log kept for a year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.cluster_firewall import ClusterFirewall
from components.aws.cluster_keys import ClusterKeys
from components.aws.flow_logs import RETENTION_DAYS
from components.aws.identity import Identity
from components.aws.network import Network
from components.contracts import ClusterArgs

LOGS: Final = ("api", "audit", "authenticator", "controllerManager", "scheduler")
CLUSTER_TIMEOUT: Final = pulumi.CustomTimeouts(create="40m", update="90m", delete="30m")


@dataclass(frozen=True, kw_only=True)
class ControlPlaneArgs:
    """What a control plane stands on."""

    cluster: ClusterArgs
    physical_name: str
    network: Network
    role: Identity
    keys: ClusterKeys
    firewall: ClusterFirewall


class ControlPlane(pulumi.ComponentResource):
    """An EKS cluster without nodes, its log group and its OIDC provider."""

    resource: aws.eks.Cluster
    endpoint: pulumi.Output[str]
    certificate_authority: pulumi.Output[str]
    oidc_issuer: pulumi.Output[str]
    oidc_provider_arn: pulumi.Output[str]

    def __init__(self, name: str, args: ControlPlaneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:ControlPlane", name, {}, opts)
        wish = args.cluster
        logs = aws.cloudwatch.LogGroup(
            name,
            name=f"/aws/eks/{args.physical_name}/cluster",  # EKS writes to this one and no other
            retention_in_days=RETENTION_DAYS,
            kms_key_id=args.network.logs_key_arn,
            region=wish.region,
            opts=pulumi.ResourceOptions(parent=self, protect=wish.protect or None, delete_before_replace=True),
        )
        self.resource = cluster = aws.eks.Cluster(
            name,
            name=args.physical_name,
            version=wish.version,
            role_arn=args.role.arn,
            vpc_config=aws.eks.ClusterVpcConfigArgs(
                subnet_ids=args.network.control_subnet_ids,
                security_group_ids=[args.firewall.control_id],
                endpoint_private_access=True,
                endpoint_public_access=wish.access.mode == "restricted",
                public_access_cidrs=allowed(wish),
            ),
            kubernetes_network_config=aws.eks.ClusterKubernetesNetworkConfigArgs(
                ip_family="ipv4", service_ipv4_cidr=str(wish.plan.services)
            ),
            access_config=aws.eks.ClusterAccessConfigArgs(
                authentication_mode="API", bootstrap_cluster_creator_admin_permissions=False
            ),
            encryption_config=aws.eks.ClusterEncryptionConfigArgs(
                provider=aws.eks.ClusterEncryptionConfigProviderArgs(key_arn=args.keys.secrets_arn),
                resources=["secrets"],
            ),
            enabled_cluster_log_types=list(LOGS),
            bootstrap_self_managed_addons=False,
            upgrade_policy=aws.eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
            zonal_shift_config=aws.eks.ClusterZonalShiftConfigArgs(enabled=len(wish.plan.zones) > 1),
            deletion_protection=wish.protect,
            region=wish.region,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=wish.protect or None,
                depends_on=[logs, *args.role.ready, *args.firewall.ready],
                delete_before_replace=True,  # people type its name, so two cannot live side by side
                custom_timeouts=CLUSTER_TIMEOUT,
            ),
        )
        self.endpoint = cluster.endpoint
        self.certificate_authority = cluster.certificate_authority.data
        self.oidc_issuer = cluster.identities[0].oidcs[0].issuer
        self.oidc_provider_arn = aws.iam.OpenIdConnectProvider(
            name,
            url=self.oidc_issuer,
            client_id_lists=["sts.amazonaws.com"],
            opts=pulumi.ResourceOptions(parent=self),
        ).arn
        self.register_outputs({"endpoint": self.endpoint, "oidc_issuer": self.oidc_issuer})


def allowed(wish: ClusterArgs) -> list[str] | None:
    """CIDR blocks that reach the public endpoint; a private one has none.

    Raises ValueError for `restricted` without blocks: AWS would then open it to the world.
    """
    if wish.access.mode == "private":
        return None
    if not wish.access.allowed_cidrs:
        raise ValueError(
            "control_plane_access: mode restricted needs allowed_cidrs; without them AWS opens the endpoint"
        )
    return [str(block) for block in wish.access.allowed_cidrs]
