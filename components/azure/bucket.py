"""A storage account of Azure with one container: closed, encrypted with a key of its own, with versions."""

from __future__ import annotations

from typing import Final

import pulumi
from pulumi_azure_native import storage

from components.azure.diagnostics import BLOB_LOGS, export
from components.azure.naming import unique
from components.azure.network import Network
from components.azure.old_names import spared
from components.azure.storage_account import ClosedAccountArgs, closed_account, kept_versions
from components.azure.store_key import store_key
from components.azure.store_zones import PrivateService, store_endpoint
from components.contracts import BucketArgs
from components.grants import UseBucket

SERVICE: Final = PrivateService("blob", "privatelink.blob.core.windows.net")

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
    region: str
    host: pulumi.Output[str]
    ready: pulumi.Resource

    def __init__(
        self, name: str, args: BucketArgs, network: Network, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ecosystem:azure:Bucket", name, {"region": args.region}, spared(opts))
        self._child = pulumi.ResourceOptions(parent=self)
        own = store_key(name, network, protect=args.protect, opts=self._child)
        account = closed_account(
            name,
            ClosedAccountArgs(
                name=unique("obj", network.group, name, own.reader.client_id),
                group=network.group,
                region=args.region,
                zone_redundant=args.zones > 1,
                reader=own.reader.id,
                key=own.key,
                vault_uri=network.vault.uri,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[own.allowed, network.vault.ready], protect=args.protect),
        )
        service = kept_versions(name, account, network.group, args.kept_days, self._child)
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
        self.name, self.region = container.name, args.region
        self.resource = account.id
        self.host = pulumi.Output.concat(account.name, ".blob.core.windows.net")
        self.ready = store_endpoint(
            f"{name}-endpoint",
            network,
            account.id,
            SERVICE,
            pulumi.ResourceOptions(parent=self, depends_on=[container]),
        )
        self.register_outputs({"name": self.name})

    def use(self, key: str, *, read_only: bool = False) -> UseBucket:
        """What an identity needs for what is in it; `key` tells several buckets of one identity apart."""
        return UseBucket(name=self.name, resource=self.resource, key=key, read_only=read_only)
