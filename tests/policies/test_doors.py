"""Four doors, one verdict: the pack in the engine, mocks in a unit test, a saved preview, an exported state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import charter.rules  # noqa: F401
import pulumi
import pytest
from charter.example_states import exported, state
from charter.examples import cases, written
from charter.facts import read_facts
from charter.mocked import judged
from charter.offline import judge
from charter.states import WrongState
from charter.values import hazy

from bench.law_stack import Recorder, facts
from bench.law_stack import state as recorded
from tests.policies.doors import BLIND, Echo, Graph, of_mocks, of_plan, of_state, replayable
from tests.policies.planting import FAULTS, planted
from tests.policies.test_command import run
from tests.policies.test_offline import PUBLIC, one

AWS = ("aws:", "pulumi:pulumi:", "pulumi:providers:aws", "ecosystem:index:", "ecosystem:aws:")


def plan_of(after: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Write the plan of a change between two states, as the engine saves it."""
    old = {each["urn"]: each for each in before["deployment"]["resources"]} if before else {}
    plans = {}
    for each in after["deployment"]["resources"]:
        inputs, was = each["inputs"], old.get(each["urn"], {}).get("inputs", {})
        difference = {
            "adds": {key: value for key, value in inputs.items() if key not in was},
            "deletes": [key for key in was if key not in inputs],
            "updates": {key: value for key, value in inputs.items() if key in was and was[key] != value},
        }
        goal = {key: value for key, value in each.items() if key not in {"urn", "inputs", "id"}}
        step = "create" if each["urn"] not in old else "update" if any(difference.values()) else "same"
        plans[each["urn"]] = {"goal": {**goal, "inputDiff": difference}, "steps": [step], "state": {}}
    plans.update({urn: {"steps": ["delete"], "state": {}} for urn in old if urn not in plans})
    return {"version": 1, "plan": {"manifest": {}, "resourcePlans": plans}}


@pytest.mark.parametrize("rule", sorted(written()))
def test_a_saved_preview_is_judged_like_the_state_it_leads_to(rule: str) -> None:
    base, *others = cases(rule)
    for case in others:
        if any(hazy(each.get("props", {})) for each in case.resources.values()):
            continue
        before, after = exported(base.resources), exported(case.resources)
        wanted = of_state(after, case.facts)
        assert of_plan(plan_of(after), case.facts) == wanted, case.label
        assert of_plan(plan_of(after, before), case.facts, before) == wanted, case.label


def test_a_preview_of_a_change_needs_the_state_it_starts_from() -> None:
    before = state(one("aws:iam/policy:Policy", PUBLIC))
    with pytest.raises(WrongState, match="--base STATE"):
        of_plan(plan_of(before, before), {})


@pytest.mark.parametrize("wrong", [{"resourcePlans": []}, {"version": 2, "plan": {}}, {"version": 1, "plan": []}])
def test_what_is_no_plan_is_refused(wrong: Any) -> None:
    with pytest.raises(WrongState):
        judge(wrong, read_facts({}))


def test_the_command_takes_a_saved_preview(tmp_path: Path) -> None:
    before = state(one("aws:iam/policy:Policy", {"policy": "{}"}))
    after = state(one("aws:iam/policy:Policy", PUBLIC))
    plan, base = tmp_path / "plan.json", tmp_path / "base.json"
    plan.write_text(json.dumps(plan_of(after, before)))
    base.write_text(json.dumps(before))
    done = run(str(plan), "--base", str(base), "--json")
    assert done.returncode == 4, done.stderr
    assert "AWS-IAM-01" in {each["rule"] for each in json.loads(done.stdout)["findings"]}
    done = run(str(plan), "--json")
    assert done.returncode == 2
    assert "--base" in json.loads(done.stdout)["error"]["sentence"]


class Home(pulumi.ComponentResource):
    """A group of the network, open to everybody, with a secret that is one and one that is none."""

    def __init__(self) -> None:
        super().__init__("ecosystem:index:Home", "home", {})
        inside = pulumi.ResourceOptions(parent=self)
        rule = {"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["0.0.0.0/0"]}
        Group("group", {"ingress": [rule]}, inside)
        Database("kept", {"password": pulumi.Output.secret("hunter2")}, inside)
        Database("told", {"password": "hunter2"}, inside)
        self.register_outputs({})


class Group(pulumi.CustomResource):
    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__("aws:ec2/securityGroup:SecurityGroup", name, props, opts)


class Database(pulumi.CustomResource):
    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__("aws:rds/instance:Instance", name, props, opts)


def test_a_unit_test_judges_a_program_under_mocks() -> None:
    verdicts, judging = judged(Home, {"production": True}, Echo(), stack="unit")
    found = {(each.rule.id, each.urn.rpartition("::")[2], each.path) for each in verdicts}
    assert ("AWS-NET-03", "group", "ingress[0].cidrBlocks[0]") in found
    assert ("CH-26", "told", "password") in found
    assert ("CH-26", "kept", "password") not in found
    assert not [each for each in verdicts if "hunter2" in each.message]
    (urn,) = (each for each in judging.recorded if each.endswith("::group"))
    assert urn == "urn:pulumi:unit::cloud-ecosystem::ecosystem:index:Home$aws:ec2/securityGroup:SecurityGroup::group"
    again, _ = judged(Home, {"production": True}, Echo(), stack="unit")
    assert again == verdicts


@pytest.mark.engine
def test_the_four_doors_find_the_same_in_a_planted_stack() -> None:
    with Recorder() as recorder:
        entries, told = replayable(recorded(recorder, "dev")["deployment"]["resources"]), facts("dev")
    bad = planted(entries)
    assert of_mocks(bad, told, "bench") == of_state({"version": 3, "deployment": {"resources": bad}}, told)
    part = _closed([each for each in bad if each["type"].startswith(AWS)])
    found = Graph(part, told, "bench").run()
    seen = {door: {each for each in findings if each[0] not in BLIND} for door, findings in found.items()}
    assert seen["engine"] == seen["mocks"] == seen["plan"] == seen["state"]
    assert {rule for rule, kind, *_ in FAULTS if kind.startswith("aws:")} <= {rule for rule, *_ in seen["engine"]}


def _closed(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the entries with relations among themselves only."""
    known = {each["urn"] for each in entries}
    for each in entries:
        each["dependencies"] = [urn for urn in each["dependencies"] if urn in known]
        each["propertyDependencies"] = {
            key: left for key, urns in each["propertyDependencies"].items() if (left := [u for u in urns if u in known])
        }
    return entries
