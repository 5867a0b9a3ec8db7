"""All four stacks through the whole loop on the real engine: nothing differs, nothing is left."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.loop.conftest import ROOT, CommandLine

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(2400)]

CLOUDS = ["aws", "azure", "gcp"]
EXPERIMENTS = """
      chaos:
        targets:
          - {{namespace: platform, workload: gateway, experiment: pod-kill}}
          - {{namespace: platform, workload: agent, experiment: network-delay}}
          - {{namespace: platform, workload: incident, experiment: cpu-stress}}
        abort_url: http://gateway.platform.svc:8080/healthz
        expires: "{expires}"
        approver: platform-team@example.org
        ticket: PLATFORM-118
"""


def with_experiments(place: Path) -> Path:
    """Staging as it is, with experiments for a fortnight from today: CH-21 compares their end with the clock."""
    for each in ROOT.iterdir():
        if each.name not in {".git", "Pulumi.staging.yaml"}:
            (place / each.name).symlink_to(each)
    before, cost, after = (ROOT / "Pulumi.staging.yaml").read_text().partition("      cost: {}\n")
    expires = (datetime.now(tz=UTC) + timedelta(days=14)).date().isoformat()
    wished = before + cost + EXPERIMENTS.format(expires=expires).lstrip("\n") + after
    (place / "Pulumi.staging.yaml").write_text(wished)
    return place


@pytest.fixture(scope="module", params=["dev", "staging", "prod", "dr"])
def rehearsed(
    request: pytest.FixtureRequest, hands: CommandLine, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    if request.param != "staging":
        return hands.object("rehearse", request.param)
    place = with_experiments(tmp_path_factory.mktemp("staging"))
    found = hands.object("rehearse", "staging", "--project", str(place))
    assert all(kinds["Schedule"] == 4 for kinds in found["objects"].values())  # three experiments, and the backup
    return found


def test_what_was_previewed_is_what_was_done(rehearsed: dict[str, Any]) -> None:
    assert rehearsed["preview_steps"] == rehearsed["up_steps"]


def test_nothing_changes_the_second_time_and_nothing_is_left(rehearsed: dict[str, Any]) -> None:
    assert rehearsed["second_up_changes"] == 0
    assert rehearsed["refresh_changes"] == 0
    assert rehearsed["left_after_destroy"] == 0


def test_all_clouds_are_there(rehearsed: dict[str, Any]) -> None:
    assert rehearsed["clouds"] == CLOUDS
    if rehearsed["stack"] == "prod":
        assert rehearsed["resources"] >= 250
        assert sum(map(len, rehearsed["regions"].values())) >= 6


def test_the_law_has_judged_and_found_nothing(rehearsed: dict[str, Any]) -> None:
    policy = rehearsed["policy"]
    assert policy["mandatory"] == 0, policy["findings"]
    assert policy["evaluated"] > rehearsed["resources"]


def test_every_sized_pool_has_its_evidence(rehearsed: dict[str, Any]) -> None:
    for pool in rehearsed["sizing"]:
        assert len(pool["evidence"]) == 52, pool
        assert pool["min"] <= pool["desired"] <= pool["max"], pool


def test_at_most_one_resource_in_twenty_has_no_price(rehearsed: dict[str, Any]) -> None:
    assert len(rehearsed["cost_monthly_usd"]["unpriced"]) <= 0.05 * rehearsed["resources"]


def test_it_says_that_it_was_not_real(rehearsed: dict[str, Any]) -> None:
    assert rehearsed["mode"] == "offline"


def test_the_object_keeps_to_its_schema(rehearsed: dict[str, Any]) -> None:
    schema = json.loads(Path(ROOT / "automation/schemas/rehearse.json").read_text())
    jsonschema.validate(rehearsed, schema)
