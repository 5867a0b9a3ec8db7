"""One spelling of a JSON value, so that a signature has one meaning; the reader refuses every other spelling trick."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NoReturn


def dumps(value: Any) -> str:
    """Sorted keys, no spaces, no NaN: the text that is hashed and signed (after RFC 8785; numbers as Python spells)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """Hash of the canonical text, sha256 in hexadecimal."""
    return hashlib.sha256(dumps(value).encode()).hexdigest()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"key {', '.join(twice)} stands twice: keep one")
    return made


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number: write a finite one")


def loads(text: str) -> Any:
    """Read JSON; a key that stands twice, NaN and Infinity are errors. Raises ValueError."""
    return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
