"""What workloads may grow to, against what the pools can hold at most."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sizing.catalogue import load
from sizing.peak import shortages
from sizing.problem import WrongProblem
from sizing.stack_problem import from_stack
from stacks.judge import judge

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, Any] = {
    "cert_manager": {},
    "external_secrets": {},
    "mesh": {"calls": [{"caller": "platform/gateway", "target": "platform/agent"}]},
    "monitoring": {"receivers": {"hook": {"kind": "webhook", "to": "https://hooks.example.org"}}},
    "scaling": {"workloads": {"agent": {"namespace": "platform"}}},
}


def problems(cpu: str, most: int) -> Any:
    data: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text(encoding="utf-8"))
    stack = data["config"]["cloud-ecosystem:stack"]
    stack.pop("links", None)  # they want a mesh over clusters, which SERVICES does not ask for
    (agent,) = (each for each in stack["workloads"] if each["name"] == "agent")
    agent |= {"cpu": cpu, "pools": ["general"], "spot": "never"}
    wish = {**SERVICES, "scaling": {"workloads": {"agent": {"namespace": "platform", "horizontal": {"max": most}}}}}
    found, wrong = judge({**stack, "services": wish}, ROOT)
    assert found is not None, [problem.line() for problem in wrong]
    return from_stack(found, ROOT, load())


def test_what_fits_at_its_most_is_a_problem_as_before() -> None:
    made = problems("1", 100)
    assert len(made) == 6
    assert list(shortages(made["aws-eu-west-1"], {"agent": 100})) == []


def test_what_cannot_fit_on_any_nodes_is_refused_with_what_to_change() -> None:
    with pytest.raises(WrongProblem, match=r"general of .* agent .* raise max of a pool, or lower horizontal.max"):
        problems("60", 1000)


def test_only_what_grows_is_asked() -> None:
    made = problems("1", 100)["aws-eu-west-1"]
    assert list(shortages(made, {})) == []
    assert list(shortages(made, {"nobody": 10**6})) == []
    (cpu, *_) = shortages(made, {"agent": 10**6})
    assert "mCPU" in cpu
