"""Caches that run in the clusters themselves: which there are, who uses them, and what they ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from stacks.part import FreezeMapping, Frozen, Memory, Name, Part
from stacks.quantities import memory_mib
from stacks.services.facts import Facts, Pods
from stacks.services.service import Account, Service

CACHES: Final = "caches"


class Cache(Part):
    """One Valkey: a primary, copies that follow it, and all that it holds on a volume of each."""

    users: Annotated[tuple[Account, ...], Field(min_length=1, max_length=10)] = Field(examples=[["platform/gateway"]])
    """NAMESPACE/SERVICE ACCOUNT of the workloads that use it; no other pod reaches it."""
    copies: Annotated[int, Field(ge=1, le=4)] = 2
    """Servers that follow the primary; none of them takes its place by itself."""
    memory: Memory = "512Mi"
    """Memory of each server; three quarters of it are for what it holds."""
    evict: bool = True
    """Whether what was not used for longest makes room when it is full; else writes are refused then."""


class Valkey(Service):
    """Caches in the cluster, beside what the clouds run under `data`: Valkey."""

    caches: Annotated[Mapping[Name, Cache], FreezeMapping] = Field(
        default=Frozen(), examples=[{"sessions": {"users": ["platform/gateway"]}}]
    )
    """Caches of every cluster, by name; each cluster has its own."""


def password(cache: str, user: str) -> str:
    """Name of a user's password in the cloud's manager of secrets; `user` may be one of the cache's own."""
    return f"valkey-{cache}-{user.replace('/', '-')}"


def _pods(wish: Valkey) -> tuple[Pods, ...]:
    found = []
    for name, each in wish.caches.items():
        servers = each.copies + 1
        found.append(Pods(name=f"valkey-{name}", cpu_milli=100, memory_mib=memory_mib(each.memory), replicas=servers))
        found.append(Pods(name=f"exporter-{name}", cpu_milli=10, memory_mib=48, replicas=servers))
    return tuple(found)


VALKEY: Final = Facts(
    title="Caches in the cluster (Valkey)",
    charts=("valkey",),
    namespace=CACHES,
    needs=("cert_manager", "external_secrets"),
    after=("mesh", "monitoring"),
    pods=_pods,
)
"""An `exporter` is the container beside each server that tells Prometheus."""

__all__ = ["CACHES", "VALKEY", "Cache", "Valkey", "password"]
