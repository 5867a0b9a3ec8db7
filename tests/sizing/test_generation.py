"""The generation's loops and its loaded program, held against plain hands."""

from __future__ import annotations

import numpy as np
import pytest

from bench.sizing_instances import instance
from sizing.columns import generate, prepare
from sizing.compiled import Compiled, compile_problem, parts
from sizing.greedy import cheapest_pool_first
from sizing.linear import Model
from sizing.master import Master
from sizing.part import build
from sizing.pricing import WEIGHTS, Knapsacks, exact, fill, mixed, most_of
from sizing.worths import _Nodes, worths


def _sacks(seed: int) -> tuple[Knapsacks, np.ndarray]:
    rng = np.random.default_rng(seed)
    items, rows = int(rng.integers(1, 40)), int(rng.integers(1, 20))
    sizes = np.column_stack([
        rng.choice([0, 100, 250, 1000, 8000], items), rng.integers(64, 30000, items), rng.integers(0, 2, items),
        np.ones(items),
    ]).astype(float)  # fmt: skip
    room = rng.integers((1000, 2000, 0, 1), (64000, 256000, 4, 90), (rows, 4)).astype(float)
    most = np.minimum(most_of(sizes, room), rng.integers(0, 30, items))
    return Knapsacks(sizes, room, most), np.maximum(rng.normal(5, 4, (rows, items)), 0.0)


def _by_hand(sacks: Knapsacks, value: np.ndarray, row: int, way: np.ndarray) -> float:
    """Worth of one row's filling, the items sorted and taken one by one."""
    free, got = sacks.room[row].copy(), 0.0
    density = sacks.sizes / np.maximum(sacks.room[row], 1e-9) @ way + 1e-9
    for item in np.argsort(-value[row] / density, kind="stable"):
        left = sacks.most[row, item] if value[row, item] > 0 else 0
        while left > 0 and (sacks.sizes[item] <= free).all():
            free, got, left = free - sacks.sizes[item], got + value[row, item], left - 1
    return got


@pytest.mark.parametrize("seed", range(12))
def test_fillings_are_the_best_of_their_ways_and_fit(seed: int) -> None:
    sacks, value = _sacks(seed)
    for way in (fill, mixed):
        pattern, worth = way(sacks, value)
        assert (pattern @ sacks.sizes <= sacks.room + 1e-6).all()
        assert (pattern <= sacks.most).all()
        assert worth == pytest.approx((pattern * value).sum(axis=1))
    _, worth = fill(sacks, value)
    hand = [max(_by_hand(sacks, value, row, way) for way in WEIGHTS) for row in range(len(value))]
    assert worth == pytest.approx(hand)
    _, tops = exact(sacks, value, np.zeros(len(value)))
    assert (tops >= np.maximum(worth, mixed(sacks, value)[1]) * (1 - 1e-9)).all()


def _main(pods: int, seed: int) -> Compiled:
    every = (compile_problem(part) for part in parts(instance(pods, seed)))
    return max((c for c in every if isinstance(c, Compiled)), key=lambda c: len(c.pods))


def _anew(master: Master, patterns: np.ndarray, counts: np.ndarray, closed: np.ndarray) -> float:
    """Least cost of nodes (without their spares, shares and zones) that hold all pods."""
    model = Model()
    for row in master.row_of.tolist():
        model.column(float(master.price[row]), 0.0, 0.0 if closed[row] else np.inf)
    for i, count in enumerate(counts.tolist()):
        model.row({int(j): float(patterns[j, i]) for j in np.flatnonzero(patterns[:, i])}, count, np.inf)
    return model.solve().objective


def test_a_loaded_program_is_the_program_built_anew() -> None:
    compiled = _main(300, 11)
    start = build(compiled, cheapest_pool_first(compiled))
    made = prepare(compiled, [start] if start else [])
    generate(made, 4)
    cpu = made.sizes[:, 0] * made.several
    rows, patterns = np.array(made.rows), np.array(made.patterns)
    whole = Master(compiled, made.counts, cpu, made.pool, made.price)
    whole.add(list(range(len(rows))), rows, patterns)
    grown = Master(compiled, made.counts, cpu, made.pool, made.price)
    for some in np.array_split(np.arange(len(rows)), 5):
        grown.add(some.tolist(), rows[some], patterns[some])
        grown.solve(None)
    closed = np.zeros(len(made.price), dtype=bool)
    closed[int(rows[int(made.used.argmax())])] = True
    none = np.zeros(len(closed), dtype=bool)
    for shut in (None, closed, None):
        once, again = whole.solve(shut)[1], grown.solve(shut)[1]
        assert once is not None
        assert again is not None
        assert once.value == pytest.approx(again.value, rel=1e-7)
        assert once.value >= _anew(grown, patterns, made.counts, none if shut is None else shut)
        duals = once.duals[: len(made.counts)]
        assert (duals >= -1e-7).all()
    shut_out = whole.solve(closed)[1]
    assert shut_out is not None
    assert not shut_out.used[rows == np.flatnonzero(closed)[0]].any()


def test_a_program_that_no_column_can_meet_says_so() -> None:
    compiled = _main(300, 11)
    made = prepare(compiled, [])
    empty = Master(compiled, made.counts, made.sizes[:, 0] * made.several, made.pool, made.price)
    assert empty.solve(None) == ("infeasible", None)
    generate(made, 2)
    assert made.master is not None
    assert made.master.solve(np.ones(len(made.price), dtype=bool)) == ("infeasible", None)


def test_of_many_nodes_with_one_item_each_pool_keeps_the_cheapest(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = _main(300, 11)
    made = prepare(compiled, [])
    nodes = _Nodes(made, {}, {})
    every = set(zip(*(some.tolist() for some in nodes.alone()), strict=True))
    monkeypatch.setattr("sizing.worths.FEW", 0)
    at, item = nodes.alone()
    fewer = set(zip(at.tolist(), item.tolist(), strict=True))
    assert fewer < every
    least = {}
    for a, i in every:
        key = (int(nodes.pool[a]), i)
        least[key] = min(least.get(key, np.inf), float(nodes.price[a] / nodes.sacks.most[a, i]))
    assert {(int(nodes.pool[a]), i): float(nodes.price[a] / nodes.sacks.most[a, i]) for a, i in fewer} == least
    assert worths(made, {}) is not None


def test_the_least_nodes_of_a_pool_leave_the_worth_to_its_pods() -> None:
    for part in parts(instance(300, 23)):
        compiled = compile_problem(part)
        assert isinstance(compiled, Compiled)
        made = prepare(compiled, [])
        generate(made, 30)
        assert made.bound > 0.98 * made.proof["lp"]
        assert any(made.duals.values())
