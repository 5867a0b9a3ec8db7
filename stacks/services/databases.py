"""Databases that run in the clusters themselves: which there are, who uses them, and what they ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from stacks.part import Cpu, FreezeMapping, Frozen, Memory, Name, Part
from stacks.quantities import cpu_milli, memory_mib
from stacks.services.facts import Facts, Pods
from stacks.services.service import Account, Service

DATABASES: Final = "databases"
"""Namespace of the databases; their operator has one of its own."""


class Database(Part):
    """One PostgreSQL 17: a primary, standbys that follow it, and all that it writes in a bucket."""

    users: Annotated[tuple[Account, ...], Field(min_length=1, max_length=10)] = Field(examples=[["platform/orders"]])
    """NAMESPACE/SERVICE ACCOUNT of the workloads that use it; no other pod reaches it."""
    instances: Annotated[int, Field(ge=1, le=5)] = 3
    """Servers, the primary among them."""
    cpu: Cpu = "500m"
    """CPU request of each server."""
    memory: Memory = "2Gi"
    """Memory of each server: it gets no less and no more; a quarter is its own cache of pages."""
    storage: Memory = "20Gi"
    """Size of the volume of each server; it can grow, never shrink."""


class CloudnativePg(Service):
    """PostgreSQL in the cluster, beside what the clouds run under `data`: CloudNativePG."""

    databases: Annotated[Mapping[Name, Database], FreezeMapping] = Field(
        default=Frozen(), examples=[{"orders": {"users": ["platform/orders"]}}]
    )
    """Databases of every cluster, by name; each cluster has its own."""
    retention_days: Annotated[int, Field(ge=7, le=80)] = 30
    """Any moment of so many days can be brought back; deleted files can be fetched back for a week longer."""
    hour: Annotated[int, Field(ge=0, le=23)] = 1
    """Hour of the base backup, UTC."""


def password(database: str, user: str) -> str:
    """Name of a user's password in the cloud's manager of secrets."""
    return f"postgres-{database}-{user.replace('/', '-')}"


def _pods(wish: CloudnativePg) -> tuple[Pods, ...]:
    found = [
        Pods(name="operator", cpu_milli=100, memory_mib=256, replicas=2),
        Pods(name="proxy", cpu_milli=10, memory_mib=96, replicas=2),
        Pods(name="plugin", cpu_milli=20, memory_mib=96),
    ]
    for name, each in wish.databases.items():
        cpu, memory = cpu_milli(each.cpu), memory_mib(each.memory)
        found.append(Pods(name=f"postgres-{name}", cpu_milli=cpu, memory_mib=memory, replicas=each.instances))
        found.append(Pods(name=f"archiver-{name}", cpu_milli=50, memory_mib=128, replicas=each.instances))
    return tuple(found)


CLOUDNATIVE_PG: Final = Facts(
    title="Databases in the cluster (CloudNativePG)",
    charts=("cloudnative-pg", "plugin-barman-cloud"),
    namespace="cnpg-system",
    more=(DATABASES,),
    definitions=("postgresql.cnpg.io", "barmancloud.cnpg.io"),
    needs=("cert_manager", "external_secrets"),
    after=("mesh", "monitoring"),
    pods=_pods,
)
"""`proxy` is the mesh's beside each operator; an `archiver` is the container beside each server that fills
the bucket."""

__all__ = ["CLOUDNATIVE_PG", "DATABASES", "CloudnativePg", "Database", "password"]
