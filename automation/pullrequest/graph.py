"""The resources before and after a change, each with what it depends on: from the state and from the engine's plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from automation.events import Step

UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine's events show for a value that only an update tells (plugin.UnknownStringValue of its SDK)."""
STATE_VERSION: Final = 3


@dataclass(frozen=True)
class Node:
    """One resource."""

    urn: str
    type: str
    inputs: Mapping[str, Any]
    needs: frozenset[str]
    written: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        return self.urn.rsplit("::", 1)[-1]


@dataclass(frozen=True)
class Picture:
    """All resources at one moment, by URN."""

    nodes: Mapping[str, Node]

    def document(self) -> dict[str, Any]:
        """The form of an exported state, for the law."""
        return {
            "version": STATE_VERSION,
            "deployment": {"resources": [dict(one.written) for one in self.nodes.values()]},
        }

    def of(self, *types: str) -> list[Node]:
        """Resources of some types, by URN."""
        return [self.nodes[urn] for urn in sorted(self.nodes) if self.nodes[urn].type in types]


def _provider(reference: str) -> str:
    return reference.rpartition("::")[0]


def _node(written: Mapping[str, Any]) -> Node:
    needs = set(written.get("dependencies") or ())
    for urns in (written.get("propertyDependencies") or {}).values():
        needs |= set(urns or ())
    if written.get("provider"):
        needs.add(_provider(str(written["provider"])))
    if written.get("deletedWith"):
        needs.add(str(written["deletedWith"]))
    urn = str(written["urn"])
    return Node(urn, str(written["type"]), written.get("inputs") or {}, frozenset(needs - {urn, ""}), written)


def _picture(written: Iterable[Mapping[str, Any]]) -> Picture:
    return Picture({str(one["urn"]): _node(one) for one in written})


def before(state: Mapping[str, Any]) -> Picture:
    """What an exported state holds; what waits for its deletion is left out."""
    resources = (state.get("deployment") or {}).get("resources") or ()
    return _picture(one for one in resources if not one.get("delete"))


def after(steps: Iterable[Step], plan: Mapping[str, Any]) -> Picture:
    """What is there when a previewed update is done: inputs of its steps, dependencies of the engine's plan."""
    goals = {urn: one.get("goal") or {} for urn, one in (plan.get("resourcePlans") or {}).items()}
    found: dict[str, dict[str, Any]] = {}
    for step in steps:
        if not step.exists_after:
            continue
        goal = goals.get(step.urn, {})
        found[step.urn] = {
            "urn": step.urn,
            "type": step.type,
            "custom": step.custom,
            "inputs": step.new,
            "id": step.id,
            "parent": step.parent,
            "provider": step.provider,
            "protect": step.protect,
            "dependencies": goal.get("dependencies") or [],
            "propertyDependencies": goal.get("propertyDependencies") or {},
            "deletedWith": goal.get("deletedWith") or "",
        }
    return _picture(found.values())
