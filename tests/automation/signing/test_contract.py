"""A plan holds only as it was signed: every field is tampered with, and each promise breaks with its own code."""

from __future__ import annotations

import base64
import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from automation.exits import Ending, Exit
from automation.signing import contract, envelope, facts, keys, trust
from automation.signing.envelope import Signed

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FACTS: dict[str, Any] = {
    "project": "cloud-ecosystem",
    "stack": "prod",
    "mode": "offline",
    "commit": "c" * 40,
    "changes": "",
    "stack_file": "f" * 64,
    "locks": {"requirements.txt": "a" * 64},
    "versions": {"engine": "3.259.0", "sdk": "3.259.0", "providers": {"aws": "7.51.1"}},
    "state": "5" * 64,
    "steps": [["urn:a", "create", "1" * 16], ["urn:b", "update", "2" * 16]],
    "engine_plan": "e" * 64,
    "policy": {"judged": True, "mandatory": 0, "findings": "0" * 64},
    "cost": {"before": 100.25, "after": 120.5},
    "sizing": "s" * 52,
    "break_glass": None,
}


@pytest.fixture(scope="module")
def people() -> dict[str, keys.PrivateKeys]:
    return {name: keys.generate(name, NOW - timedelta(days=1)) for name in ("ada", "grace", "mallory")}


@pytest.fixture
def signers(people: dict[str, keys.PrivateKeys]) -> trust.Signers:
    known = trust.Signers()
    for name in ("ada", "grace"):
        known.add(people[name].public)
    return known


@pytest.fixture
def signed(people: dict[str, keys.PrivateKeys]) -> Signed:
    made = contract.make(FACTS, "ada", NOW).signed_by(people["ada"], "author", NOW)
    return made.signed_by(people["grace"], "approver", NOW)


def codes(signed: Signed, signers: trust.Signers, at: datetime = NOW, **now: Any) -> list[str]:
    facts = {**FACTS, **now}
    found = contract.before(signed, signers, facts, at, approvals=1) + contract.after(signed, facts)
    return [refusal.code for refusal in found]


def through_file(document: dict[str, Any], folder: Path) -> Signed:
    path = folder / "plan.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return contract.checked(envelope.read(path))


