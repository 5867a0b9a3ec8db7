"""What was there before the stack, or is only read by it, says whose it is; nothing else is asked of what is read."""

from __future__ import annotations

from typing import Any

import charter.rules  # noqa: F401
import pytest
from charter.example_states import START, exported, urn
from charter.facts import read_facts
from charter.offline import judge

VPC = "aws:ec2/vpc:Vpc"


def found(entry: dict[str, Any], props: dict[str, Any], kind: str = VPC) -> set[tuple[str, str]]:
    """Judge one resource, with what a state says of where it comes from."""
    state = exported({"it": {"type": kind, "props": props}})
    state["deployment"]["resources"][0].update(entry)
    return {(each.rule.id, each.path) for each in judge(state, read_facts({}))[0]}


@pytest.mark.parametrize("tags", [{}, {"team": "a"}, {"owner": ""}])
def test_what_was_imported_has_an_owner(tags: dict[str, str]) -> None:
    assert ("CH-10", "tags.owner") in found({"importID": "vpc-1"}, {"tags": tags})
    assert ("CH-10", "tags.owner") not in found({}, {"tags": tags})


def test_an_owner_is_enough() -> None:
    assert ("CH-10", "tags.owner") not in found({"importID": "vpc-1"}, {"tags": {"owner": "network-team"}})


def test_what_is_only_read_is_asked_for_its_owner_and_for_nothing_else() -> None:
    assert found({"external": True, "outputs": {"cidrBlock": "10.0.0.0/8"}}, {}) == {("CH-10", "tags.owner")}
    assert not found({"external": True, "outputs": {"tags": {"owner": "network-team"}}}, {})


def test_a_kind_that_carries_no_tags_cannot_say() -> None:
    assert not found({"external": True}, {}, "aws:ec2/route:Route")


def test_an_object_of_a_cluster_says_it_by_a_label() -> None:
    kind = "kubernetes:core/v1:ConfigMap"
    assert found({"external": True, "outputs": {"metadata": {"name": "a"}}}, {}, kind) == {
        ("CH-10", "metadata.labels.owner")
    }
    labels = {"metadata": {"labels": {"ecosystem.dev/owner": "team"}}}
    assert not found({"external": True, "outputs": labels}, {}, kind)


def test_a_saved_preview_tells_of_imports() -> None:
    where = urn(VPC, "it")
    goal = {"type": VPC, "name": "it", "custom": True, "parent": f"{START}ecosystem:index:Platform::platform"}
    plan = {"resourcePlans": {where: {"goal": {**goal, "id": "vpc-1"}, "steps": ["import"]}}}
    assert ("CH-10", "tags.owner") in {(each.rule.id, each.path) for each in judge(plan, read_facts({}))[0]}
