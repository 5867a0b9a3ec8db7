"""Redis of Azure: behind a private endpoint, with a key of its own, for identities without passwords."""

from __future__ import annotations

from typing import Final

import pulumi
from pulumi_azure_native import redisenterprise as redis

from components.azure.cluster import Cluster
from components.azure.naming import unique
from components.azure.network import Network
from components.azure.old_names import spared
from components.azure.store_key import store_key
from components.azure.store_zones import PrivateService, store_endpoint
from components.contracts import StoreArgs
from components.grants import Holder, PodIdentity, UseCache

SKUS: Final = {"small": "Balanced_B5", "medium": "Balanced_B10", "large": "Balanced_B20"}
SERVICE: Final = PrivateService("redisEnterprise", "privatelink.redis.azure.net")
TIMEOUTS: Final = pulumi.CustomTimeouts(create="60m", update="120m", delete="60m")
PORT: Final = 10000


class Cache(pulumi.ComponentResource):
    """Azure Managed Redis without access keys. It keeps its state on disk; Azure makes no scheduled backups of it."""

    address: pulumi.Output[str]
    port = PORT
    outside = False
    database = "0"
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
        super().__init__("ecosystem:azure:Cache", name, {"size": args.wish.size}, spared(opts))
        self._name, self._args, self._network = name, args, network
        self._child = pulumi.ResourceOptions(parent=self)
        self._cache = cache = self._make()
        self.address = cache.host_name
        self.secret = pulumi.Output.from_input("")
        self._last: pulumi.Resource = redis.Database(
            name,
            redis.DatabaseArgs(
                resource_group_name=network.group,
                cluster_name=cache.name,
                database_name="default",
                client_protocol="Encrypted",
                port=PORT,
                clustering_policy="EnterpriseCluster",
                eviction_policy="VolatileLRU",
                access_keys_authentication="Disabled",
                persistence=redis.PersistenceArgs(rdb_enabled=True, rdb_frequency="12h"),
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self._database = self._last
        self.ready = store_endpoint(f"{name}-endpoint", network, cache.id, SERVICE, self._child)
        self.register_outputs({"address": self.address})

    def grant(self, holder: Holder) -> UseCache:
        """Nothing of the identity: the cache knows its users."""
        del holder
        return UseCache()

    def let_in(self, holder: Holder, identity: PodIdentity) -> pulumi.Output[str]:
        """Make the identity a user of the cache, known by its object id."""
        self._last = redis.AccessPolicyAssignment(
            f"{self._name}-{holder.key}",
            resource_group_name=self._network.group,
            cluster_name=self._cache.name,
            database_name="default",
            access_policy_assignment_name=holder.key.replace("-", ""),
            access_policy_name="default",
            user=redis.AccessPolicyAssignmentPropertiesUserArgs(object_id=identity.subject),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self._last]),
        )
        return identity.subject

    def _make(self) -> redis.RedisEnterprise:
        args, network = self._args, self._network
        own = store_key(self._name, network, protect=args.protect, opts=self._child)
        return redis.RedisEnterprise(
            self._name,
            redis.RedisEnterpriseArgs(
                resource_group_name=network.group,
                location=args.region,
                cluster_name=unique("redis-", network.group, args.key, own.reader.client_id),
                sku=redis.SkuArgs(name=SKUS[args.wish.size]),
                high_availability="Enabled" if args.wish.availability == "region" else "Disabled",
                minimum_tls_version="1.2",
                public_network_access="Disabled",
                identity=redis.ManagedServiceIdentityArgs(
                    type="UserAssigned", user_assigned_identities=[own.reader.id]
                ),
                encryption=redis.ClusterPropertiesEncryptionArgs(
                    customer_managed_key_encryption=redis.ClusterPropertiesCustomerManagedKeyEncryptionArgs(
                        key_encryption_key_identity=redis.ClusterPropertiesKeyEncryptionKeyIdentityArgs(
                            identity_type="userAssignedIdentity", user_assigned_identity_resource_id=own.reader.id
                        ),
                        key_encryption_key_url=own.key.key_uri_with_version,
                    )
                ),
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect,
                depends_on=[own.allowed, network.vault.ready],
                custom_timeouts=TIMEOUTS,
            ),
        )
