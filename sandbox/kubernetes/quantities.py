"""Quantities in the form in which an API server gives them back: 1000m is 1, 1024Mi is 1Gi, 0.5 is 500m.

Source: k8s.io/apimachinery pkg/api/resource `Quantity.CanonicalizeBytes` (2026-11): no fraction, the largest exponent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

_TEXT: Final = re.compile(r"([+-]?[0-9]+(?:\.[0-9]*)?|[+-]?\.[0-9]+)(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|)")
_BINARY: Final = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_HOLDERS: Final = frozenset(
    {"requests", "limits", "hard", "capacity", "allocatable", "default", "defaultRequest", "min", "max", "overhead"}
)
"""Fields of the built-in kinds that are maps of resource names to quantities."""


def canonical_quantity(value: object) -> object:
    """Rewrite a quantity; anything that is none stays as it is."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    found = _TEXT.fullmatch(str(value))
    if found is None:
        return value
    number, suffix = Decimal(found.group(1)), found.group(2)
    if number == 0:
        return "0"
    if suffix in _BINARY[1:]:
        number *= Decimal(1024) ** _BINARY.index(suffix)
        if number == number.to_integral_value() and abs(number) >= 1024:  # noqa: PLR2004 - the base
            return _binary(int(number))
    else:
        number = number.scaleb(_DECIMAL[suffix])
    return _decimal(number)


def _binary(number: int) -> str:
    step = 0
    while number % 1024 == 0 and step < len(_BINARY) - 1:
        number, step = number // 1024, step + 1
    return f"{number}{_BINARY[step]}"


def _decimal(number: Decimal) -> str:
    for suffix, exponent in reversed(_DECIMAL.items()):
        scaled = number.scaleb(-exponent)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{suffix}"
    return str(number)


def in_canonical_form(value: Any, holder: str = "") -> Any:
    """Rewrite every quantity in a part of a built-in object."""
    if isinstance(value, Mapping):
        if holder in _HOLDERS:
            return {key: canonical_quantity(item) for key, item in value.items()}
        return {key: in_canonical_form(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [in_canonical_form(item) for item in value]
    return value
