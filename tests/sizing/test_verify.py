"""The verifier finds every planted fault, and says where it is."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sizing
from sizing.plan import Plan
from sizing.verify import verify
from tests.sizing.factory import problem

Change = Callable[[dict[str, Any], dict[str, Any]], None]


@pytest.fixture(scope="module")
def judged() -> tuple[dict[str, Any], dict[str, Any]]:
    made = problem()
    plan = sizing.solve(made)
    assert isinstance(plan, Plan)
    return json.loads(json.dumps(made.to_object())), json.loads(json.dumps(plan.to_object()))


def row(plan: dict[str, Any], pool: str) -> dict[str, Any]:
    return next(p for p in plan["pools"] if p["pool"] == pool and p["min"])


def busy(plan: dict[str, Any], pool: str) -> dict[str, Any]:
    key = f"{pool}-{row(plan, pool)['slot']}"
    return next(node for node in plan["assignment"][key] if node["pods"])


def _lose_pod(_: dict[str, Any], plan: dict[str, Any]) -> None:
    pods = busy(plan, "general")["pods"]
    pods.pop(min(pods))


def _lose_spare(_: dict[str, Any], plan: dict[str, Any]) -> None:
    for key, nodes in plan["assignment"].items():
        if key.startswith("general"):
            nodes[:] = [node for node in nodes if node["pods"]]


def _interrupt(problem_: dict[str, Any], plan: dict[str, Any]) -> None:
    busy(plan, "burst")["pods"]["dns"] = {"on_demand": 1}


def _zone(_: dict[str, Any], plan: dict[str, Any]) -> None:
    for key, nodes in plan["assignment"].items():
        if key.startswith("general"):
            for node in nodes:
                node["zone"] = 0


FAULTS: dict[str, tuple[Change, str]] = {
    "a pod is missing": (_lose_pod, "asked for"),
    "the spare is missing": (_lose_spare, "N\\+1|witness"),
    "a steady pod on spot": (_interrupt, "must not be interrupted|stands in pool"),
    "all nodes in one zone": (_zone, "unevenly"),
    "a node too full": (lambda p, _: p["workloads"][0].update(cpu_milli=50_000), "exceeds|pending"),
    "a type nobody offered": (lambda _, q: row(q, "general").update(instance_type="m99.huge"), "no type"),
    "an ARM node where none may be": (lambda p, _: p["pools"][0].update(arch=["riscv"]), "not allowed"),
    "beyond the cap": (lambda p, _: p["pools"][1].update(max=1), "wished"),
    "too few": (lambda p, _: p["pools"][1].update(min=39), "wished"),
    "min above max": (lambda _, q: row(q, "general").update(max=0), "out of order"),
    "cost that does not follow": (lambda _, q: q.update(cost_usd_month=1.0), "does not follow"),
    "a bound above the cost": (lambda _, q: q.update(bound_usd_month=1e9), "above the cost"),
    "a quota": (lambda p, _: p.update(vcpu_quota=1), "quota"),
    "stale prices": (lambda p, _: p.update(as_of="2040-01-01"), "too old"),
    "too little on demand": (lambda p, _: [w.update(replicas=99) for w in p["workloads"]], "asked for"),
    "two on one host": (lambda p, _: [w.update(spread="host") for w in p["workloads"]], "spreads over hosts"),
    "a pool nobody wished for": (lambda p, _: p["pools"].pop(0), "never wished|KeyError|stands"),
}


def test_the_plan_itself_passes(judged: tuple[dict[str, Any], dict[str, Any]]) -> None:
    assert verify(*judged) == []


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_planted_fault_is_found(judged: tuple[dict[str, Any], dict[str, Any]], fault: str) -> None:
    problem_, plan = copy.deepcopy(judged)
    change, says = FAULTS[fault]
    change(problem_, plan)
    found = verify(problem_, plan)
    assert any(re.search(says, wrong) for wrong in found), found


def test_the_verifier_shares_no_code_with_the_solvers() -> None:
    for name, own in (("verify.py", ["from sizing.placing import Bin, scheduled"]), ("placing.py", [])):
        source = Path(sizing.__file__).with_name(name).read_text()
        assert [line for line in source.splitlines() if "import" in line and "sizing" in line] == own
        assert "numpy" not in source
