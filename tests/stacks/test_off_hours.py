"""When nobody works: what the clock is told, what is refused, and how long rest is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from stacks.judge import judge
from stacks.off_hours import OffHours
from tests.stacks.test_services import ALL, PROJECT, file

USUAL: dict[str, Any] = {"time_zone": "Europe/Berlin", "workloads": {"incident": {"namespace": "platform"}}}


def hours(**changes: Any) -> OffHours:
    return OffHours.model_validate_json(json.dumps({**USUAL, **changes}))


def problems(wish: Any, *, production: bool = False, **changes: Any) -> list[str]:
    data = file(changes.pop("services", ALL), production=production, off_hours=wish, **changes)
    return [problem.line() for problem in judge(data, PROJECT)[1]]


def test_the_usual_week() -> None:
    assert hours().crons() == (("0 7 * * 1,2,3,4,5", "0 20 * * 1,2,3,4,5"),)
    assert hours().worked == 65
    assert hours().rest_share == pytest.approx(103 / 168)


def test_sunday_is_day_nought_and_days_stand_in_order() -> None:
    assert hours(days=["sun", "mon"], opens="08:05", closes="12:30").crons() == (("5 8 * * 1,0", "30 12 * * 1,0"),)
    assert hours(days=["sun", "mon"], opens="08:05", closes="12:30").worked == pytest.approx(2 * (4 + 25 / 60))


def test_an_exception_is_a_day_of_its_own_once() -> None:
    dates = ["2026-12-05", "2026-12-06", "2026-12-05"]
    assert hours(exceptions=dates).crons()[1:] == (("0 7 5 12 *", "0 20 5 12 *"), ("0 7 6 12 *", "0 20 6 12 *"))


def test_a_moment_follows_summer_time() -> None:
    wish = hours(exceptions=["2026-12-05", "2026-07-04"])
    assert [wish.moment(day, wish.opens) for day in sorted(wish.exceptions)] == [
        "2026-07-04T05:00:00Z",
        "2026-12-05T06:00:00Z",
    ]


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "CET+1", "", "../etc/passwd", "Europe/Berlin "])
def test_a_time_zone_has_a_name(zone: str) -> None:
    with pytest.raises(ValidationError):
        hours(time_zone=zone)


@pytest.mark.parametrize("clock", ["7:00", "24:00", "12:60", "noon", "07:00:00"])
def test_a_clock_shows_hours_and_minutes(clock: str) -> None:
    with pytest.raises(ValidationError):
        hours(opens=clock)


def test_what_can_be_kept_is_taken() -> None:
    assert problems({**USUAL, "pools": {"general": 0}, "exceptions": ["2026-12-05"]}) == []


@pytest.mark.parametrize(
    ("changes", "path", "text"),
    [
        ({"opens": "20:00", "closes": "07:00"}, ".closes", "is not after opens"),
        ({"opens": "07:00", "closes": "07:00"}, ".closes", "is not after opens"),
        ({"closes": "06:00"}, ".closes", "is not after opens, which is 07:00"),
        ({"workloads": {}}, "", "lets nothing rest"),
        ({"days": ["mon", "mon"]}, ".days.1", "listed twice"),
        ({"exceptions": ["2026-12-04"]}, ".exceptions.0", "is a fri, on which people work anyway"),
        ({"workloads": {"incidnt": {"namespace": "platform"}}}, ".workloads.incidnt", "Did you mean `incident`"),
        ({"workloads": {"incident": {"namespace": "monitoring"}}}, ".workloads.incident.namespace", "tenant namespace"),
        ({"workloads": {"incident": {"namespace": "platform", "pods": 999}}}, ".workloads.incident.pods", "is no rest"),
        (
            {"workloads": {"agent": {"namespace": "platform", "pods": 3}}},
            ".workloads.agent.pods",
            "has 3 pods at least",
        ),
        ({"pools": {"genral": 0}}, ".pools.genral", "Did you mean `general`"),
        ({"pools": {"system": 0}}, ".pools.system", "carries what the cluster itself needs"),
        ({"pools": {"general": -1}}, ".pools.general", "at least 0"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_path(changes: dict[str, Any], path: str, text: str) -> None:
    found = problems({**USUAL, **changes})
    assert any(line.startswith(f"stack.off_hours{path}:") and text in line for line in found), found


def test_production_rests_only_when_it_is_meant() -> None:
    (line,) = problems(USUAL, production=True)
    assert line.startswith("stack.off_hours: puts a production stack to rest")
    assert problems({**USUAL, "in_production": True}, production=True) == []


def test_somebody_keeps_the_hours() -> None:
    without = {name: wish for name, wish in ALL.items() if name != "scaling"}
    (line,) = problems(USUAL, services=without)
    assert line.startswith("stack.off_hours.workloads: need scaling")


def test_pools_on_other_clouds_know_no_hours() -> None:
    data = file({}, production=False, off_hours={"time_zone": "Etc/UTC", "pools": {"general": 0}})
    data["clouds"] = {"gcp": data["clouds"]["gcp"]}
    data["workloads"] = []
    data.pop("demand", None)
    data.pop("data", None)
    found = [problem.line() for problem in judge(data, PROJECT)[1]]
    assert any(line.startswith("stack.off_hours.pools: do nothing here") for line in found), found
