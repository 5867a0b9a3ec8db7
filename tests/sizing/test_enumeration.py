"""Mixes of nodes between a bound and a cost: all of them, and many slots over many types cost little."""

from __future__ import annotations

import itertools
import random

import numpy as np

from sizing.compiled import Compiled, compile_problem
from sizing.enumeration import STEPS, Reach, _between, _mixes
from sizing.pools import least_nodes
from sizing.problem import PoolWish
from tests.sizing.factory import CATALOGUE, fit_for_nodes, job, problem

REAL = fit_for_nodes(CATALOGUE.types("aws", "eu-west-1"))


def tried(made: Compiled, lower: float, upper: float) -> set[tuple[tuple[int, int], ...]]:
    """The same by trying every number of every type."""
    part, counts = made.pools[0], made.counts
    fits = made.fits(0)[counts > 0]
    found = set()
    for numbers in itertools.product(range(part.wish.max + 1), repeat=len(part.types)):
        used, nodes = [t for t, n in enumerate(numbers) if n], np.array(numbers)
        if (
            0 < len(used) <= part.wish.slots
            and least_nodes(made, 0, counts) <= nodes.sum() <= part.wish.max
            and lower - 1e-6 <= part.price @ nodes <= upper - 1e-6
            and fits[:, used].any(axis=1).all()
            and (nodes @ part.room >= counts @ made.classes.sizes).all()
        ):
            found.add(tuple((t, n) for t, n in enumerate(numbers) if n))
    return found


def test_no_mix_between_bound_and_cost_is_left_out() -> None:
    drawn, seen = random.Random(5), 0
    for _ in range(12):
        jobs = tuple(job(f"w{i}", drawn.randint(200, 3000), drawn.randint(200, 9000), 2) for i in range(2))
        pool = PoolWish(name="general", max=4, slots=drawn.randint(1, 4), arch=("amd64", "arm64"))
        made = compile_problem(problem(types=tuple(drawn.sample(REAL, 6)), pools=(pool,), workloads=jobs, zones=1))
        if not isinstance(made, Compiled) or len(made.pools[0].types) > 5:
            continue
        lower = drawn.uniform(50, 500)
        upper = lower * drawn.choice([0.99, 1.3, 3.0])
        found = _between(made, lower, upper, Reach(10_000, 12, 10))
        assert found is not None
        assert {mix for _, mix in found} == tried(made, lower, upper)
        assert [cost for cost, _ in found] == sorted(cost for cost, _ in found)
        seen += len(found)
    assert seen > 20


def test_five_slots_and_all_types_are_walked_through_in_few_steps() -> None:
    pool = PoolWish(name="general", min=1, max=3, slots=5)
    made = compile_problem(problem(types=REAL, pools=(pool,), workloads=(job("shop", 500, 1024, 1),)))
    assert isinstance(made, Compiled)
    assert len(made.pools[0].types) > 25
    two = 2 * float(made.pools[0].price.min())
    walked = list(_mixes(made, two, two, 2_000))
    assert walked == []  # and no None: 5 of more than 25 types are more than 50,000 choices
    wide = PoolWish(name="general", min=1, max=60, slots=5)
    many = compile_problem(problem(types=REAL, pools=(wide,), workloads=(job("shop", 500, 1024, 400),)))
    assert isinstance(many, Compiled)
    assert _between(many, 5_000, 5_000.001, Reach(50, 12, 10)) is None  # too many are given up after so many steps
    assert sum(mix is not None for mix in _mixes(many, 5_000, 5_000.001, 50 * STEPS)) <= 50 * STEPS
