"""Physical names: given, kept, proposed by the engine, or made from its random seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.behaviour.rows import Row
from sandbox.profiles import Profile
from sandbox.schema.model import TypeSchema

if TYPE_CHECKING:
    from sandbox.asked import Asked


def physical_name(  # noqa: PLR0913, PLR0917 - what the engine hands over
    profile: Profile,
    schema: TypeSchema,
    known: Row | None,
    asked: Asked,
    olds: Mapping[str, Any],
    news: dict[str, Any],
    random: bytes,
    proposed: str | None,
) -> None:
    """Fill in the name where the program gave none; an earlier one is kept."""
    if known is not None:
        if known.name is None or known.name.required:
            return
        key, limit = known.name.property, known.name.max
    else:
        key, limit = profile.name_property(schema.token, schema.inputs.props, schema.outputs.props), 63
    if not key or news.get(key) is not None or schema.inputs.props.get(key, {}).get("k") != "str":
        return
    if f"{key}Prefix" in news or (known is None and key in schema.inputs.required):
        return
    if olds.get(key) is not None:
        news[key] = olds[key]
    elif proposed is not None:
        news[key] = proposed
    else:
        news[key] = profile.autoname(asked.name, random.hex() or "0" * 16, limit)
