"""A preview is refused when an object names something that is not there; what goes, or was replaced, names nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from automation import references
from automation.events import Step
from stacks.load import read_file
from stacks.model import Demand, Store
from stacks.workloads import measured
from tests.loop.conftest import ROOT

STACK = read_file(ROOT / "Pulumi.dev.yaml")
CLUSTER = STACK.cluster_names()[0]


def step(kind: str, name: str, op: str = "create", **inputs: Any) -> Step:
    new = {"metadata": {"name": name, "namespace": "platform"}, **inputs}
    return Step(
        op=op, urn=f"urn:pulumi:dev::p::{kind}::{name}", type=f"kubernetes:{kind}", new=new, old={}, old_outputs={},
        provider=f"urn:pulumi:dev::p::pulumi:providers:kubernetes::{CLUSTER}::id", new_outputs={}, id="", parent="",
        custom=True, protect=False, retain=False, diff={}, keys=(),
    )  # fmt: skip


SPACE = step("core/v1:Namespace", "platform")
ROUTE = step(
    "rbac.authorization.k8s.io/v1:RoleBinding", "who", roleRef={"kind": "ClusterRole", "name": "view"},
    subjects=[{"kind": "ServiceAccount", "name": "reader"}],
)  # fmt: skip
READER = step("core/v1:ServiceAccount", "reader")


def test_what_leads_nowhere_is_refused_with_its_place() -> None:
    (refusal,) = references.refusals(STACK, [SPACE, ROUTE])
    assert refusal.code == "references"
    (told,) = refusal.details
    assert told.startswith(f"{CLUSTER}: RoleBinding platform/who: subjects[0]:")
    assert "`reader` is not there" in told


def test_what_is_there_is_not_refused() -> None:
    assert references.refusals(STACK, [SPACE, ROUTE, READER]) == []
    assert references.refusals(STACK, [SPACE, replace(ROUTE, op="same"), replace(READER, op="update")]) == []


def test_what_goes_is_not_there_any_more() -> None:
    gone = replace(READER, op="delete", new={})
    assert len(references.refusals(STACK, [SPACE, ROUTE, gone])) == 1
    assert references.refusals(STACK, [SPACE, replace(ROUTE, op="delete", new={}), gone]) == []


def test_what_is_replaced_stands_there_anew() -> None:
    ops = ("create-replacement", "replace", "delete-replaced")
    anew = [replace(READER, op=op, new=READER.new if op != "delete-replaced" else {}) for op in ops]
    for order in (anew, anew[::-1]):
        assert references.refusals(STACK, [SPACE, ROUTE, *order]) == []


def test_another_cluster_does_not_help() -> None:
    other = replace(READER, provider=READER.provider.replace(CLUSTER, STACK.cluster_names()[1]))
    lost = references.refusals(STACK, [SPACE, ROUTE, other])
    assert any("`reader` is not there" in line for line in lost[0].details)


def test_who_is_measured_or_uses_a_store_has_pods() -> None:
    more = {
        "demand": Demand(file="demand/prod.csv"),
        "data": {"orders": Store(engine="postgres", users=("platform/stranger",))},
    }
    stack = STACK.model_copy(update=more)
    rows = measured(stack) - {each.name for each in stack.workloads}
    assert rows
    for app in (min(rows), "stranger"):
        held = step("networking.k8s.io/v1:NetworkPolicy", app, spec={"podSelector": {"matchLabels": {"app": app}}})
        assert references.refusals(stack, [SPACE, held]) == []
        assert references.refusals(STACK, [SPACE, held])


def test_what_is_not_known_yet_is_not_judged() -> None:
    late = replace(ROUTE, new={**ROUTE.new, "subjects": [{"kind": "ServiceAccount", "name": references_unknown()}]})
    assert references.refusals(STACK, [SPACE, late]) == []


def references_unknown() -> str:
    """What the engine writes for a value that it does not know yet."""
    return "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