def test_a_plan_that_holds(signed: Signed, signers: trust.Signers, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(signed.text(), encoding="utf-8")
    assert codes(contract.checked(envelope.read(path)), signers) == []


def _other(value: Any) -> Any:
    if isinstance(value, dict):
        return {**value, "more": 1}
    if isinstance(value, list):
        return value[1:]
    return 1 if value is None else f"{value}x" if value else "x"


@pytest.mark.parametrize("field", sorted(contract.FIELDS))
def test_every_field_is_covered_by_both_signatures(
    field: str, signed: Signed, signers: trust.Signers, tmp_path: Path
) -> None:
    document = json.loads(signed.text())
    document["payload"][field] = _other(document["payload"][field])
    found = codes(through_file(document, tmp_path), signers)
    assert found.count("plan-signature") == 2  # the author's and the approver's


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("part", ["owner", "role", "at"])
def test_who_signed_as_what_and_when_is_covered(
    part: str, position: int, signed: Signed, signers: trust.Signers, tmp_path: Path
) -> None:
    document = json.loads(signed.text())
    other = {"owner": "mallory", "role": "approver", "at": "2026-11-21T11:59:59Z"}
    document["signatures"][position][part] = other[part]
    if document == json.loads(signed.text()):
        document["signatures"][position][part] = "author"
    assert "plan-signature" in codes(through_file(document, tmp_path), signers)


@pytest.mark.parametrize("kind", ["ed25519", "ml_dsa_65"])
@pytest.mark.parametrize("how", ["flip", "empty", "swap", "text"])
def test_one_broken_signature_of_either_kind_is_enough(
    kind: str, how: str, signed: Signed, signers: trust.Signers, tmp_path: Path
) -> None:
    document = json.loads(signed.text())
    good = document["signatures"][0][kind]
    raw = bytearray(base64.b64decode(good))
    raw[len(raw) // 2] ^= 1
    bad = {
        "flip": base64.b64encode(bytes(raw)).decode(),
        "empty": "",
        "swap": document["signatures"][1][kind],
        "text": "not base64 !",
    }
    document["signatures"][0][kind] = bad[how]
    refused = contract.before(through_file(document, tmp_path), signers, FACTS, NOW, approvals=1)
    assert [r.code for r in refused] == ["plan-signature"]
    assert {"ed25519": "Ed25519", "ml_dsa_65": "ML-DSA-65"}[kind] in refused[0].sentence
    assert ("ML-DSA-65" if kind == "ed25519" else "Ed25519") not in refused[0].sentence


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("commit", "d" * 40, "plan-commit"),
        ("stack", "dev", "plan-stack"),
        ("project", "other", "plan-project"),
        ("mode", "real", "plan-mode"),
        ("changes", "abc", "plan-dirty"),
        ("stack_file", "0" * 64, "plan-stack-file"),
        ("locks", {}, "plan-locks"),
        ("state", "0" * 64, "plan-state"),
        (
            "versions",
            {"engine": "3.259.0", "sdk": "3.259.0", "providers": {"aws": "7.51.2"}},
            "plan-versions",
        ),
        ("policy", {"judged": True, "mandatory": 1, "findings": "0"}, "plan-policy"),
        ("cost", {"before": 100.25, "after": 120.51}, "plan-cost"),
        ("sizing", "t" * 52, "plan-sizing"),
        ("engine_plan", "", "plan-engine"),
        ("steps", FACTS["steps"][:1], "plan-step-missing"),
        ("steps", [*FACTS["steps"], ["urn:c", "delete", "3"]], "plan-step-extra"),
        ("steps", [FACTS["steps"][0], ["urn:b", "update", "9"]], "plan-step-differs"),
    ],
)
def test_a_world_that_moved_on_is_refused(
    field: str, value: Any, code: str, signed: Signed, signers: trust.Signers
) -> None:
    assert codes(signed, signers, **{field: value}) == [code]


def test_the_clock(signed: Signed, signers: trust.Signers) -> None:
    assert codes(signed, signers, NOW + timedelta(hours=23, minutes=59)) == []
    assert codes(signed, signers, NOW + timedelta(hours=24)) == ["plan-expired"]
    assert codes(signed, signers, NOW - timedelta(minutes=4)) == []
    assert codes(signed, signers, NOW - timedelta(minutes=6)) == ["plan-clock"]


def test_people(people: dict[str, keys.PrivateKeys], signers: trust.Signers) -> None:
    made = contract.make(FACTS, "ada", NOW)
    alone = made.signed_by(people["ada"], "author", NOW)
    assert codes(made, signers) == ["plan-author", "plan-approver"]
    assert codes(alone, signers) == ["plan-approver"]
    assert codes(alone.signed_by(people["ada"], "approver", NOW), signers) == [
        "plan-approver-is-author",
        "plan-approver",
    ]
    assert codes(alone.signed_by(people["mallory"], "approver", NOW), signers) == ["plan-signer-unknown"]
    twice = alone.signed_by(people["grace"], "approver", NOW)
    assert "plan-signature" in codes(twice.signed_by(people["grace"], "approver", NOW), signers)


def test_a_second_key_of_the_author_is_still_the_author(
    people: dict[str, keys.PrivateKeys], signers: trust.Signers
) -> None:
    other = keys.generate("Ada", NOW)
    signers.add(other.public)
    made = contract.make(FACTS, "ada", NOW).signed_by(people["ada"], "author", NOW)
    assert "plan-approver-is-author" in codes(made.signed_by(other, "approver", NOW), signers)


def test_rotation(people: dict[str, keys.PrivateKeys], signers: trust.Signers, tmp_path: Path) -> None:
    fresh = keys.generate("ada", NOW)
    signers.rotate(people["ada"], fresh.public, NOW + timedelta(hours=1))
    signers.save(tmp_path / "signers.json")
    read = trust.load(tmp_path / "signers.json")
    old = contract.make(FACTS, "ada", NOW).signed_by(people["ada"], "author", NOW)
    assert codes(old.signed_by(people["grace"], "approver", NOW), read) == []  # signed while it was in force
    late = NOW + timedelta(hours=2)
    again = contract.make(FACTS, "ada", late).signed_by(people["ada"], "author", late)
    assert codes(again.signed_by(people["grace"], "approver", late), read, late) == ["plan-key-retired"]
    new = contract.make(FACTS, "ada", late).signed_by(fresh, "author", late)
    assert codes(new.signed_by(people["grace"], "approver", late), read, late) == []


