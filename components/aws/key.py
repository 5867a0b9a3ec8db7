"""An encryption key of our own: rotated each year, thirty days to change one's mind, users apart from keepers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.aws.account import account_of
from components.aws.documents import Statement, allow, document_output

KEEP: Final = (
    *(f"kms:{verb}*" for verb in ("Describe", "Disable", "Enable", "Get", "List", "Put", "Revoke", "Update")),
    "kms:CreateAlias",
    "kms:CreateGrant",  # EKS and our own grants are made by whoever deploys
    "kms:DeleteAlias",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
)
"""What the account's administrators do with a key; none of it encrypts or decrypts."""

USE: Final = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")


@dataclass(frozen=True, kw_only=True)
class KeyArgs:
    """`users` are statements that let others use the key."""

    description: str
    region: str
    users: Sequence[Statement] = ()
    protect: bool = False


class Key(pulumi.ComponentResource):
    """One symmetric key of KMS."""

    arn: pulumi.Output[str]
    resource: aws.kms.Key

    def __init__(self, name: str, args: KeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:Key", name, {}, opts)
        keepers = allow("Keepers", KEEP, principal={"AWS": f"{account_of(self).arn_root}:root"})
        self.resource = key = aws.kms.Key(
            name,
            description=args.description,
            policy=document_output(keepers, *args.users),
            enable_key_rotation=True,
            rotation_period_in_days=365,
            deletion_window_in_days=30,
            region=args.region,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect or None),
        )
        self.arn = key.arn
        self.register_outputs({"arn": self.arn})


def used_by_role(sid: str, role_arn: pulumi.Input[str], *, grants: bool = False) -> list[Statement]:
    """Let a role encrypt and decrypt; with `grants` also hand that on to a service of AWS that acts for it."""
    principal = {"AWS": role_arn}
    use = allow(sid, USE, principal=principal)
    if not grants:
        return [use]
    only_aws: Mapping[str, Any] = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return [use, allow(f"{sid}Grants", ["kms:CreateGrant", "kms:ListGrants"], condition=only_aws, principal=principal)]


def used_by_logs(region: str, account_id: str, partition: str, dns_suffix: str) -> list[Statement]:
    """Let CloudWatch Logs encrypt the log groups of this account and region.

    Source: docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html, 2026-11.
    """
    groups = f"arn:{partition}:logs:{region}:{account_id}:log-group:*"
    return [
        allow(
            "Logs",
            USE,
            condition={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            principal={"Service": f"logs.{region}.{dns_suffix}"},
        )
    ]
