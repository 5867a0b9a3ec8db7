"""Canonical JSON and its hashes: one text for one meaning, in the order of RFC 8785."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any


def canonical(value: Any) -> str:
    """Sorted keys, no spaces, plain UTF-8; ValueError for NaN and infinities."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    """Whole floats become integers, as RFC 8785 writes them, so 2.0 and 2 hash alike."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def sha256_hex(text: str) -> str:
    """sha256 of the UTF-8 text, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest(text: str) -> str:
    """sha256 as lower-case base32 without padding: 52 characters, fit for a label."""
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=").lower()
