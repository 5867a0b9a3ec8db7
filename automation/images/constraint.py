"""Which versions may come: constraints over semantic versions, as package managers write them. Pure.

`^1.2` up to the next major (below 1.0: minor) version, `~1.2` up to the next minor one, `1.2.x` and `1.2` any of them,
and `>=1.2 <2` both at once. Source: semver.org 2.0.0 and github.com/npm/node-semver, section Ranges, 2026-11.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from semver import Version

TERM: Final = re.compile(
    r"(?P<how>\^|~|>=|<=|>|<|=)?\s*v?(?P<major>\d+)(\.(?P<minor>\d+|[xX*]))?(\.(?P<patch>\d+|[xX*]))?(-(?P<pre>[0-9A-Za-z.-]+))?"
)
HOW: Final[dict[str, Callable[[Version, Version], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
PARTS: Final = ("major", "minor", "patch")


@dataclass(frozen=True)
class Constraint:
    """Bounds that all have to hold."""

    text: str
    bounds: tuple[tuple[str, Version], ...]

    def allows(self, version: Version) -> bool:
        """Say whether a version lies within; a preview of what an upper bound shuts out is shut out too."""
        for how, edge in self.bounds:
            plain = version.replace(prerelease=None) if how == "<" and edge.prerelease is None else version
            if not HOW[how](plain, edge):
                return False
        return True


def constraint(text: str) -> Constraint:
    """Read a constraint. Raises ValueError with what is allowed."""
    bounds: list[tuple[str, Version]] = []
    position = 0
    trimmed = text.strip()
    while position < len(trimmed):
        found = TERM.match(trimmed, position)
        after = trimmed[found.end() : found.end() + 1] if found else ""
        if found is None or after not in {"", " ", ","}:
            raise ValueError("is no constraint: write for example ^1.4, ~1.4.2, 1.4.x or >=1.4 <2")
        bounds += _bounds(found)
        position = found.end()
        while position < len(trimmed) and trimmed[position] in " ,":
            position += 1
    if not bounds:
        raise ValueError("is empty: write for example ^1.4; `>=0.0.0` allows every version")
    return Constraint(trimmed, tuple(bounds))


def _bounds(found: re.Match[str]) -> list[tuple[str, Version]]:
    how, parts = found["how"] or "", []
    for name in PARTS:
        if found[name] is None or found[name] in "xX*":
            break
        parts.append(int(found[name]))
    major, minor, patch = (*parts, 0, 0)[:3]
    low = Version(major, minor, patch, found["pre"])
    if len(parts) == len(PARTS) and how in HOW:
        return [(how, low)]
    beyond = _caret(low, parts) if how == "^" else _above(low, parts[:2] if how == "~" else parts)
    return {
        ">=": [(">=", low)],
        "<": [("<", low)],
        ">": [(">=", beyond)],
        "<=": [("<", beyond)],
    }.get(how, [(">=", low), ("<", beyond)])


def _above(low: Version, parts: list[int]) -> Version:
    """First version that no longer begins with these parts."""
    if len(parts) == 1:
        return low.bump_major()
    return low.bump_minor() if len(parts) == 2 else Version(low.major, low.minor, low.patch + 1)  # noqa: PLR2004


def _caret(low: Version, parts: list[int]) -> Version:
    """First version that may break: the leftmost part that is not zero grows."""
    if low.major or len(parts) == 1:
        return low.bump_major()
    return low.bump_minor() if low.minor or len(parts) == 2 else Version(0, 0, low.patch + 1)  # noqa: PLR2004


def version_of(tag: str, suffix: str = "") -> Version | None:
    """Read a tag as a version, with or without `v`; None where it is none, or ends otherwise than it should."""
    if not tag.endswith(suffix):
        return None
    text = tag[: len(tag) - len(suffix)] if suffix else tag
    try:
        return Version.parse(text.removeprefix("v"))
    except ValueError:
        return None
