"""What a stack asks for and no nodes can give ends the program with a sentence, not with a traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components.placements import decide
from stacks.judge import judge
from stacks.model import Stack

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, Any] = {
    "cert_manager": {},
    "external_secrets": {},
    "scaling": {
        "workloads": {"agent": {"namespace": "platform", "horizontal": {"max": 400, "requests_per_second": None}}}
    },
}


def stack(cpu: str, **more: Any) -> Stack:
    data: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8"))
    wish = data["config"]["cloud-ecosystem:stack"] | {"services": SERVICES} | more
    (agent,) = (each for each in wish["workloads"] if each["name"] == "agent")
    agent |= {"cpu": cpu, "pools": ["general"], "spot": "never", "replicas": 3}
    found, wrong = judge(wish, ROOT)
    assert found is not None, [problem.line() for problem in wrong]
    return found


def test_what_workloads_may_grow_to_and_no_pool_can_hold() -> None:
    with pytest.raises(pulumi.RunError, match=r"^no plan: clusters.pools: .* raise max of a pool"):
        decide(stack("60"), ROOT)


def test_what_fits_is_a_problem_for_each_cluster() -> None:
    assert set(decide(stack("500m"), ROOT).problems) == set(stack("500m").cluster_names())
