"""What a machine type demands of its node pool: its kind of disk, its GPUs."""

from __future__ import annotations

from typing import Final

HYPERDISK_FAMILIES: Final = frozenset({"c4", "c4a", "c4d", "n4"})
"""Families that boot from Hyperdisk only. Source: cloud.google.com/compute/docs/machine-resource (read 2026-11-21)."""

L4_COUNT: Final = {"g2-standard-24": 2, "g2-standard-48": 4, "g2-standard-96": 8}
"""L4 GPUs of a G2 type; the others carry one. Source: cloud.google.com/compute/docs/gpus (read 2026-11-21)."""

ACCELERATOR: Final = "nvidia-l4"
"""The only GPU of the price catalogue's Google machine types (all G2)."""


def disk_type(machine_type: str) -> str:
    """Return the balanced disk that a machine type can boot from."""
    family = machine_type.split("-", 1)[0]
    return "hyperdisk-balanced" if family in HYPERDISK_FAMILIES else "pd-balanced"


def gpus(machine_type: str) -> int:
    """Return how many GPUs a type of a GPU family carries."""
    return L4_COUNT.get(machine_type, 1)
