"""The part of a row that can be judged from the inputs alone, as the vendors do before they call the cloud."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from sandbox.behaviour.rows import Row
from sandbox.errors import Failure
from sandbox.paths import each, first
from sandbox.wire import has_unknown, is_unknown, show


def judge(row: Row, inputs: Mapping[str, Any]) -> Iterator[Failure]:  # noqa: C901, PLR0912 - a loop per column
    """Yield what a row forbids; values not known yet pass."""
    for pattern in row.required:
        if first(inputs, pattern) is None and not _hidden(inputs, pattern):
            yield Failure(pattern, "is required and missing")
    for pattern, allowed in row.enums.items():
        for path, value in each(inputs, pattern):
            if not is_unknown(value) and value not in allowed:
                listed = ", ".join(str(item) for item in allowed)
                yield Failure(show(path), f"expected {show(path)} to be one of [{listed}], got {value}")
    for pattern, (low, high) in row.ranges.items():
        for path, value in each(inputs, pattern):
            number = _number(value)
            if number is not None and not low <= number <= high:
                yield Failure(
                    show(path), f"expected {show(path)} to be in the range ({low:g} - {high:g}), got {number:g}"
                )
    for pattern, expression in row.patterns.items():
        for path, value in each(inputs, pattern):
            if isinstance(value, str) and not is_unknown(value) and not re.fullmatch(expression, value):
                yield Failure(show(path), f"{value!r} does not match {expression}")
    for pattern, (least, most) in row.lengths.items():
        for path, value in each(inputs, pattern):
            if isinstance(value, list | dict | str) and not is_unknown(value) and not least <= len(value) <= most:
                yield Failure(show(path), f"has length {len(value)}, must be between {least} and {most}")
    yield from _groups(row, inputs)
    yield from _name(row, inputs)


def _groups(row: Row, inputs: Mapping[str, Any]) -> Iterator[Failure]:
    for group in row.exclusive:
        given = [pattern for pattern in group if _given(inputs, pattern)]
        if len(given) > 1:
            yield Failure(given[1], f'"{given[1]}": conflicts with {", ".join(given[:1])}')
    for group in row.one_of:
        given = [pattern for pattern in group if _given(inputs, pattern)]
        if len(given) != 1:
            listed = ", ".join(group)
            yield Failure(group[0], f"one of `{listed}` must be specified" + (f", not {len(given)}" if given else ""))
    for group in row.ordered:
        numbers = [(pattern, _number(first(inputs, pattern))) for pattern in group]
        known = [(pattern, number) for pattern, number in numbers if number is not None]
        for (left, small), (right, large) in pairwise(known):
            if small > large:
                yield Failure(left, f"{left} ({small:g}) must not be greater than {right} ({large:g})")


def _name(row: Row, inputs: Mapping[str, Any]) -> Iterator[Failure]:
    if row.name is None:
        return
    value = inputs.get(row.name.property)
    if not isinstance(value, str) or is_unknown(value):
        return
    if len(value) > row.name.max:
        yield Failure(row.name.property, f"{value!r} has {len(value)} characters, at most {row.name.max} are allowed")
    if row.name.pattern and not re.fullmatch(row.name.pattern, value):
        yield Failure(row.name.property, f"{value!r} does not match {row.name.pattern}")


def _given(inputs: Mapping[str, Any], pattern: str) -> bool:
    value = first(inputs, pattern)
    return value is not None and value not in ("", [], {})


def _hidden(inputs: Mapping[str, Any], pattern: str) -> bool:
    """Tell whether something not known yet stands on the way."""
    head = pattern.partition(".")[0].partition("[")[0]
    return has_unknown(inputs.get(head))


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or is_unknown(value):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
