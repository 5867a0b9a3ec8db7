"""Rest as it is emitted: who has how many pods when, which alerts are told then, and that both mean the same hours."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from pulumi.runtime.mocks import MockResourceArgs

from tests.components.kubernetes.services.built import (
    ALL,
    SHARED,
    build,
    needs_shared,
    objects,
    releases,
    spec,
    tool,
)
from tests.components.kubernetes.services.test_alerts import program
from tests.components.mock_cloud import Cloud

NAMES = ("cert_manager", "external_secrets", "mesh", "monitoring", "scaling", "rollouts")
FEW = {name: ALL[name] for name in NAMES}
REST: dict[str, Any] = {
    "time_zone": "Europe/Berlin",
    "exceptions": ["2026-12-05"],
    "workloads": {
        "gateway": {"namespace": "platform", "pods": 1},
        "agent": {"namespace": "platform"},
        "optimizer": {"namespace": "platform"},
        "elsewhere": {"namespace": "platform"},
    },
}
BERLIN = ZoneInfo("Europe/Berlin")
ONCE: list[MockResourceArgs] = []


@pytest.fixture
def resting(cloud: Cloud) -> Cloud:
    """Scaling with hours, built once."""
    if not ONCE:
        ONCE.extend(build(cloud, FEW, off_hours=REST).asked)
    cloud.asked = list(ONCE)
    return cloud


def part_holds(part: str, value: int) -> bool:
    return part == "*" or str(value) in part.split(",")


def last(cron: str, now: datetime) -> bool:
    """Whether the day of a moment is one that a cron expression of ours means."""
    _, _, day, month, weekday = cron.split()
    days = (part_holds(day, now.day), part_holds(month, now.month), part_holds(weekday, now.isoweekday() % 7))
    return all(days)


def clock(cron: str) -> tuple[int, int]:
    minute, hour, *_ = cron.split()
    return int(hour), int(minute)


def wanted(found: dict[str, Any], now: datetime) -> int:
    """How many pods the clock asks for at a moment: KEDA takes the most of all triggers, and never too few."""
    asked = [found["minReplicaCount"]]
    for trigger in (each["metadata"] for each in found["triggers"] if each["type"] == "cron"):
        there = now.astimezone(ZoneInfo(trigger["timezone"]))
        at = (there.hour, there.minute)
        if last(trigger["start"], there) and clock(trigger["start"]) <= at < clock(trigger["end"]):
            asked.append(int(trigger["desiredReplicas"]))
    return max(asked)


MOMENTS = [
    (datetime(2026, 12, 4, 6, 59, tzinfo=BERLIN), False),  # a Friday
    (datetime(2026, 12, 4, 7, 0, tzinfo=BERLIN), True),
    (datetime(2026, 12, 4, 19, 59, tzinfo=BERLIN), True),
    (datetime(2026, 12, 4, 20, 0, tzinfo=BERLIN), False),
    (datetime(2026, 12, 5, 12, 0, tzinfo=BERLIN), True),  # the Saturday that is an exception
    (datetime(2026, 12, 5, 21, 0, tzinfo=BERLIN), False),
    (datetime(2026, 12, 6, 12, 0, tzinfo=BERLIN), False),  # a Sunday
    (datetime(2026, 12, 12, 12, 0, tzinfo=BERLIN), False),  # the Saturday after
    (datetime(2026, 7, 3, 5, 30, tzinfo=ZoneInfo("UTC")), True),  # half past seven in summer time
]


@pytest.mark.parametrize(("now", "works"), MOMENTS, ids=[f"{now:%a %H%M}" for now, _ in MOMENTS])
def test_pods_stand_while_people_work_and_rest_else(resting: Cloud, now: datetime, works: bool) -> None:  # noqa: FBT001
    assert wanted(spec(resting, "ScaledObject", "gateway"), now) == (3 if works else 1)
    assert wanted(spec(resting, "ScaledObject", "agent"), now) == (3 if works else 0)
    assert wanted(spec(resting, "ScaledObject", "optimizer"), now) == (3 if works else 0)


@pytest.mark.parametrize(("now", "works"), MOMENTS, ids=[f"{now:%a %H%M}" for now, _ in MOMENTS])
def test_alerts_are_told_in_the_same_hours(resting: Cloud, now: datetime, works: bool) -> None:  # noqa: FBT001
    """Alertmanager's intervals, read as its documentation says: every line of one must hold, any interval will do."""
    (interval,) = alertmanager(resting)["time_intervals"]

    def holds(each: dict[str, Any]) -> bool:
        there = now.astimezone(ZoneInfo(each["location"]))
        (time,) = each["times"]
        return (
            time["start_time"] <= f"{there:%H:%M}" < time["end_time"]
            and f"{there:%A}".lower() in each.get("weekdays", [f"{there:%A}".lower()])
            and str(there.year) in each.get("years", [str(there.year)])
            and str(there.month) in each.get("months", [str(there.month)])
            and str(there.day) in each.get("days_of_month", [str(there.day)])
        )

    assert any(map(holds, interval["time_intervals"])) is works


