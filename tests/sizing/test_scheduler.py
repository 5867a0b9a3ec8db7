"""The real kube-scheduler leaves no pod of a plan pending."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sizing
from bench.sizing_instances import instance
from bench.sizing_kube import pending
from sizing import catalogue
from sizing.plan import Plan
from sizing.problem import Problem
from sizing.stack_problem import from_stack
from stacks.load import read_file
from toolchain.cluster import ControlPlane

ROOT = Path(__file__).parents[2]


def prod() -> Problem:
    return from_stack(read_file(ROOT / "Pulumi.prod.yaml"), ROOT, catalogue.load())["gcp-europe-west1"]


@pytest.mark.cluster
@pytest.mark.slow
@pytest.mark.parametrize("name", ["prod", "heavy tail"])
def test_nothing_stays_pending(name: str) -> None:
    problem = prod() if name == "prod" else instance(300, 11)
    plan = sizing.solve(problem)
    assert isinstance(plan, Plan)
    with ControlPlane(scheduler=True) as plane:
        left, asked = pending(plane, json.loads(problem.to_json()), json.loads(json.dumps(plan.to_object())))
    assert asked == sum(w.replicas for w in problem.workloads)
    assert left == 0
