"""Cron expressions as the parsers of Kubernetes, Velero, Chaos Mesh and CloudNativePG read them."""

from __future__ import annotations

import re
from typing import Final

FIELDS: Final = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 6))
"""Name and bounds: github.com/robfig/cron v3 `parser.go`, 2026-11; a seventh day (7) is refused there."""
NAMES: Final = {
    "month": ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    "day of week": ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}
WORDS: Final = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
EVERY: Final = re.compile(r"^@every (\d+(\.\d+)?(ns|us|ms|s|m|h))+$")
ZONE: Final = re.compile(r"^(CRON_)?TZ=\S+ +")
LONGEST: Final = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def wrong(expression: str, *, seconds: bool = False) -> str:
    """Say what is wrong with an expression; empty when nothing is. With `seconds`, six fields are asked for."""
    if expression in WORDS or EVERY.match(expression):
        return ""
    wanted = ((("second", 0, 59),) if seconds else ()) + FIELDS
    parts = ZONE.sub("", expression).split()
    if len(parts) != len(wanted):
        return f"has {len(parts)} fields, not {len(wanted)}"
    found: dict[str, set[int]] = {}
    for part, (name, low, high) in zip(parts, wanted, strict=True):
        try:
            found[name] = _values(part, name, low, high)
        except ValueError as problem:
            return f"{name} `{part}` {problem}"
    everyday = parts[-1] in {"*", "?"}
    if everyday and not any(day <= LONGEST[month] for month in found["month"] for day in found["day of month"]):
        return "names a day that no month of it has"
    return ""


def _values(part: str, name: str, low: int, high: int) -> set[int]:
    """Return the values of a field. Raises ValueError with what is wrong."""
    found: set[int] = set()
    for each in part.split(","):
        span, slash, step = each.partition("/")
        if slash and not (step.isdigit() and int(step) > 0):
            raise ValueError("steps by no positive number")
        if span in {"*", "?"}:
            first, last = low, high
        else:
            start, dash, end = span.partition("-")
            first = _number(start, name)
            last = _number(end, name) if dash else high if slash else first
        if not low <= first <= last <= high:
            raise ValueError(f"is outside {low} to {high}")
        found.update(range(first, last + 1, int(step) if slash else 1))
    return found


def _number(word: str, name: str) -> int:
    names = NAMES.get(name, ())
    if word.isdigit():
        return int(word)
    if word.lower() in names:
        return names.index(word.lower()) + (1 if name == "month" else 0)
    raise ValueError("is no number")
