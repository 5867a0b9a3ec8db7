"""Clouds that fail: what the provider was doing when it died is found again, once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.engine.conftest import Hands

pytestmark = pytest.mark.engine


def _once(hands: Hands) -> None:
    assert max(Counter(urn for _, urn in hands.things()).values()) == 1


@pytest.mark.parametrize("kind", ["crash_before", "crash_after"])
@pytest.mark.parametrize("type_", ["aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:kms/key:Key"])
def test_a_provider_that_dies_during_a_create_leaves_no_duplicate(
    fresh: Hands, tmp_path: Path, kind: str, type_: str
) -> None:
    plan = tmp_path / "faults.yaml"
    plan.write_text(f"faults: [{{do: {kind}, match: {{cloud: aws, type: '{type_}', operation: create}}}}]\n")
    made = fresh.json("up", "--offline", "--faults", str(plan), code=1)
    assert made["error"]["reason"] in {"engine", "stopped"}
    assert fresh.locks() == []
    made = fresh.json("up", "--offline")
    adopted = [note for note in made["notes"] if note.startswith("adopted") and f"{type_}::" in note]
    if kind == "crash_after":
        assert adopted, made["notes"]
    _once(fresh)
    _once(fresh)
    assert len(fresh.things()) == 4
    assert fresh.json("up", "--offline")["up_steps"] == {"same": 6}


def test_one_failed_create_touches_only_itself_next_time(fresh: Hands, tmp_path: Path) -> None:
    plan = tmp_path / "faults.yaml"
    plan.write_text(
        "faults: [{do: fail, code: InternalError, message: no room, "
        "match: {cloud: aws, type: 'aws:ec2/securityGroup:*', operation: create, nth: 7}}]\n"
    )
    many = {"ECOSYSTEM_TINY_GROUPS": "20"}
    made = fresh.json("up", "--offline", "--continue-on-error", "--faults", str(plan), code=1, **many)
    assert "no room" in " ".join(made["error"]["details"])
    assert len(fresh.things()) == 23
    made = fresh.json("up", "--offline", **many)
    assert made["up_steps"] == {"create": 1, "same": 25}
    _once(fresh)


def test_throttling_is_survived(fresh: Hands, tmp_path: Path) -> None:
    plan = tmp_path / "faults.yaml"
    plan.write_text("faults: [{do: throttle, times: 3, match: {cloud: aws, operation: create}}]\n")
    assert fresh.json("up", "--offline", "--faults", str(plan))["up_steps"] == {"create": 6}


def test_a_hanging_cloud_is_named_by_the_watchdog(fresh: Hands, tmp_path: Path) -> None:
    plan = tmp_path / "faults.yaml"
    plan.write_text("faults: [{do: hang, seconds: 3600, match: {cloud: aws, type: 'aws:kms/*', operation: create}}]\n")
    made = fresh.json("up", "--offline", "--patience", "15", "--faults", str(plan), code=3)
    assert made["error"]["details"] == ["create aws:kms/key:Key data"]
    assert fresh.locks() == [] or fresh.json("recover", "--offline")["recovered"]


def test_expired_credentials_are_said_so(deployed: Hands, tmp_path: Path) -> None:
    plan = tmp_path / "faults.yaml"
    plan.write_text("faults: [{do: expired, match: {cloud: aws, operation: create}}]\n")
    made = deployed.json("up", "--offline", "--faults", str(plan), code=4, ECOSYSTEM_TINY_GROUPS="1")
    assert made["error"]["reason"] == "credentials"
