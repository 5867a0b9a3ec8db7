"""The pack's configuration, waivers, counts, and rules that break: nothing is judged by half, nothing is silent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import charter.rules  # noqa: F401
import pytest
from charter.facts import CONFIG_SCHEMA, Facts, read_facts
from charter.judge import Judge
from charter.rule import HIGH, RULES, Finding, Open, Resource, Rule
from pulumi_policy import EnforcementLevel

from automation import policy as hands
from stacks.elsewhere import Elsewhere
from stacks.load import read_file
from tests.policies.door import Door, urn

PROJECT = Path(__file__).parents[2]
VPC = "aws:ec2/vpc:Vpc"
POLICY = {"policy": '{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'}
WAIVER = {
    "rule": "AWS-IAM-02",
    "urn": "*::it",
    "owner": "platform-team",
    "reason": "moves to the boundary",
    "ticket": "T-1",
    "expires": "2026-12-31",
}


def test_the_engine_is_told_of_every_fact() -> None:
    assert set(CONFIG_SCHEMA) == set(Facts.model_fields)


@pytest.mark.parametrize("stack", ["dev", "staging", "prod", "dr"])
def test_what_automation_writes_is_understood(stack: str, tmp_path: Path) -> None:
    told = hands.facts(read_file(PROJECT / f"Pulumi.{stack}.yaml"), PROJECT, tmp_path / "counts.json", sandbox=True)
    facts = read_facts(json.loads(json.dumps(told)))
    assert facts.sandbox
    assert set(facts.accounts) <= {"aws", "gcp", "azure-native"}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"prodution": True}, "prodution"),
        ({"production": "yes"}, "production"),
        ({"accounts": ["123456789012"]}, "accounts"),
        ({"accounts": {"aws": [123456789012]}}, "accounts.aws.0"),
        ({"evidence": {"sink": {}}}, "evidence.sink:"),
        ({"evidence": {"charts": [1]}}, "evidence.charts"),
        ({"evidence": {"runbooks": "a.md"}}, "evidence.runbooks"),
        ({"evidence": {"edges": [["internet"]]}}, "evidence.edges"),
        ({"evidence": {"monthly_usd": "much"}}, "evidence.monthly_usd"),
        ({"today": "yesterday"}, "today"),
        ({"waivers": [{"rule": "AWS-IAM-02"}]}, "waivers[0]"),
        ({"waivers": [{**WAIVER, "rule": "AWS-IAM-99"}]}, "waivers[0].rule"),
        ({"waivers": [{**WAIVER, "expires": "soon"}]}, "waivers[0].expires"),
        ({"waivers": [{**WAIVER, "extra": "x"}]}, "waivers[0]"),
    ],
)
def test_wrong_configuration_is_refused_by_name(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=r"refused|waivers") as caught:
        read_facts(wrong)
    assert named in str(caught.value)
    assert "123456789012" not in str(caught.value)


def test_wrong_configuration_fails_the_call_and_so_the_run() -> None:
    with pytest.raises(ValueError, match="prodution"):
        Door({"prodution": True}).resource(VPC, {})


def broken(resource: Resource, facts: Facts) -> list[Finding]:
    raise RuntimeError("hunter2")


def test_a_rule_that_raises_is_its_own_finding_and_the_others_go_on() -> None:
    rules = {
        "X-01": Rule(id="X-01", title="", severity=HIGH, types=("*",), remediation="", check=broken),
        **{name: rule for name, rule in RULES.items() if name == "AWS-IAM-01"},
    }
    found = Door(judge=Judge(rules)).resource("aws:iam/policy:Policy", POLICY)
    assert {each.rule for each in found} == {"X-01", "AWS-IAM-01"}
    (own,) = (each for each in found if each.rule == "X-01")
    assert own.level == "mandatory"
    assert "RuntimeError" in own.text
    assert "hunter2" not in own.text


def test_a_stack_rule_that_raises_is_its_own_finding_too() -> None:
    rules = {"X-02": Rule(id="X-02", title="", severity=HIGH, types=("*",), remediation="", stack_check=broken)}
    found = Door(judge=Judge(rules)).graph({"it": {"type": VPC}})
    assert [each.rule for each in found] == ["X-02"]


def test_counts_are_pairs_and_stand_in_the_file(tmp_path: Path) -> None:
    counts = tmp_path / "counts.json"
    door = Door({"counts_file": str(counts)})
    door.graph({"it": {"type": "aws:iam/policy:Policy", "props": {"policy": "{}"}}})
    first = json.loads(counts.read_text())
    assert first["evaluated"] == sum(first["by_rule"].values())
    assert first["undetermined"] == len(first["undetermined_list"])
    assert first["rules"] == len(RULES)
    door.graph({"it": {"type": "aws:iam/policy:Policy", "props": {"policy": "{}"}}})
    assert json.loads(counts.read_text())["evaluated"] == first["evaluated"]


def test_counts_are_not_written_for_every_resource(tmp_path: Path) -> None:
    counts = tmp_path / "counts.json"
    door = Door({"counts_file": str(counts)})
    door.resource(VPC, {}, "first")
    counts.unlink()
    for index in range(30):
        door.resource(VPC, {}, f"vpc-{index}")
    assert not counts.exists()
    door.stack([])
    assert counts.exists()


def waived(door: Door) -> list[str]:
    props = {"policy": '{"Statement":[{"Effect":"Allow","Action":"iam:PutRolePolicy","Resource":"r"}]}'}
    return [each.rule for each in door.graph({"it": {"type": "aws:iam/policy:Policy", "props": props}})]


def test_a_waiver_lets_one_finding_be_and_is_listed() -> None:
    door = Door({"today": "2026-11-21", "waivers": [WAIVER]})
    assert "AWS-IAM-02" not in waived(door)
    ((rule, where),) = door.dispatcher.judge.tally.excused
    assert (rule, where) == ("AWS-IAM-02", urn("aws:iam/policy:Policy", "it"))


@pytest.mark.parametrize(
    ("change", "facts"),
    [
        ({"expires": "2026-11-20"}, {}),
        ({"expires": "2027-02-20"}, {}),
        ({"urn": "*::gone"}, {}),
        ({"rule": "AWS-IAM-01"}, {"production": True}),
    ],
)
def test_a_waiver_that_is_over_too_long_stale_or_too_bold_is_a_finding(
    change: dict[str, str], facts: dict[str, Any]
) -> None:
    found = waived(Door({"today": "2026-11-21", "waivers": [{**WAIVER, **change}], **facts}))
    assert "CH-14" in found
    assert "AWS-IAM-02" in found


@pytest.mark.parametrize("end", ["2026-11-21", "2027-02-19"])
def test_the_first_and_last_day_of_a_waiver(end: str) -> None:
    assert "AWS-IAM-02" not in waived(Door({"today": "2026-11-21", "waivers": [{**WAIVER, "expires": end}]}))


def test_evidence_that_is_not_told_leaves_open_what_needs_it() -> None:
    door = Door()
    graph = {
        "stack": {"type": "pulumi:pulumi:Stack"},
        "aws": {"type": "pulumi:providers:aws", "props": {"version": "1", "allowedAccountIds": '["1"]'}},
        "vpc": {"type": VPC, "provider": "aws", "props": {"region": "r"}},
    }
    found = {each.rule for each in door.graph(graph)}
    assert not found & {"CH-04", "CH-09", "CH-11", "CH-23"}
    assert all(door.open_pairs(rule) for rule in ("CH-04", "CH-09", "CH-11", "CH-23"))


def test_a_mandatory_policy_that_was_switched_off_is_told() -> None:
    door = Door()
    door.servicer._PolicyAnalyzerServicer__policy_pack_config_enforcement_level = {
        "charter-mandatory": EnforcementLevel.DISABLED
    }
    found = door.resource(VPC, {})
    assert [each.rule for each in found] == ["CH-30"]


@pytest.mark.parametrize(("hazy", "refused"), [(25, False), (26, True)])
def test_a_run_that_leaves_more_than_a_twentieth_open_is_refused(hazy: int, *, refused: bool) -> None:
    rule = Rule(id="X-03", title="", severity=HIGH, types=("*",), remediation="", check=undecided)
    door = Door(judge=Judge({"X-03": rule}))
    graph = {f"r{index}": {"type": VPC, "props": {"open": index < hazy}} for index in range(519)}
    found = {each.rule for each in door.graph(graph)}
    assert found == ({"CH-30"} if refused else set())


def undecided(resource: Resource, facts: Facts) -> list[Open]:
    return [Open("x")] if resource.props["open"] else []


def test_what_other_stacks_keep_reaches_the_rules_by_its_provider() -> None:
    read = read_file(PROJECT / "Pulumi.prod.yaml")
    elsewhere = Elsewhere(
        sinks={"azure": "sink", "cloudflare": "push"},
        budgets={"gcp": "budget"},
        costs={"aws": "payer"},
        copies={"azure": "vault"},
    )
    told = hands.facts(read.model_copy(update={"elsewhere": elsewhere}), PROJECT, Path(), sandbox=True)
    assert {key: held for key, held in told["evidence"].items() if key != "runbooks"} == {
        "sinks": {"azure-native": "sink", "cloudflare": "push"},
        "budgets": {"gcp": "budget"},
        "costs": {"aws": "payer"},
        "copies": {"azure-native": "vault"},
    }
    assert hands.facts(read, PROJECT, Path(), sandbox=True)["evidence"].keys() <= {
        "sinks",
        "budgets",
        "copies",
        "runbooks",
    }
    read_facts({**told, "counts_file": ""})
