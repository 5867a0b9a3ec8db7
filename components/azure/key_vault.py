"""A region's key vault: closed to the internet, reached through a private endpoint, every use of a key recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pulumi
from pulumi_azure_native import keyvault, network

from components.azure import diagnostics
from components.azure.naming import unique
from components.azure.private_dns import PrivateZoneArgs, private_zone

DOMAIN: Final = "privatelink.vaultcore.azure.net"
"""https://learn.microsoft.com/azure/private-link/private-endpoint-dns, 2026-11-21."""

EXPIRES: Final = datetime(2028, 11, 21, tzinfo=UTC)
"""When the first version of a key ends: a constant, because a date counted from now would change in every run.

Rotation makes later versions with an end of their own; move this date once a year all the same.
"""

ROTATED_AFTER: Final = "P180D"
LIVES: Final = "P2Y"

OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "etcd": ("encrypt", "decrypt"),
    "disks": ("wrapKey", "unwrapKey"),
    "logs": ("wrapKey", "unwrapKey"),
}
"""One key per thing that is encrypted, able to do only what its user does."""


@dataclass(frozen=True, kw_only=True)
class KeyVaultArgs:
    group: pulumi.Input[str]
    region: str
    tenant: pulumi.Input[str]
    generation: pulumi.Input[str]  # new with each life of the region: a deleted vault keeps its name for 90 days
    network_id: pulumi.Input[str]
    endpoint_subnet_id: pulumi.Input[str]
    workspace_id: pulumi.Input[str]
    protect: bool


class KeyVault(pulumi.ComponentResource):
    """One vault, its keys, its private endpoint and its audit log."""

    vault_id: pulumi.Output[str]
    uri: pulumi.Output[str]
    keys: Mapping[str, keyvault.Key]
    ready: pulumi.Resource  # the name resolves inside the network

    def __init__(self, name: str, args: KeyVaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:azure:KeyVault", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._guarded = pulumi.ResourceOptions(parent=self, protect=args.protect)
        vault = self._vault(name, args)
        self.vault_id = vault.id
        self.uri = vault.properties.vault_uri
        self.keys = {use: self._key(name, use, args, vault) for use in OPERATIONS}
        self.ready = self._endpoint(name, args)
        diagnostics.export(f"{name}-audit", vault.id, args.workspace_id, diagnostics.VAULT_LOGS, self._child)
        self.register_outputs({"vault_id": vault.id})

    def _vault(self, name: str, args: KeyVaultArgs) -> keyvault.Vault:
        """Trusted services may pass the closed door: disks and storage fetch their keys that way, with a role.

        Source: https://learn.microsoft.com/azure/key-vault/general/overview-vnet-service-endpoints, 2026-11-21.
        """
        return keyvault.Vault(
            name,
            keyvault.VaultArgs(
                resource_group_name=args.group,
                location=args.region,
                vault_name=unique("kv-", args.generation),
                properties=keyvault.VaultPropertiesArgs(
                    tenant_id=args.tenant,
                    sku=keyvault.SkuArgs(family="A", name="standard"),
                    enable_rbac_authorization=True,
                    enable_purge_protection=True,
                    enable_soft_delete=True,
                    soft_delete_retention_in_days=90,
                    enabled_for_deployment=False,
                    enabled_for_disk_encryption=False,
                    enabled_for_template_deployment=False,
                    public_network_access="Disabled",
                    network_acls=keyvault.NetworkRuleSetArgs(default_action="Deny", bypass="AzureServices"),
                ),
            ),
            opts=self._guarded,
        )

    def _key(self, name: str, use: str, args: KeyVaultArgs, vault: keyvault.Vault) -> keyvault.Key:
        return keyvault.Key(
            f"{name}-{use}",
            keyvault.KeyArgs(
                resource_group_name=args.group,
                vault_name=vault.name,
                properties=keyvault.KeyPropertiesArgs(
                    kty="RSA",
                    key_size=3072,
                    key_ops=list(OPERATIONS[use]),
                    attributes=keyvault.KeyAttributesArgs(enabled=True, expires=int(EXPIRES.timestamp())),
                    rotation_policy=keyvault.RotationPolicyArgs(
                        attributes=keyvault.KeyRotationPolicyAttributesArgs(expiry_time=LIVES),
                        lifetime_actions=[
                            keyvault.LifetimeActionArgs(
                                action=keyvault.ActionArgs(type=keyvault.KeyRotationPolicyActionType.ROTATE),
                                trigger=keyvault.TriggerArgs(time_after_create=ROTATED_AFTER),
                            )
                        ],
                    ),
                ),
            ),
            opts=self._guarded,
        )

    def _endpoint(self, name: str, args: KeyVaultArgs) -> network.PrivateDnsZoneGroup:
        linked = private_zone(
            name, PrivateZoneArgs(group=args.group, domain=DOMAIN, network_id=args.network_id), self._child
        )
        endpoint = network.PrivateEndpoint(
            name,
            network.PrivateEndpointArgs(
                resource_group_name=args.group,
                location=args.region,
                subnet=network.SubnetArgs(id=args.endpoint_subnet_id),
                private_link_service_connections=[
                    network.PrivateLinkServiceConnectionArgs(
                        name="vault", private_link_service_id=self.vault_id, group_ids=["vault"]
                    )
                ],
            ),
            opts=self._child,
        )
        return network.PrivateDnsZoneGroup(
            name,
            network.PrivateDnsZoneGroupArgs(
                resource_group_name=args.group,
                private_endpoint_name=endpoint.name,
                private_dns_zone_group_name="default",
                private_dns_zone_configs=[
                    network.PrivateDnsZoneConfigArgs(name="vault", private_dns_zone_id=linked.zone.id)
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[linked.link]),
        )
