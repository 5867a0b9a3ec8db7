"""The cheapest plan that nobody refuses wins; the evidence tells refused plans from others, as the law reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from charter.graph import Graph
from charter.rule import Resource
from charter.rules.charter_sizing import sized

import sizing
from sizing import pools, verdicts
from sizing.evidence import document, outputs
from sizing.plan import Plan
from sizing.problem import Problem
from sizing.recheck import recheck
from sizing.verify import verify
from tests.sizing.factory import JOBS, POOLS, job, problem

Judge = Callable[[dict[str, Any], dict[str, Any]], list[str]]
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"


def law(asked: Problem, plan: Plan) -> list[str]:
    """What CH-15 says of the evidence and of node groups that are made from it."""
    props = outputs(document({asked.cluster: asked}, {asked.cluster: plan}))
    made = [Resource(urn="urn:sizing", type="pulumi-python:dynamic/sizing:Sizing", name="sizing", props=props)]
    for key, part in props["plan"][asked.cluster].items():
        group = {
            "region": asked.region,
            "instanceTypes": [part["instance_type"]],
            "tags": {"optimizer-evidence": part["evidence"]},
            "scalingConfig": {"minSize": part["min"], "desiredSize": part["desired"], "maxSize": part["max"]},
        }
        made.append(Resource(urn=f"urn:{key}", type=NODE_GROUP, name=key, props=group))
    return [str(found) for found in sized(Graph(made), None)]  # type: ignore[arg-type]  # it asks no facts


def holds(asked: Problem, plan: object) -> Plan:
    """The plan, after everything that judges it."""
    assert isinstance(plan, Plan)
    assert recheck(json.loads(document({asked.cluster: asked}, {asked.cluster: plan}))) == []
    assert law(asked, plan) == []
    if plan.kept_previous == "no":
        assert plan.cost_usd_month <= min(plan.candidates.values()) + 0.01
    for entry in plan.notes.get("rejected", ()):
        assert entry["findings"]
        assert entry["by"] in {"verifier", "kube-scheduler"}
        if plan.notes["bounds"].keys() == {",".join(entry["pools"])}:  # the plan has no other part
            assert not set(entry["candidates"]) & set(plan.candidates)
    return plan


def refusing(number: int) -> tuple[Judge, list[str]]:
    """A judge that refuses the first so many different plans, and what it refused."""
    refused: list[str] = []

    def judge(given: dict[str, Any], plan: dict[str, Any]) -> list[str]:
        seen = json.dumps([[row["pool"], row["slot"], row["instance_type"], row["min"]] for row in plan["pools"]])
        if seen not in refused and len(refused) < number:
            refused.append(seen)
        return ["pool general: not this one"] if seen in refused else verify(given, plan)

    return judge, refused


@pytest.mark.parametrize("number", [1, 2])
def test_a_refused_plan_is_no_candidate_under_any_of_its_names(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    more = (
        job("x", 2300, 2500, 5),
        job("y", 700, 5200, 9),
        job("z", 3100, 7000, 4),
    )  # several different plans are found
    asked = problem(quality="standard", workloads=(*JOBS, *more))
    judge, refused = refusing(number)
    monkeypatch.setattr(verdicts, "verify", judge)
    plan = holds(asked, sizing.solve(asked))
    assert len(refused) == number
    said = [one for one in plan.notes["rejected"] if one["findings"] == ["pool general: not this one"]]
    assert len(said) == number
    assert any(len(one["candidates"]) > 1 for one in said)  # several methods led to the same nodes


def test_a_plan_that_runs_and_is_refused_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = problem()
    before = holds(asked, sizing.solve(asked))
    judge, _ = refusing(1)
    monkeypatch.setattr(verdicts, "verify", judge)
    after = holds(asked, sizing.solve(asked, before))
    assert after.kept_previous != "kept"
    assert after.notes["rejected"][0]["candidates"][0] == "previous plan"


@pytest.mark.parametrize(("needed", "said"), [(1, ", with 1 more spare"), (2, ", with 2 more spares"), (9, "")])
def test_where_the_verifiers_scheduler_leaves_pods_spares_are_tried(
    needed: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = problem(workloads=JOBS[:1], pools=POOLS[1:2])
    cheapest = holds(asked, sizing.solve(asked))

    def short(given: dict[str, Any], plan: dict[str, Any]) -> list[str]:
        waits = sum(row["spare"] for row in plan["pools"]) < sum(row.spare for row in cheapest.pools) + needed
        few = plan["cost_usd_month"] < cheapest.cost_usd_month * 3
        return ["pool general: a spreading scheduler leaves 1 pods"] if waits and few else verify(given, plan)

    monkeypatch.setattr(verdicts, "verify", short)
    plan = sizing.solve(asked)
    if said:
        assert holds(asked, plan).winner.endswith(said)
    else:
        assert not isinstance(plan, Plan)  # three times only


@pytest.mark.parametrize("needed", [0, 1, 3])
def test_what_the_scheduler_cannot_place_gets_spares_or_gives_way(needed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = problem()
    cheapest = holds(asked, sizing.solve(asked))

    def waiting(_: object, made: pools.PoolSolution, **__: object) -> int:
        """Pools without so many spares leave a pod; a pool that is full of one type never holds them."""
        return int(made.pool == 1 and sum(s for _, _, s in made.slots) < needed + 1)

    monkeypatch.setattr(verdicts, "MOST_SCHEDULED", 0)
    monkeypatch.setattr(verdicts, "pending", waiting)
    plan = holds(asked, sizing.solve(asked))
    assert sum(row.spare for row in plan.pools if row.pool == "general") > needed
    assert (plan.cost_usd_month > cheapest.cost_usd_month) == (needed > 0)
    kept = holds(asked, sizing.solve(asked, plan))
    assert kept.kept_previous in {"kept", "adjusted", "no", "partly"}


def test_where_spares_do_not_help_the_next_plan_is_taken_and_the_reason_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = problem()
    cheapest = holds(asked, sizing.solve(asked))
    types = {row.instance_type for row in cheapest.pools if row.pool == "general" and row.min}

    def waiting(compiled: Any, made: pools.PoolSolution, **__: object) -> int:
        part = compiled.pools[made.pool]
        return int(part.wish.name == "general" and types == {part.types[t].name for t, _, _ in made.slots})

    monkeypatch.setattr(verdicts, "MOST_SCHEDULED", 0)
    monkeypatch.setattr(verdicts, "pending", waiting)
    plan = holds(asked, sizing.solve(asked))
    assert plan.cost_usd_month > cheapest.cost_usd_month
    assert {one["by"] for one in plan.notes["rejected"]} == {"kube-scheduler"}
    assert cheapest.winner in {name for one in plan.notes["rejected"] for name in one["candidates"]}


VARIANTS: list[dict[str, Any]] = [
    {"workloads": tuple(replace(w, cpu_milli=w.cpu_milli * 113 // 100) for w in JOBS)},
    {"workloads": (*JOBS, job("more", 900, 700, 5, spread="host")), "zones": 2},
    {"workloads": tuple(w for w in JOBS if w.name == "dns")},  # empty pools, some with a minimum
    {"pools": tuple(replace(pool, min=4, slots=5) for pool in POOLS), "vcpu_quota": 160},
    {"max_changed_nodes": 2, "workloads": tuple(replace(w, replicas=w.replicas + 3) for w in JOBS)},
    {"threshold": 0.3, "workloads": JOBS[1:]},
]


def test_variants_with_and_without_a_plan_that_runs_pass_every_judge() -> None:
    before = holds(problem(), sizing.solve(problem()))
    for more in VARIANTS:
        asked = problem(**more)
        holds(asked, sizing.solve(asked))
        holds(asked, sizing.solve(asked, before))


def test_a_threshold_bounds_what_a_kept_plan_may_cost_and_the_law_sees_it() -> None:
    asked = problem(threshold=0.2)
    plan = holds(asked, sizing.solve(asked))
    kept = replace(plan, kept_previous="kept", candidates={"greedy": plan.cost_usd_month * 0.81})
    assert law(asked, kept) == []
    assert "dearer" in law(asked, replace(kept, candidates={"greedy": plan.cost_usd_month * 0.79}))[0]
    assert "dearer" in law(asked, replace(plan, candidates={"greedy": plan.cost_usd_month - 0.1}))[0]
    unsaid = replace(plan, notes={**plan.notes, "rejected": [{"by": "verifier", "findings": []}]})
    assert "without a reason" in law(asked, unsaid)[0]
