"""PostgreSQL of Cloud SQL: behind a private endpoint, with a key of its own, for identities without passwords."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts import StoreArgs
from components.gcp.cluster import Cluster
from components.gcp.keys import USE, crypto_key
from components.gcp.network import Network
from components.grants import Holder, PodIdentity, UseDatabase
from stacks.quantities import memory_mib

VERSION: Final = "POSTGRES_17"
TIERS: Final = {"small": "db-custom-2-7680", "medium": "db-custom-4-15360", "large": "db-custom-8-30720"}
FLAGS: Final = {"cloudsql.iam_authentication": "on", "log_connections": "on", "log_disconnections": "on"}
TIMEOUTS: Final = pulumi.CustomTimeouts(create="60m", update="90m", delete="60m")
PORT: Final = 5432


class Postgres(pulumi.ComponentResource):
    """One instance without any address but the endpoint's, which stands among the nodes."""

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
        cluster: Cluster,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ecosystem:gcp:Postgres", name, {"size": args.wish.size}, opts)
        self._name, self._args, self._account = name, args, network.account
        self._child = pulumi.ResourceOptions(parent=self, provider=self._account.provider)
        self.database = args.key.replace("-", "_")
        self._instance = self._make(cluster)
        self.address, self.ready = self._endpoint(network)
        self.secret = pulumi.Output.from_input("")
        gcp.sql.Database(
            name,
            project=self._account.project,
            instance=self._instance.name,
            name=self.database,
            deletion_policy="ABANDON",  # it goes with its instance; who is still connected does not stop that
            opts=self._child,
        )
        self.register_outputs({"address": self.address})

    def grant(self, holder: Holder) -> UseDatabase:
        """What an identity needs for it."""
        del holder
        return UseDatabase()

    def let_in(self, holder: Holder, identity: PodIdentity) -> pulumi.Output[str]:
        """Make the identity a user of the database."""
        gcp.sql.User(
            f"{self._name}-{holder.key}",
            project=self._account.project,
            instance=self._instance.name,
            name=identity.login,
            type="CLOUD_IAM_SERVICE_ACCOUNT",
            deletion_policy="ABANDON",  # one that owns tables cannot be deleted
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=list(identity.ready))),
        )
        return identity.login

    def _make(self, cluster: Cluster) -> gcp.sql.DatabaseInstance:
        args, wish, account = self._args, self._args.wish, self._account
        key = crypto_key(f"{self._name}-key", cluster.keys.ring, protect=args.protect, opts=self._child)
        may_use = gcp.kms.CryptoKeyIAMMember(
            f"{self._name}-key-agent",
            crypto_key_id=key.id,
            role=USE,
            member=account.agent("sqladmin"),
            opts=self._child,
        )
        return gcp.sql.DatabaseInstance(
            self._name,
            project=account.project,
            region=args.region,
            database_version=VERSION,
            encryption_key_name=key.id,
            deletion_protection=True,
            settings=gcp.sql.DatabaseInstanceSettingsArgs(
                tier=TIERS[wish.size],
                edition="ENTERPRISE",
                availability_type="REGIONAL" if wish.availability == "region" else "ZONAL",
                disk_type="PD_SSD",
                disk_size=memory_mib(wish.disk) // 1024,
                disk_autoresize=True,
                disk_autoresize_limit=memory_mib(wish.disk) // 1024 * 2,
                deletion_protection_enabled=True,
                retain_backups_on_delete=True,
                backup_configuration=gcp.sql.DatabaseInstanceSettingsBackupConfigurationArgs(
                    enabled=True,
                    start_time="02:00",
                    point_in_time_recovery_enabled=True,
                    transaction_log_retention_days=7,  # the most of the edition
                    backup_retention_settings=(
                        gcp.sql.DatabaseInstanceSettingsBackupConfigurationBackupRetentionSettingsArgs(
                            retained_backups=wish.retention_days, retention_unit="COUNT"
                        )
                    ),
                ),
                ip_configuration=gcp.sql.DatabaseInstanceSettingsIpConfigurationArgs(
                    ipv4_enabled=False,
                    ssl_mode="ENCRYPTED_ONLY",
                    psc_configs=[
                        gcp.sql.DatabaseInstanceSettingsIpConfigurationPscConfigArgs(
                            psc_enabled=True, allowed_consumer_projects=[account.project]
                        )
                    ],
                ),
                database_flags=[
                    gcp.sql.DatabaseInstanceSettingsDatabaseFlagArgs(name=flag, value=value)
                    for flag, value in FLAGS.items()
                ],
                maintenance_window=gcp.sql.DatabaseInstanceSettingsMaintenanceWindowArgs(
                    day=2, hour=3, update_track="stable"
                ),
                insights_config=gcp.sql.DatabaseInstanceSettingsInsightsConfigArgs(query_insights_enabled=True),
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=account.provider,
                depends_on=[may_use],
                protect=args.protect or None,
                custom_timeouts=TIMEOUTS,
            ),
        )

    def _endpoint(self, network: Network) -> tuple[pulumi.Output[str], pulumi.Resource]:
        """Give the database an address among the nodes: Private Service Connect, no peering, no range of its own.

        Source: cloud.google.com/sql/docs/postgres/configure-private-service-connect (read 2026-11-21).
        """
        args, account = self._args, self._account
        address = gcp.compute.Address(
            f"{self._name}-endpoint",
            project=account.project,
            region=args.region,
            address_type="INTERNAL",
            subnetwork=network.nodes_subnet.id,
            opts=self._child,
        )
        rule = gcp.compute.ForwardingRule(
            f"{self._name}-endpoint",
            project=account.project,
            region=args.region,
            network=network.vpc.id,
            ip_address=address.self_link,
            load_balancing_scheme="",
            target=self._instance.psc_service_attachment_link,
            opts=self._child,
        )
        return address.address, rule
