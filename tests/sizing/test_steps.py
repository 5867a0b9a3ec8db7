"""A plan changes in steps, not in jumps; it neither flips nor creeps; forecasts beat reacting on a real month."""

from __future__ import annotations

import csv
import gzip
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sizing
from sizing.decide import nodes_changed
from sizing.forecast import quantile
from sizing.plan import Plan
from sizing.problem import PoolWish, Problem
from sizing.replay import Fleet, outcomes, play, stepwise
from sizing.verify import verify
from tests.sizing.factory import TINY, job, problem

SERIES = Path(os.environ.get("SHARED", "../shared")) / "data" / "cluster-demand"
needs_series = pytest.mark.skipif(
    not SERIES.exists() and os.environ.get("CI") != "true", reason=f"{SERIES} is not there: set SHARED"
)
DAY = 288


def asked(pods: int, **more: object) -> Problem:
    """One pool in one zone that carries two workloads, three quarters of the pods small."""
    jobs = (job("api", 500, 1024, max(1, pods * 3 // 4)), job("cache", 500, 4096, max(1, pods // 4)))
    fields = {"types": TINY, "workloads": jobs, "pools": (PoolWish(name="general", max=60),), "zones": 1}
    return problem(**{**fields, **more})


def plan_of(made: Problem, previous: Plan | None = None) -> Plan:
    plan = sizing.solve(made, previous)
    assert isinstance(plan, Plan), plan
    assert verify(made.to_object(), plan.to_object()) == []
    return plan


def test_a_saving_is_taken_with_few_changes_not_by_other_types() -> None:
    old, newer = replace(TINY[2], name="m5.xlarge"), replace(TINY[2], name="m6a.xlarge", price_usd_hour=0.199)
    first = plan_of(asked(60, types=(old,)))
    now = plan_of(asked(52, types=(old, newer)), first)
    nodes = sum(p.min for p in first.pools) - sum(p.min for p in now.pools)
    assert nodes > 0
    assert nodes_changed(now, first) == nodes  # nodes go, none is replaced
    assert {p.instance_type for p in now.pools if p.min} == {"m5.xlarge"}
    assert now.kept_previous == "adjusted"


def test_steps_of_one_node_arrive() -> None:
    plan = plan_of(asked(40))
    goal = plan_of(asked(24))
    for _ in range(14):
        before, plan = plan, plan_of(asked(24, max_changed_nodes=1), plan)
        assert nodes_changed(plan, before) <= 1
        assert plan.cost_usd_month <= before.cost_usd_month
    assert plan.cost_usd_month <= goal.cost_usd_month * 1.1


def measured(name: str) -> list[float]:
    """The series as pods, peak 60."""
    with gzip.open(SERIES / f"{name}_5min.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    column = "cpu_usage" if "cpu_usage" in rows[0] else "avg_cpu"
    values = np.array([float(row[column]) for row in rows])
    made: list[float] = (values / values.max() * 60).tolist()
    return made


def test_a_smaller_demand_is_reached_in_steps_and_then_rests() -> None:
    plan = plan_of(asked(40))
    goal = plan_of(asked(8))
    seen = []
    for _ in range(12):
        before, plan = plan, plan_of(asked(8, max_changed_nodes=3), plan)
        seen.append(nodes_changed(plan, before))
        assert plan.cost_usd_month <= before.cost_usd_month
        assert plan.notes["changed_nodes"] == seen[-1]
    assert max(seen) <= 3
    assert sum(map(bool, seen)) > 1
    assert seen[-3:] == [0, 0, 0]
    assert plan.cost_usd_month <= goal.cost_usd_month / (1 - 0.03) + 1e-6 or seen[-1] == 0


def test_more_demand_is_met_at_once_with_as_few_new_nodes_as_it_takes() -> None:
    before = plan_of(asked(8))
    after = plan_of(asked(40, max_changed_nodes=1), before)
    free = plan_of(asked(40), before)
    assert nodes_changed(after, before) <= nodes_changed(free, before)
    assert after.kept_previous == "stepped"


def test_without_the_key_a_change_is_made_at_once() -> None:
    before = plan_of(asked(40))
    assert plan_of(asked(8), before).cost_usd_month == pytest.approx(plan_of(asked(8)).cost_usd_month, rel=0.031)


@needs_series
def test_no_flip_flop_over_a_replayed_month() -> None:
    series = measured("google2019")
    plans: list[Plan] = []
    kinds: list[frozenset[str]] = []
    for start in range(7 * DAY, len(series) - DAY, DAY):
        pods = int(np.ceil(quantile(series[:start], DAY, DAY, 0.95).max()))
        plan = plan_of(asked(pods, max_changed_nodes=4), plans[-1] if plans else None)
        if plans:
            grown = plan.cost_usd_month > plans[-1].cost_usd_month
            assert nodes_changed(plan, plans[-1]) <= 4 or grown, start
        plans.append(plan)
        kinds.append(frozenset(p.instance_type for p in plan.pools if p.min))
    flips = [i for i in range(2, len(kinds)) if kinds[i] == kinds[i - 2] != kinds[i - 1]]
    assert flips == []
    assert len(plans) > 12


def test_rounding_does_not_creep() -> None:
    plan = first = plan_of(asked(21, max_changed_nodes=2))
    for pods in (22, 21, 20, 21) * 3:
        plan = plan_of(asked(pods, max_changed_nodes=2), plan)
    assert plan.cost_usd_month <= first.cost_usd_month / (1 - 0.03) + 1e-6


@needs_series
@pytest.mark.parametrize("name", ["google2019", "azure_v2"])
@pytest.mark.parametrize("parts", [20, 100])
def test_a_forecast_costs_less_than_reacting_and_keeps_fewer_pods_waiting(name: str, parts: int) -> None:
    made = outcomes(measured(name), np.linspace(0, 1000, parts + 1).tolist(), DAY, 7 * DAY)
    assert made["perfect"].cost_usd_month <= made["forecast"].cost_usd_month < made["reactive"].cost_usd_month
    assert made["forecast"].pending_pod_minutes <= made["reactive"].pending_pod_minutes
    assert made["reactive"].cost_usd_month < made["static"].cost_usd_month
    assert made["static"].scale_events == 0


def test_a_series_that_repeats_is_foreseen_whole() -> None:
    series = [10.0, 20.0, 30.0, 20.0] * 12
    assert stepwise(series, 4, 0.5, 12)[12:].tolist() == series[12:]
    made = outcomes(series, [0.0, 1.0, 2.0, 3.0], 4, 20, Fleet(hold=1))
    assert made["forecast"] == made["perfect"]
    assert made["reactive"].pending_pod_minutes > 0


def test_waiting_is_counted_in_pod_minutes() -> None:
    standing, waited = play([10.0, 30.0, 30.0, 10.0, 10.0, 10.0, 10.0], None, Fleet(hold=2), 10.0)
    assert waited == pytest.approx(20 * 1.5)
    assert standing.tolist() == [10, 30, 30, 30, 30, 10, 10]


def test_too_short_a_past_is_named() -> None:
    with pytest.raises(ValueError, match="two seasons of 288"):
        stepwise([1.0] * 600, 288, 0.5, 300)


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="max_changed_nodes is 0"):
        replace(asked(4), max_changed_nodes=0)
