"""PostgreSQL of Azure: behind a private endpoint, with a key of its own, for identities without passwords."""

from __future__ import annotations

from typing import Final

import pulumi
from pulumi_azure_native import dbforpostgresql as postgres

from components.azure.cluster import Cluster
from components.azure.naming import unique
from components.azure.network import Network
from components.azure.old_names import spared
from components.azure.store_key import store_key
from components.azure.store_zones import PrivateService, store_endpoint
from components.contracts import StoreArgs
from components.grants import Holder, PodIdentity, UseDatabase
from stacks.quantities import memory_mib

VERSION: Final = "17"
SKUS: Final = {"small": "Standard_D2ds_v5", "medium": "Standard_D4ds_v5", "large": "Standard_D8ds_v5"}
DISKS: Final = (32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32767)
"""Sizes of a Premium SSD in GiB.

Source: https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-storage, 2026-11-21.
"""
SERVICE: Final = PrivateService("postgresqlServer", "privatelink.postgres.database.azure.com")
TIMEOUTS: Final = pulumi.CustomTimeouts(create="60m", update="120m", delete="60m")
PORT: Final = 5432


class Postgres(pulumi.ComponentResource):
    """One flexible server without public access; who logs in shows a token of Entra, and TLS is forced."""

    address: pulumi.Output[str]
    port = PORT
    outside = False
    database: str
    secret: pulumi.Output[str]
    ready: pulumi.Resource

    def __init__(
        self,
        name: str,
        args: StoreArgs,
        network: Network,
        _cluster: Cluster,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ecosystem:azure:Postgres", name, {"size": args.wish.size}, spared(opts))
        self._name, self._args, self._network = name, args, network
        self._child = pulumi.ResourceOptions(parent=self)
        self.database = args.key.replace("-", "_")
        self._server = server = self._make()
        self.address = server.fully_qualified_domain_name
        self.secret = pulumi.Output.from_input("")
        self._last: pulumi.Resource = server  # a server takes one change at a time
        for setting, value in (("require_secure_transport", "on"), ("log_connections", "on")):
            self._last = postgres.Configuration(
                f"{name}-{setting.replace('_', '-')}",
                postgres.ConfigurationArgs(
                    resource_group_name=network.group,
                    server_name=server.name,
                    configuration_name=setting,
                    source="user-override",
                    value=value,
                ),
                opts=self._next(),
            )
        self._last = postgres.Database(
            name,
            postgres.DatabaseArgs(
                resource_group_name=network.group,
                server_name=server.name,
                database_name=self.database,
                charset="UTF8",
                collation="en_US.utf8",
            ),
            opts=self._next(),
        )
        self.ready = store_endpoint(f"{name}-endpoint", network, server.id, SERVICE, self._child)
        self.register_outputs({"address": self.address})

    def grant(self, holder: Holder) -> UseDatabase:
        """What an identity needs for it."""
        del holder
        return UseDatabase()

    def let_in(self, holder: Holder, identity: PodIdentity) -> pulumi.Output[str]:
        """Make the identity an administrator of the server: it makes roles for others, if it wants any."""
        self._last = postgres.AdministratorsMicrosoftEntra(
            f"{self._name}-{holder.key}",
            resource_group_name=self._network.group,
            server_name=self._server.name,
            object_id=identity.subject,
            principal_name=identity.login,
            principal_type="ServicePrincipal",
            tenant_id=self._network.tenant,
            opts=self._next(),
        )
        return identity.login

    def _next(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=[self._last])

    def _make(self) -> postgres.Server:
        args, wish, network = self._args, self._args.wish, self._network
        own = store_key(self._name, network, protect=args.protect, opts=self._child)
        return postgres.Server(
            self._name,
            postgres.ServerArgs(
                resource_group_name=network.group,
                location=args.region,
                server_name=unique("pg-", network.group, args.key, own.reader.client_id),
                version=VERSION,
                create_mode="Default",
                sku=postgres.SkuArgs(name=SKUS[wish.size], tier="GeneralPurpose"),
                identity=postgres.UserAssignedIdentityArgs(
                    type="UserAssigned",
                    user_assigned_identities=own.reader.id.apply(lambda found: {found: postgres.UserIdentityArgs()}),
                ),
                data_encryption=postgres.DataEncryptionArgs(
                    type="AzureKeyVault",
                    primary_key_uri=own.key.key_uri_with_version,
                    primary_user_assigned_identity_id=own.reader.id,
                ),
                auth_config=postgres.AuthConfigArgs(
                    active_directory_auth="Enabled",
                    password_auth="Disabled",  # noqa: S106 - there is none
                    tenant_id=network.tenant,
                ),
                storage=postgres.StorageArgs(storage_size_gb=_disk(wish.disk), auto_grow="Enabled"),
                backup=postgres.BackupArgs(
                    backup_retention_days=wish.retention_days,
                    geo_redundant_backup="Disabled",  # it would want a key of the other region
                ),
                high_availability=postgres.HighAvailabilityArgs(
                    mode="ZoneRedundant" if wish.availability == "region" else "Disabled"
                ),
                network=postgres.NetworkArgs(public_network_access="Disabled"),
                maintenance_window=postgres.MaintenanceWindowArgs(
                    custom_window="Enabled", day_of_week=2, start_hour=3, start_minute=30
                ),
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect,
                depends_on=[own.allowed, network.vault.ready],
                custom_timeouts=TIMEOUTS,
            ),
        )


def _disk(wanted: str) -> int:
    """Return the smallest disk in GiB that holds it."""
    gibibytes = memory_mib(wanted) / 1024
    return next(size for size in DISKS if size >= gibibytes)
