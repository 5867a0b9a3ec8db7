"""Patterns over nested values: `spec.rules[*].port`, `tags.*`."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

from sandbox.wire import Path, is_unknown

_PART = re.compile(r"\[\*\]|[^.\[\]]+")


@functools.cache
def parts(pattern: str) -> tuple[str, ...]:
    """Split a pattern; `[*]` stands for every item, `*` for every key."""
    return tuple("*" if part == "[*]" else part for part in _PART.findall(pattern))


def each(values: Any, pattern: str) -> Iterator[tuple[Path, Any]]:
    """Yield path and value of everything a pattern reaches; absent and unknown branches yield nothing."""
    yield from _walk(values, parts(pattern), ())


def _walk(value: Any, rest: tuple[str, ...], path: Path) -> Iterator[tuple[Path, Any]]:
    if value is None:
        return
    if not rest:
        yield path, value
        return
    if is_unknown(value):
        return
    head, *tail = rest
    if head == "*":
        items: Any = ()
        if isinstance(value, list):
            items = enumerate(value)
        elif isinstance(value, dict):
            items = value.items()
        for key, item in items:
            yield from _walk(item, tuple(tail), (*path, key))
    elif isinstance(value, dict):
        yield from _walk(value.get(head), tuple(tail), (*path, head))


def first(values: Any, pattern: str) -> Any:
    """Return what a pattern reaches first, or None."""
    return next((value for _, value in each(values, pattern)), None)


def matches(path: Path, pattern: str) -> bool:
    """Tell whether a path lies at or under a pattern (list positions count only where the pattern has `[*]`)."""
    wanted = parts(pattern)
    index = 0
    for part in path:
        if index == len(wanted):
            return True
        if wanted[index] == "*" or part == wanted[index]:
            index += 1
        elif isinstance(part, int):
            continue
        else:
            return False
    return index == len(wanted)
