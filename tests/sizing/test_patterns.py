"""Nodes packed exactly: every placement holds, what is refuted cannot be packed, plans made of it are kept."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy.optimize import linprog

import sizing
from sizing.compiled import Compiled, compile_problem
from sizing.dive import Dive, packed, refuted
from sizing.enumeration import _packing
from sizing.exactly import continued, exactly, placement
from sizing.hysteresis import choose
from sizing.part import PartSolution
from sizing.patterns import Fillings, fillings_of
from sizing.plan import Plan
from sizing.pools import PATTERNS, node_zones, place
from sizing.problem import PoolWish, Problem
from sizing.verify import verify
from tests.sizing.factory import job, kind, problem

TYPES = (kind("c5.x", 4, 8, 0.17), kind("m5.2x", 8, 32, 0.4), kind("r5.x", 4, 32, 0.25))
JOBS = some.lists(
    some.tuples(
        some.sampled_from((400, 700, 1100, 1900, 3300)),
        some.sampled_from((300, 1500, 4000, 9000)),
        some.integers(1, 6),
        some.sampled_from(("none", "zone", "host")),
    ),
    min_size=1, max_size=4,
)  # fmt: skip
MIXES = some.tuples(some.tuples(*[some.integers(0, 3)] * 3), some.integers(0, 2))


def made(rows: list[tuple[int, int, int, str]], *, spot: bool = False, zones: int = 2) -> Compiled:
    jobs = tuple(
        job(f"w{i}", cpu, memory, n, spread=spread, spot="only" if spot else "never")
        for i, (cpu, memory, n, spread) in enumerate(rows)
    )
    pools = (PoolWish(name="general", max=20, spot=spot),)
    compiled = compile_problem(problem(workloads=jobs, pools=pools, types=TYPES, zones=zones))
    assert isinstance(compiled, Compiled)
    return compiled


def fits(compiled: Compiled, types: tuple[int, ...], spares: tuple[int, ...], placed: np.ndarray) -> None:  # type: ignore[type-arg]
    """Every pod has a place, in its zone, one of a group on a host; each node's pods are within one spare."""
    classes, room = compiled.classes, compiled.pools[0].room
    assert (placed.sum(axis=1) == compiled.counts).all()
    zones = node_zones(compiled, len(types))
    for node, t in enumerate(types):
        load = placed[:, node] @ classes.sizes
        assert (load <= room[t]).all()
        assert not spares or any((load <= room[s]).all() for s in spares)
        assert all(zones[node] == z for z in classes.zone[placed[:, node] > 0] if z >= 0)
        for group in set(classes.host.tolist()) - {-1}:
            assert placed[classes.host == group, node].sum() <= 1


@settings(max_examples=60, deadline=None, derandomize=True)
@given(JOBS, MIXES, some.booleans())
def test_placements_hold_and_what_is_refuted_has_none(
    rows: list[tuple[int, int, int, str]],
    mix: tuple[tuple[int, int, int], int],
    spot: bool,  # noqa: FBT001
) -> None:
    compiled = made(rows, spot=spot)
    numbers, spare = mix
    kinds = {compiled.pools[0].types.index(t): n for t, n in zip(compiled.pools[0].types, numbers, strict=False) if n}
    types = tuple(t for t, n in kinds.items() for _ in range(n))
    spares = () if spot else (spare % len(compiled.pools[0].types),)
    if not types:
        return
    known = fillings_of(compiled, 0, compiled.counts)
    placed = packed(known, types, spares)
    if placed is not None:
        fits(compiled, types, spares, placed)
    if known.refutations.worths:  # a proof: no packing whatever the zones of the nodes
        whole = {**kinds, **{s: kinds.get(s, 0) + 1 for s in spares}}
        assert placed is None
        if compiled.problem.zones == 1 or not (compiled.classes.zone >= 0).any():
            assert _packing(compiled, tuple(sorted(whole.items())), spares) != "packed"


def test_worths_that_refuted_one_mix_refute_smaller_ones_and_never_one_that_packs() -> None:
    compiled = made([(2500, 500, 8, "none"), (100, 100, 4, "none")], zones=1)  # one to a node, by volume nearly two
    known = Fillings(compiled, 0, np.arange(len(compiled.counts)), compiled.counts)
    small = next(t for t, one in enumerate(compiled.pools[0].types) if one.vcpu == 4)
    least = next(n for n in range(1, 20) if packed(known, (small,) * n, (small,)) is not None)
    assert least == 8
    assert refuted(known, (small,) * (least - 1), (small,))
    kinds, nodes = np.array([[-1, small], [-1, small]]), np.array([[0, least - 1], [0, least]])
    assert known.refutations.refuted(compiled.counts, kinds, nodes, np.array([small, small])).tolist() == [True, False]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(JOBS, some.lists(MIXES, min_size=4, max_size=12), some.booleans(), some.data())
