"""Experiments: bounded, one at a time, and ended by a health check."""

from __future__ import annotations

from typing import Any

import pytest

from tests.components.kubernetes.services.built import ALL, build, objects, releases
from tests.components.mock_cloud import Cloud


def schedules(cloud: Cloud, **changes: Any) -> list[dict[str, Any]]:
    return objects(build(cloud, {**ALL, "chaos": {**ALL["chaos"], **changes}}), "Schedule")


def template(schedule: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (each for each in schedule["spec"]["workflow"]["templates"] if each["name"] == name)
    return found


def test_three_targets_every_six_hours_never_two_at_once(cloud: Cloud) -> None:
    found = schedules(cloud)
    assert {each["spec"]["schedule"] for each in found} == {"0 */6 * * *", "20 */6 * * *", "40 */6 * * *"}
    assert {each["spec"]["concurrencyPolicy"] for each in found} == {"Forbid"}
    assert {each["spec"]["type"] for each in found} == {"Workflow"}


def test_an_experiment_hits_one_pod_of_one_workload(cloud: Cloud) -> None:
    for schedule in schedules(cloud):
        fault = template(schedule, "fault")
        (what,) = (fault[key] for key in ("podChaos", "networkChaos", "stressChaos") if key in fault)
        assert what["mode"] == "one"
        assert what["selector"]["namespaces"] == ["platform"]
        assert set(what["selector"]["labelSelectors"]) == {"app"}


def test_a_health_check_runs_beside_it_and_ends_it(cloud: Cloud) -> None:
    for schedule in schedules(cloud, duration_seconds=90):
        whole, check = template(schedule, "whole"), template(schedule, "check")
        assert (whole["templateType"], whole["children"], whole["deadline"]) == ("Parallel", ["check", "fault"], "90s")
        assert check["abortWithStatusCheck"] is True
        assert check["statusCheck"]["mode"] == "Continuous"
        assert check["statusCheck"]["http"]["url"] == "http://gateway.platform.svc:8080/healthz"


def test_only_namespaces_with_targets_can_be_hit(cloud: Cloud) -> None:
    build(cloud, ALL)
    marked = {
        each["metadata"]["name"]
        for each in objects(cloud, "Namespace")
        if (each["metadata"].get("annotations") or {}).get("chaos-mesh.org/inject") == "enabled"
    }
    assert marked == {"platform"}
    values = releases(cloud)["chaos-mesh"]["values"]
    assert values["controllerManager"]["enableFilterNamespace"] is True
    assert values["dashboard"]["securityMode"] is True
    assert values["dashboard"]["service"] == {"type": "ClusterIP"}
    assert (values["chaosDaemon"]["runtime"], values["chaosDaemon"]["socketPath"]) == (
        "containerd",
        "/run/containerd/containerd.sock",
    )


@pytest.mark.parametrize("hours", [1, 12])
def test_the_hours_are_those_of_the_stack_file(cloud: Cloud, hours: int) -> None:
    assert all(f" */{hours} " in each["spec"]["schedule"] for each in schedules(cloud, hours=hours))


def test_the_permission_is_written_where_the_law_reads_it(cloud: Cloud) -> None:
    given = {"expires": "2026-12-15", "approver": "lead@example.org", "ticket": "OPS-12"}
    for schedule in schedules(cloud, **given):
        assert schedule["metadata"]["annotations"] == {
            "ecosystem.dev/expires-at": "2026-12-15",
            "ecosystem.dev/approver": "lead@example.org",
            "ecosystem.dev/ticket": "OPS-12",
        }


def test_a_permission_that_nobody_gave_is_not_written(cloud: Cloud) -> None:
    assert not any(schedule["metadata"].get("annotations") for schedule in schedules(cloud))
