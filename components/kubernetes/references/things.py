"""Kubernetes objects and releases as plain data, and what is wrong with a reference of one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Path = tuple[str | int, ...]
UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine writes for a value that is not known before the update."""
SEALED: Final = "4dabf18193072939515e22adb298388d"
"""Key of a map by which the engine wraps secrets, assets and references."""


@dataclass(frozen=True, kw_only=True)
class Thing:
    """One object, or one release of a chart (kind `Release`, its values as `body`)."""

    group: str
    kind: str
    name: str
    namespace: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    chart: str = ""

    def __str__(self) -> str:
        """Say which one."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    def at(self, *path: str | int) -> Any:
        """Return what stands at a path; None where nothing does."""
        return at(self.body, *path)

    def items(self, *path: str | int) -> list[Any]:
        """Return the list at a path; an empty one where none stands."""
        found = self.at(*path)
        return list(found) if isinstance(found, Sequence) and not isinstance(found, str) else []

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the object itself."""
        return flat(self.at("metadata", "labels"))


@dataclass(frozen=True, kw_only=True, order=True)
class Dangling:
    """A reference that leads nowhere: who refers, where it stands, what is wrong, what to do."""

    who: str
    path: str
    what: str
    fix: str

    def __str__(self) -> str:
        """Return one sentence."""
        return f"{self.who}: {self.path}: {self.what}. {self.fix}."


def at(value: Any, *path: str | int) -> Any:
    """Return what stands at a path of maps and lists; None where nothing does."""
    for step in path:
        listed = isinstance(step, int) and isinstance(value, list | tuple) and step < len(value)
        if not listed and not (isinstance(value, Mapping) and step in value):
            return None
        value = value[step]
    return value


def flat(value: Any) -> dict[str, str]:
    """Return a map of strings; what is no map is an empty one."""
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, Mapping) else {}


def written(path: Path) -> str:
    """Write a path as people do: `spec.rules[0].host`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def nodes(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value below another one with its path; secrets and what the engine wraps are left out."""
    yield path, value
    if isinstance(value, Mapping):
        if SEALED in value:
            return
        for key, item in value.items():
            yield from nodes(item, (*path, str(key)))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for place, item in enumerate(value):
            yield from nodes(item, (*path, place))


def text(value: Any) -> str | None:
    """Return a string that is known and named; None for anything else, so that it is not judged."""
    return value if isinstance(value, str) and value and UNKNOWN not in value and "{{" not in value else None


def of_inputs(kind: str, inputs: Mapping[str, Any]) -> Thing | None:
    """Read what a program registers: the engine's type and the inputs. None for what is no object and no release."""
    package, _, rest = kind.partition(":")
    module, _, name = rest.partition(":")
    if package != "kubernetes" or not name or name.endswith("Patch"):
        return None
    if module.startswith("helm.sh/"):
        if not (chart := text(inputs.get("chart"))):
            return None
        values = inputs.get("values")
        return Thing(
            group="helm.sh",
            kind="Release",
            name=text(inputs.get("name")) or "",
            namespace=text(inputs.get("namespace")) or "",
            body=values if isinstance(values, Mapping) else {},
            chart=chart.rpartition("/")[2].partition("@")[0],
        )
    return of_object({"apiVersion": module.removeprefix("core/"), **inputs, "kind": name})


def of_object(document: Mapping[str, Any]) -> Thing | None:
    """Read a manifest; None for what has no kind or no name that is known."""
    name, kind = text(at(document, "metadata", "name")), document.get("kind")
    if name is None or not isinstance(kind, str):
        return None
    api = str(document.get("apiVersion") or "")
    group = api.rpartition("/")[0] if "/" in api else "" if api == "v1" else api
    namespace = text(at(document, "metadata", "namespace")) or ""
    return Thing(group=group, kind=kind, name=name, namespace=namespace, body=document)
