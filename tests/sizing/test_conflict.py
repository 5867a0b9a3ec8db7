"""Planted infeasibility of every kind: what cannot hold together, nothing too much in it, and ways out that work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import sizing
from sizing.allocatable import Room
from sizing.conflict import bound, find, rest
from sizing.decide import within_budget
from sizing.evidence import SizingRefused, problems_json, sizing_outputs
from sizing.limits import Limit, lift, limits_of
from sizing.plan import Infeasible, Plan
from sizing.problem import PoolWish, Problem
from tests.sizing.factory import POOLS, TINY, job, kind, problem

FEW = (job("api", 500, 1024, 4), job("batch", 1000, 2048, 3, spot="tolerant", pools=("general", "burst")))
ARM = kind("m6g.large", 2, 8, 0.08, arch="arm64")
SPOT_PAIR = (PoolWish(name="burst", spot=True, max=40), PoolWish(name="burst2", spot=True, max=1), POOLS[1])
SPREAD = (job("hosts", 100, 128, 8, spread="host"),)


def pools(**changes: dict[str, Any]) -> tuple[PoolWish, ...]:
    return tuple(replace(pool, **changes.get(pool.name, {})) for pool in POOLS[:2])


def small(**change: Any) -> Problem:
    """Two pools in one zone, two workloads, three types."""
    return problem(**({"types": TINY, "workloads": FEW, "pools": POOLS[:2], "zones": 1} | change))


PLANTED: dict[str, tuple[dict[str, Any], str, set[str], str]] = {
    "a pool's max": ({"pools": pools(general={"max": 1})}, "pool_max", {"pool_max", "demand"}, "max from 1 to 2"),
    "a quota": ({"vcpu_quota": 6}, "quota", {"quota", "demand"}, "quota from 6 to"),
    "a budget": ({"budget_usd_month": 50.0}, "budget", {"budget", "demand"}, "budget from 50 to"),
    "a pod too large for its pool's types": (
        {"types": (*TINY, replace(ARM, vcpu=96, memory_gib=384.0, name="m6g.24xlarge")),
         "workloads": (*FEW, job("whale", 60_000, 1024, 1)), "pools": pools(general={"arch": ("amd64",)})},
        "pod_too_large", {"arch", "demand", "requests"}, "let pool general use amd64 and arm64",
    ),
    "a spot pool without prices": (
        {"types": tuple(replace(t, spot_price_usd_hour=None) for t in TINY),
         "workloads": (*FEW, job("thrifty", 100, 100, 2, spot="only", pools=("burst",)))},
        "price_missing", {"spot_pool"}, "let pool burst and thrifty be on demand (spot: never)",
    ),
    "a selector": (
        {"workloads": (*FEW, job("shy", 100, 100, 4, spot="only"))}, "spot_share", {"pools", "spot", "demand"},
        "let shy also run in pool burst",
    ),
    "a taint": (
        {"workloads": (job("calm", 100, 100, 4, pools=("burst",)),)}, "spot_share", {"pools", "spot", "demand"},
        "let calm be spot: only",
    ),
    "no GPU pool": (
        {"workloads": (*FEW, job("train", 1000, 1000, 1, gpu=1))}, "pod_too_large", {"gpu", "demand"},
        "add a pool with gpu: true and let train run there",
    ),
    "one pod a host": (
        {"workloads": SPREAD, "pools": (PoolWish(name="general", max=6),)}, "pool_max",
        {"pool_max", "spread", "demand"}, "pool general's max from 6 to 9",
    ),
    "zones": (
        {"workloads": (job("z", 100, 100, 3, spread="zone"),), "pools": (PoolWish(name="general", max=3),), "zones": 3},
        "pool_max", {"pool_max", "spread", "zones", "demand"}, "use 2 zones instead of 3",
    ),
    "the cap of a spot pool": (
        {"pools": SPOT_PAIR, "workloads": (job("big", 3000, 3000, 12, spot="only", pools=("burst", "burst2")),)},
        "pool_max", {"pool_max", "spot_share", "demand"}, "pool burst2's max from 1 to",
    ),
    "a min above the quota": (
        {"pools": pools(general={"min": 10}), "vcpu_quota": 18}, "quota", {"quota", "pool_min"},
        "lower pool general's min from 10 to",
    ),
    "old prices": ({"max_age_days": 10}, "price_missing", {"price_age"}, "prices.max_age_days from 10 to 20"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_what_was_planted_is_found_and_the_cheapest_way_out_works(name: str) -> None:
    change, constraint, kinds, way = PLANTED[name]
    made = small(**change)
    answer = sizing.solve(made)
    assert isinstance(answer, Infeasible)
    assert answer.constraint == constraint
    assert set(answer.detail["kinds"]) == kinds
    assert answer.proven
    assert answer.relaxations, answer.lines()
    assert any(way in one.change for one in answer.relaxations), [one.change for one in answer.relaxations]
    costs = [one.cost_usd_month for one in answer.relaxations]
    assert costs == sorted(costs)


@pytest.mark.parametrize("name", ["a pool's max", "one pod a host", "zones", "a min above the quota"])
def test_nothing_can_be_left_out_of_a_conflict(name: str) -> None:
    made = small(**PLANTED[name][0])
    limits = limits_of(made)
    found = find(made, (), within_budget)
    assert found.least
    assert bound(lift(made, rest(limits, found.limits), ())) == float("inf")
    for limit in found.limits:
        others = tuple(one for one in found.limits if one != limit)
        assert bound(lift(made, rest(limits, others), ())) < float("inf"), limit


def applied(made: Problem, limits: dict[str, tuple[Any, Any]]) -> Problem:
    for name, (_, then) in limits.items():
        what, _, subject = name.partition("/")
        if what == "quota":
            made = replace(made, vcpu_quota=then)
        if what == "pool_max":
            made = replace(made, pools=tuple(replace(p, max=then) if p.name == subject else p for p in made.pools))
    return made


def test_two_conflicts_need_two_changes_and_these_are_enough() -> None:
    made = small(pools=pools(general={"max": 1}), vcpu_quota=2)
    answer = sizing.solve(made)
    assert isinstance(answer, Infeasible)
    (way,) = answer.relaxations
    assert set(way.limits) == {"quota", "pool_max/general"}
    plan = sizing.solve(applied(made, dict(way.limits)))
    assert isinstance(plan, Plan)
    assert plan.cost_usd_month == pytest.approx(way.cost_usd_month, rel=0.02)


def test_a_volume_that_fits_but_does_not_pack_is_not_called_proven() -> None:
    jobs = (job("odd", 1200, 1024, 6),)  # one a node of 2 vCPU: the volume would fit on four
    made = problem(types=(TINY[0],), pools=(PoolWish(name="general", max=6),), workloads=jobs)
    answer = sizing.solve(made)
    assert isinstance(answer, Infeasible)
    assert not answer.proven
    assert "is not proven" in answer.lines()[1]
    assert {"pool_max/general": (6, 7)} in [dict(way.limits) for way in answer.relaxations]


def test_pods_that_fit_nowhere_are_cut_to_the_nearest_type_all_of_them() -> None:
    made = small(workloads=(*FEW, job("whale", 900_000, 1024, 1), job("squid", 100, 90_000, 1)))
    answer = sizing.solve(made)
    assert isinstance(answer, Infeasible)
    assert set(answer.detail["kinds"]) == {"demand", "requests"}
    (way,) = answer.relaxations
    assert dict(way.limits) == {
        "requests/squid": ("100m CPU, 90000 MiB", "100m CPU, 14499 MiB"),
        "requests/whale": ("900000m CPU, 1024 MiB", "3670m CPU, 1024 MiB"),
    }
    less = (*FEW, job("whale", 3670, 1024, 1), job("squid", 100, 14499, 1))
    plan = sizing.solve(replace(made, workloads=less))
    assert isinstance(plan, Plan)
    assert plan.cost_usd_month == pytest.approx(way.cost_usd_month, rel=0.02)


def test_a_way_out_names_the_pool_that_is_added_also_beside_another_change() -> None:
    jobs = (job("train", 1000, 1000, 1, gpu=1), job("calm", 100, 100, 4, pools=("burst",)))
    answer = sizing.solve(problem(types=TINY, workloads=jobs))
    assert isinstance(answer, Infeasible)
    (way,) = answer.relaxations
    assert "let calm also run in pool general" in way.change


def test_volumes_of_one_zone_keep_the_pools_max_in_the_conflict() -> None:
    wide = (PoolWish(name="general", max=8),)
    answer = sizing.solve(small(pools=wide, zones=3, workloads=(replace(job("db", 3000, 2000, 4), zone=1),)))
    assert isinstance(answer, Infeasible)
    assert {"pool_max", "zone"} <= set(answer.detail["kinds"])
    assert {"pool_max/general": (8, 12)} in [dict(way.limits) for way in answer.relaxations]


def test_agents_that_leave_no_room_on_any_type_are_named() -> None:
    answer = sizing.solve(problem(types=TINY, agents=Room(4000, 9000, 0, 12)))
    assert isinstance(answer, Infeasible)
    assert "the nodes' own agents take (4000m CPU, 9000 MiB and 12 pods a node)" in answer.message


def test_the_provider_tells_the_conflict_and_the_way_out() -> None:
    with pytest.raises(SizingRefused) as refused:
        sizing_outputs(problems_json({"a": small(vcpu_quota=6)}), None)
    said = str(refused.value)
    assert "cannot hold together: the quota of 6 vCPU" in said
    assert "cheapest way out: raise the quota from 6 to" in said


def test_the_plan_that_runs_gives_way_to_the_budget() -> None:
    made = small(pools=(PoolWish(name="general", max=9),), workloads=(job("a", 1500, 1024, 2),), threshold=0.9)
    rich = sizing.solve(replace(made, types=TINY[2:]))
    assert isinstance(rich, Plan)
    kept = sizing.solve(made, rich)
    assert isinstance(kept, Plan)
    assert (kept.kept_previous, kept.cost_usd_month) == ("kept", rich.cost_usd_month)
    tight = sizing.solve(replace(made, budget_usd_month=kept.cost_usd_month - 1), rich)
    assert isinstance(tight, Plan)
    assert tight.cost_usd_month < kept.cost_usd_month


def test_limits_name_pools_and_groups() -> None:
    limits = limits_of(problem(vcpu_quota=9))
    assert {Limit("quota"), Limit("demand", ("cache", "api")), Limit("pool_max", ("general",))} <= set(limits)


def test_pools_that_have_the_name_of_the_one_to_add_are_no_obstacle() -> None:
    """A pool called gpu that the workload may not use, one without GPUs, and several conflicts one after the other."""
    train = job("train", 500, 1000, 1, gpu=1)
    gpus = kind("g5.xlarge", 4, 16, 1.0, gpu=1)
    for called in (PoolWish(name="gpu", gpu=True, max=3), PoolWish(name="gpu", max=3)):
        made = small(workloads=(*FEW, train), pools=(*POOLS[:2], called), types=(*TINY, gpus))
        answer = sizing.solve(made)
        assert isinstance(answer, Infeasible)
        assert any("add a pool with gpu: true and let train run there" in way.change for way in answer.relaxations)
        assert {way.limits["gpu/train"] for way in answer.relaxations if "gpu/train" in way.limits} == {
            (False, "gpu-2")
        }
    tight = small(
        workloads=(*FEW, train, job("other", 500, 1000, 1, gpu=1, spread="host", pools=("burst",), spot="never")),
        types=(*TINY, gpus),
    )
    assert isinstance(sizing.solve(tight), Infeasible)
