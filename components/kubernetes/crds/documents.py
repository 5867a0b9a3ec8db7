"""Manifests as they come: streams of YAML, JSON, lists, folders; what cannot be read is told, not skipped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ENDINGS: Final = (".yaml", ".yml", ".json")


class DocumentError(ValueError):
    """A file that cannot be read; the text names it."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """One object and where it stands."""

    place: str
    body: dict[str, Any]


class _Loader(yaml.CSafeLoader):
    """Timestamps and a bare `=` stay strings, as they do on the way to the API server."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith((":timestamp", ":value"))]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def files(source: Path) -> list[Path]:
    """Return the file, or those of a folder in order. Raises DocumentError when nothing is there."""
    if source.is_file():
        return [source]
    found = sorted(each for each in source.rglob("*") if each.suffix in ENDINGS and each.is_file())
    if not found:
        told = "holds no .yaml, .yml or .json" if source.is_dir() else "does not exist"
        raise DocumentError(f"{source}: {told}")
    return found


def read(file: Path, *, all_must_be_objects: bool = True) -> Iterator[Document]:
    """Yield the objects of a file, those of lists one by one. Raises DocumentError for what is none."""
    try:
        words = file.read_text("utf-8")
        found = [json.loads(words)] if file.suffix == ".json" else list(yaml.load_all(words, _Loader))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as problem:
        where = getattr(getattr(problem, "problem_mark", None), "line", None)
        line = f", line {where + 1}" if where is not None else ""
        raise DocumentError(f"{file}{line}: cannot be read ({_short(problem)})") from None
    for place, each in enumerate(found):
        yield from _objects(each, f"{file}[{place}]", strict=all_must_be_objects)


def _objects(value: Any, place: str, *, strict: bool) -> Iterator[Document]:
    if value is None:
        return
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from _objects(each, f"{place}[{number}]", strict=strict)
    elif (
        isinstance(value, Mapping)
        and str(value.get("kind", "")).endswith("List")
        and isinstance(value.get("items"), list)
    ):
        for number, each in enumerate(value["items"]):
            yield from _objects(each, f"{place}.items[{number}]", strict=strict)
    elif isinstance(value, Mapping) and isinstance(value.get("kind"), str) and isinstance(value.get("apiVersion"), str):
        yield Document(place=place, body=dict(value))
    elif strict:
        raise DocumentError(f"{place}: is no object of Kubernetes: it has no apiVersion and kind")


def _short(problem: BaseException) -> str:
    return " ".join(str(getattr(problem, "problem", None) or problem).split())[:160]
