"""Which charts and images may be installed: `charts.lock`, one place for versions, addresses and digests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).resolve().parents[2] / "charts.lock"
UNRESOLVED: Final = "unresolved"
"""Stands where a digest is not known yet; `ecosystem lock` fills it in, and the law refuses it until then."""


@dataclass(frozen=True, kw_only=True)
class Locked:
    """One version of one chart. `repository` is an https address or empty, `oci` an oci:// address or empty."""

    name: str
    chart: str
    version: str
    app: str
    repository: str
    oci: str
    digest: str
    rendered: str
    licence: str

    @property
    def resolved(self) -> bool:
        """Say whether the digest of the chart is known."""
        return self.digest != UNRESOLVED


@dataclass(frozen=True, kw_only=True)
class LockedImage:
    """An image that is named by us and not by a chart: REGISTRY/NAME:TAG, and what the tag stands for."""

    name: str
    image: str
    digest: str
    licence: str

    @property
    def resolved(self) -> bool:
        """Say whether it is known what the tag stands for."""
        return self.digest != UNRESOLVED

    @property
    def reference(self) -> str:
        """REGISTRY/NAME@DIGEST; with the tag until the digest is known, which the law refuses in real mode (CH-01)."""
        return f"{self.image.rpartition(':')[0]}@{self.digest}" if self.resolved else self.image


@cache
def images(file: Path = FILE) -> Mapping[str, LockedImage]:
    """Read the images of the lock. Raises ValueError for an entry that is incomplete."""
    try:
        entries = json.loads(file.read_text(encoding="utf-8")).get("images", {}).items()
        return {name: LockedImage(name=name, **entry) for name, entry in entries}
    except TypeError as problem:
        raise ValueError(f"{file.name}: images: {problem}; write the entries as the others are") from None


@cache
def charts(file: Path = FILE) -> Mapping[str, tuple[Locked, ...]]:
    """Read the lock: versions of each chart, the default first. Raises ValueError for an entry that is incomplete."""
    found: dict[str, tuple[Locked, ...]] = {}
    for name, versions in json.loads(file.read_text(encoding="utf-8"))["charts"].items():
        found[name] = tuple(_locked(file, name, entry) for entry in versions)
    return found


def _locked(file: Path, name: str, entry: Mapping[str, Any]) -> Locked:
    try:
        return Locked(name=name, **entry)
    except TypeError as problem:
        raise ValueError(f"{file.name}: charts.{name}: {problem}; write the entry as the others are") from None


def versions(chart: str, file: Path = FILE) -> tuple[str, ...]:
    """Versions of a chart that are locked; none when the chart is not in the lock."""
    return tuple(each.version for each in charts(file).get(chart, ()))


def find(chart: str, version: str | None = None, file: Path = FILE) -> Locked:
    """Return a chart of a version, or its first one. Raises KeyError with what is locked."""
    held = charts(file).get(chart, ())
    for each in held:
        if version in (None, each.version):
            return each
    raise KeyError(f"charts.lock has no {chart} {version or ''}; it has {[each.version for each in held]}")
