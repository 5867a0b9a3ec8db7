"""Valkey in the cluster: one release for each cache, on TLS, its users by passwords of the cloud's manager."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pulumi

from components.kubernetes.cache_flows import VALKEY, servers
from components.kubernetes.crds.cert_manager import (
    Certificate,
    CertificateSpec,
    CertificateSpecIssuerRef,
    CertificateSpecPrivateKey,
)
from components.kubernetes.restricted import LOCKED, owner
from components.kubernetes.secrets import external
from components.kubernetes.service import Ground, Service, resources, spread
from components.kubernetes.store_access import StoreSettings, tell
from stacks.quantities import memory_mib
from stacks.services.caches import CACHES, Cache, password

REPLICATION: Final = "replication"
EXPORTER: Final = "exporter"
DEFAULT: Final = "default"
"""User of whoever names none: the chart's exporter logs in as it, so it may look and nothing else."""
MAY: Final = {
    DEFAULT: "resetkeys resetchannels -@all +ping +info +client|setname +slowlog|len +slowlog|get +latency|latest",
    REPLICATION: "resetkeys resetchannels -@all +psync +replconf +ping",
}
"""CONFIG GET is in neither: it would tell the password by which copies log in."""
USER_MAY: Final = "~* &* -@all +@all -@admin -@dangerous +info"
USER: Final = 1000
CONFINED: Final = {**LOCKED, "runAsNonRoot": True, "runAsUser": USER}
DISK: Final = 4
"""Times its memory: the log of what was written, and the new one while the old is still there."""
MIB_PER_GIB: Final = 1024


class Caches(Service):
    """The namespace of the caches, then each cache after its certificate and its passwords."""

    SERVICE: ClassVar[str] = "valkey"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.valkey
        assert wish is not None  # noqa: S101 - only made when it is on
        closed = self.namespace()
        released: list[pulumi.Resource] = []
        for key, each in wish.caches.items():
            self.last = [closed]
            held = [
                self.custom(f"{key}-tls", certificate(key), namespace=CACHES),
                self.custom(f"{key}-users", external(ground, f"{key}-users", passwords(key, each)), namespace=CACHES),
            ]
            self.last = list(held)
            released.append(self.release("valkey", values(ground, key, each), name=f"valkey-{key}"))
            for user in sorted(each.users):
                tell(self, key, user, access(key, user))
        self.last = released or [closed]
        self.done()


def login(user: str) -> str:
    """Name of a user in a cache: no name of Kubernetes has a dot in it, so no two users share one."""
    return user.replace("/", ".")


def access(cache: str, user: str) -> StoreSettings:
    """What a user finds in its namespace, in the words of the stores that clouds run; nothing in it is secret."""
    return StoreSettings(
        host=f"{cache}.{CACHES}.svc",
        port=VALKEY,
        database="0",
        user=login(user),
        secret=password(cache, user),
    )


def passwords(cache: str, wish: Cache) -> dict[str, str]:
    """Keys of the secret that the chart reads, and where each password stands in the cloud's manager."""
    own = {DEFAULT: password(cache, EXPORTER), REPLICATION: password(cache, REPLICATION)}
    return {**own, **{login(user): password(cache, user) for user in wish.users}}


def certificate(cache: str) -> Certificate:
    """One for all servers of a cache, from the cluster's own authority."""
    hosts = (f"{cache}.{CACHES}.svc", f"{cache}-read.{CACHES}.svc", f"*.{cache}-headless.{CACHES}.svc")
    return Certificate(
        spec=CertificateSpec(
            secret_name=f"{cache}-tls",
            dns_names=["localhost", *(each for host in hosts for each in (host, f"{host}.cluster.local"))],
            duration="8760h",
            renew_before="2160h",
            private_key=CertificateSpecPrivateKey(algorithm="ECDSA", size=256, rotation_policy="Always"),
            issuer_ref=CertificateSpecIssuerRef(name="own", kind="ClusterIssuer"),
        )
    )


def settings(wish: Cache) -> str:
    """Settings of the server beyond those that the chart writes; a second of writes can be lost at most."""
    lines = {
        "maxmemory": f"{memory_mib(wish.memory) * 3 // 4}mb",
        "maxmemory-policy": "allkeys-lru" if wish.evict else "noeviction",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "tls-protocols": '"TLSv1.2 TLSv1.3"',
    }
    return "".join(f"{key} {value}\n" for key, value in lines.items())


def values(ground: Ground, key: str, wish: Cache) -> dict[str, Any]:
    """Values of the chart for one cache."""
    room = ground.room("valkey")
    server, exporter = resources(room[f"valkey-{key}"]), resources(room[f"exporter-{key}"])
    server["limits"]["memory"] = server["requests"]["memory"]
    users = {login(user): {"permissions": USER_MAY} for user in sorted(wish.users)}
    users |= {user: {"permissions": may} for user, may in MAY.items()}
    return {
        "fullnameOverride": key,
        "serviceAccount": {"create": True, "automount": False},
        "podSecurityContext": owner(USER),
        "securityContext": CONFINED,
        "priorityClassName": "system-cluster-critical",
        "resources": server,
        "initResources": exporter,
        "topologySpreadConstraints": spread(servers(key).labels),
        "valkeyConfig": settings(wish),
        "auth": {"enabled": True, "usersExistingSecret": f"{key}-users", "aclUsers": users},
        "tls": {
            "enabled": True,
            "existingSecret": f"{key}-tls",
            "serverPublicKey": "tls.crt",
            "serverKey": "tls.key",
            "caPublicKey": "ca.crt",
        },
        "replica": {
            "enabled": True,
            "replicas": wish.copies,
            "replicationUser": REPLICATION,
            "persistence": {
                "size": f"{-(-memory_mib(wish.memory) * DISK // MIB_PER_GIB)}Gi",
                **({"storageClass": ground.storage_class} if ground.storage_class else {}),
            },
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Retain"},
        },
        "podDisruptionBudget": {"enabled": True, "maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow"},
        "readinessProbe": {"enabled": True},
        "metrics": {
            "enabled": True,
            "exporter": {
                "args": [
                    "--redis.addr=rediss://localhost:6379",
                    "--skip-tls-verification=true",
                    "--config-command=-",
                ],
                "resources": exporter,
                "securityContext": CONFINED,
            },
            "service": {"enabled": False},
        },
    }
