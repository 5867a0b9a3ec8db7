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
from components.azure.private_endpoint import PrivateEndpointArgs, private_endpoint

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


@dataclass(frozen=True)
class VaultPlace:
    """Resource group and name of a vault: where further keys are made."""

    group: pulumi.Input[str]
    vault: pulumi.Input[str]


class KeyVault(pulumi.ComponentResource):
    """One vault, its keys, its private endpoint and its audit log."""

    vault_id: pulumi.Output[str]
    uri: pulumi.Output[str]
    place: VaultPlace
    keys: Mapping[str, keyvault.Key]
    ready: pulumi.Resource  # the name resolves inside the network

    def __init__(self, name: str, args: KeyVaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:azure:KeyVault", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._guarded = pulumi.ResourceOptions(parent=self, protect=args.protect)
        vault = self._vault(name, args)
        self.vault_id = vault.id
        self.uri = vault.properties.vault_uri
        self.place = VaultPlace(args.group, vault.name)
        self.keys = {use: self._key(name, use) for use in OPERATIONS}
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

    def _key(self, name: str, use: str) -> keyvault.Key:
        return key(f"{name}-{use}", self.place, OPERATIONS[use], self._guarded)

    def _endpoint(self, name: str, args: KeyVaultArgs) -> network.PrivateDnsZoneGroup:
        return private_endpoint(
            name,
            PrivateEndpointArgs(
                group=args.group,
                region=args.region,
                network_id=args.network_id,
                subnet_id=args.endpoint_subnet_id,
                service_id=self.vault_id,
                part="vault",
                domain=DOMAIN,
            ),
            self._child,
        )


def key(name: str, place: VaultPlace, operations: tuple[str, ...], opts: pulumi.ResourceOptions) -> keyvault.Key:
    """Make a key that does only what its user does with it, and renews itself."""
    return keyvault.Key(
        name,
        keyvault.KeyArgs(
            resource_group_name=place.group,
            vault_name=place.vault,
            properties=keyvault.KeyPropertiesArgs(
                kty="RSA",
                key_size=3072,
                key_ops=list(operations),
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
        opts=opts,
    )
