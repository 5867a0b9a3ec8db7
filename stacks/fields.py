"""Looks a key of the stack file up in the model: its type, what is allowed, its default, an example."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Network
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from stacks.part import Part
from stacks.yaml_core import read

KINDS: Final[dict[Any, str]] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    date: 'day ("2026-11-21")',
    IPv4Network: "network in CIDR form (10.0.0.0/8)",
    object: "anything",
}
BOUNDS: Final = (("ge", "at least {}"), ("gt", "more than {}"), ("le", "at most {}"), ("lt", "less than {}"))
LENGTHS: Final = (("min_length", "at least {} entry"), ("max_length", "at most {} entries"))


@dataclass(frozen=True, kw_only=True)
class Key:
    """What the model says about one key."""

    path: tuple[str, ...]
    kind: str
    allowed: str
    required: bool
    default: str
    example: str
    owner: type[Part] | None  # the part that has the key as an attribute
    part: type[Part] | None  # the part that the value is, or that its items are
    keys: tuple[str, ...]  # keys that the value may have, when it is a part


def find(root: type[Part], path: Sequence[str | int]) -> Key:
    """Return the key at a path. Raises KeyError, with the path up to the unknown step, when there is none."""
    annotation: Any = root
    info: FieldInfo | None = None
    owner: type[Part] | None = None
    for depth, step in enumerate(path):
        inner = bare(annotation)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            if step not in inner.model_fields:
                raise KeyError(*path[: depth + 1])
            owner, info = inner, inner.model_fields[str(step)]  # type: ignore[assignment]
            annotation = info.annotation
        elif _is_mapping(inner):
            annotation, info, owner = get_args(inner)[1], None, None
        elif get_origin(inner) is tuple:
            annotation, info, owner = get_args(inner)[0], None, None
            item = _items_part(inner)
            if item is not None and step in item.model_fields:  # `workloads.cpu` means that of any workload
                owner, info = item, item.model_fields[str(step)]
                annotation = info.annotation
        else:
            raise KeyError(*path[: depth + 1])
    inner = bare(annotation)
    part = inner if isinstance(inner, type) and issubclass(inner, Part) else None
    return Key(
        path=tuple(map(str, path)),
        kind=kind(annotation),
        allowed=allowed(annotation, info),
        required=info.is_required() if info else True,
        default=_default(info),
        example=_written((info.examples or [None])[0]) if info else "",
        owner=owner,
        part=part or _items_part(inner),
        keys=tuple(part.model_fields) if part else (),
    )


def every_key(root: type[Part], prefix: str = "") -> list[str]:
    """Every key of the model in dots, with NAME for what the user names."""
    keys: list[str] = []
    for name, info in root.model_fields.items():
        path = f"{prefix}{name}"
        keys.append(path)
        inner = bare(info.annotation)
        if isinstance(inner, type) and issubclass(inner, Part):
            keys += every_key(inner, f"{path}.")
        elif (part := _items_part(inner)) is not None:
            keys += every_key(part, f"{path}.NAME." if _is_mapping(inner) else f"{path}.")
    return keys


def bare(annotation: Any) -> Any:
    """Return the type itself: no metadata, no `| None`."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, UnionType):
            annotation = next(arg for arg in get_args(annotation) if arg is not NoneType)
        else:
            return annotation


def kind(annotation: Any) -> str:
    """Return the type in the words of a message."""
    inner = bare(annotation)
    if inner in KINDS:
        return KINDS[inner]
    if get_origin(inner) is Literal:
        return "one of a few words" if isinstance(get_args(inner)[0], str) else "one of a few numbers"
    if _is_mapping(inner):
        return f"mapping of names to {_plural(get_args(inner)[1])}"
    if get_origin(inner) is tuple:
        return f"list of {_plural(get_args(inner)[0])}"
    return "mapping"


def allowed(annotation: Any, info: FieldInfo | None = None) -> str:
    """Values that are allowed, in words; empty when the type says it all."""
    metadata, extra = _constraints(annotation, info)
    inner = bare(annotation)
    if get_origin(inner) is Literal:
        return ", ".join(map(str, get_args(inner)))
    if isinstance(extra.get("x-allowed"), str):
        return str(extra["x-allowed"])
    container = _is_mapping(inner) or get_origin(inner) is tuple
    texts = LENGTHS if container else BOUNDS
    words = [text.format(_written(getattr(m, name))) for name, text in texts for m in metadata if _has(m, name)]
    if get_origin(inner) is tuple and (item := allowed(get_args(inner)[0])):
        words.insert(0, f"each {item}" if words else item)
    if isinstance(inner, type) and issubclass(inner, Part):
        return ", ".join(inner.model_fields)
    return "; ".join(word for word in words if word)


def _constraints(annotation: Any, info: FieldInfo | None) -> tuple[list[Any], dict[str, Any]]:
    """Everything that narrows a type: pydantic lifts the outermost into the field, the rest stays nested."""
    metadata: list[Any] = list(info.metadata) if info else []
    extra: dict[str, Any] = dict(info.json_schema_extra) if info and isinstance(info.json_schema_extra, dict) else {}
    while (origin := get_origin(annotation)) in (Annotated, Union, UnionType):
        if origin is Annotated:
            annotation, *more = get_args(annotation)
            for item in more:
                if isinstance(item, FieldInfo):
                    metadata += item.metadata
                    extra |= item.json_schema_extra if isinstance(item.json_schema_extra, dict) else {}
                else:
                    metadata.append(item)
        else:
            annotation = next(arg for arg in get_args(annotation) if arg is not NoneType)
    return metadata, extra


def _has(constraint: Any, name: str) -> bool:
    return getattr(constraint, name, None) is not None


def _is_mapping(inner: Any) -> bool:
    return get_origin(inner) is Mapping


def _items_part(inner: Any) -> type[Part] | None:
    if not (_is_mapping(inner) or get_origin(inner) is tuple):
        return None
    item = bare(get_args(inner)[1 if _is_mapping(inner) else 0])
    return item if isinstance(item, type) and issubclass(item, Part) else None


def _plural(annotation: Any) -> str:
    inner = bare(annotation)
    if inner in (str, object) or get_origin(inner) is Literal:
        return "texts" if inner is not object else "settings"
    return f"{kind(annotation).split(' (')[0]}s"


def _default(info: FieldInfo | None) -> str:
    if info is None or info.is_required():
        return ""
    return _written(to_jsonable_python(info.get_default(call_default_factory=True)))


def _written(value: Any) -> str:
    """Return a value as one may write it in the file (JSON is YAML)."""
    if value is None or value is PydanticUndefined:
        return ""
    return value if isinstance(value, str) and read(value).data == value else json.dumps(value)
