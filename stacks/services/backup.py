"""Backups of clusters: how long they are kept, when they are made, and in which region they lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from stacks.part import FreezeMapping, Frozen, Name
from stacks.services.facts import MOST_NODES, Facts, Pods
from stacks.services.service import Service

CANARY: Final = "velero-canary"
"""Namespace of what is backed up only to be restored."""
RESTORED: Final = "velero-restored"
"""Namespace into which it is restored."""


class Backup(Service):
    """Every namespace and its volumes each night, in another region, and a restore each day that proves it: Velero."""

    retention_days: Annotated[int, Field(ge=7, le=80)] = 30
    """How long a backup is kept; what was deleted before can be fetched back from the bucket for a week longer."""
    hour: Annotated[int, Field(ge=0, le=23)] = 2
    """Hour of the backup, UTC; the restore is tried three hours later."""
    regions: Annotated[Mapping[Name, str], FreezeMapping] = Field(
        default=Frozen(), examples=[{"aws": "us-west-2", "azure": "westus2"}]
    )
    """Region of each cloud that backups go to; absent means the stack's next region of that cloud."""


BACKUP: Final = Facts(
    title="Backups (Velero)",
    charts=("velero",),
    namespace="velero",
    more=(CANARY, RESTORED),
    definitions=("velero.io",),
    needs=("external_secrets",),
    after=("mesh", "monitoring"),
    pods=lambda _wish: (
        Pods(name="server", cpu_milli=100, memory_mib=256),
        Pods(name="agent", cpu_milli=10, memory_mib=96, per_node=True, enclosed=True),
        Pods(name="mover", cpu_milli=100, memory_mib=384, replicas=2, peak=MOST_NODES),
        Pods(name="restore-test", cpu_milli=10, memory_mib=48),
        Pods(name="canary", cpu_milli=10, memory_mib=32, replicas=2),
    ),
)
"""A mover copies one volume, on the node where it stands; `peak` is what the namespace allows."""
