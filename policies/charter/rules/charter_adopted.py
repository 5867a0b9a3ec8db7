"""Charter: nothing stands alone, and what was there before the stack has an owner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from charter.facts import Facts
from charter.graph import Graph
from charter.rule import HIGH, Finding, Found, Open, Resource, apart, located, stack_rule
from charter.tables import taggable
from charter.values import UNKNOWN


@stack_rule(
    "CH-10",
    "Nothing stands alone: everything is part of a component of ours.",
    HIGH,
    ["*"],
    remediation="Make the resource inside a component, with parent=self; tag what was there before with its owner.",
)
def adopted(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """What no component answers for, nobody answers for; what was there before the stack says who owns it.

    States and saved previews tell what was imported or is only read; the engine tells no pack.
    """
    for resource in graph.resources:
        if resource.origin:
            for found in apart(_owned(resource)):
                yield located(found, resource.urn)
        if resource.origin == "read":
            continue
        if resource.type.startswith(("pulumi:", "ecosystem:")):
            continue
        above = resource.urn.split("::")[2].split("$")[:-1] if resource.urn.count("::") >= 3 else []  # noqa: PLR2004
        if not any(each.startswith("ecosystem:") for each in above) and not any(
            parent.type.startswith("ecosystem:") for parent in graph.parents(resource)
        ):
            yield Finding("", "belongs to no component", resource.urn)


OWNER_LABELS: Final = ("owner", "ecosystem.dev/owner")


def _owned(resource: Resource) -> Iterator[Found]:
    """Judge whether something that the stack did not make says whose it is, where its kind can."""
    where = "metadata.labels" if resource.package == "kubernetes" else taggable(resource.type)
    if not where:
        return
    held = resource.reader.map(where)
    if not any(isinstance(held.get(key), str) and held[key] for key in OWNER_LABELS):
        if any(held.get(key) is UNKNOWN for key in OWNER_LABELS):
            yield Open(f"{where}.owner")
        else:
            told = "only read" if resource.origin == "read" else "imported"
            yield Finding(f"{where}.owner", f"is missing: it is {told}, and nobody says whose it is")
