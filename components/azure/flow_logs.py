"""Who talked to whom: the flow log of a network, kept in a storage account of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_azure_native import keyvault, network, storage

from components.azure.identity import GrantArgs, grant, identity
from components.azure.naming import unique

WATCHERS: Final = "NetworkWatcherRG"
"""Azure makes one watcher per region and subscription, here, with the first network of the region.

A second one is refused and the only one is shared by all stacks, so it is referred to and never made
(https://learn.microsoft.com/azure/network-watcher/network-watcher-create, 2026-11-21).
"""

KEPT_DAYS: Final = 90
UNDELETE_DAYS: Final = 14


@dataclass(frozen=True, kw_only=True)
class FlowLogsArgs:
    """`key` encrypts the store; costs 0.50 USD per GB after 5 GB a month, and the storage (service_prices.csv)."""

    environment: str
    group: pulumi.Input[str]
    region: str
    subscription: pulumi.Input[str]
    network_id: pulumi.Input[str]
    vault_uri: pulumi.Input[str]
    key: keyvault.Key
    protect: bool


class FlowLogs(pulumi.ComponentResource):
    """A flow log of the whole network; neither it nor its store knows a shared key."""

    storage_id: pulumi.Output[str]

    def __init__(self, name: str, args: FlowLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:azure:FlowLogs", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        writer = identity(name, args.group, args.region, self._child)
        may_unwrap = grant(
            f"{name}-key",
            GrantArgs(
                role="Key Vault Crypto Service Encryption User",
                principal=writer.principal_id,
                scope=args.key.id,
                subscription=args.subscription,
            ),
            self._child,
        )
        account = self._account(name, args, writer.id, may_unwrap)
        may_write = grant(
            f"{name}-write",
            GrantArgs(
                role="Storage Blob Data Contributor",
                principal=writer.principal_id,
                scope=account.id,
                subscription=args.subscription,
            ),
            self._child,
        )
        self._retention(name, args, account)
        network.FlowLog(
            name,
            network.FlowLogArgs(
                resource_group_name=WATCHERS,
                network_watcher_name=f"NetworkWatcher_{args.region}",
                location=args.region,
                target_resource_id=args.network_id,
                storage_id=account.id,
                enabled=True,
                format=network.FlowLogFormatParametersArgs(type="JSON", version=2),
                retention_policy=network.RetentionPolicyParametersArgs(enabled=True, days=KEPT_DAYS),
                identity=network.ManagedServiceIdentityArgs(
                    type=network.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[writer.id]
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[may_write]),
        )
        self.storage_id = account.id
        self.register_outputs({"storage_id": account.id})

    def _account(
        self, name: str, args: FlowLogsArgs, reader: pulumi.Output[str], may_unwrap: pulumi.Resource
    ) -> storage.StorageAccount:
        """Exceptions for trusted services stay in force while public access is off: that is how the watcher writes.

        Source: https://learn.microsoft.com/azure/storage/common/storage-network-security, 2026-11-21.
        """
        return storage.StorageAccount(
            name,
            storage.StorageAccountArgs(
                resource_group_name=args.group,
                location=args.region,
                account_name=unique("flow", args.subscription, args.environment, args.region),
                kind="StorageV2",
                sku=storage.SkuArgs(name="Standard_LRS"),
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
                identity=storage.IdentityArgs(type="UserAssigned", user_assigned_identities=[reader]),
                encryption=storage.EncryptionArgs(
                    key_source="Microsoft.Keyvault",
                    require_infrastructure_encryption=True,
                    encryption_identity=storage.EncryptionIdentityArgs(encryption_user_assigned_identity=reader),
                    key_vault_properties=storage.KeyVaultPropertiesArgs(  # no version: rotation is followed
                        key_name=args.key.name, key_vault_uri=args.vault_uri
                    ),
                    services=storage.EncryptionServicesArgs(
                        blob=storage.EncryptionServiceArgs(enabled=True, key_type="Account"),
                        file=storage.EncryptionServiceArgs(enabled=True, key_type="Account"),
                    ),
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[may_unwrap], protect=args.protect),
        )

    def _retention(self, name: str, args: FlowLogsArgs, account: storage.StorageAccount) -> None:
        """Keep deleted and overwritten logs for two weeks, and then not any more."""
        undelete = storage.DeleteRetentionPolicyArgs(enabled=True, days=UNDELETE_DAYS)
        storage.BlobServiceProperties(
            name,
            storage.BlobServicePropertiesArgs(
                resource_group_name=args.group,
                account_name=account.name,
                blob_services_name="default",
                is_versioning_enabled=True,
                delete_retention_policy=undelete,
                container_delete_retention_policy=undelete,
            ),
            opts=self._child,
        )
        storage.ManagementPolicy(
            name,
            storage.ManagementPolicyArgs(
                resource_group_name=args.group,
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
                                    version=storage.ManagementPolicyVersionArgs(
                                        delete=storage.DateAfterCreationArgs(
                                            days_after_creation_greater_than=UNDELETE_DAYS
                                        ),
                                    ),
                                ),
                            ),
                        )
                    ],
                ),
            ),
            opts=self._child,
        )
