"""PostgreSQL in the cluster: its operator, the plugin that fills the bucket, and the databases of the stack file."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pulumi
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget, PodDisruptionBudgetSpecArgs

from components.contracts import HeldBucket
from components.grants import Holder
from components.kubernetes import database_kinds
from components.kubernetes.database_flows import OPERATOR, POSTGRES
from components.kubernetes.service import Ground, Service, resources, spread
from components.kubernetes.store_access import StoreSettings, tell
from stacks.services.databases import DATABASES, Database, password

BETWEEN: Final = {"sidecar.istio.io/inject": "true", "istio.io/dataplane-mode": "none"}
"""Labels of the operator's pods in a mesh: the API server calls them from outside of it, they call servers inside.

A proxy of their own lets one port in past the mesh; the node's proxy knows no such exception.
"""
WEBHOOK: Final = "9443"
OPERATION: Final = ("operator", "proxy", "plugin")
"""Pods of the operator's namespace; the others are the databases'."""


class Databases(Service):
    """CloudNativePG and its plugin, then each database with its identity, users, bucket and schedule."""

    SERVICE: ClassVar[str] = "cloudnative_pg"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.cloudnative_pg
        assert wish is not None  # noqa: S101 - only made when it is on
        room = ground.room(self.SERVICE)
        self.namespace(room=[room[each] for each in OPERATION])
        first = list(self.last)
        self.last = [ground.cluster.ready, *ground.after]
        self.namespace(name=DATABASES, room=[each for key, each in room.items() if key not in OPERATION])
        self.last = [*first, *self.last]
        self.made.append(
            PodDisruptionBudget(
                f"{name}-budget",
                metadata=ObjectMetaArgs(name="cloudnative-pg", namespace=self.facts.namespace),
                spec=PodDisruptionBudgetSpecArgs(
                    max_unavailable=1,
                    selector=LabelSelectorArgs(match_labels=dict(OPERATOR.labels)),
                    unhealthy_pod_eviction_policy="AlwaysAllow",
                ),
                opts=self.options(),
            )
        )
        self.release("cloudnative-pg", operator(ground))
        self.release("plugin-barman-cloud", plugin(ground))
        for key, each in wish.databases.items():
            assert ground.archive is not None  # noqa: S101 - made beside them
            self._database(key, each, ground.archive, wish.hour)
        self.done()

    def _database(self, key: str, wish: Database, bucket: HeldBucket, hour: int) -> None:
        """First who it is and what it knows, then the database, then its backups and its users' way to it."""
        ground = self.ground
        held = ground.cluster.identity_for(Holder(DATABASES, key), [bucket.use("archive")])
        known = [
            self.custom(
                database_kinds.secret(key, user),
                database_kinds.credentials(ground, key, user),
                namespace=DATABASES,
                after=self.last,
            )
            for user in sorted(wish.users)
        ]
        way = [*self.last, bucket.ready, *held.ready]
        store = self.custom(key, database_kinds.store(ground, key, bucket), namespace=DATABASES, after=way)
        servers = database_kinds.cluster(ground, key, wish, held)
        made = self.custom(key, servers, namespace=DATABASES, after=[*self.last, store, *known])
        self.custom(key, database_kinds.nightly(key, hour), namespace=DATABASES, after=[made])
        for user in sorted(wish.users):
            tell(self, key, user, access(key, user))


def access(database: str, user: str) -> StoreSettings:
    """What a user finds in its namespace, in the words of the stores that clouds run; nothing in it is secret."""
    return StoreSettings(
        host=f"{database}-rw.{DATABASES}.svc",
        port=POSTGRES,
        database=database_kinds.OWNER,
        user=database_kinds.login(user),
        secret=password(database, user),
    )


def operator(ground: Ground) -> dict[str, Any]:
    """Values of the operator's chart, whose own security context is the restricted standard's."""
    room = ground.room("cloudnative_pg")
    meshed = ground.services.mesh is not None
    return {
        "fullnameOverride": "cloudnative-pg",
        "replicaCount": room["operator"].replicas,
        "resources": resources(room["operator"]),
        "priorityClassName": database_kinds.CRITICAL,
        "topologySpreadConstraints": spread(OPERATOR.labels),
        "podLabels": BETWEEN if meshed else {},
        "podAnnotations": _proxy(ground) if meshed else {},
        "crds": {"create": True},
        "webhook": {"mutating": {"failurePolicy": "Fail"}, "validating": {"failurePolicy": "Fail"}},
        "config": {"clusterWide": True},
    }


def _proxy(ground: Ground) -> dict[str, str]:
    room = resources(ground.room("cloudnative_pg")["proxy"])
    return {
        "sidecar.istio.io/proxyCPU": room["requests"]["cpu"],
        "sidecar.istio.io/proxyMemory": room["requests"]["memory"],
        "sidecar.istio.io/proxyMemoryLimit": room["limits"]["memory"],
        "traffic.sidecar.istio.io/excludeInboundPorts": WEBHOOK,
    }


def plugin(ground: Ground) -> dict[str, Any]:
    """Values of the plugin's chart: one pod, as it can be replaced only by one that starts when it has gone."""
    return {
        "fullnameOverride": "plugin-barman-cloud",
        "replicaCount": 1,
        "resources": resources(ground.room("cloudnative_pg")["plugin"]),
        "priorityClassName": database_kinds.CRITICAL,
        "crds": {"create": True},
    }
