"""The real kube-scheduler leaves no pod of a plan pending."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import sizing
from bench.sizing_instances import instance
from bench.sizing_kube import pending
from sizing import catalogue
from sizing.placing import Bin, scheduled
from sizing.plan import Plan
from sizing.problem import Problem
from sizing.scheduler import Kind, once
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


@pytest.mark.parametrize("seed", range(40))
def test_one_draw_is_what_the_verifier_sees(seed: int) -> None:
    """Ties to the first node: the solvers' quick draw and the verifier's, which share no code, say the same."""
    rng = np.random.default_rng(seed)
    room = rng.choice([[3900, 14000, 0, 58], [7900, 29000, 0, 58], [15800, 60000, 0, 234]], size=9).astype(float)
    zones = np.arange(9) % 3
    wanted, left = [], 0
    bins: list[Bin] = [
        (int(z), [int(v) for v in r], Counter(), [int(v) for v in r]) for z, r in zip(zones, room, strict=True)
    ]
    for number in range(6):
        size = (int(rng.integers(1, 16)) * 250, int(rng.integers(1, 20)) * 500, 0, 1)
        count, spread, host = int(rng.integers(1, 14)), bool(rng.random() < 0.3), bool(rng.random() < 0.2)
        wanted.append(Kind(np.array(size, dtype=float), count, spread, number if host else -1))
        left += scheduled(bins, f"w{number}", size, count, 3 if spread else 1, alone=host)
    assert once(wanted, room, zones) == (left == 0)
