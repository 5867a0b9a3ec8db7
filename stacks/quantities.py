"""Kubernetes quantities, as whole millicores and mebibytes, rounded up.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from typing import Final

_QUANTITY: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?|\.\d+)(?P<unit>[EPTGMk]|[EPTGMK]i|[num]|[eE][+-]?\d+)?")
_UNITS: Final[dict[str, Decimal]] = {
    **{unit: Decimal(1000) ** power for power, unit in enumerate(["", "k", "M", "G", "T", "P", "E"])},
    **{unit: Decimal(1024) ** (power + 1) for power, unit in enumerate(["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"])},
    "m": Decimal("1e-3"),
    "u": Decimal("1e-6"),
    "n": Decimal("1e-9"),
}


def cpu_milli(text: str) -> int:
    """Millicores of a CPU quantity: "500m" is 500, "2" is 2000. Raises ValueError."""
    return _ceil(_amount(text, "500m or 2") * 1000)


def memory_mib(text: str) -> int:
    """Mebibytes of a memory quantity: "1Gi" is 1024. Raises ValueError."""
    return _ceil(_amount(text, "512Mi or 1Gi") / 1024**2)


def _amount(text: str, examples: str) -> Decimal:
    match = _QUANTITY.fullmatch(text)
    unit = (match["unit"] or "") if match else ""
    if match is None:
        raise ValueError(f"is not a Kubernetes quantity: write it like {examples}")
    if unit[:1] in {"e", "E"} and len(unit) > 1 and unit != "Ei":
        return Decimal(match["number"] + unit)
    return Decimal(match["number"]) * _UNITS[unit]


def _ceil(amount: Decimal) -> int:
    return int(amount.to_integral_value(rounding=ROUND_CEILING))
