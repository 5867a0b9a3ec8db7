"""Plans hold, are near the optimum, react soundly to demand, and say why when there is none."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import sizing
from sizing.compiled import Compiled, compile_problem
from sizing.decide import within_budget
from sizing.exactly import exactly
from sizing.plan import Infeasible, Plan
from sizing.pools import FIRST, SPREAD, finish, pack
from sizing.problem import PoolWish, Problem, WorkloadDemand, WrongProblem
from sizing.verify import verify
from tests.sizing.factory import JOBS, POOLS, TINY, job, kind, problem

PHASES = (Phase.explicit, Phase.generate)  # shrinking would solve thousands of problems


def solved(made: Problem, previous: Plan | None = None) -> Plan:
    plan = sizing.solve(made, previous)
    assert isinstance(plan, Plan), plan
    assert verify(made.to_object(), plan.to_object()) == []
    return plan


def cheapest_by_trying_all(made: Problem) -> float:
    """The optimum over all node numbers of a problem with one pool: every mix within the cap that can be packed."""
    compiled = compile_problem(made)
    assert isinstance(compiled, Compiled)
    part = compiled.pools[0]
    best = np.inf
    for numbers in itertools.product(range(part.wish.max + 1), repeat=len(part.types)):
        if not 0 < sum(numbers) <= part.wish.max or sum(n > 0 for n in numbers) > part.wish.slots:
            continue
        used = tuple(t for t, n in enumerate(numbers) if n)
        for order in itertools.permutations(used):
            trial = np.array([[numbers[t] for t in order]])
            for manner in (FIRST, SPREAD):
                _, packed = pack(compiled, 0, order, trial, compiled.counts, manner)
                if not packed.left.any():
                    whole = finish(compiled, 0, order, trial[0], compiled.counts, manner)
                    best = min(best, whole.cost if whole else np.inf)
            for spare in (None,) if part.wish.spot else used:
                slots = tuple((t, numbers[t], int(t == spare)) for t in order)
                exact = exactly(compiled, 0, slots, compiled.counts) if part.cost(slots) < best else None
                best = min(best, exact.cost if exact else np.inf)
    return float(best)


small_jobs = st.lists(
    st.tuples(
        st.sampled_from([250, 500, 700, 1000, 1500, 3000]),
        st.sampled_from([256, 1024, 3000, 6000]),
        st.integers(1, 4),
        st.sampled_from(["none", "zone", "host"]),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=15, deadline=None, derandomize=True, phases=PHASES, suppress_health_check=[HealthCheck.too_slow])
@given(small_jobs, st.booleans())
def test_small_problems_against_trying_all(rows: list[tuple[int, int, int, str]], spot: bool) -> None:  # noqa: FBT001
    pool = PoolWish(name="general", spot=spot, max=7)
    jobs = tuple(
        job(f"w{i}", cpu, memory, n, spread=spread, spot="only" if spot else "never")
        for i, (cpu, memory, n, spread) in enumerate(rows)
    )
    made = problem(pools=(pool,), workloads=jobs, types=TINY, zones=2, quality="standard")
    best = cheapest_by_trying_all(made)
    plan = sizing.solve(made)
    if isinstance(plan, Infeasible):
        assert not np.isfinite(best) or plan.constraint == "pool_max"
        return
    assert verify(made.to_object(), plan.to_object()) == []
    assert plan.bound_usd_month <= best + 1e-6
    assert best - 1e-4 <= plan.cost_usd_month <= best * 1.10 + 1e-6


@settings(max_examples=6, deadline=None, derandomize=True, phases=PHASES, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000))
def test_random_clusters_hold(seed: int) -> None:
    rng = random.Random(seed)
    jobs = [
        job(
            f"w{i}",
            rng.choice([100, 250, 500, 1000, 2000, 8000]),
            rng.choice([64, 512, 1000, 4096, 20000]),
            rng.randint(1, 25),
            spread=rng.choice(["none", "none", "zone", "host"]),
            spot=rng.choice(["never", "tolerant"]),
            pools=rng.choice([("general",), ("general", "burst"), ("general", "burst", "burst2")]),
        )
        for i in range(rng.randint(1, 14))
    ]
    pools = (*POOLS, PoolWish(name="burst2", spot=True, max=60, arch=("arm64",)))
    plan = solved(problem(workloads=tuple(jobs), pools=pools, zones=rng.choice([1, 2, 3])))
    assert plan.bound_usd_month <= plan.cost_usd_month + 1e-6
    assert plan.cost_usd_month <= min(plan.candidates.values()) + 1e-3


def test_slots_respect_the_wish() -> None:
    plan = solved(problem())
    for wish in POOLS:
        rows = [p for p in plan.pools if p.pool == wish.name]
        assert [p.slot for p in rows] == [0, 1, 2]
        assert wish.min <= sum(p.min for p in rows) <= wish.max
        assert sum(p.max for p in rows) == wish.max
        for row in rows:
            assert row.min == row.desired
            assert (row.min, row.desired, row.max) == (0, 0, 1) or row.min > 0


@pytest.mark.parametrize(("least", "most"), [(0, 3), (1, 3), (3, 3), (2, 2), (1, 1)])
def test_a_pool_without_pods_has_its_minimum_of_the_cheapest_type(least: int, most: int) -> None:
    made = problem(pools=(PoolWish(name="idle", min=least, max=most),), workloads=(), types=TINY)
    plan = solved(made)
    assert sum(p.min for p in plan.pools) == least
    assert {p.instance_type for p in plan.pools} == {"m5.large"}


def test_the_order_of_pods_pools_and_types_changes_nothing() -> None:
    made = problem()
    turned = replace(made, workloads=JOBS[::-1], pools=POOLS[::-1], types=made.types[::-1])
    assert turned.input_hash == made.input_hash
    assert solved(turned) == solved(made)


def test_more_demand_is_not_cheaper_beyond_two_percent() -> None:
    costs = []
    for factor in (1, 2, 4):
        jobs = tuple(replace(w, replicas=w.replicas * factor) for w in JOBS)
        costs.append(solved(problem(workloads=jobs, pools=tuple(replace(p, max=200) for p in POOLS))).cost_usd_month)
    assert costs == sorted(costs)


def test_equal_prices_dominated_types_and_one_giant() -> None:
    types = (*TINY, kind("m5.24xlarge", 96, 384, 4.6), kind("m6a.large", 2, 8, 0.1), kind("c5a.xlarge", 4, 8, 9.0))
    assert "c5a.xlarge" not in {p.instance_type for p in solved(problem(types=types)).pools}


@pytest.mark.parametrize(
    ("change", "constraint", "says"),
    [
        ({"pools": (replace(POOLS[1], max=2), POOLS[0], POOLS[2])}, "pool_max", "general"),
        ({"vcpu_quota": 6}, "quota", "6"),
        ({"workloads": (job("whale", 900_000, 1024, 1),)}, "pod_too_large", "whale"),
        ({"workloads": (job("shy", 100, 100, 4, spot="only"),)}, "spot_share", "shy"),
        ({"workloads": (job("calm", 100, 100, 4, pools=("burst",)),)}, "spot_share", "calm"),
        ({"max_age_days": 30}, "price_missing", "older than 30 days"),
        ({"workloads": (job("lonely", 100, 100, 41, spread="host"),)}, "pool_max", "general"),
    ],
)
def test_infeasible_names_what_binds(change: dict[str, object], constraint: str, says: str) -> None:
    answer = within_budget(problem(**change))  # what stands against what: test_conflict.py
    assert isinstance(answer, Infeasible)
    assert answer.constraint == constraint
    assert says in answer.message


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"zones": 0}, "zones"),
        ({"pools": ()}, "pools is empty"),
        ({"threshold": 1.5}, "threshold"),
        ({"quality": "magic"}, "quality"),
        ({"workloads": (job("a", 0, 0, 1),)}, "cpu_milli and memory_mib"),
        ({"workloads": (job("a", 1, 1, 0),)}, "replicas"),
        ({"workloads": (job("a", 1, 1, 10**9, spread="zone"),)}, "replicas is 1,000,000,000; 1 to 1,000,000"),
        ({"workloads": (job("a", 10**400, 1, 1),)}, "cpu_milli is a number of more than 15 digits"),
        ({"workloads": (job("a", 1, 1, 1, gpu=-1),)}, "gpu is -1; 0 to 10,000"),
        ({"workloads": (job("a", 1, 1, 1, pools=("nowhere",)),)}, "nowhere"),
        ({"workloads": (job("a", 1, 1, 1), job("a", 2, 2, 1))}, "twice"),
        ({"workloads": (job("a", 1, 1, 1, spread="mars"),)}, "spread"),
    ],
)
def test_a_wrong_problem_names_the_field(change: dict[str, object], says: str) -> None:
    with pytest.raises(WrongProblem, match=says):
        problem(**change)


def test_a_gpu_pool_gets_gpu_types() -> None:
    types = (*TINY, kind("g5.xlarge", 4, 16, 1.0, gpu=1), kind("g5.12xlarge", 48, 192, 5.6, gpu=4))
    pools = (*POOLS, PoolWish(name="gpu", max=8, gpu=True))
    jobs = (*JOBS, WorkloadDemand(name="train", cpu_milli=2000, memory_mib=4096, gpu=1, replicas=3, pools=("gpu",)))
    plan = solved(problem(types=types, pools=pools, workloads=jobs))
    assert {p.instance_type[:2] for p in plan.pools if p.pool == "gpu"} == {"g5"}


def test_the_plan_that_runs_is_kept_until_it_pays_to_change() -> None:
    first = solved(problem())
    again = solved(problem(), first)
    assert again.kept_previous == "kept"
    assert [(p.key, p.instance_type, p.min) for p in again.pools] == [
        (p.key, p.instance_type, p.min) for p in first.pools
    ]
    assert again.assignment == first.assignment
    fewer = tuple(replace(w, replicas=max(1, w.replicas // 4)) for w in JOBS)
    less = solved(problem(workloads=fewer, threshold=0.01), first)
    assert less.cost_usd_month < first.cost_usd_month


def test_a_change_stays_in_the_pools_it_touches() -> None:
    first = solved(problem())
    jobs = tuple(replace(w, replicas=w.replicas + 3) if w.name == "dns" else w for w in JOBS)
    second = solved(problem(workloads=jobs), first)
    for pool in ("general", "burst"):
        assert [p for p in second.pools if p.pool == pool and p.min] == [
            replace(p, gap=second.gap, bound=q.bound, winner=q.winner)
            for p, q in zip(
                [p for p in first.pools if p.pool == pool and p.min],
                [p for p in second.pools if p.pool == pool and p.min],
                strict=True,
            )
        ]


def test_bounds_do_not_creep_over_a_replayed_series() -> None:
    plan, seen = solved(problem()), set()
    for factor in (2, 1, 2, 1, 2, 1):
        jobs = tuple(replace(w, replicas=w.replicas * factor) for w in JOBS)
        plan = solved(problem(workloads=jobs), plan)
        seen.add((factor, tuple((p.key, p.instance_type, p.min, p.max) for p in plan.pools)))
    assert len(seen) <= 4


def test_a_quota_over_parts_that_share_no_workload() -> None:
    free = solved(problem())
    kinds = {t.name: t.vcpu for t in problem().types}
    used = sum(kinds[p.instance_type] * p.min for p in free.pools)
    tight = solved(problem(vcpu_quota=used))
    assert sum(kinds[p.instance_type] * p.min for p in tight.pools) <= used
    less = within_budget(problem(vcpu_quota=used - 6))
    assert isinstance(less, Infeasible) or sum(kinds[p.instance_type] * p.min for p in less.pools) <= used - 6
