"""Judge properties against a schema: every problem with its full path, nothing else."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sandbox.errors import Failure
from sandbox.schema.model import Kind, Shape, TypeSchema
from sandbox.wire import Path, is_unknown, show

INTERNAL_KEYS = frozenset({"__defaults", "__meta", "__provider"})


def validate(schema: TypeSchema, values: Mapping[str, Any], *, open_enums: bool = True) -> list[Failure]:
    """List all problems of a resource's inputs; values not known yet are accepted as they are."""
    judge = _Judge(schema.nested, open_enums=open_enums)
    return list(judge.shape(schema.inputs, values, ()))


class _Judge:
    def __init__(self, nested: Mapping[str, Shape], *, open_enums: bool) -> None:
        self.nested = nested
        self.open_enums = open_enums

    def shape(self, shape: Shape, values: Mapping[str, Any], path: Path) -> Iterator[Failure]:
        for key, value in values.items():
            kind = shape.props.get(key)
            if kind is None:
                if key not in INTERNAL_KEYS:
                    yield _unknown_property(shape, key, path)
            elif value is not None:
                yield from self.kind(kind, value, (*path, key))
        for key in shape.required:
            if values.get(key) is None:
                yield Failure(show((*path, key)), "is required and missing")

    def kind(self, kind: Kind, value: Any, path: Path) -> Iterator[Failure]:  # noqa: C901, PLR0912 - a flat list of cases
        if is_unknown(value):
            return
        name = kind["k"]
        check = _SCALARS.get(name)
        if check is not None:
            if not check[0](value):
                yield Failure(show(path), f"must be {check[1]}, not {_what(value)}")
        elif name == "obj":
            if isinstance(value, Mapping):
                yield from self.shape(self.nested[kind["ref"]], value, path)
            else:
                yield Failure(show(path), f"must be an object, not {_what(value)}")
        elif name == "list":
            if isinstance(value, list):
                for index, item in enumerate(value):
                    if item is not None:
                        yield from self.kind(kind["of"], item, (*path, index))
            else:
                yield Failure(show(path), f"must be a list, not {_what(value)}")
        elif name == "map":
            if isinstance(value, Mapping):
                for key, item in value.items():
                    if item is not None:
                        yield from self.kind(kind["of"], item, (*path, key))
            else:
                yield Failure(show(path), f"must be a map, not {_what(value)}")
        elif name == "enum":
            yield from self.enum(kind, value, path)
        elif name == "const":
            if value != kind["value"]:
                yield Failure(show(path), f"must be {kind['value']!r}, not {_what(value)}")
        elif name == "union":
            yield from self.union(kind, value, path)

    def enum(self, kind: Kind, value: Any, path: Path) -> Iterator[Failure]:
        if value in kind["values"] or (isinstance(value, str) and value == ""):
            return
        if kind.get("open") and (self.open_enums or not isinstance(value, str)):
            if isinstance(value, str):
                return
            yield Failure(show(path), f"must be a string, not {_what(value)}")
            return
        known = [str(item) for item in kind["values"]]
        near = difflib.get_close_matches(str(value), known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        yield Failure(show(path), f"{_what(value)} is not one of {', '.join(known)}{hint}")

    def union(self, kind: Kind, value: Any, path: Path) -> Iterator[Failure]:
        best: list[Failure] | None = None
        for option in kind["of"]:
            failures = list(self.kind(option, value, path))
            if not failures:
                return
            if best is None or len(failures[0].path) > len(best[0].path):
                best = failures
        yield from best or ()


def _unknown_property(shape: Shape, key: str, path: Path) -> Failure:
    python = next((wire for wire, name in shape.python.items() if name == key), None)
    near = [python] if python else difflib.get_close_matches(key, shape.props, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return Failure(show((*path, key)), f"is not a property of {_owner(path)}{hint}")


def _owner(path: Path) -> str:
    return show(path) if path else "this type"


def _what(value: Any) -> str:
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the string {value!r}" if len(value) <= 60 else "a long string"  # noqa: PLR2004 - readable line
    return "a list" if isinstance(value, list) else "an object"


def _numeric(value: Any) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)) or (
        isinstance(value, str) and _parses(value)
    )


def _parses(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _integral(value: Any) -> bool:
    return _numeric(value) and float(value).is_integer()


def _boolean(value: Any) -> bool:
    return isinstance(value, bool) or value in ("true", "false")


def _stringy(value: Any) -> bool:
    return isinstance(value, str)


_SCALARS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "str": (_stringy, "a string"),
    "int": (_integral, "an integer"),
    "float": (_numeric, "a number"),
    "bool": (_boolean, "a boolean"),
    "any": (lambda _: True, "anything"),
    "asset": (lambda value: isinstance(value, Mapping), "an asset"),
}
