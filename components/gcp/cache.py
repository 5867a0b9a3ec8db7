"""Valkey of Memorystore: among the nodes, with a key of its own, for identities without passwords."""

from __future__ import annotations

from typing import Final
from weakref import WeakKeyDictionary

import pulumi
import pulumi_gcp as gcp

from components.contracts import StoreArgs
from components.gcp.cluster import Cluster
from components.gcp.keys import USE, crypto_key
from components.gcp.network import Network
from components.grants import Holder, PodIdentity, UseCache

VERSION: Final = "VALKEY_8_0"
NODES: Final = {"small": "STANDARD_SMALL", "medium": "HIGHMEM_MEDIUM", "large": "HIGHMEM_XLARGE"}
TIMEOUTS: Final = pulumi.CustomTimeouts(create="60m", update="120m", delete="60m")
PORT: Final = 6379
DAY_SECONDS: Final = 86_400

_POLICIES: Final[WeakKeyDictionary[Network, gcp.networkconnectivity.ServiceConnectionPolicy]] = WeakKeyDictionary()
"""One policy lets Memorystore into a network: Google takes no second one for the same service and region."""


class Cache(pulumi.ComponentResource):
    """One shard and, where wished, a replica in another zone; who calls shows a token of its account."""

    address: pulumi.Output[str]
    port = PORT
    outside = False
    database = "0"
    secret: pulumi.Output[str]
    ready: pulumi.Resource

    def __init__(
        self, name: str, args: StoreArgs, network: Network, cluster: Cluster, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ecosystem:gcp:Cache", name, {"size": args.wish.size}, opts)
        self._name, self._args, self._account = name, args, network.account
        self._child = pulumi.ResourceOptions(parent=self, provider=self._account.provider)
        instance = self._make(network, cluster)
        self.address = instance.endpoints[0].connections[0].psc_auto_connection.ip_address
        self.secret = pulumi.Output.from_input("")
        self.ready = instance
        self.register_outputs({"address": self.address})

    def grant(self, holder: Holder) -> UseCache:
        """Connect; whose it is says the role's binding."""
        del holder
        return UseCache()

    def let_in(self, holder: Holder, identity: PodIdentity) -> pulumi.Output[str]:
        """Nothing to be made: IAM decides, and every account of it is the same user."""
        del holder
        return identity.login.apply(lambda _: "default")

    def _make(self, network: Network, cluster: Cluster) -> gcp.memorystore.Instance:
        args, account = self._args, self._account
        key = crypto_key(f"{self._name}-key", cluster.keys.ring, protect=args.protect, opts=self._child)
        may_use = gcp.kms.CryptoKeyIAMMember(
            f"{self._name}-key-agent",
            crypto_key_id=key.id,
            role=USE,
            member=account.agent("memorystore"),
            opts=self._child,
        )
        spare = args.wish.availability == "region"
        zonal = gcp.memorystore.InstanceZoneDistributionConfigArgs(mode="SINGLE_ZONE", zone=f"{args.region}-b")
        spread = gcp.memorystore.InstanceZoneDistributionConfigArgs(mode="MULTI_ZONE")
        return gcp.memorystore.Instance(
            self._name,
            project=account.project,
            location=args.region,
            instance_id=f"{args.environment}-{args.region}-{args.key}",
            engine_version=VERSION,
            mode="CLUSTER_DISABLED",
            node_type=NODES[args.wish.size],
            shard_count=1,
            replica_count=1 if spare else 0,
            zone_distribution_config=spread if spare else zonal,
            authorization_mode="IAM_AUTH",
            transit_encryption_mode="SERVER_AUTHENTICATION",
            kms_key=key.id,
            persistence_config=gcp.memorystore.InstancePersistenceConfigArgs(
                mode="RDB",
                rdb_config=gcp.memorystore.InstancePersistenceConfigRdbConfigArgs(rdb_snapshot_period="TWELVE_HOURS"),
            ),
            automated_backup_config=gcp.memorystore.InstanceAutomatedBackupConfigArgs(
                retention=f"{args.wish.retention_days * DAY_SECONDS}s",
                fixed_frequency_schedule=gcp.memorystore.InstanceAutomatedBackupConfigFixedFrequencyScheduleArgs(
                    start_time=gcp.memorystore.InstanceAutomatedBackupConfigFixedFrequencyScheduleStartTimeArgs(hours=2)
                ),
            ),
            desired_auto_created_endpoints=[
                gcp.memorystore.InstanceDesiredAutoCreatedEndpointArgs(
                    network=network.vpc.id, project_id=account.project
                )
            ],
            deletion_protection_enabled=True,
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=account.provider,
                depends_on=[may_use, _let_in(network, args, cluster.name)],
                protect=args.protect or None,
                delete_before_replace=True,
                custom_timeouts=TIMEOUTS,
            ),
        )


def _let_in(network: Network, args: StoreArgs, cluster: str) -> gcp.networkconnectivity.ServiceConnectionPolicy:
    """Let Memorystore take addresses among the nodes.

    Source: cloud.google.com/memorystore/docs/valkey/networking (read 2026-11-21).
    """
    if network not in _POLICIES:
        _POLICIES[network] = gcp.networkconnectivity.ServiceConnectionPolicy(
            f"{cluster}-caches",
            name=f"{args.environment}-{args.region}-caches",
            project=network.account.project,
            location=args.region,
            service_class="gcp-memorystore",
            network=network.vpc.id,
            psc_config=gcp.networkconnectivity.ServiceConnectionPolicyPscConfigArgs(
                subnetworks=[network.nodes_subnet.id]
            ),
            opts=pulumi.ResourceOptions(parent=network, provider=network.account.provider),
        )
    return _POLICIES[network]
