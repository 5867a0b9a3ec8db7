"""Who may deploy into a cluster: each named role gets an entry of its own, and nobody gets one by accident."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.account import account_of

ADMIN: Final = "AmazonEKSClusterAdminPolicy"
PRINCIPAL: Final = re.compile(r"^arn:aws[a-z-]*:iam::\d{12}:(role|user)/")


@dataclass(frozen=True, kw_only=True)
class ClusterAccessArgs:
    """`deployers` may name identities of other clouds too; they are not of this cluster."""

    cluster: pulumi.Input[str]
    region: str
    deployers: tuple[str, ...]


class ClusterAccess(pulumi.ComponentResource):
    """An access entry and the administrator's policy for each deployer."""

    ready: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: ClusterAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:ClusterAccess", name, {}, opts)
        partition = account_of(self).partition
        principals = principals_of(args.deployers)
        if not principals:
            pulumi.log.warn(
                "control_plane_access.deployers names no IAM role: nobody can work inside this cluster", resource=self
            )
        ready: list[pulumi.Resource] = []
        for key, arn in principals.items():
            entry = aws.eks.AccessEntry(
                f"{name}-{key}",
                cluster_name=args.cluster,
                principal_arn=arn,
                type="STANDARD",
                region=args.region,
                opts=pulumi.ResourceOptions(parent=self),
            )
            admin = aws.eks.AccessPolicyAssociation(
                f"{name}-{key}",
                cluster_name=args.cluster,
                principal_arn=entry.principal_arn,
                policy_arn=f"arn:{partition}:eks::aws:cluster-access-policy/{ADMIN}",
                access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
                region=args.region,
                opts=pulumi.ResourceOptions(parent=self),
            )
            ready.append(admin)
        self.ready = tuple(ready)
        self.register_outputs({"deployers": list(principals.values())})


def principals_of(deployers: tuple[str, ...]) -> Mapping[str, str]:
    """Pick the IAM principals and give each a stable key: its account and path, in lower case, dashed."""
    ours = [deployer for deployer in deployers if PRINCIPAL.match(deployer)]
    return {re.sub(r"[^a-z0-9]+", "-", arn.split("::", 1)[1].lower()).strip("-"): arn for arn in ours}
