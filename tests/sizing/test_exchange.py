"""Exchange of pods between pools: never dearer, no pod lost, the limits kept, the same for the same seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import sizing
from bench.sizing_instances import instance
from sizing.compiled import Compiled, compile_problem, parts
from sizing.exactly import exactly
from sizing.exchange import Exchange, exchange
from sizing.greedy import cheapest_pool_first, even
from sizing.mixtures import Mixing
from sizing.part import PartSolution, build, within_limits
from sizing.plan import Plan
from sizing.portfolio import EFFORTS
from sizing.problem import PoolWish
from sizing.verify import verify
from tests.sizing.factory import TINY, job, problem

EFFORT = Exchange(60, Mixing(8, 1_000, 1e7, 8))


def started(seed: int) -> tuple[Compiled, PartSolution]:
    """The part of a heavy-tailed instance of 100 pods whose pods have a choice of pools, and a plain plan of it."""
    compiled = compile_problem(max(parts(instance(100, seed)), key=lambda part: len(part.pools)))
    assert isinstance(compiled, Compiled)
    made = build(compiled, cheapest_pool_first(compiled))
    assert made is not None
    return compiled, made


@pytest.mark.parametrize("seed", [11, 23])
def test_it_costs_less_and_every_pod_keeps_a_pool_that_it_may_use(seed: int) -> None:
    compiled, before = started(seed)
    after = exchange(compiled, before, EFFORT)
    assert after.cost < before.cost
    pods = after.pods()
    assert (pods.sum(axis=1) == compiled.counts).all()
    assert not pods[~compiled.allowed].any()
    assert (even(compiled, pods) == pods).all()  # spread pods stand as evenly over the zones as their pools can
    assert within_limits(compiled, after)
    for old, new in zip(before.pools, after.pools, strict=True):
        if new is not old and any(new.counts):
            assert exactly(compiled, new.pool, new.slots, np.array(new.counts, dtype=float)) is not None


def test_the_same_seed_makes_the_same_moves_and_what_was_tried_in_vain_is_forgotten() -> None:
    (compiled, before), (again, same) = started(11), started(11)
    known = len(compiled.memo)
    assert exchange(compiled, before, EFFORT) == exchange(again, same, EFFORT)
    assert len(compiled.memo) < known + 5 * EFFORT.moves
    other = compile_problem(replace(again.problem, seed=99))
    assert isinstance(other, Compiled)
    assert exchange(other, same, EFFORT).pods().tolist() != exchange(again, same, EFFORT).pods().tolist()


def test_without_moves_or_a_choice_nothing_changes() -> None:
    compiled, before = started(11)
    assert exchange(compiled, before, Exchange(0, EFFORT.mixing)) is before
    alone = compile_problem(
        problem(workloads=(job("a", 500, 500, 6),), pools=(PoolWish(name="general", max=20),), types=TINY)
    )
    assert isinstance(alone, Compiled)
    made = build(alone, cheapest_pool_first(alone))
    assert made is not None
    assert exchange(alone, made, EFFORT) is made


def test_a_pool_that_loses_all_its_pods_keeps_its_least_nodes_only() -> None:
    two = compile_problem(
        problem(
            workloads=(job("a", 500, 500, 2, pools=("general", "other")), job("b", 500, 500, 8)),
            pools=(PoolWish(name="general", max=20), PoolWish(name="other", max=20)),
            types=TINY,
        )
    )
    assert isinstance(two, Compiled)
    pods = np.zeros((len(two.pods), 2))
    for c, pod in enumerate(two.pods):
        pods[c, 1 if pod.workload == "a" else 0] = two.counts[c]
    apart = build(two, pods)
    assert apart is not None
    after = exchange(two, apart, EFFORT)
    assert after.cost < apart.cost
    assert not after.pools[1].nodes


def test_a_plan_made_by_an_exchange_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EFFORTS, "best", replace(EFFORTS["fast"], exchange=EFFORT))
    asked = instance(100, 11, quality="best")
    made = sizing.solve(asked)
    assert isinstance(made, Plan)
    assert made.candidates["exchange"] <= made.candidates["mixtures"]
    assert not list(verify(asked.to_object(), made.to_object()))
