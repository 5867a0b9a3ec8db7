"""A program that registers a graph written as a state: the same graph for every door.

The engine runs it as `__main__` with GRAPH in the environment; a unit test calls `register` under mocks.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pulumi

SIGNATURE = "4dabf18193072939515e22adb298388d"
PROVIDERS = "pulumi:providers:"


class Anything(pulumi.CustomResource):
    """A resource of any type, with its inputs as they are."""


def register(entries: Iterable[Mapping[str, Any]]) -> None:
    """Register every entry, parents and providers first, as they stand."""
    made: dict[str, Any] = {}
    for entry in entries:
        urn, kind = entry["urn"], entry["type"]
        name = urn.rpartition("::")[2]
        if kind == "pulumi:pulumi:Stack":
            continue
        opts = pulumi.ResourceOptions(
            parent=made.get(entry.get("parent", "")),
            provider=made.get(str(entry.get("provider") or "").rpartition("::")[0]),
            protect=bool(entry.get("protect")),
            ignore_changes=list(entry.get("ignoreChanges") or ()),
            depends_on=[made[each] for each in entry.get("dependencies") or () if each in made],
        )
        feeds = entry.get("propertyDependencies") or {}
        props = {key: _fed(_plain(value), [made[each] for each in feeds.get(key, ()) if each in made])
                 for key, value in (entry.get("inputs") or {}).items()}  # fmt: skip
        if kind.startswith(PROVIDERS):
            props.pop("version", None)
            made[urn] = pulumi.ProviderResource(kind.removeprefix(PROVIDERS), name, props, opts)
        elif entry.get("custom", True):
            made[urn] = Anything(kind, name, props, opts)
        else:
            made[urn] = pulumi.ComponentResource(kind, name, None, opts)


def _plain(value: Any) -> Any:
    """Return a value of a state as a program would write it."""
    if isinstance(value, dict):
        if SIGNATURE in value:
            return pulumi.Output.secret("replayed")
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _fed(value: Any, sources: list[Any]) -> Any:
    """Let a value come from resources, as it did."""
    return pulumi.Output.all(*(each.urn for each in sources)).apply(lambda _: value) if sources else value


if "GRAPH" in os.environ and __name__ == "__main__":
    register(json.loads(Path(os.environ["GRAPH"]).read_text("utf-8")))
