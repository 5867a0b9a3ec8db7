"""The baselines buy enough and no plan within the bound is cheaper than the bound."""

from __future__ import annotations

import math

from sizing.baselines import baselines
from tests.sizing.factory import JOBS, problem


def test_the_usual_type_costs_more_than_a_free_mix() -> None:
    made = baselines(problem())
    assert 0 < made["karpenter"] <= made["cluster_autoscaler"]
    assert all(math.isfinite(cost) for cost in made.values())


def test_no_demand_costs_the_minimum() -> None:
    assert baselines(problem(workloads=()))["karpenter"] < baselines(problem(workloads=JOBS))["karpenter"]
