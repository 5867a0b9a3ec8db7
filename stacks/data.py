"""Stores that a cloud runs for the workloads: databases, one contract for all clouds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from stacks.part import Memory, Part
from stacks.services.service import Account

PORTS: Final[Mapping[str, int]] = {"postgres": 5432}
"""Where each engine answers."""


class Store(Part):
    """One store beside each cluster: private, encrypted with a key of its own, backed up, hard to delete."""

    engine: Literal["postgres"] = Field(examples=["postgres"])
    """What it is: PostgreSQL 17 of RDS, Cloud SQL or Azure Database."""
    size: Literal["small", "medium", "large"] = "small"
    """Two processors and 8 GiB, twice or four times that."""
    availability: Literal["zone", "region"] = "region"
    """Whether a standby waits in another zone."""
    retention_days: Annotated[int, Field(ge=7, le=35)] = 35
    """How long backups are kept; within that time it can be set back to any moment."""
    storage: Memory = "64Gi"
    """Size of its disk, 20Gi at least; it grows by itself to twice that where the cloud can."""
    users: Annotated[tuple[Account, ...], Field(max_length=10)] = Field(default=(), examples=[["platform/orders"]])
    """NAMESPACE/SERVICE ACCOUNT of the workloads that use it; no other pod reaches it."""
    clusters: tuple[str, ...] = Field(default=(), examples=[["aws-eu-west-1"]])
    """Clusters that it stands beside; none means all."""
