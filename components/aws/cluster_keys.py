"""The two keys of a cluster: one for its secrets, one for its disks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.account import account_of
from components.aws.key import Key, KeyArgs, used_by_role

AUTOSCALING: Final = (
    "Encrypt",
    "Decrypt",
    "ReEncryptFrom",
    "ReEncryptTo",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "DescribeKey",
    "CreateGrant",
)
"""What autoscaling needs to start instances with encrypted disks.

Source: docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html, 2026-11.
"""


@dataclass(frozen=True, kw_only=True)
class ClusterKeysArgs:
    """The roles that use the keys."""

    cluster: str
    region: str
    cluster_role_arn: pulumi.Input[str]
    disk_role_arn: pulumi.Input[str]
    protect: bool = False


class ClusterKeys(pulumi.ComponentResource):
    """Keys for envelope encryption of Kubernetes secrets and for the disks of nodes and volumes."""

    secrets_arn: pulumi.Output[str]
    disks_arn: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: ClusterKeysArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:ClusterKeys", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        secrets = Key(
            f"{name}-secrets",
            KeyArgs(
                description=f"Kubernetes secrets of {args.cluster}",
                region=args.region,
                users=used_by_role("Cluster", args.cluster_role_arn, grants=True),
                protect=args.protect,
            ),
            child,
        )
        disks = Key(
            f"{name}-disks",
            KeyArgs(
                description=f"Disks of nodes and volumes of {args.cluster}",
                region=args.region,
                users=used_by_role("Volumes", args.disk_role_arn, grants=True),
                protect=args.protect,
            ),
            child,
        )
        grant = aws.kms.Grant(
            f"{name}-autoscaling",
            key_id=disks.arn,
            grantee_principal=account_of(self).autoscaling_role_arn,
            operations=list(AUTOSCALING),
            region=args.region,
            opts=child,
        )
        self.secrets_arn, self.disks_arn = secrets.arn, disks.arn
        self.ready = (grant,)
        self.register_outputs({"secrets_arn": self.secrets_arn, "disks_arn": self.disks_arn})
