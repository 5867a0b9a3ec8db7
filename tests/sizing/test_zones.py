"""Room after the loss of a zone, and pods tied to a zone by their volumes: planned, judged by other code, scheduled."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import sizing
from sizing.compiled import Compiled, compile_problem
from sizing.plan import Infeasible, Plan
from sizing.pools import node_zones
from sizing.problem import PoolWish, Problem, WrongProblem
from sizing.scheduler import kinds, schedule
from sizing.verify import verify
from tests.sizing.factory import TINY, job, problem

POOL = (PoolWish(name="general", max=40),)


def asked(*jobs: Any, **more: Any) -> Problem:
    return problem(**({"types": TINY, "pools": POOL, "workloads": jobs} | more))


def plan_of(made: Problem) -> Plan:
    plan = sizing.solve(made)
    assert isinstance(plan, Plan), plan
    assert verify(made.to_object(), plan.to_object()) == []
    return plan


def placed(plan: Plan, name: str) -> dict[int, int]:
    """Pods of a workload by zone."""
    held: dict[int, int] = {}
    for nodes in plan.assignment.values():
        for node in nodes:
            count = sum(node["pods"].get(name, {}).values())
            held[node["zone"]] = held.get(node["zone"], 0) + count
    return held


@settings(max_examples=8, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate),
          suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
@given(st.integers(1, 9), st.integers(2, 3), st.sampled_from(["none", "host"]), st.sampled_from(["never", "tolerant"]))
def test_without_any_one_zone_there_is_room_for_all(replicas: int, zones: int, spread: str, spot: str) -> None:
    pools = (PoolWish(name="burst", spot=True, max=30), *POOL)
    web = job("web", 700, 900, replicas, survives="zone", spread=spread, spot=spot, pools=("general", "burst"))
    plan = plan_of(asked(web, job("rest", 300, 700, 5), zones=zones, pools=pools))
    held = placed(plan, "web")
    for lost in range(zones):
        assert sum(count for zone, count in held.items() if zone != lost) >= replicas


def test_surviving_costs_more_and_only_what_is_marked_counts() -> None:
    costs = [
        plan_of(asked(job("web", 900, 1024, 8, survives=s), job("batch", 900, 1024, 8))).cost_usd_month
        for s in ("none", "zone")
    ]
    both = plan_of(asked(*(job(n, 900, 1024, 8, survives="zone") for n in ("web", "batch")))).cost_usd_month
    assert costs[0] < costs[1] < both


def test_volumes_tie_pods_to_their_zone_and_the_scheduler_finds_it() -> None:
    made = asked(*(job(f"db{z}", 1500, 3000, 2, zone=z) for z in range(3)), job("web", 400, 512, 7, spread="zone"))
    plan = plan_of(made)
    for zone in range(3):
        assert {z for z, count in placed(plan, f"db{zone}").items() if count} == {zone}
    compiled = compile_problem(made)
    assert isinstance(compiled, Compiled)
    wanted = kinds(compiled, compiled.counts)
    assert sorted(kind.zone for kind in wanted) == [-1, 0, 1, 2]
    assert [kind.spread for kind in wanted if kind.zone < 0] == [True]
    room = np.array([tuple(TINY[0].room)] * 6, dtype=float)
    lonely = [kind for kind in wanted if kind.zone == 2]
    assert schedule(lonely, room, node_zones(compiled, 6), 4, 7) == 0
    assert schedule(lonely, room[:2], np.array([0, 1]), 4, 7) == 2  # no node in zone 2


def moved(plan: dict[str, Any], name: str) -> None:
    """One pod of the workload goes to a node of another zone."""
    nodes = [node for some in plan["assignment"].values() for node in some]
    source = next(node for node in nodes if name in node["pods"])
    target = next(node for node in nodes if node["zone"] != source["zone"])
    block = next(iter(source["pods"][name]))
    source["pods"][name][block] -= 1
    there = target["pods"].setdefault(name, {})
    there[block] = there.get(block, 0) + 1


def test_the_verifier_finds_a_pod_away_from_its_volume_and_a_zone_too_full() -> None:
    made = asked(job("db", 500, 1000, 1, zone=1), job("web", 200, 256, 4, survives="zone"))
    plan = plan_of(made).to_object()
    for name, says in (("db", "its volumes are in zone 1"), ("web", "without one zone there is no room for 4 pods")):
        wrong = copy.deepcopy(plan)
        moved(wrong, name)
        assert any(says in finding for finding in verify(made.to_object(), wrong)), name


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"survives": "region"}, "survives"),
        ({"zone": 3}, "zone is 3; the cluster's zones are 0 to 2"),
        ({"zone": 1, "survives": "zone"}, "its volumes are in zone 1"),
        ({"zone": 1, "spread": "zone"}, "its volumes are in zone 1"),
    ],
)
def test_a_wrong_wish_names_the_field(change: dict[str, Any], says: str) -> None:
    with pytest.raises(WrongProblem, match=says):
        asked(job("web", 100, 100, 1, **change))


def test_one_zone_cannot_be_lost() -> None:
    with pytest.raises(WrongProblem, match="has one zone"):
        asked(job("web", 100, 100, 1, survives="zone"), zones=1)


def test_what_stands_against_surviving_is_told_with_its_price() -> None:
    pool = PoolWish(name="general", max=8, arch=("amd64", "arm64"))
    made = asked(job("web", 1500, 1024, 6, survives="zone"), pools=(pool,), types=TINY[:1])
    answer = sizing.solve(made)
    assert isinstance(answer, Infeasible)
    assert set(answer.detail["kinds"]) == {"survives", "zones", "pool_max", "demand"}
    assert {way.change for way in answer.relaxations} == {
        "let web not survive the loss of a zone",
        "raise pool general's max from 8 to 10",
    }


def test_a_problem_with_zones_survives_its_json() -> None:
    made = asked(job("db", 500, 1000, 1, zone=1), job("web", 200, 256, 4, survives="zone"))
    assert Problem.from_json(made.to_json()).to_json() == made.to_json()
