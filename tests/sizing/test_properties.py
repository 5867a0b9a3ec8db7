"""What must hold for any problem: against the true optimum of tiny ones, more never cheaper, choice never dearer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import sizing
from sizing.catalogue import HOURS_PER_MONTH
from sizing.conflict import bound
from sizing.plan import Plan
from sizing.problem import PoolWish, Problem, WorkloadDemand
from sizing.reproved import reproved
from sizing.verify import verify
from tests.sizing.factory import CATALOGUE, JOBS, POOLS, TINY, fit_for_nodes, job, kind, problem

QUICK = {
    "deadline": None,
    "derandomize": True,
    "phases": (Phase.explicit, Phase.generate),  # shrinking would solve thousands of problems
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much],
}
SOME = 0.02  # the plans are near the optimum, not on it


def solved(made: Problem) -> Plan:
    plan = sizing.solve(made)
    assert isinstance(plan, Plan), plan
    assert verify(made.to_object(), plan.to_object()) == []
    return plan


def optimum(made: Problem) -> float:
    """The cheapest plan of one on-demand pool in one zone, by trying every way to part the pods (no greedy scheduler).

    For every type that the spare may be: nodes hold no more than it, and every subset of pods costs its cheapest split.
    """
    pods = [w for w in made.workloads for _ in range(w.replicas)]
    rooms = [(t.room, t.price_usd_hour * HOURS_PER_MONTH) for t in made.types]
    full = (1 << len(pods)) - 1
    loads = [(0, 0, 0)] * (full + 1)
    alone = [True] * (full + 1)
    for some in range(1, full + 1):
        low = (some & -some).bit_length() - 1
        cpu, memory, count = loads[some & (some - 1)]
        loads[some] = (cpu + pods[low].cpu_milli, memory + pods[low].memory_mib, count + 1)
        names = [pods[i].name for i in range(len(pods)) if some >> i & 1 and pods[i].spread == "host"]
        alone[some] = len(names) == len(set(names))
    best = float("inf")
    for spare, spare_price in rooms:
        node = [float("inf")] * (full + 1)
        for some in range(1, full + 1):
            cpu, memory, count = loads[some]
            if alone[some] and cpu <= spare.cpu_milli and memory <= spare.memory_mib and count <= spare.pods:
                fits = [p for r, p in rooms if cpu <= r.cpu_milli and memory <= r.memory_mib and count <= r.pods]
                node[some] = min(fits, default=float("inf"))
        cheapest = [0.0] * (full + 1)
        for some in range(1, full + 1):
            low, rest = some & -some, some & (some - 1)
            least, part = node[low] + cheapest[rest], rest
            while part:
                value = node[part | low]
                if value < least:
                    least = min(least, value + cheapest[rest ^ part])
                part = (part - 1) & rest
            cheapest[some] = least
        best = min(best, cheapest[full] + spare_price)
    return best


shapes = st.lists(
    st.tuples(
        st.sampled_from([200, 450, 800, 1300, 2600]),
        st.sampled_from([300, 1500, 3500, 7000]),
        st.integers(1, 4),
        st.sampled_from(["none", "none", "host"]),
    ),
    min_size=1,
    max_size=4,
)


def jobs_of(rows: list[tuple[int, int, int, str]], most: int) -> tuple[WorkloadDemand, ...]:
    """Workloads of at most `most` pods in all."""
    made, left = [], most
    for number, (cpu, memory, count, spread) in enumerate(rows):
        if left:
            made.append(job(f"w{number}", cpu, memory, min(count, left), spread=spread))
            left -= made[-1].replicas
    return tuple(made)


@settings(max_examples=12, **QUICK)  # type: ignore[arg-type]
@given(shapes)
def test_tiny_problems_against_the_true_optimum(rows: list[tuple[int, int, int, str]]) -> None:
    pool = PoolWish(name="general", max=30)
    made = problem(pools=(pool,), workloads=jobs_of(rows, 10), types=TINY, zones=1, quality="standard")
    plan, best = solved(made), optimum(made)
    assert plan.bound_usd_month <= best + 1e-3
    assert reproved(made.to_object(), plan.to_object()) <= best + 1e-3
    assert best - 1e-3 <= plan.cost_usd_month <= best * 1.1 + 1e-3


def test_twelve_pods_against_the_true_optimum() -> None:
    jobs = (job("a", 1300, 900, 5), job("b", 600, 3300, 4), job("c", 250, 700, 3, spread="host"))
    made = problem(pools=(PoolWish(name="general", max=30),), workloads=jobs, types=TINY, zones=1, quality="best")
    plan, best = solved(made), optimum(made)
    assert plan.bound_usd_month <= best + 1e-3
    assert best - 1e-3 <= plan.cost_usd_month <= best * 1.05


def cost(**change: Any) -> float:
    return solved(problem(**({"types": TINY} | change))).cost_usd_month


@settings(max_examples=4, **QUICK)  # type: ignore[arg-type]
@given(shapes, st.integers(1, 3))
def test_more_of_a_workload_is_never_cheaper(rows: list[tuple[int, int, int, str]], more: int) -> None:
    jobs = jobs_of(rows, 20)
    grown = (replace(jobs[0], replicas=jobs[0].replicas + more), *jobs[1:])
    assert cost(workloads=grown) >= cost(workloads=jobs) * (1 - SOME)


CHOICES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "types": ({}, {"types": (*TINY, kind("c6i.2xlarge", 8, 16, 0.3), kind("r6i.large", 2, 16, 0.12))}),
    "architectures": (
        {"types": (*TINY, kind("m6g.large", 2, 8, 0.08, arch="arm64"))},
        {
            "types": (*TINY, kind("m6g.large", 2, 8, 0.08, arch="arm64")),
            "pools": tuple(replace(p, arch=("amd64", "arm64")) for p in POOLS),
        },
    ),
    "slots": ({"pools": tuple(replace(p, slots=1) for p in POOLS)}, {}),
    "a quota that does not bind": ({"vcpu_quota": 4000}, {}),
    "pools": ({}, {"workloads": tuple(replace(w, pools=("general", *w.pools[:1])) for w in JOBS if w.name == "api")}),
    "hosts": ({}, {"workloads": tuple(replace(w, spread="none") for w in JOBS)}),
    "spot": ({"workloads": tuple(replace(w, spot="never", pools=w.pools[:1]) if w.spot == "tolerant" else w
                                 for w in JOBS)}, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", CHOICES)
def test_more_choice_is_never_dearer(name: str) -> None:
    tight, free = CHOICES[name]
    assert cost(**free) <= cost(**tight) * (1 + SOME) + 1e-6


@pytest.mark.parametrize("factor", [0.25, 8.0])
def test_the_unit_of_money_changes_no_node(factor: float) -> None:
    scaled = tuple(
        replace(t, price_usd_hour=t.price_usd_hour * factor, spot_price_usd_hour=(t.spot_price_usd_hour or 0) * factor)
        for t in TINY
    )
    plans = [solved(problem(types=types)) for types in (TINY, scaled)]
    nodes = [[(p.key, p.instance_type, p.min, p.spare) for p in plan.pools] for plan in plans]
    assert nodes[0] == nodes[1]
    assert plans[1].cost_usd_month == pytest.approx(plans[0].cost_usd_month * factor, rel=1e-6)


def test_names_decide_nothing_but_ties() -> None:
    renamed = tuple(replace(w, name=f"z-{w.name}", spread="none") for w in JOBS)
    plain = tuple(replace(w, spread="none") for w in JOBS)
    assert cost(workloads=renamed) == pytest.approx(cost(workloads=plain), rel=SOME)


@pytest.mark.parametrize("names", ["abc", "acb", "bca", "cab"])
def test_pods_go_where_nodes_must_stand_anyway_whatever_the_pools_names(names: str) -> None:
    least = dict(zip(names, (0, 2, 3), strict=True))
    pools = tuple(PoolWish(name=name, min=least[name], max=40) for name in sorted(names))
    made = problem(pools=pools, workloads=(job("web", 10, 512, 20, pools=tuple(names)),), types=TINY)
    paid = HOURS_PER_MONTH * min(t.price_usd_hour for t in TINY)
    assert solved(made).cost_usd_month == pytest.approx(5 * paid)


def test_a_budget_below_what_nodes_cost_is_proven_and_one_above_it_is_not() -> None:
    jobs = (job("web", 1500, 1024, 6), job("db", 700, 3000, 4, spread="host"))
    made = problem(pools=(PoolWish(name="general", max=30),), workloads=jobs, types=TINY, zones=1, quality="standard")
    plan = solved(made)
    assert bound(replace(made, budget_usd_month=plan.cost_usd_month)) < float("inf")
    free = bound(made, gap=0.0)
    assert free < plan.cost_usd_month * (1 + 1e-9)
    for share, proven in ((0.5, True), (0.99, True), (1.0, False)):
        budget = replace(made, budget_usd_month=free * share)
        assert (bound(budget) == float("inf")) is proven, share


def test_a_pool_for_nobody_keeps_its_minimum_whatever_types_cost() -> None:
    alike = tuple(replace(t, price_usd_hour=0.1) for t in fit_for_nodes(CATALOGUE.types("aws", "eu-west-1"))[:40])
    pools = (PoolWish(name="idle", min=5, max=30, slots=1), PoolWish(name="general", max=30))
    made = problem(types=alike, pools=pools, workloads=(job("w", 500, 1000, 5),), vcpu_quota=200)
    assert sum(p.min for p in solved(made).pools if p.pool == "idle") == 5
