"""Which zones a region has: their letters are not the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi

LETTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "europe-west1": ("b", "c", "d"),
    "us-central1": ("a", "b", "c", "f"),
    "us-east1": ("b", "c", "d"),
}
"""Regions whose zones are not a, b, c. Source: cloud.google.com/compute/docs/regions-zones (read 2026-11-21)."""

USUAL: Final = ("a", "b", "c")


def zones(region: str, count: int) -> tuple[str, ...]:
    """Return the names of the first `count` zones of a region, always the same ones."""
    letters = LETTERS.get(region, USUAL)
    if count > len(letters):
        raise pulumi.RunError(f"clouds.gcp.regions.{region}.zones: {count} asked, the region has {len(letters)}")
    return tuple(f"{region}-{letter}" for letter in letters[:count])


def location(region: str, count: int) -> str:
    """Return where the control plane lives: in one zone for one zone, else in the whole region."""
    return region if count > 1 else zones(region, 1)[0]
