"""What typed custom resources are made of: frozen parts that know the names of their fields on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, ClassVar

import pulumi


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A part of a custom resource; None means that the field is not sent."""


@dataclass(frozen=True, kw_only=True)
class Custom(Shape):
    """A custom resource without its metadata."""

    API_VERSION: ClassVar[str]
    KIND: ClassVar[str]


def wire(name: str, **options: Any) -> Any:
    """Declare a field whose name on the wire differs; without a default it must be given."""
    return field(metadata={"wire": name}, **options)


@cache
def _names(kind: Any) -> tuple[tuple[str, str], ...]:
    return tuple((each.name, each.metadata.get("wire", each.name)) for each in fields(kind))


def plain(value: Any) -> Any:
    """Turn a shape into what is sent: mappings, lists, and outputs as they are."""
    if isinstance(value, Shape):
        kind: Any = type(value)
        return {
            name: plain(held) for attribute, name in _names(kind) if (held := getattr(value, attribute)) is not None
        }
    if isinstance(value, pulumi.Output):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value
