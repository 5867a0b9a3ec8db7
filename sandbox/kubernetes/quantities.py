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
_HOLDERS: Final = frozenset({"requests", "limits", "hard", "capacity", "allocatable", "overhead"})
"""Fields of the built-in kinds that are maps of resource names to quantities."""
_OF_LIMIT_RANGES: Final = frozenset({"default", "defaultRequest", "min", "max", "maxLimitRequestRatio"})
_SINGLE: Final = frozenset({"sizeLimit", "averageValue", "divisor"})


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


def in_canonical_form(kind: str, value: Any) -> Any:
    """Rewrite every quantity in a part of a built-in object; schemas of custom resources hold none."""
    if kind == "CustomResourceDefinition":
        return value
    return _rewritten(value, "", _HOLDERS | _OF_LIMIT_RANGES if kind == "LimitRange" else _HOLDERS)


def _rewritten(value: Any, holder: str, holders: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        if holder in holders:
            return {key: canonical_quantity(item) for key, item in value.items()}
        return {key: _rewritten(item, key, holders) for key, item in value.items()}
    if isinstance(value, list):
        return [_rewritten(item, "", holders) for item in value]
    return canonical_quantity(value) if holder in _SINGLE else value
