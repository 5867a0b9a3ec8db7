"""Examples written as exported states: what feeds a property is written as its dependency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

START: Final = "urn:pulumi:prod::cloud-ecosystem::"
PLATFORM: Final = "ecosystem:index:Platform"


def urn(kind: str, name: str) -> str:
    """Return the URN of a resource below the platform."""
    return f"{START}{PLATFORM}${kind}::{name}"


def state(*written: Mapping[str, Any]) -> dict[str, Any]:
    """Return an exported state of resources."""
    return {"version": 3, "deployment": {"resources": list(written)}}


def exported(graph: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the state of a case's graph."""
    urns = {name: each.get("urn") or urn(each["type"], each.get("name", name)) for name, each in graph.items()}
    return state(*(_written(name, each, graph, urns) for name, each in graph.items()))


def _written(name: str, each: Mapping[str, Any], graph: Mapping[str, Any], urns: Mapping[str, str]) -> dict[str, Any]:
    provider = each.get("provider", "")
    made = urns[provider] if provider in graph else _provider(each)
    return {
        "urn": urns[name],
        "type": each["type"],
        "inputs": each.get("props", {}),
        "parent": urns.get(each.get("parent", "")),
        "protect": bool(each.get("protect")),
        "provider": f"{made}::id",
        "propertyDependencies": {
            prop: [urns[one] for one in ([names] if isinstance(names, str) else names) if one in urns]
            for prop, names in each.get("refs", {}).items()
        },
        "ignoreChanges": list(each.get("ignore_changes", ())),
        "outputs": each.get("outputs"),
    }


def _provider(each: Mapping[str, Any]) -> str:
    package = each["type"].partition(":")[0]
    return urn(f"pulumi:providers:{package}", each.get("provider") or package)
