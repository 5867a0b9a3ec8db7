"""The key that every disk of a region's nodes is encrypted with."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import compute, keyvault, managedidentity

from components.azure.identity import GrantArgs, grant


@dataclass(frozen=True, kw_only=True)
class DiskEncryptionArgs:
    group: pulumi.Input[str]
    region: str
    subscription: pulumi.Input[str]
    vault_id: pulumi.Input[str]
    key: keyvault.Key
    reader: managedidentity.UserAssignedIdentity  # fetches the key


def disk_encryption(name: str, args: DiskEncryptionArgs, opts: pulumi.ResourceOptions) -> compute.DiskEncryptionSet:
    """Make the encryption set after its identity may use the key; it follows rotation by itself.

    The URL carries a version all the same: the API wants one, whatever the rotation setting is.
    """
    may_unwrap = grant(
        f"{name}-key",
        GrantArgs(
            role="Key Vault Crypto Service Encryption User",
            principal=args.reader.principal_id,
            scope=args.key.id,
            subscription=args.subscription,
        ),
        opts,
    )
    return compute.DiskEncryptionSet(
        name,
        compute.DiskEncryptionSetArgs(
            resource_group_name=args.group,
            location=args.region,
            encryption_type="EncryptionAtRestWithCustomerKey",
            rotation_to_latest_key_version_enabled=True,
            identity=compute.EncryptionSetIdentityArgs(type="UserAssigned", user_assigned_identities=[args.reader.id]),
            active_key=compute.KeyForDiskEncryptionSetArgs(
                key_url=args.key.key_uri_with_version,
                source_vault=compute.SourceVaultArgs(id=args.vault_id),
            ),
        ),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[may_unwrap])),
    )