def test_what_one_share_of_the_pods_taught_refutes_no_mix_that_packs_another(
    rows: list[tuple[int, int, int, str]],
    mixes: list[tuple[tuple[int, int, int], int]],
    spot: bool,  # noqa: FBT001
    data: some.DataObject,
) -> None:
    compiled = made(rows, spot=spot)
    for numbers, spare in mixes:
        counts = np.array([data.draw(some.integers(0, int(most))) for most in compiled.counts], dtype=float)
        nodes = np.array([list(numbers)])
        types = tuple(t for t, n in enumerate(numbers) for _ in range(n))
        if not types or not counts.any():
            continue
        known = fillings_of(compiled, 0, counts)
        spares = () if spot else (spare,)
        own, kinds = np.array([-1 if spot else spare]), np.array([[0, 1, 2]])
        told = bool(known.refutations.worths) and bool(known.refutations.refuted(counts, kinds, nodes, own)[0])
        placed = packed(known, types, spares)
        assert placed is None or not told


THREE = some.tuples(some.sampled_from((700, 1100, 1900)), some.sampled_from((1500, 4000, 9000)), some.integers(2, 9))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(some.lists(THREE, min_size=2, max_size=3), some.tuples(*[some.integers(1, 3)] * 3), some.data())
def test_pods_with_places_in_parts_of_fillings_are_never_said_to_have_none(
    rows: list[tuple[int, int, int]], numbers: tuple[int, ...], data: some.DataObject
) -> None:
    compiled = made([(cpu, memory, n, "none") for cpu, memory, n in rows], zones=1)
    known = fillings_of(compiled, 0, compiled.counts)
    nodes = known.nodes(tuple(t for t, n in enumerate(numbers) for _ in range(n)), (1,))
    if nodes is None:
        return
    groups, every = [], []
    for g, (room, most) in enumerate(zip(nodes.room, nodes.most, strict=True)):
        for pattern in itertools.product(*[range(int(n) + 1) for n in most]):
            if (np.array(pattern) @ known.classes.sizes <= room + 1e-9).all():
                groups.append(g)
                every.append(pattern)
    dive = Dive(known, nodes)
    taken, most = np.zeros(len(dive.group)), np.full(len(dive.group), np.inf)
    for at in data.draw(some.lists(some.integers(0, len(taken) - 1), max_size=3)):  # nodes that are filled already
        if taken[dive.group == dive.group[at]].sum() < nodes.number[dive.group[at]]:
            taken[at] += 1.0
    rest = np.maximum(known.need - taken @ dive.pattern, 0.0)
    free = nodes.number - np.bincount(dive.group, weights=taken, minlength=len(nodes.places))
    rows_of = np.concatenate([-np.array(every).T, np.eye(len(nodes.places))[groups].T])
    possible = linprog(np.zeros(len(every)), rows_of, np.concatenate([-rest, free])).status == 0
    held = dive._covered(taken, most)
    assert (held is not None) == possible
    if held is not None:
        assert (held @ dive.pattern >= known.need - 1e-6).all()
        assert (np.bincount(dive.group, weights=held, minlength=len(nodes.places)) <= nodes.number + 1e-6).all()
        assert (held[: len(taken)] >= taken - 1e-9).all()


def test_a_pool_without_its_spare_or_beyond_its_limits_is_refused() -> None:
    compiled = made([(1100, 1500, 6, "none")])
    enough = ((0, 4, 1),)
    assert exactly(compiled, 0, enough, compiled.counts) is not None
    assert exactly(compiled, 0, ((0, 5, 0),), compiled.counts) is None, "no spare"
    assert exactly(compiled, 0, ((0, 30, 1),), compiled.counts) is None, "more nodes than the pool's max"
    assert exactly(compiled, 0, ((0, 0, 5),), compiled.counts) is None, "no working node"


def test_a_placement_stays_when_spares_come() -> None:
    compiled = made([(1900, 1500, 7, "zone"), (400, 4000, 5, "none")])
    solution = next(p for n in range(2, 12) if (p := exactly(compiled, 0, ((0, n, 1),), compiled.counts)) is not None)
    assert solution.manner == PATTERNS
    before = placement(compiled, solution)
    (kind_, working, _), *_ = solution.slots
    roomier = replace(solution, slots=((kind_, working, 2),))
    assert before is not None
    assert (placement(compiled, roomier) == before).all()
    placed, slot_of = place(compiled, roomier)
    assert len(slot_of) == working + 2
    assert not placed[:, working:].any()


