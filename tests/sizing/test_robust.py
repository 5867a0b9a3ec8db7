"""What fails inside is survived and said: the verifier's no, a solver that gives up, a scheduler that spreads."""

from __future__ import annotations

import pytest

import sizing
from sizing import linear, verdicts
from sizing.linear import Outcome
from sizing.plan import Infeasible, Plan
from sizing.problem import PoolWish
from sizing.verify import verify
from tests.sizing.factory import CATALOGUE, fit_for_nodes, job, problem


def test_a_plan_the_verifier_rejects_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    first = sizing.solve(problem())
    assert isinstance(first, Plan)

    def picky(given: dict[str, object], plan: dict[str, object]) -> list[str]:
        return ["pool general: not this one"] if plan["pools"] == first.to_object()["pools"] else verify(given, plan)

    monkeypatch.setattr(verdicts, "verify", picky)
    second = sizing.solve(problem())
    assert isinstance(second, Plan)
    assert second.pools != first.pools
    assert second.notes["rejected"][0]["findings"] == ["pool general: not this one"]


def test_when_no_candidate_passes_the_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "verify", lambda *_: ["pool general: never good enough"])
    answer = sizing.solve(problem())
    assert isinstance(answer, Infeasible)
    assert answer.constraint == "unverified"
    assert "never good enough" in answer.message


def test_without_highs_the_greedy_plan_stands_and_the_evidence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> Outcome:
        return Outcome("failed: test", 0.0, 0.0, None, None)

    monkeypatch.setattr(linear.Model, "solve", gone)
    plan = sizing.solve(problem())
    assert isinstance(plan, Plan)
    assert verify(problem().to_object(), plan.to_object()) == []
    assert "fluid: failed: test" in plan.notes["limits"]


def test_the_bound_that_sees_zones_is_no_lower_than_needed_and_below_the_cost() -> None:
    plan = sizing.solve(problem(quality="standard"))
    assert isinstance(plan, Plan)
    assert 0 < plan.notes["bound_free_mixing"] <= plan.bound_usd_month + 1e-6 <= plan.cost_usd_month + 2e-6


def test_a_tight_quota_has_a_plan_where_only_a_start_by_volume_packs() -> None:
    """It was called infeasible after minutes of looking for the conflict: the nodes nearest the optimum do not pack."""
    both, every = ("amd64", "arm64"), ("p1", "p2", "p3")
    tight = problem(
        cloud="gcp",
        region="us-central1",
        cluster="gcp-us-central1",
        types=fit_for_nodes(CATALOGUE.types("gcp", "us-central1")),
        vcpu_quota=400,
        seed=1016,
        pools=(
            PoolWish(name="system", purpose="system", min=3, max=12, slots=1),
            PoolWish(name="p0", spot=True, min=1, max=30),
            PoolWish(name="p1", max=100, arch=both, slots=5),
            PoolWish(name="p2", min=1, max=100, slots=1),
            PoolWish(name="p3", max=100, arch=both),
        ),
        workloads=(
            job("w0", 50, 12000, 24, spread="zone", spot="tolerant", pools=every),
            job("w1", 900, 3000, 19, spread="zone", pools=("p1",)),
            job("w2", 2500, 64, 22, spread="zone", spot="tolerant", pools=("p1", "p2")),
            job("w3", 7000, 3000, 10, pools=every, zone=0),
            job("w4", 250, 12000, 6, spot="tolerant", pools=("p0", *every)),
            job("w5", 2500, 64, 8, spot="only", pools=("p0",), zone=1),
            job("w6", 2500, 3000, 25, spot="only", pools=("p0",)),
        ),
    )
    plan = sizing.solve(tight)
    assert isinstance(plan, Plan)
    assert verify(tight.to_object(), plan.to_object()) == []
