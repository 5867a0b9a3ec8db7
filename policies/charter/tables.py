"""Tables that stand beside the rules as data: read once, when they are first asked."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path


@cache
def _taggable() -> dict[str, str]:
    read = json.loads((Path(__file__).parent / "data" / "taggable.json").read_text("utf-8"))
    types: dict[str, str] = read["types"]
    return types


@cache
def taggable(resource_type: str) -> str:
    """Return the property that carries a type's tags, nothing when it carries none."""
    return _taggable().get(resource_type, "")