@pytest.fixture(scope="module")
def plan() -> tuple[Problem, Plan]:
    """A plan with a pool that only fillings pack."""
    for seed in range(1, 9):
        rng = np.random.default_rng(seed)
        jobs = tuple(
            job(
                f"w{i}",
                int(rng.choice((500, 1500, 3000))),
                int(rng.choice((900, 5000, 9000))),
                int(rng.integers(4, 20)),
            )
            for i in range(6)
        )
        asked = problem(workloads=jobs, pools=(PoolWish(name="general", max=40),), types=TYPES, zones=3)
        made = sizing.solve(asked)
        assert isinstance(made, Plan)
        if PATTERNS in made.notes["scheduler"].values():
            return asked, made
    pytest.fail("no plan of eight needed fillings")


def test_the_verifier_accepts_it_and_it_is_kept(plan: tuple[Problem, Plan]) -> None:
    asked, first = plan
    assert verify(asked.to_object(), first.to_object()) == []
    again = sizing.solve(asked, first)
    assert isinstance(again, Plan)
    assert again.kept_previous == "kept"
    assert again.cost_usd_month == first.cost_usd_month


def test_it_is_left_in_steps(plan: tuple[Problem, Plan]) -> None:
    asked, first = plan
    less = replace(
        asked,
        workloads=tuple(replace(w, replicas=max(1, w.replicas // 2)) for w in asked.workloads),
        max_changed_nodes=1,
    )
    after = sizing.solve(less, first)
    assert isinstance(after, Plan)
    assert verify(less.to_object(), after.to_object()) == []
    before, now = (sum(row.min for row in one.pools) for one in (first, after))
    assert before - now in {0, 1}


def test_a_plan_that_runs_is_judged_without_what_was_known_when_it_was_made(plan: tuple[Problem, Plan]) -> None:
    asked, first = plan
    compiled = compile_problem(asked)
    assert isinstance(compiled, Compiled)
    large = max(range(len(compiled.pools[0].types)), key=lambda t: float(compiled.pools[0].room[t].sum()))
    dear = exactly(compiled, 0, ((large, 30, 1),), compiled.counts)
    assert dear is not None
    assert dear.cost > first.cost_usd_month
    kept, how = choose(compiled, PartSolution((dear,)), first)
    assert how == "kept"
    assert kept.cost == pytest.approx(first.cost_usd_month, abs=0.01)


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_a_plan_is_kept_for_its_own_demand_and_for_a_little_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    jobs = tuple(
        job(
            f"w{i}",
            int(rng.choice((500, 1500, 3000))),
            int(rng.choice((900, 5000, 9000))),
            int(number),
            spread=("none", "zone", "host")[i % 3] if number < 12 else "zone",
            spot="tolerant" if i % 2 else "never",
            pools=("general", "burst") if i % 2 else ("general",),
        )
        for i, number in enumerate(rng.integers(4, 20, 6))
    )
    pools = (PoolWish(name="general", max=40), PoolWish(name="burst", max=40, spot=True))
    asked = problem(workloads=jobs, pools=pools, types=TYPES, zones=3)
    first = sizing.solve(asked)
    assert isinstance(first, Plan)
    less = replace(asked, workloads=tuple(replace(w, replicas=w.replicas - (w.replicas > 15)) for w in jobs))
    for demand in (asked, less):
        again = sizing.solve(demand, first)
        assert isinstance(again, Plan)
        assert verify(demand.to_object(), again.to_object()) == []
        assert again.cost_usd_month <= first.cost_usd_month + 0.01
    assert sizing.solve(asked, first).kept_previous == "kept"  # type: ignore[union-attr]  # a plan, as above


def test_more_pods_go_where_the_running_plan_has_room_and_none_where_it_has_not() -> None:
    compiled = made([(1100, 1500, 5, "none"), (400, 300, 2, "host")], zones=1)
    known = next(p for n in range(2, 12) if (p := exactly(compiled, 0, ((0, n, 1),), compiled.counts)) is not None)
    before = placement(compiled, known)
    assert before is not None
    more = compiled.counts.copy()
    more[0] += 40
    assert continued(compiled, 0, known.slots, more, before) is None
    fewer = compiled.counts.copy()
    fewer[0] -= 2
    held = continued(compiled, 0, known.slots, fewer, before)
    assert held is not None
    after = placement(compiled, held)
    assert after is not None
    assert (after <= before).all()
    back = continued(compiled, 0, known.slots, compiled.counts, after)
    assert back is not None
    stands = placement(compiled, back)
    assert stands is not None
    fits(compiled, tuple(t for t, n, _ in back.slots for _ in range(n)), (0,), stands)
