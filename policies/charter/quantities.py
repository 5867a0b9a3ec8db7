"""Quantities as Kubernetes writes them: `500m`, `1Gi`, `2`."""

from __future__ import annotations

from typing import Any, Final

SUFFIXES: Final = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
    "Ei": 2.0**60,
}


def amount(value: Any) -> float | None:
    """Return the number a quantity stands for, None for what is none."""
    text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    try:
        return float(text)
    except ValueError:
        pass
    for length in (2, 1):
        if len(text) > length and text[-length:] in SUFFIXES:
            try:
                return float(text[:-length]) * SUFFIXES[text[-length:]]
            except ValueError:
                return None
    return None
