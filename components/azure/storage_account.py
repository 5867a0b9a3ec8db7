"""A storage account that only named identities open: no shared keys, no public way, a key of our own."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import keyvault, storage


@dataclass(frozen=True, kw_only=True)
class ClosedAccountArgs:
    """`name` is taken once in the world; `reader` is the id of the identity that may unwrap with `key`."""

    name: pulumi.Input[str]
    group: pulumi.Input[str]
    region: str
    zone_redundant: bool
    reader: pulumi.Output[str]
    key: keyvault.Key
    vault_uri: pulumi.Input[str]


def closed_account(name: str, args: ClosedAccountArgs, opts: pulumi.ResourceOptions) -> storage.StorageAccount:
    """Make the account; `opts` wait until its identity may use its key.

    Exceptions for trusted services stay in force while public access is off: that is how a network watcher writes
    (https://learn.microsoft.com/azure/storage/common/storage-network-security, 2026-11-21).
    """
    whole = storage.EncryptionServiceArgs(enabled=True, key_type="Account")
    return storage.StorageAccount(
        name,
        storage.StorageAccountArgs(
            resource_group_name=args.group,
            location=args.region,
            account_name=args.name,
            kind="StorageV2",
            sku=storage.SkuArgs(name="Standard_ZRS" if args.zone_redundant else "Standard_LRS"),
            access_tier=storage.AccessTier.HOT,
            enable_https_traffic_only=True,
            minimum_tls_version="TLS1_2",
            allow_blob_public_access=False,
            allow_shared_key_access=False,
            allow_cross_tenant_replication=False,
            default_to_o_auth_authentication=True,
            is_local_user_enabled=False,
            public_network_access="Disabled",
            network_rule_set=storage.NetworkRuleSetArgs(
                default_action=storage.DefaultAction.DENY, bypass="AzureServices"
            ),
            identity=storage.IdentityArgs(type="UserAssigned", user_assigned_identities=[args.reader]),
            encryption=storage.EncryptionArgs(
                key_source="Microsoft.Keyvault",
                require_infrastructure_encryption=True,
                encryption_identity=storage.EncryptionIdentityArgs(encryption_user_assigned_identity=args.reader),
                key_vault_properties=storage.KeyVaultPropertiesArgs(  # no version: rotation is followed
                    key_name=args.key.name, key_vault_uri=args.vault_uri
                ),
                services=storage.EncryptionServicesArgs(blob=whole, file=whole),
            ),
        ),
        opts=opts,
    )


def kept_versions(
    name: str,
    account: storage.StorageAccount,
    group: pulumi.Input[str],
    days: int,
    opts: pulumi.ResourceOptions,
) -> storage.BlobServiceProperties:
    """Keep what was deleted or overwritten for `days`, and then not any more."""
    undelete = storage.DeleteRetentionPolicyArgs(enabled=True, days=days)
    service = storage.BlobServiceProperties(
        name,
        storage.BlobServicePropertiesArgs(
            resource_group_name=group,
            account_name=account.name,
            blob_services_name="default",
            is_versioning_enabled=True,
            delete_retention_policy=undelete,
            container_delete_retention_policy=undelete,
        ),
        opts=opts,
    )
    old = storage.DateAfterCreationArgs(days_after_creation_greater_than=days)
    storage.ManagementPolicy(
        name,
        storage.ManagementPolicyArgs(
            resource_group_name=group,
            account_name=account.name,
            management_policy_name="default",
            policy=storage.ManagementPolicySchemaArgs(
                rules=[
                    storage.ManagementPolicyRuleArgs(
                        name="old-versions",
                        type="Lifecycle",
                        enabled=True,
                        definition=storage.ManagementPolicyDefinitionArgs(
                            filters=storage.ManagementPolicyFilterArgs(blob_types=["blockBlob"]),
                            actions=storage.ManagementPolicyActionArgs(
                                version=storage.ManagementPolicyVersionArgs(delete=old)
                            ),
                        ),
                    )
                ],
            ),
        ),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[service])),
    )
    return service
