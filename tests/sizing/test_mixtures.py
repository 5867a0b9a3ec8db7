"""All mixes of types: never dearer, within the slots, the same twice; what speeds it up refuses nothing that packs."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from sizing import mixtures
from sizing.columns import generate, prepare
from sizing.compiled import Compiled, compile_problem
from sizing.cutting import Cutting, cut, loosened
from sizing.descent import zones_hold
from sizing.greedy import cheapest_pool_first
from sizing.linear import Model, packed
from sizing.mixtures import MOST_KINDS, Mixing, deepen, every_mix
from sizing.packing import first_fit
from sizing.part import PartSolution, build
from sizing.patterns import Fillings, fillings_of
from sizing.pools import FIRST, best_single, node_zones, scheduler_accepts
from sizing.problem import PoolWish
from tests.sizing.factory import TINY, job, kind, problem

FAMILIES = (
    *(kind(f"c5.{n}x", 4 * n, 8 * n, 0.17 * n) for n in (1, 2, 4)),
    *(kind(f"r5.{n}x", 4 * n, 32 * n, 0.25 * n) for n in (1, 2, 4)),
)
EFFORT = Mixing(6, 8000, 1e8, 400)


def odd(*, spot: bool = False, slots: int = 3, zones: int = 3) -> Compiled:
    """Half the pods fill CPU, half fill memory: one type alone wastes much."""
    jobs = (
        job("eats-cpu", cpu=1800, memory=1500, replicas=24, spread="zone", spot="only" if spot else "never"),
        job("eats-memory", cpu=400, memory=7000, replicas=24, spot="only" if spot else "never"),
        job("apart", cpu=100, memory=200, replicas=4, spread="host", spot="only" if spot else "never"),
    )
    pools = (PoolWish(name="general", max=60, slots=slots, spot=spot),)
    made = compile_problem(problem(workloads=jobs, pools=pools, types=FAMILIES, zones=zones))
    assert isinstance(made, Compiled)
    return made


ODD = odd()


def start(compiled: Compiled) -> PartSolution:
    """The cheapest plan of one type."""
    made = best_single(compiled, 0, compiled.counts)
    assert made is not None
    return PartSolution((made,))


@pytest.mark.parametrize("spot", [False, True])
@pytest.mark.parametrize("zones", [1, 3])
def test_a_mix_of_types_beats_one_type_and_the_scheduler_takes_it(zones: int, *, spot: bool) -> None:
    compiled = odd(spot=spot, zones=zones)
    before = start(compiled)
    after = deepen(compiled, before, EFFORT)
    assert after.cost < before.cost * 0.97
    assert 1 < len(after.pools[0].slots) <= 3
    assert scheduler_accepts(compiled, after.pools[0])
    assert after == deepen(odd(spot=spot, zones=zones), before, EFFORT), "the same again, from nothing"


def test_no_slot_more_than_wished_and_never_dearer() -> None:
    compiled = odd(slots=1)
    before = start(compiled)
    after = deepen(compiled, before, EFFORT)
    assert len(after.pools[0].slots) == 1
    assert after.cost <= before.cost
    assert deepen(compiled, before, replace(EFFORT, looks=0)) == before


def needed(compiled: Compiled, types: tuple[int, ...], numbers: tuple[int, ...], spares: list[int]) -> bool:
    """Whether the volume fits on so many nodes, none fuller than the spare."""
    room = compiled.pools[0].room
    held = sum(n * np.min([room[t], *room[spares]], axis=0) for t, n in zip(types, numbers, strict=True))
    return bool((held >= compiled.counts @ compiled.classes.sizes).all())


@pytest.mark.parametrize("spot", [False, True])
def test_every_mix_could_hold_the_pods_and_saves(*, spot: bool) -> None:
    compiled = odd(spot=spot)
    before = start(compiled).pools[0]
    mixes = every_mix(compiled, before, compiled.counts, EFFORT)
    part = compiled.pools[0]
    every = [mixes.slots(row) for row in range(len(mixes.cost))]
    assert len(every) > 50
    assert len({frozenset(slots) for slots in every}) == len(every)
    assert (np.diff(mixes.cost) >= -1e-6).all()
    for cost, slots in zip(mixes.cost, every, strict=True):
        spares = [t for t, _, s in slots if s]
        assert len(slots) <= 3
        assert len(spares) == (0 if spot else 1)
        assert needed(compiled, tuple(t for t, _, _ in slots), tuple(n for _, n, _ in slots), spares)
        assert cost == pytest.approx(part.cost(slots))
        assert cost < before.cost


@pytest.mark.parametrize("spot", [False, True])
@pytest.mark.parametrize("slots", [1, 2, 3])
def test_no_mix_is_left_out_that_has_no_node_too_many(slots: int, *, spot: bool) -> None:
    compiled = odd(spot=spot, slots=slots)
    part, before = compiled.pools[0], start(compiled).pools[0]
    mixes = every_mix(compiled, before, compiled.counts, EFFORT)
    found = {frozenset(mixes.slots(row)) for row in range(len(mixes.cost))}
    wanted = 0
    for spare in [-1] if spot else range(6):
        spares = [] if spot else [spare]
        if spares and not (part.room[spare] >= compiled.classes.sizes.max(axis=0)).all():
            continue
        for types in (mix for n in range(1, slots + 1) for mix in combinations(range(6), n)):
            if len({*types, *spares}) > slots:
                continue
            for numbers in product(*(range(1, 9) for _ in types)):
                whole = {t: [n, 0] for t, n in zip(types, numbers, strict=True)}
                for t in spares:
                    whole.setdefault(t, [0, 0])[1] += 1
                made = frozenset((t, n, s) for t, (n, s) in whole.items())
                last = max(types, key=lambda t: (-part.room[t][0], t))
                fewer = tuple(n - (t == last) for t, n in zip(types, numbers, strict=True))
                tight = needed(compiled, types, numbers, spares) and not needed(compiled, types, fewer, spares)
                if tight and sum(n + s for _, n, s in made) >= 3 and part.cost(tuple(made)) < before.cost - 0.01:
                    wanted += 1
                    assert made in found
    assert wanted or slots == 1


def test_of_very_many_mixes_some_of_every_cost_are_kept() -> None:
    compiled = odd()
    before = start(compiled).pools[0]
    every, some_ = (every_mix(compiled, before, compiled.counts, replace(EFFORT, kept=n)) for n in (8000, 50))
    assert len(every.cost) > 300
    assert 25 <= len(some_.cost) <= 50
    rows = {(*every.kinds[i], *every.nodes[i], every.spare[i]) for i in range(len(every.cost))}
    assert all((*some_.kinds[i], *some_.nodes[i], some_.spare[i]) in rows for i in range(len(some_.cost)))
    assert some_.kinds.shape[1] == MOST_KINDS


@settings(max_examples=60, deadline=None)
@given(
    some.lists(some.tuples(some.integers(0, 5), some.integers(1, 4)), min_size=1, max_size=3, unique_by=lambda p: p[0])
)
def test_the_look_at_the_zones_refuses_nothing_that_packs(trial: list[tuple[int, int]]) -> None:
    compiled = ODD
    room = compiled.pools[0].room
    capacity = np.concatenate([np.tile(room[t], (n, 1)) for t, n in trial]).T[:, None, :]
    zones = node_zones(compiled, capacity.shape[2])
    order = compiled.bound_first
    fits = not first_fit(compiled.classes, compiled.counts[None], capacity, zones, order).left.any()
    assert zones_hold(compiled, capacity, zones, compiled.counts)[0] or not fits


def test_a_program_given_as_arrays_has_the_same_optimum() -> None:
    rng = np.random.default_rng(3)
    matrix = rng.integers(0, 4, (5, 12)).astype(float)
    cost, upper, most = -rng.random(12), rng.integers(1, 4, 12).astype(float), rng.random(5) * 10
    model = Model()
    columns = [model.column(float(c), 0.0, float(u)) for c, u in zip(cost, upper, strict=True)]
    for row, limit in zip(matrix, most, strict=True):
        model.row({columns[j]: float(row[j]) for j in np.flatnonzero(row)}, -np.inf, float(limit))
    rows, where = np.nonzero(matrix)
    shuffled = rng.permutation(len(rows))
    values = packed(cost, upper, most, rows[shuffled], where[shuffled], matrix[rows, where][shuffled])
    assert values is not None
    assert (matrix @ values <= most + 1e-6).all()
    assert cost @ values == pytest.approx(model.solve().objective)


def test_loosened_programs_leave_room() -> None:
    jobs = (job("a", cpu=700, memory=900, replicas=20), job("b", cpu=200, memory=1700, replicas=20))
    made = compile_problem(problem(workloads=jobs, pools=(PoolWish(name="general", max=60),), types=TINY, zones=1))
    assert isinstance(made, Compiled)
    known = build(made, cheapest_pool_first(made))
    assert known is not None
    columns = prepare(made, [known])
    generate(columns, 20)
    found = cut(columns, known.cost, Cutting(2, 20))
    volume = made.counts @ made.classes.sizes
    points = list(loosened(made, found, known.cost, (0.95, 0.8)))
    assert points
    for share, point in zip((0.95, 0.8), points, strict=False):
        room = sum(made.pools[0].room[t] * n for t, n in point.nodes[0].items())
        half = made.pools[0].room.sum(axis=0) / 2  # what rounding takes away at most
        assert ((room + half) * share >= volume - 1e-3).all()
        assert len(point.nodes[0]) <= made.pools[0].wish.slots
    assert known.pools[0].manner == FIRST


def test_what_refutes_is_looked_for_in_so_many_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    made = odd()
    pool, counts, asked = start(made).pools[0], made.counts, list[int]()
    known = fillings_of(made, 0, counts)

    def undecided(known: Fillings, _types: object, _spares: object) -> bool:
        asked.append(known.programs)
        known.programs += 10
        return True

    monkeypatch.setattr("sizing.mixtures.refuted", undecided)
    effort = Mixing(12, 2_000, 1e6, 35)
    mixtures._learn(known, every_mix(made, pool, counts, effort), counts, effort.programs)
    assert asked == [0, 10, 20, 30]
