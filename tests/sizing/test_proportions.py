"""Large pools: a proportion of types found on some of the pods holds all of them, and the plan stands by itself."""

from __future__ import annotations

import numpy as np
import pytest

from sizing.compiled import Compiled, compile_problem
from sizing.exactly import as_scheduled
from sizing.part import PartSolution
from sizing.plan import Plan
from sizing.pools import best_single, each_node, node_zones, place
from sizing.portfolio import solve
from sizing.problem import PoolWish, Problem, WorkloadDemand
from sizing.proportions import SAMPLE, proportioned, sample
from sizing.scheduler import pending, stands
from sizing.verify import verify
from tests.sizing.factory import job, kind, problem

TYPES = (
    kind("c6a.4xlarge", 16, 32, 0.6),
    kind("c6a.8xlarge", 32, 64, 1.2),
    kind("m6a.4xlarge", 16, 64, 0.75),
    kind("r6a.4xlarge", 16, 128, 1.1),
)
JOBS = (
    job("api", 1900, 2500, 700, spread="zone"),
    job("cache", 900, 6000, 300),
    job("store", 3700, 14000, 220, spot="tolerant"),
    job("web", 450, 700, 900),
)


def wide(*jobs: WorkloadDemand, spot: bool = False, slots: int = 3) -> Problem:
    pools = (PoolWish(name="general", max=900, slots=slots, spot=spot),)
    return problem(workloads=jobs or JOBS, pools=pools, types=TYPES, quality="standard")


def compiled(given: Problem) -> Compiled:
    made = compile_problem(given)
    assert isinstance(made, Compiled)
    return made


def start(made: Compiled) -> PartSolution:
    one = best_single(made, 0, made.counts)
    assert one is not None
    return PartSolution((one,))


def test_a_large_pool_of_two_types_is_cheaper_than_of_one_and_keeps_its_spare() -> None:
    made = compiled(wide())
    first = start(made)
    (pool,) = proportioned(made, first, 5).pools
    assert pool.cost < first.cost * 0.995
    assert sum(1 for _, n, _ in pool.slots if n) > 1
    assert pending(made, pool) == 0
    placed, _ = place(made, pool)
    working, spares = each_node(pool.slots)
    loads, room = placed.T @ made.classes.sizes, made.pools[0].room
    assert (loads[: len(working)] <= room[list(working)]).all()
    assert not loads[len(working) :].any()
    assert len(spares) == 1
    assert (loads <= room[list(spares)]).all()
    assert placed.sum(axis=1).tolist() == made.counts.tolist()


def test_a_pool_with_one_slot_or_few_nodes_stays_as_it_is() -> None:
    narrow = compiled(wide(slots=1))
    assert proportioned(narrow, start(narrow), 5) == start(narrow)
    few = compiled(wide(job("web", 450, 700, 90)))
    assert proportioned(few, start(few), 5) == start(few)


def test_a_sample_has_of_each_size_as_many_as_its_share() -> None:
    made = compiled(wide())
    step = made.counts.sum() / SAMPLE
    drawn = sample(made, made.counts)
    assert drawn.sum() == SAMPLE
    assert (np.abs(drawn - made.counts / step) < 1).all()
    few = compiled(wide(job("api", 900, 900, 7), job("web", 450, 700, 90)))
    assert sample(few, few.counts).tolist() == few.counts.tolist()


@pytest.mark.parametrize("nodes", [40, 60])
def test_pods_stand_in_their_zones_where_the_scheduler_puts_them(nodes: int) -> None:
    made = compiled(wide(job("api", 1900, 2500, 100, spread="zone"), job("apart", 450, 700, 30, spread="host")))
    placed = stands(made, 0, [2] * nodes, made.counts)
    assert placed is not None
    zones = node_zones(made, nodes)
    for c, pod in enumerate(made.pods):
        assert placed[c].sum() == pod.count
        assert pod.zone < 0 or not placed[c][zones != pod.zone].any()
        assert pod.workload != "apart" or placed[c].max() == 1
    assert (placed.T @ made.classes.sizes <= made.pools[0].room[2]).all()


def test_nodes_that_hold_too_little_or_no_spare_for_the_fullest_are_refused() -> None:
    made = compiled(wide(job("api", 1900, 2500, 100)))
    assert stands(made, 0, [2] * 3, made.counts) is None
    large, small = 1, 0  # c6a.8xlarge, c6a.4xlarge
    assert as_scheduled(made, 0, ((large, 8, 1),), made.counts) is not None
    assert as_scheduled(made, 0, ((large, 8, 0), (small, 0, 1)), made.counts) is None
    assert as_scheduled(made, 0, ((large, 8, 0),), made.counts) is None
    assert as_scheduled(made, 0, ((large, 2, 1),), made.counts) is None


@pytest.mark.parametrize("spot", [False, True])
def test_the_plan_of_a_large_pool_is_accepted_and_kept(*, spot: bool) -> None:
    jobs = tuple(job(w.name, w.cpu_milli, w.memory_mib, w.replicas, spot="only" if spot else "never") for w in JOBS)
    given = wide(*jobs, spot=spot)
    made = solve(given)
    assert isinstance(made, Plan)
    assert verify(given.to_object(), made.to_object()) == []
    assert "proportions" in made.candidates
    again = solve(given, made)
    assert isinstance(again, Plan)
    assert again.kept_previous == "kept"
    assert verify(given.to_object(), again.to_object()) == []
