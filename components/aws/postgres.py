"""PostgreSQL of RDS: inside the network, with a key of its own and a password that only AWS knows how to change."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.account import account_of
from components.aws.backup import backups
from components.aws.cluster import Cluster
from components.aws.key import Key, KeyArgs, used_by_logs
from components.aws.names import DATABASE_LIMIT, store_name
from components.aws.network import Network
from components.aws.store_door import Guarded, door
from components.aws.workload_identity import used_through
from components.contracts import StoreArgs
from components.grants import Holder, PodIdentity, UseDatabase
from stacks.quantities import memory_mib

VERSION: Final = "17"
CLASSES: Final = {"small": "db.m7g.large", "medium": "db.m7g.xlarge", "large": "db.m7g.2xlarge"}
LOGS: Final = ("postgresql", "upgrade")
KEPT_DAYS: Final = 365
TIMEOUTS: Final = pulumi.CustomTimeouts(create="60m", update="120m", delete="60m")
PORT: Final = 5432


class Postgres(pulumi.ComponentResource):
    """One instance, with a standby where wished. Only nodes of its cluster reach it, and TLS is forced."""

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
        super().__init__("ecosystem:aws:Postgres", name, {"size": args.wish.size}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.database = args.key.replace("-", "_")
        key = self._key()
        closed = door(name, Guarded(f"database {args.key}", PORT), network, cluster, self._child)
        instance = self._instance(key, closed, network)
        backups(cluster, args).take(args.key, instance)
        self.address = instance.address
        self.secret = instance.master_user_secrets[0].secret_arn
        self.ready = instance
        self.register_outputs({"address": self.address})

    def grant(self, holder: Holder) -> UseDatabase:
        """What an identity needs for it: the password, at the moment when it logs in."""
        del holder
        return UseDatabase(secret=self.secret)

    def let_in(self, holder: Holder, identity: PodIdentity) -> pulumi.Output[str]:
        """Nothing to be made: the user is the database's own, and its secret names it."""
        del holder
        return identity.login

    def _key(self) -> Key:
        account, region = account_of(self), self._args.region
        through = [used_through(service, region, account) for service in ("rds", "secretsmanager")]
        return Key(
            f"{self._name}-key",
            KeyArgs(
                description=f"Database {self._args.key} of {self._args.environment} in {region}",
                region=region,
                users=[
                    *({**statement, "Sid": f"Through{place}"} for place, statement in enumerate(through)),
                    *used_by_logs(region, account.account_id, account.partition, account.dns_suffix),
                ],
                protect=self._args.protect,
            ),
            self._child,
        )

    def _instance(self, key: Key, closed: aws.ec2.SecurityGroup, network: Network) -> aws.rds.Instance:
        args, wish, region = self._args, self._args.wish, self._args.region
        identifier = store_name(f"{args.environment}-{region}-{args.key}", DATABASE_LIMIT)
        logs = [
            aws.cloudwatch.LogGroup(
                f"{self._name}-{kind}",
                name=f"/aws/rds/instance/{identifier}/{kind}",  # RDS writes there and nowhere else
                retention_in_days=KEPT_DAYS,
                kms_key_id=key.arn,
                region=region,
                opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
            )
            for kind in LOGS
        ]
        subnets = aws.rds.SubnetGroup(
            self._name,
            description=f"Where the database {args.key} stands",
            subnet_ids=network.private_subnet_ids,
            region=region,
            opts=self._child,
        )
        forced = aws.rds.ParameterGroup(
            self._name,
            description=f"TLS only, for the database {args.key}",
            family=f"postgres{VERSION}",
            parameters=[{"name": "rds.force_ssl", "value": "1"}, {"name": "log_connections", "value": "1"}],
            region=region,
            opts=self._child,
        )
        gibibytes = memory_mib(wish.disk) // 1024
        return aws.rds.Instance(
            self._name,
            identifier=identifier,
            engine="postgres",
            engine_version=VERSION,
            auto_minor_version_upgrade=True,
            instance_class=CLASSES[wish.size],
            allocated_storage=gibibytes,
            max_allocated_storage=gibibytes * 2,
            storage_type="gp3",
            storage_encrypted=True,
            kms_key_id=key.arn,
            multi_az=wish.availability == "region",
            db_name=self.database,
            username="platform",
            manage_master_user_password=True,
            master_user_secret_kms_key_id=key.arn,
            iam_database_authentication_enabled=True,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[closed.id],
            publicly_accessible=False,
            parameter_group_name=forced.name,
            backup_retention_period=wish.retention_days,
            backup_window="02:00-03:00",
            maintenance_window="tue:03:30-tue:04:30",
            copy_tags_to_snapshot=True,
            delete_automated_backups=False,
            deletion_protection=True,
            skip_final_snapshot=False,
            final_snapshot_identifier=pulumi.Output.concat(  # new with each life: a snapshot keeps its name
                identifier, "-", key.resource.key_id.apply(lambda found: found[:8])
            ),
            performance_insights_enabled=True,
            performance_insights_kms_key_id=key.arn,
            enabled_cloudwatch_logs_exports=list(LOGS),
            region=region,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect or None,
                depends_on=logs,
                delete_before_replace=True,  # people type its name
                custom_timeouts=TIMEOUTS,
            ),
        )
