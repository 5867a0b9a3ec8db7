"""Kubernetes versions that each cloud's managed clusters offer in standard support, as read on 2026-11-21.

A clock never decides here: a version goes when this table is edited. Dates that the source gives as a month are its
last day; None means that the source read gave no day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from stacks.clouds import Cloud

READ_ON: Final = date(2026, 11, 21)


@dataclass(frozen=True, kw_only=True)
class Support:
    """One minor version on one cloud."""

    version: str
    offered_since: date | None
    standard_until: date | None


SOURCES: Final[dict[Cloud, str]] = {
    "aws": "https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html",
    "gcp": "https://cloud.google.com/kubernetes-engine/docs/release-schedule",
    "azure": "https://learn.microsoft.com/azure/aks/supported-kubernetes-versions",
}

SUPPORTED: Final[dict[Cloud, tuple[Support, ...]]] = {
    "aws": (
        Support(version="1.34", offered_since=date(2025, 10, 2), standard_until=date(2026, 12, 2)),
        Support(version="1.35", offered_since=date(2026, 1, 28), standard_until=date(2027, 3, 27)),
        Support(version="1.36", offered_since=None, standard_until=None),
    ),
    "gcp": (  # schedules are estimates: 1.34 was still offered in all channels in late September 2026
        Support(version="1.34", offered_since=date(2025, 9, 30), standard_until=None),
        Support(version="1.35", offered_since=date(2026, 2, 11), standard_until=date(2027, 4, 11)),
        Support(version="1.36", offered_since=None, standard_until=None),
    ),
    "azure": (
        Support(version="1.34", offered_since=date(2025, 11, 30), standard_until=date(2026, 11, 30)),
        Support(version="1.35", offered_since=date(2026, 3, 31), standard_until=date(2027, 3, 31)),
        Support(version="1.36", offered_since=date(2026, 6, 30), standard_until=date(2027, 6, 30)),
    ),
}

SERVICE: Final[dict[Cloud, str]] = {"aws": "EKS", "gcp": "GKE", "azure": "AKS"}


def offered(cloud: Cloud) -> tuple[str, ...]:
    """Versions that a new cluster of the cloud may have, oldest first."""
    return tuple(support.version for support in SUPPORTED[cloud])


def minor(version: str) -> tuple[int, int]:
    """Major and minor number, for comparing: "1.34" is (1, 34)."""
    major, _, rest = version.partition(".")
    return int(major), int(rest)
