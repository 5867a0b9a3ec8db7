"""Pods that nothing tells apart: how many workloads they come from changes neither nodes nor time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from sizing.baselines import rivals
from sizing.compiled import Compiled, compile_problem
from sizing.plan import Plan
from sizing.portfolio import solve
from sizing.problem import Problem, WorkloadDemand
from sizing.verify import verify
from tests.sizing.factory import JOBS, job, problem

WHOLE = (
    job("api", 700, 3000, 9),
    job("batch", 1500, 2000, 8, spot="only", pools=("burst",)),
    job("dns", 100, 128, 3, spread="zone", pools=("system",)),
    job("store", 2000, 9000, 4, zone=1),
    job("web", 700, 900, 14),
)
PARTS = {"api": (2, 1, 6), "batch": (5, 3), "store": (1, 3), "web": (1,) * 14}


def in_parts(jobs: tuple[WorkloadDemand, ...]) -> tuple[WorkloadDemand, ...]:
    """The same pods in workloads of other names."""
    return tuple(
        replace(w, name=f"{'zyx'[k % 3]}-{w.name}-{k}", replicas=count)
        for w in jobs
        for k, count in enumerate(PARTS.get(w.name, (w.replicas,)))
    )


def solved(given: Problem, previous: Plan | None = None) -> Plan:
    made = solve(given, previous)
    assert isinstance(made, Plan)
    assert verify(given.to_object(), made.to_object()) == []
    return made


def compiled(*jobs: WorkloadDemand, single: tuple[str, ...] = ()) -> Compiled:
    made = compile_problem(problem(workloads=jobs), single)
    assert isinstance(made, Compiled)
    return made


def placed(plan: Plan) -> Counter[tuple[str, str]]:
    held: Counter[tuple[str, str]] = Counter()
    for nodes in plan.assignment.values():
        for node in nodes:
            for name, blocks in node["pods"].items():
                for block, count in blocks.items():
                    held[name, block] += count
    return held


@pytest.mark.parametrize("quality", ["fast", "standard"])
def test_a_workload_in_parts_has_the_nodes_that_it_has_whole(quality: str) -> None:
    whole = solved(problem(workloads=WHOLE, quality=quality))
    parts = solved(problem(workloads=in_parts(WHOLE), quality=quality))
    assert [(p.key, p.instance_type, p.min, p.max) for p in parts.pools] == [
        (p.key, p.instance_type, p.min, p.max) for p in whole.pools
    ]
    assert (parts.cost_usd_month, parts.bound_usd_month) == (whole.cost_usd_month, whole.bound_usd_month)
    asked = {w.name: w.replicas for w in in_parts(WHOLE)}
    assert {name: sum(n for (of, _), n in placed(parts).items() if of == name) for name in asked} == asked


def test_each_tolerant_workload_keeps_its_own_share_on_demand() -> None:
    jobs = tuple(
        job(name, 900, 1500, n, spot="tolerant", pools=("general", "burst"))
        for name, n in zip("abc", (1, 4, 9), strict=True)
    )
    held = placed(solved(problem(workloads=jobs)))
    assert {name: held[name, "on_demand"] for name in "abc"} == {"a": 1, "b": 2, "c": 3}
    assert {name: held[name, "flexible"] for name in "abc"} == {"a": 0, "b": 2, "c": 6}


def test_pods_that_move_to_an_equal_workload_keep_the_plan() -> None:
    before = solved(problem(workloads=in_parts(WHOLE)))
    moved = tuple(
        replace(w, replicas=w.replicas + {"z-api-0": 1, "x-api-2": -1}.get(w.name, 0)) for w in in_parts(WHOLE)
    )
    after = solved(problem(workloads=moved), before)
    assert after.kept_previous == "kept"
    assert [(p.key, p.instance_type, p.min) for p in after.pools] == [
        (p.key, p.instance_type, p.min) for p in before.pools
    ]
    assert solved(problem(workloads=moved), after).assignment == after.assignment


def test_what_workloads_are_called_changes_no_node_where_pods_may_stand_anywhere() -> None:
    plain = tuple(replace(w, spread="none") for w in JOBS)
    renamed = tuple(replace(w, name=f"{'qbxay'[k]}-{w.name}") for k, w in enumerate(plain))
    nodes = [
        [(p.key, p.instance_type, p.min) for p in solved(problem(workloads=jobs)).pools] for jobs in (plain, renamed)
    ]
    assert nodes[0] == nodes[1]


def test_only_pods_that_nothing_tells_apart_are_one_class() -> None:
    alike = compiled(job("a", 500, 512, 2), job("b", 500, 512, 1, spread="host"), job("c", 500, 512, 4))
    assert [pod.members for pod in alike.pods] == [(("a", 2), ("b", 1), ("c", 4))]
    assert alike.counts.tolist() == [7]
    apart = compiled(
        job("a", 500, 512, 2),
        job("b", 500, 512, 2, spread="host"),
        job("c", 500, 513, 2),
        job("d", 500, 512, 2, spot="only", pools=("burst",)),
        job("e", 500, 512, 2, zone=2),
        job("f", 500, 512, 2, spread="zone"),
        job("g", 500, 512, 2, survives="zone"),
    )
    assert all(len(pod.members) == 1 for pod in apart.pods)


def test_a_workload_that_is_counted_by_itself_stays_by_itself() -> None:
    made = compiled(job("a", 500, 512, 2), job("b", 500, 512, 1), job("c", 500, 512, 4), single=("b",))
    assert [pod.members for pod in made.pods] == [(("a", 2), ("c", 4)), (("b", 1),)]


def test_rivals_buy_the_same_nodes_for_parts_and_are_judged_alike() -> None:
    assert rivals(problem(workloads=in_parts(WHOLE))) == rivals(problem(workloads=WHOLE))