def test_a_forged_rotation_is_found(
    people: dict[str, keys.PrivateKeys], signers: trust.Signers, tmp_path: Path
) -> None:
    fresh = keys.generate("ada", NOW)
    signers.rotate(people["ada"], fresh.public, NOW)
    path = tmp_path / "signers.json"
    signers.save(path)
    document = json.loads(path.read_text())
    evil = keys.generate("ada", NOW).public.record()
    forged = copy.deepcopy(document)
    forged["keys"][-1] = evil
    forged["rotations"][0]["new"] = evil["key_id"]
    path.write_text(json.dumps(forged))
    with pytest.raises(Ending, match="tampered") as caught:
        trust.load(path)
    assert caught.value.code == Exit.WRONG_INPUT
    half = copy.deepcopy(document)
    half["keys"][0]["ml_dsa_65"] = evil["ml_dsa_65"]  # one half of a pair exchanged
    path.write_text(json.dumps(half))
    with pytest.raises(Ending, match="tampered"):
        trust.load(path)


def test_nobody_rotates_into_more_rights(people: dict[str, keys.PrivateKeys], signers: trust.Signers) -> None:
    with pytest.raises(Ending, match="keeps owner"):
        signers.rotate(people["ada"], keys.generate("mallory", NOW).public, NOW)
    with pytest.raises(Ending, match="not in force"):
        signers.rotate(people["mallory"], keys.generate("mallory", NOW).public, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"format":"ecosystem-signed/1","format":"x"}',
        '{"format":"ecosystem-signed/1","payload_type":"t","payload":{"a":NaN},"signatures":[]}',
        '{"format":"ecosystem-signed/1","payload_type":"t","payload":{},"signatures":[],"more":1}',
        '{"format":"ecosystem-signed/1","payload_type":"t","payload":{},"signatures":[{"key_id":"x"}]}',
        '{"format":"ecosystem-signed/1","payload_type":"t","payload":{"a":"\\ud800"},"signatures":[]}',
    ],
)
def test_another_form_is_wrong_input(text: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(Ending) as caught:
        contract.checked(envelope.read(path))
    assert caught.value.code == Exit.WRONG_INPUT


def test_private_keys_are_kept(people: dict[str, keys.PrivateKeys], tmp_path: Path) -> None:
    path = tmp_path / "ada.key"
    people["ada"].save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert keys.load(path).public == people["ada"].public
    assert path.read_text() not in repr(people["ada"])
    with pytest.raises(Ending, match="never overwritten"):
        people["ada"].save(path)
    path.chmod(0o644)
    with pytest.raises(Ending, match="chmod 600"):
        keys.load(path)


def test_the_order_of_dependencies_is_no_difference() -> None:
    """The engine lists a goal's dependencies in the order of the run; inputs keep their order."""

    def plan(dependencies: list[str], cidrs: list[str], parent: str = "p") -> dict[str, Any]:
        goal = {
            "dependencies": dependencies,
            "propertyDependencies": {"subnetIds": dependencies},
            "inputDiff": {"adds": {"cidrs": cidrs}},
            "parent": parent,
        }
        return {"resourcePlans": {"urn": {"goal": goal, "steps": ["create"], "seed": "x"}}}

    first = facts.engine_plan(plan(["a", "b"], ["1", "2"]))
    assert facts.engine_plan(plan(["b", "a"], ["1", "2"])) == first
    assert facts.engine_plan(plan(["a"], ["1", "2"])) != first
    assert facts.engine_plan(plan(["a", "b"], ["2", "1"])) != first
    assert facts.engine_plan(plan(["a", "b"], ["1", "2"], "q")) != first
