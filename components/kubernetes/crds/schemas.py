"""A value against a schema of a definition, as the API server judges it; rules in CEL are counted only."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Json = Mapping[str, Any]
Step = tuple[str | int, ...]
SHAPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


@dataclass
class Met:
    """What was met on the way and not evaluated."""

    rules: int = 0
    """Rules in CEL."""


def filled(schema: Json, value: Any) -> Any:
    """Return a value as the API server judges it: nulls that are not allowed dropped, defaults added."""
    if isinstance(value, list):
        return [filled(schema.get("items") or {}, each) for each in value]
    if not isinstance(value, dict):
        return value
    props, rest = schema.get("properties") or {}, schema.get("additionalProperties")
    rest = rest if isinstance(rest, dict) else {"nullable": True}
    kept = {key: item for key, item in value.items() if item is not None or props.get(key, rest).get("nullable")}
    whole = {**{key: each["default"] for key, each in props.items() if "default" in each and key not in kept}, **kept}
    return {key: filled(props.get(key, rest), item) for key, item in whole.items()}


Wrong = Iterator[tuple[Step, str]]


def judge(schema: Json, value: Any, path: Step, met: Met, *, closed: bool = True) -> Wrong:
    """Yield what is wrong with a value; below allOf, anyOf, oneOf and not (`closed` false) unknown fields pass."""
    met.rules += len(schema.get("x-kubernetes-validations") or ()) if closed else 0
    if value is None:
        if schema.get("type") and not schema.get("nullable"):
            yield path, "is null, which is not allowed"
        return
    wanted = ("integer", "string") if schema.get("x-kubernetes-int-or-string") else (schema.get("type"),)
    if not any(each is None or _is(value, each) for each in wanted):
        yield path, f"is {_word(value)}, not {' or '.join(map(str, wanted))}"
        return
    yield from ((path, what) for what in _plain(schema, value))
    if isinstance(value, list):
        yield from _items(schema, value, path, met, closed=closed)
    elif isinstance(value, dict):
        yield from _fields(schema, value, path, met, closed=closed)
    yield from _alternatives(schema, value, path, met)


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, SHAPES.get(kind, (object,)))


def _word(value: Any) -> str:
    words: dict[type, str] = {
        dict: "a map",
        list: "a list",
        str: "a string",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    shown = json.dumps(value)[:40] if isinstance(value, str | int | float) else ""
    return f"{words.get(type(value), type(value).__name__)} {shown}".strip()


def _plain(schema: Json, value: Any) -> Iterator[str]:
    """Yield what is wrong with a value by itself: enum, bounds, sizes, pattern, format."""
    if (allowed := schema.get("enum")) and value not in allowed:
        yield f"{value!r} is not one of {', '.join(map(str, allowed))}"
    words: dict[type, str] = {str: "Length", list: "Items", dict: "Properties"}
    word = words.get(type(value))
    size = len(value) if word else value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if size is not None:
        word = word or "imum"
        low, high = schema.get(f"min{word}"), schema.get(f"max{word}")
        under = low is not None and (size < low or (size == low and schema.get("exclusiveMinimum") is True))
        over = high is not None and (size > high or (size == high and schema.get("exclusiveMaximum") is True))
        if under or over:
            yield f"{'is' if word == 'imum' else 'has the size'} {size}, outside {low} to {high}"
    if isinstance(value, str) and (pattern := schema.get("pattern")) and not _matches(pattern, value):
        yield f"{value!r} does not match {pattern}"
    form = str(schema.get("format"))
    if form in FORMATS and not isinstance(value, dict | list) and not _formed(form, value):
        yield f"{value!r} is no {form}"


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:  # a pattern that only Go can read
        return True


def _formed(form: str, value: Any) -> bool:
    try:
        return bool(FORMATS[form](value))
    except ValueError:
        return False


FORMATS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "int32": lambda value: isinstance(value, str) or abs(value) < 2**31,
    "int64": lambda value: isinstance(value, str) or abs(value) < 2**63,
    "date-time": TIME.fullmatch,
    "ipv4": ipaddress.IPv4Address,
    "ipv6": ipaddress.IPv6Address,
    "cidr": lambda value: "/" in value and ipaddress.ip_interface(value),
}


def _items(schema: Json, value: list[Any], path: Step, met: Met, *, closed: bool) -> Wrong:
    of = schema.get("items") or {"nullable": True, "x-kubernetes-preserve-unknown-fields": True}
    for place, each in enumerate(value):
        yield from judge(of, each, (*path, place), met, closed=closed)
    kind = schema.get("x-kubernetes-list-type")
    keys = schema.get("x-kubernetes-list-map-keys") if kind == "map" else None
    if keys or kind == "set" or schema.get("uniqueItems"):
        ids = [
            json.dumps([each.get(key) for key in keys] if keys and isinstance(each, dict) else each, sort_keys=True)
            for each in value
        ]
        for each in sorted({one for one in ids if ids.count(one) > 1}):
            yield path, f"has {each[:80]} twice"


def _fields(schema: Json, value: dict[str, Any], path: Step, met: Met, *, closed: bool) -> Wrong:
    props, rest = schema.get("properties") or {}, schema.get("additionalProperties")
    for key in schema.get("required") or ():
        if key not in value:
            yield (*path, key), "is missing"
    free = schema.get("x-kubernetes-preserve-unknown-fields") or rest is True or not closed
    embedded = {"apiVersion", "kind", "metadata"} if schema.get("x-kubernetes-embedded-resource") else set()
    for key, item in value.items():
        if key in props or isinstance(rest, dict):
            yield from judge(props.get(key, rest) or {}, item, (*path, key), met, closed=closed)
        elif not free and key not in embedded:
            yield (*path, key), "is a field that the definition does not have"


def _alternatives(schema: Json, value: Any, path: Step, met: Met) -> Wrong:
    for each in schema.get("allOf") or ():
        yield from judge(each, value, path, met, closed=False)
    for word in ("anyOf", "oneOf"):
        if not (tries := schema.get(word)):
            continue
        good = sum(not any(True for _ in judge(each, value, path, met, closed=False)) for each in tries)
        if good == 0 or (word == "oneOf" and good > 1):
            yield (
                path,
                f"fits {good} of the {len(tries)} forms of which it must fit {'one' if word == 'oneOf' else 'some'}",
            )
    refused = schema.get("not")
    if refused is not None and not any(True for _ in judge(refused, value, path, met, closed=False)):
        yield path, "has a form that is refused"
