"""The door for exported states: the same findings, secrets seen, nothing judged by half."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import charter.rules  # noqa: F401
import pytest
from charter.example_states import exported, state, urn
from charter.examples import cases, written
from charter.facts import read_facts
from charter.offline import judge, main
from charter.states import SECRET_SIGNATURE, SIGNATURE, WrongState, normalised, resources
from charter.values import UNKNOWN, hazy

from tests.policies.door import Door

PROJECT = Path(__file__).parents[2]
PUBLIC = {"policy": '{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'}


def one(kind: str, inputs: dict[str, Any], name: str = "it", **more: Any) -> dict[str, Any]:
    return {"urn": urn(kind, name), "type": kind, "inputs": inputs, **more}


@pytest.mark.parametrize("rule", sorted(written()))
def test_both_doors_find_the_same(rule: str) -> None:
    for case in cases(rule):
        if any(hazy(each.get("props", {})) or each.get("provider_props") for each in case.resources.values()):
            continue  # a state holds no unknowns
        known = {
            name: {**each, "props": {**dict.fromkeys(each.get("refs", {}), f"{name}-id"), **each.get("props", {})}}
            for name, each in case.resources.items()
        }
        facts = {"secrets_visible": True, **case.facts}
        engine = {(told.rule, told.path, told.urn) for told in Door(facts).graph(known)}
        verdicts, _ = judge(exported(known), read_facts(facts))
        assert {(each.rule.id, each.path, each.urn) for each in verdicts} == engine, case.label


def test_secrets_of_a_state_are_no_values() -> None:
    written_secret = {SIGNATURE: SECRET_SIGNATURE, "ciphertext": "v1:abc"}
    (resource,) = resources(state(one("aws:rds/instance:Instance", {"password": written_secret})))
    assert resource.props["password"] is UNKNOWN
    assert normalised([{"a": {SIGNATURE: SECRET_SIGNATURE, "plaintext": '"x"'}}]) == [{"a": "[secret]"}]


def test_a_plain_secret_in_a_state_is_found() -> None:
    verdicts, _ = judge(state(one("aws:rds/instance:Instance", {"password": "hunter2"})), read_facts({}))
    assert ("CH-26", "password") in {(each.rule.id, each.path) for each in verdicts}
    assert not any("hunter2" in each.message for each in verdicts)


@pytest.mark.parametrize(
    "wrong", [{}, {"version": 9, "deployment": {}}, {"version": 3, "deployment": {"resources": [{}]}}, []]
)
def test_what_is_no_state_is_refused(wrong: Any) -> None:
    with pytest.raises(WrongState):
        judge(wrong, read_facts({}))


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "charter.offline", *arguments]
    return subprocess.run(command, cwd=PROJECT / "policies", capture_output=True, text=True, check=False)


def test_the_command_says_4_for_mandatory_findings_and_2_for_wrong_files(tmp_path: Path) -> None:
    good, bad, wrong = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "wrong.json"
    good.write_text(json.dumps(state()))
    bad.write_text(json.dumps(state(one("aws:iam/policy:Policy", PUBLIC))))
    wrong.write_text("{")
    assert run(tmp_path, str(good)).returncode == 0
    done = run(tmp_path, str(bad))
    assert done.returncode == 4
    found = json.loads(done.stdout)["findings"]
    assert {"rule", "urn", "path", "severity", "controls"} <= set(found[0])
    assert "AWS-IAM-01" in {each["rule"] for each in found}
    assert run(tmp_path, str(wrong)).returncode == 2
    assert run(tmp_path).returncode == 2


def test_what_is_only_nearly_json_is_refused_with_a_way_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = '{"version":3,"deployment":{"resources":[{"urn":"%s","type":"aws:kms/key:Key","inputs":{"x":'
    start %= urn("aws:kms/key:Key", "it")
    values = ("NaN", "9" * 5000, "[" * 50_000 + "]" * 50_000, '{"a":' * 900 + "1" + "}" * 900, '"\udcff"')
    for index, value in enumerate(values):
        file = tmp_path / f"{index}.json"
        file.write_bytes((start + value + "}}]}}").encode("utf-8", "surrogateescape"))
        assert main([str(file)]) == 2, value[:20]
        assert "export" in capsys.readouterr().err


def test_a_state_with_a_mark_of_its_encoding_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        file = tmp_path / f"{encoding}.json"
        file.write_text(json.dumps(state(one("aws:iam/policy:Policy", PUBLIC))), encoding)
        assert main([str(file)]) == 4
        assert "AWS-IAM-01" in capsys.readouterr().out


def test_what_an_update_left_half_done_is_left_open() -> None:
    begun = {"resource": one("aws:ec2/vpc:Vpc", {}, "begun"), "type": "creating"}
    document = state()
    document["deployment"]["pending_operations"] = [begun]
    _, judging = judge(document, read_facts({}))
    assert judging.tally.undetermined == {("CH-30", urn("aws:ec2/vpc:Vpc", "begun")): "pending_operations"}


def test_numbers_beyond_any_are_judged_as_wrong_ones() -> None:
    for value in (10**400, -(10**400), 1e308, "9" * 500):
        verdicts, _ = judge(state(one("aws:kms/key:Key", {"deletionWindowInDays": value})), read_facts({}))
        assert not [each for each in verdicts if "the rule itself failed" in each.text]
        assert ("AWS-KMS-01", "deletionWindowInDays") in {(each.rule.id, each.path) for each in verdicts}


ENTRY = {"urn": "urn:pulumi:a::b::aws:ec2/vpc:Vpc::v", "type": "aws:ec2/vpc:Vpc"}


@pytest.mark.parametrize(
    ("deployment", "named"),
    [
        (None, "deployment:"),
        ([], "deployment:"),
        ("ciphertext", "deployment:"),
        ({"resources": [{**ENTRY, "type": None}]}, "deployment.resources[0].type"),
        ({"resources": [ENTRY, {**ENTRY, "urn": "v"}]}, "deployment.resources[1].urn"),
        ({"resources": [{**ENTRY, "inputs": ["hunter2"]}]}, "deployment.resources[0].inputs"),
        ({"resources": [{**ENTRY, "propertyDependencies": []}]}, "deployment.resources[0].propertyDependencies"),
        ({"resources": [{**ENTRY, "dependencies": "x"}]}, "deployment.resources[0].dependencies"),
        ({"resources": [{**ENTRY, "dependencies": [1]}]}, "deployment.resources[0].dependencies"),
        ({"resources": [{**ENTRY, "propertyDependencies": {"a": "x"}}]}, "propertyDependencies.a"),
        ({"resources": [{**ENTRY, "ignoreChanges": [{}]}]}, "deployment.resources[0].ignoreChanges"),
        ({"resources": [{**ENTRY, "delete": "yes"}]}, "deployment.resources[0].delete"),
        ({"resources": [ENTRY, ENTRY]}, "deployment.resources[1].urn"),
    ],
)
def test_a_state_of_another_form_is_refused_with_its_path(deployment: Any, named: str) -> None:
    with pytest.raises(WrongState) as caught:
        resources({"version": 3, "deployment": deployment})
    assert named in str(caught.value)
    assert "hunter2" not in str(caught.value)
