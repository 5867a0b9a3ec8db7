"""Valkey of ElastiCache: inside the network, with a key of its own, for identities without passwords."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.account import account_of
from components.aws.cluster import Cluster
from components.aws.key import Key, KeyArgs
from components.aws.names import CACHE_LIMIT, store_name
from components.aws.network import Network
from components.aws.store_door import Guarded, door
from components.aws.workload_identity import used_through
from components.contracts import StoreArgs
from components.grants import Holder, PodIdentity, UseCache

VERSION: Final = "8.0"
NODES: Final = {"small": "cache.m7g.large", "medium": "cache.m7g.xlarge", "large": "cache.m7g.2xlarge"}
TIMEOUTS: Final = pulumi.CustomTimeouts(create="60m", update="90m", delete="60m")
PORT: Final = 6379


class Cache(pulumi.ComponentResource):
    """A primary and, where wished, a replica in another zone; who calls shows a token of its role."""

    address: pulumi.Output[str]
    port = PORT
    outside = False
    database = "0"
    secret: pulumi.Output[str]
    ready: pulumi.Resource

    def __init__(
        self, name: str, args: StoreArgs, network: Network, cluster: Cluster, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ecosystem:aws:Cache", name, {"size": args.wish.size}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._users = {user: self._user(Holder(*user.split("/"))) for user in args.wish.users}
        closed = door(name, Guarded(f"cache {args.key}", PORT), network, cluster, self._child)
        self._group = group = self._make(self._key(), closed, network)
        self.address = group.primary_endpoint_address
        self.secret = pulumi.Output.from_input("")
        self.ready = group
        self.register_outputs({"address": self.address})

    def grant(self, holder: Holder) -> UseCache:
        """Connect to this cache as this user, and to nothing else."""
        return UseCache(resource=self._group.arn, user=self._users[f"{holder.namespace}/{holder.account}"].arn)

    def let_in(self, holder: Holder, identity: PodIdentity) -> pulumi.Output[str]:
        """Name the user: it is there since the cache is."""
        del identity
        return self._users[f"{holder.namespace}/{holder.account}"].user_name

    def _user(self, holder: Holder) -> aws.elasticache.User:
        known = store_name(f"{self._args.environment}-{self._args.region}-{self._args.key}-{holder.key}", CACHE_LIMIT)
        return aws.elasticache.User(
            f"{self._name}-{holder.key}",
            engine="valkey",
            user_id=known,
            user_name=known,  # the same: IAM wants it so
            access_string="on ~* +@all -@dangerous",
            authentication_mode={"type": "iam"},
            region=self._args.region,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )

    def _key(self) -> Key:
        region = self._args.region
        return Key(
            f"{self._name}-key",
            KeyArgs(
                description=f"Cache {self._args.key} of {self._args.environment} in {region}",
                region=region,
                users=[used_through("elasticache", region, account_of(self))],
                protect=self._args.protect,
            ),
            self._child,
        )

    def _make(self, key: Key, closed: aws.ec2.SecurityGroup, network: Network) -> aws.elasticache.ReplicationGroup:
        args, region, spare = self._args, self._args.region, self._args.wish.availability == "region"
        known = store_name(f"{args.environment}-{region}-{args.key}", CACHE_LIMIT)
        subnets = aws.elasticache.SubnetGroup(
            self._name,
            description=f"Where the cache {args.key} stands",
            subnet_ids=network.private_subnet_ids,
            region=region,
            opts=self._child,
        )
        users = aws.elasticache.UserGroup(
            self._name,
            engine="valkey",
            user_group_id=known,
            user_ids=[user.user_id for user in self._users.values()],
            region=region,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        return aws.elasticache.ReplicationGroup(
            self._name,
            replication_group_id=known,
            description=f"Cache {args.key} of {args.environment}",
            engine="valkey",
            engine_version=VERSION,
            node_type=NODES[args.wish.size],
            num_cache_clusters=2 if spare else 1,
            automatic_failover_enabled=spare,
            multi_az_enabled=spare,
            port=PORT,
            parameter_group_name="default.valkey8",
            subnet_group_name=subnets.name,
            security_group_ids=[closed.id],
            user_group_ids=[users.user_group_id],
            at_rest_encryption_enabled=True,
            kms_key_id=key.arn,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            snapshot_retention_limit=args.wish.retention_days,
            snapshot_window="02:00-03:00",
            maintenance_window="tue:03:30-tue:04:30",
            final_snapshot_identifier=pulumi.Output.concat(
                known, "-", key.resource.key_id.apply(lambda found: found[:8])
            ),
            auto_minor_version_upgrade="true",
            region=region,
            opts=pulumi.ResourceOptions(
                parent=self, protect=args.protect or None, delete_before_replace=True, custom_timeouts=TIMEOUTS
            ),
        )
