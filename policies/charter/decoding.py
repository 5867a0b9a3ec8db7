"""Decoding: the engine's values become plain ones, and are looked over once, in the same pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from charter.leaves import PLAIN, marks_of_names
from charter.rule import Resource
from charter.values import SENTINELS, UNKNOWN, plain

LENGTHS: Final = frozenset(map(len, SENTINELS))


def decoded(value: Any) -> tuple[Any, int]:
    """Return what `plain` makes of a map of properties, and its marks (charter.leaves)."""
    seen = [0]
    return _any(value, seen), seen[0]


def marked(resource: Resource, seen: int) -> Resource:
    """Leave the marks of its properties with a resource, so that nobody looks for them again."""
    resource.__dict__["marks"] = seen
    return resource


def _any(item: Any, seen: list[int]) -> Any:
    """Return what `plain` makes of something; maps and lists come bare or inside the engine's proxies."""
    kind = type(item)
    if kind is str:
        return UNKNOWN if len(item) in LENGTHS and item in SENTINELS else item
    if kind is bool or kind is int or item is None:
        return item
    if kind is float:
        return int(item) if item.is_integer() else item
    if isinstance(item, Mapping):
        return _map(item if isinstance(item, dict) else item["__target"], seen)
    if isinstance(item, Sequence) and not isinstance(item, str | bytes):
        return _list(item if isinstance(item, list) else item["__target"], seen)  # type: ignore[call-overload]  # as above
    return plain(item)


def _map(value: dict[str, Any], seen: list[int]) -> dict[str, Any]:
    made = {}
    for key, item in value.items():
        kind = type(item)
        if kind is str:
            made[key] = UNKNOWN if len(item) in LENGTHS and item in SENTINELS else item
        else:
            made[key] = _map(item, seen) if kind is dict else _any(item, seen)
    if not made.keys() <= PLAIN:
        seen[0] |= marks_of_names(made)
    return made


def _list(value: list[Any], seen: list[int]) -> list[Any]:
    return [_map(item, seen) if type(item) is dict else _any(item, seen) for item in value]
