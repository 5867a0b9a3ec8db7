"""A saved preview as resources: the plan that `pulumi preview --save-plan FILE` wrote, with the state it starts from.

A plan holds, per resource, what the program asked for: relations whole, inputs as a difference to the last state. The
first preview of a stack needs no state; any later one does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from charter.rule import Resource
from charter.states import WrongState, resource, whole, written

VERSION: Final = 1
FRESH: Final = frozenset({"create", "import", "read"})
"""Steps of a resource that no state knows."""
IMPORTS: Final = frozenset({"import", "import-replacement"})
READS: Final = frozenset({"read", "read-replacement"})


def is_plan(document: Any) -> bool:
    """Say whether a document is a saved preview."""
    return isinstance(document, dict) and ("resourcePlans" in document or "plan" in document)


def resources(document: Mapping[str, Any], base: Mapping[str, Any] | None = None) -> list[Resource]:
    """Return the resources that the update would leave; raise WrongState when plan or state are none, or do not fit."""
    plans = _plans(document)
    before = {each["urn"]: each for each in written(base)} if base is not None else {}
    entries = [_entry(urn, plan, before) for urn, plan in plans.items() if plan.get("goal")]
    for entry in entries:
        whole(entry, f"resourcePlans[{entry['urn']}].goal")
    by_urn = {each["urn"]: each for each in entries}
    return [resource(each, by_urn) for each in entries]


def _plans(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    held = document.get("plan", document)
    if document.get("version", VERSION) != VERSION or not isinstance(held, dict):
        raise WrongState(f"version: {VERSION} is known; save the preview with the project's engine")
    plans = held.get("resourcePlans")
    if not isinstance(plans, dict) or not all(isinstance(each, dict) for each in plans.values()):
        raise WrongState("resourcePlans: is no map of plans; make one with `pulumi preview --save-plan FILE`")
    return plans


def _entry(urn: str, plan: Mapping[str, Any], before: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a resource as a state would hold it after the update."""
    goal, asked = plan["goal"], plan.get("steps") or ()
    if not isinstance(goal, dict) or not isinstance(asked, list | tuple):
        raise WrongState(f"resourcePlans[{urn}]: holds no goal with steps; save the preview anew")
    steps = set(map(str, asked))
    old = before.get(urn)
    if old is None and not steps <= FRESH:
        raise WrongState(f"{urn}: is there already, and a plan holds only what changes: give --base STATE")
    difference = goal.get("inputDiff") or {}
    inputs = dict((old or {}).get("inputs") or {})
    for name in difference.get("deletes") or ():
        inputs.pop(name, None)
    inputs |= {**(difference.get("adds") or {}), **(difference.get("updates") or {})}
    imported = goal.get("id") if steps & IMPORTS else (old or {}).get("importID")
    read: dict[str, Any] = {"external": bool(steps & READS) or bool((old or {}).get("external"))}
    read["outputs"] = plan.get("state") if read["external"] else None
    return {**goal, **read, "importID": imported, "urn": urn, "inputs": inputs, "id": (old or {}).get("id", "")}
