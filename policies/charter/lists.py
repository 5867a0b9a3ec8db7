"""Kubernetes lists: what stands in one is judged as if it stood alone, and told of by its place in the list."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from charter.rule import Resource

LIST: Final = "List"
MARK: Final = "#items["
"""What parts the URN of a list from the place of an object in it."""


def listed(resource: Resource) -> tuple[Resource, ...]:
    """Return the objects of a Kubernetes list, or the resource itself when it is none."""
    if not resource.type.endswith(LIST) or resource.package != "kubernetes":
        return (resource,)
    held = resource.props.get("items")
    found = tuple(
        replace(resource, urn=f"{resource.urn}{MARK}{index}]", type=_type(resource, item), props=item)
        for index, item in enumerate(held if isinstance(held, list) else [])
        if isinstance(item, dict)
    )
    return found or (resource,)


def _type(resource: Resource, item: dict[str, Any]) -> str:
    version, kind = item.get("apiVersion"), item.get("kind")
    module = version if isinstance(version, str) and version else resource.type.split(":")[1]
    return f"kubernetes:{module}:{kind if isinstance(kind, str) else resource.kind.removesuffix(LIST)}"


def outward(urn: str, path: str) -> tuple[str, str]:
    """Return URN and path as reports show them: of the list, with the object's place in it."""
    if MARK not in urn:
        return urn, path
    whole, _, rest = urn.partition(MARK)
    place = f"items[{rest}"
    return whole, f"{place}.{path}" if path else place
