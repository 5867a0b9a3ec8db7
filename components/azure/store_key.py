"""The key of a store on Azure, and the identity that reads it for the store."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import authorization, keyvault, managedidentity

from components.azure.identity import GrantArgs, grant, identity
from components.azure.key_vault import key
from components.azure.network import Network


@dataclass(frozen=True)
class StoreKey:
    """A key in the region's vault; a store is made after `allowed`."""

    key: keyvault.Key
    reader: managedidentity.UserAssignedIdentity
    allowed: authorization.RoleAssignment


def store_key(name: str, network: Network, *, protect: bool, opts: pulumi.ResourceOptions) -> StoreKey:
    """Make key and reader, and let the reader wrap and unwrap with it."""
    reader = identity(f"{name}-key", network.group, network.region, opts)
    guarded = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=protect))
    own = key(f"{name}-key", network.vault.place, ("wrapKey", "unwrapKey"), guarded)
    allowed = grant(
        f"{name}-key",
        GrantArgs(
            role="Key Vault Crypto Service Encryption User",
            principal=reader.principal_id,
            scope=own.id,
            subscription=network.subscription,
        ),
        opts,
    )
    return StoreKey(own, reader, allowed)