def alertmanager(cloud: Cloud) -> dict[str, Any]:
    found: dict[str, Any] = releases(cloud)["monitoring"]["values"]["alertmanager"]["config"]
    return found


def test_what_a_workload_is_scaled_by_holds_at_any_hour(resting: Cloud) -> None:
    found = spec(resting, "ScaledObject", "gateway")
    kinds = [each["type"] for each in found["triggers"]]
    assert kinds == ["cpu", "memory", "prometheus", "cron", "cron"]
    assert (found["maxReplicaCount"], found["cooldownPeriod"], found["fallback"]["replicas"]) == (100, 300, 3)
    assert found["triggers"][2]["metadata"]["ignoreNullValues"] == "true", "no figure at night is no load"
    blind = spec(resting, "ScaledObject", "agent")
    assert [each["type"] for each in blind["triggers"]] == ["cpu", "memory", "cron", "cron"]
    assert "fallback" not in blind


def test_one_autoscaler_for_each_workload(resting: Cloud) -> None:
    names = [
        each["spec"]["scaleTargetRef"]["name"]
        for kind in ("ScaledObject", "HorizontalPodAutoscaler")
        for each in objects(resting, kind)
    ]
    assert sorted(names) == ["agent", "gateway", "optimizer"]


def test_a_rollout_leaves_the_number_to_the_clock(cloud: Cloud) -> None:
    few = {**FEW, "scaling": {"workloads": {}}}
    build(cloud, few, off_hours=REST)
    assert "replicas" not in spec(cloud, "Rollout", "gateway")
    assert spec(cloud, "ScaledObject", "gateway")["scaleTargetRef"]["kind"] == "Rollout"
    assert spec(cloud, "ScaledObject", "gateway")["maxReplicaCount"] == 3
    cloud.asked.clear()
    build(cloud, few)
    assert spec(cloud, "Rollout", "gateway")["replicas"] == 3
    assert objects(cloud, "ScaledObject") == []


@needs_shared
def test_what_is_emitted_fits_upstream(resting: Cloud) -> None:
    documents = objects(resting, "ScaledObject")
    catalogue = tool("check_crds").Catalogue(str(SHARED / "crds"), documents)
    for each in documents:
        assert list(catalogue.check(json.loads(json.dumps(each)))) == []
    chart = tool("check_values").Chart("kube-prometheus-stack", str(SHARED / "charts"))
    assert list(chart.check(releases(resting)["monitoring"]["values"])) == []


def test_alertmanager_takes_the_hours_and_tells_the_rest_at_any_time(resting: Cloud, tmp_path: Path) -> None:
    """What rest causes waits for people; what concerns the platform or its safety does not."""
    amtool, config = program("amtool"), tmp_path / "alertmanager.yaml"
    config.write_text(yaml.safe_dump(alertmanager(resting)), encoding="utf-8")
    asked = subprocess.run([amtool, "check-config", config], capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stdout + asked.stderr
    routes = alertmanager(resting)["route"]["routes"]

    def quiet(**labels: str) -> set[bool]:
        """Whether the routes that tell an alert keep to the hours; that some route tells it is amtool's word."""
        words = [f"{key}={value}" for key, value in labels.items()]
        told = subprocess.run(
            [amtool, "config", "routes", "test", f"--config.file={config}", *words],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert told.strip() != "nobody", labels
        return {"active_time_intervals" in route for route in routes if matches(route["matchers"], labels)}

    assert quiet(severity="critical", alertname="TargetDown", namespace="platform") == {True}
    assert quiet(severity="critical", alertname="ErrorBudgetBurns1h") == {True}
    assert quiet(severity="warning", alertname="SlowRequests") == {True}
    assert quiet(severity="critical", alertname="TargetDown", namespace="monitoring") == {False}
    assert quiet(severity="critical", alertname="RuntimeThreat") == {False}
    assert quiet(severity="critical", alertname="NothingIsAsked") == {False}


def matches(matchers: list[str], labels: dict[str, str]) -> bool:
    """Alertmanager's four operators over labels; patterns are anchored and here only alternatives and `.*`."""
    for matcher in matchers:
        key, operator, value = matcher.split(" ", 2)
        alternatives = [each.removesuffix(".*") for each in value.strip('"').split("|")]
        has = labels.get(key, "")
        hit = any(has == each or (f"{each}.*" in value and has.startswith(each)) for each in alternatives)
        if hit != (operator in {"=", "=~"}):
            return False
    return True


def test_without_hours_nothing_waits(cloud: Cloud) -> None:
    config = alertmanager(build(cloud, FEW))
    assert "time_intervals" not in config
    assert not any("active_time_intervals" in route for route in config["route"]["routes"])
