"""New demand against a deployed stack: only the pools whose part of the plan changed, and the plan itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.loop.conftest import CommandLine

pytestmark = [pytest.mark.engine, pytest.mark.slow]

POOLS = {
    "aws:eks/nodeGroup:NodeGroup",
    "aws:ec2/launchTemplate:LaunchTemplate",  # an EKS pool's instance type and node labels are in its template
    "gcp:container/nodePool:NodePool",
    "azure-native:containerservice:AgentPool",
}
SIZING = "pulumi-python:dynamic/sizing:Sizing"


@pytest.fixture(scope="module")
def deployed(hands: CommandLine) -> dict[str, Any]:
    """The dev stack, brought up offline in the session's own state folder."""
    return hands.object("up", "dev", "--offline")


def test_the_same_demand_changes_nothing(hands: CommandLine, deployed: dict[str, Any]) -> None:
    assert deployed["mode"] == "offline"
    found = hands.object("preview", "dev", "--offline")
    assert set(found["preview_steps"]) == {"same"}


def test_more_demand_changes_pools_and_nothing_else(hands: CommandLine, deployed: dict[str, Any]) -> None:
    before = {(row["cluster"], row["pool"], row["slot"]): row["evidence"] for row in deployed["sizing"]}
    found = hands.object("preview", "dev", "--offline", "--demand", "demand/surge.csv")
    after = {(row["cluster"], row["pool"], row["slot"]): row["evidence"] for row in found["sizing"]}
    planned = {f"{c}-{p}-{s}" for c, p, s in before if before[c, p, s] != after[c, p, s]}
    changed = {each["urn"].rsplit("::", 1)[1]: each["type"] for each in found["changed"]}
    assert changed.pop("sizing") == SIZING
    assert set(changed.values()) <= POOLS
    assert planned == {name for name, typ in changed.items() if typ in POOLS}
    assert any("general" in name for name in planned)
    assert not any("system" in name for name in planned)


def test_drift_of_each_type_is_found_and_healed(hands: CommandLine, deployed: dict[str, Any]) -> None:
    assert deployed["mode"] == "offline"
    planted = hands.run("sandbox", "drift", "dev")
    assert planted.returncode == 0, planted.stderr
    found = hands.object("drift", "dev", "--offline", code=5)
    assert found["drift"], found
    believed = hands.object("up", "dev", "--offline", "--no-refresh")
    assert set(believed["up_steps"]) == {"same"}, "without a refresh the state is believed"
    repaired = hands.object("up", "dev", "--offline")
    assert {row["urn"] for row in repaired["drift"]} >= {row["urn"] for row in found["drift"]}
    assert set(repaired["up_steps"]) > {"same"}
    healed = hands.object("drift", "dev", "--offline")
    assert healed["drift"] == []
