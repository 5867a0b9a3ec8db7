"""Stores that a cloud runs for the workloads: databases, one contract for all clouds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from stacks.part import Memory, Part
from stacks.services.service import Account

DISK: Final = "64Gi"
PORTS: Final[Mapping[str, tuple[int, ...]]] = {"postgres": (5432,), "redis": (6379, 10000), "objects": ()}
"""Where each engine answers inside the network; Redis of Azure at the second one, objects at 443 as the vault does."""


def ports(stores: Mapping[str, Store]) -> tuple[int, ...]:
    """Ports at which some stores answer, each once."""
    return tuple(sorted({port for store in stores.values() for port in PORTS[store.engine]}))


class Store(Part):
    """One store beside each cluster: private, encrypted with a key of its own, backed up, hard to delete."""

    engine: Literal["postgres", "redis", "objects"] = Field(examples=["postgres"])
    """PostgreSQL 17 of RDS, Cloud SQL, Azure Database; Redis of ElastiCache, Memorystore, Azure Managed Redis; or
    objects of S3, Cloud Storage, Blob Storage."""
    size: Literal["small", "medium", "large"] = "small"
    """Two processors and 8 GiB, twice or four times that."""
    availability: Literal["zone", "region"] = "region"
    """Whether a standby waits in another zone."""
    retention_days: Annotated[int, Field(ge=7, le=35)] = 35
    """How long backups are kept, and objects that were deleted or overwritten; Redis of Azure keeps its last state."""
    storage: Memory | None = Field(default=None, examples=["100Gi"])
    """Size of a database's disk, 20Gi at least, 64Gi when absent; it grows to twice that where the cloud can."""
    elsewhere: bool = False
    """Whether objects are kept in another region of the stack in the same cloud, and not in the cluster's own."""
    users: Annotated[tuple[Account, ...], Field(max_length=10)] = Field(default=(), examples=[["platform/orders"]])
    """NAMESPACE/SERVICE ACCOUNT of the workloads that use it; no other pod reaches it."""
    clusters: tuple[str, ...] = Field(default=(), examples=[["aws-eu-west-1"]])
    """Clusters that it stands beside; none means all."""

    @property
    def disk(self) -> str:
        """Size of the disk of a database."""
        return self.storage or DISK
