"""A storage account of Azure with one container: closed, encrypted with a key of its own, with versions."""

from __future__ import annotations

from typing import Final

import pulumi
from pulumi_azure_native import storage

from components.azure.diagnostics import BLOB_LOGS, export
from components.azure.naming import unique
from components.azure.network import Network
from components.azure.private_endpoint import PrivateEndpointArgs, private_endpoint
from components.azure.store_key import StoreKey, store_key
from components.azure.store_zones import zone_of
from components.contracts import BucketArgs
from components.grants import UseBucket

DOMAIN: Final = "privatelink.blob.core.windows.net"
"""https://learn.microsoft.com/azure/private-link/private-endpoint-dns, 2026-11-21."""

CONTAINER: Final = "objects"
"""Its only container: the account has the name that is taken once in the world."""


class Bucket(pulumi.ComponentResource):
    """One container in an account of its own, without shared keys, which only the network reaches.

    The key may live in another region than the account, as long as both are of one tenant, and so may the endpoint:
    https://learn.microsoft.com/azure/storage/common/customer-managed-keys-overview,
    https://learn.microsoft.com/azure/private-link/private-endpoint-overview, 2026-11-21.
    """

    name: pulumi.Output[str]
    resource: pulumi.Output[str]
    host: pulumi.Output[str]
    ready: pulumi.Resource

    def __init__(
        self, name: str, args: BucketArgs, network: Network, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ecosystem:azure:Bucket", name, {"region": args.region}, opts)
        self._args, self._network = args, network
        self._child = pulumi.ResourceOptions(parent=self)
        own = store_key(name, network, protect=args.protect, opts=self._child)
        account = self._account(name, own)
        service = self._retention(name, account)
        container = storage.BlobContainer(
            name,
            storage.BlobContainerArgs(
                resource_group_name=network.group,
                account_name=account.name,
                container_name=CONTAINER,
                public_access=storage.PublicAccess.NONE,
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        export(f"{name}-log", service.id, network.workspace_id, BLOB_LOGS, self._child)
        self.name = container.name
        self.resource = account.id
        self.host = pulumi.Output.concat(account.name, ".blob.core.windows.net")
        self.ready = private_endpoint(
            f"{name}-endpoint",
            PrivateEndpointArgs(
                group=network.group,
                region=network.region,
                network_id=network.network_id,
                subnet_id=network.endpoint_subnet.id,
                service_id=account.id,
                part="blob",
                domain=DOMAIN,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[container]),
            zone_of(network, DOMAIN),
        )
        self.register_outputs({"name": self.name})

    def use(self, key: str, *, read_only: bool = False) -> UseBucket:
        """What an identity needs for what is in it; `key` tells several buckets of one identity apart."""
        return UseBucket(name=self.name, resource=self.resource, key=key, read_only=read_only)

    def _account(self, name: str, own: StoreKey) -> storage.StorageAccount:
        args, network = self._args, self._network
        return storage.StorageAccount(
            name,
            storage.StorageAccountArgs(
                resource_group_name=network.group,
                location=args.region,
                account_name=unique("obj", network.group, name, own.reader.client_id),
                kind="StorageV2",
                sku=storage.SkuArgs(name="Standard_ZRS" if args.zones > 1 else "Standard_LRS"),
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
                identity=storage.IdentityArgs(type="UserAssigned", user_assigned_identities=[own.reader.id]),
                encryption=storage.EncryptionArgs(
                    key_source="Microsoft.Keyvault",
                    require_infrastructure_encryption=True,
                    encryption_identity=storage.EncryptionIdentityArgs(encryption_user_assigned_identity=own.reader.id),
                    key_vault_properties=storage.KeyVaultPropertiesArgs(  # no version: rotation is followed
                        key_name=own.key.name, key_vault_uri=network.vault.uri
                    ),
                    services=storage.EncryptionServicesArgs(
                        blob=storage.EncryptionServiceArgs(enabled=True, key_type="Account"),
                        file=storage.EncryptionServiceArgs(enabled=True, key_type="Account"),
                    ),
                ),
            ),
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[own.allowed, network.vault.ready], protect=args.protect
            ),
        )

    def _retention(self, name: str, account: storage.StorageAccount) -> storage.BlobServiceProperties:
        """Keep what was deleted or overwritten for some days, and then not any more."""
        days = self._args.kept_days
        undelete = storage.DeleteRetentionPolicyArgs(enabled=True, days=days)
        service = storage.BlobServiceProperties(
            name,
            storage.BlobServicePropertiesArgs(
                resource_group_name=self._network.group,
                account_name=account.name,
                blob_services_name="default",
                is_versioning_enabled=True,
                delete_retention_policy=undelete,
                container_delete_retention_policy=undelete,
            ),
            opts=self._child,
        )
        old = storage.DateAfterCreationArgs(days_after_creation_greater_than=days)
        storage.ManagementPolicy(
            name,
            storage.ManagementPolicyArgs(
                resource_group_name=self._network.group,
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
            opts=pulumi.ResourceOptions(parent=self, depends_on=[service]),
        )
        return service
