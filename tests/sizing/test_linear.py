"""A program that stays loaded says what the same program says when it is built anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from sizing import linear
from sizing.linear import Live, Model

ROWS = 4
CHANGES = some.lists(some.sampled_from(("columns", "row", "bound", "all", "nothing")), min_size=3, max_size=9)


def solved_anew(
    costs: list[float], entries: list[np.ndarray], rows: list[tuple[np.ndarray, float]], upper: list[float]
) -> float:  # type: ignore[type-arg]
    """The optimum of the whole program: what the columns leave of the demand is dear."""
    model = Model()
    for cost, most in zip(costs, upper, strict=True):
        model.column(cost, 0.0, most)
    table = np.array(entries)
    for i in range(ROWS):
        model.row({j: float(table[j, i]) for j in np.flatnonzero(table[:, i])}, 10.0 + i, np.inf)
    for weights, most in rows:
        model.row({j: float(weights[j]) for j in np.flatnonzero(weights)}, -np.inf, most)
    return model.solve().objective


@settings(max_examples=40, deadline=None, derandomize=True)
@given(CHANGES, some.integers(0, 2**31))
def test_what_comes_and_changes_has_the_optimum_of_the_program_built_anew(changes: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)
    costs, entries, upper = [50.0] * ROWS, list(np.eye(ROWS)), [np.inf] * ROWS
    rows: list[tuple[np.ndarray, float]] = []  # type: ignore[type-arg]
    model = Model()
    for cost in costs:
        model.column(cost, 0.0, np.inf)
    for i in range(ROWS):
        model.row({i: 1.0}, 10.0 + i, np.inf)
    live = Live(model)
    for change in changes:
        if change in {"columns", "all"}:
            count = int(rng.integers(1, 4))
            cost, entry = rng.uniform(1, 9, count), rng.integers(0, 4, (count, ROWS)).astype(float)
            live.columns(cost, np.concatenate([entry, np.zeros((count, len(rows)))], axis=1))
            costs += cost.tolist()
            entries += list(entry)
            upper += [np.inf] * count
            rows = [(np.append(weights, np.zeros(count)), most) for weights, most in rows]
        if change in {"row", "all"} and len(costs) > ROWS:
            weights = np.append(np.zeros(ROWS), rng.integers(0, 3, len(costs) - ROWS).astype(float))
            rows.append((weights, float(rng.uniform(5, 20))))
            live.row({j: float(weights[j]) for j in np.flatnonzero(weights)}, -np.inf, rows[-1][1])
        if change in {"bound", "all"} and len(costs) > ROWS:
            at = int(rng.integers(ROWS, len(costs)))
            upper[at] = float(rng.integers(0, 6))
            live.upper[at] = upper[at]
        status, value, at_columns = live.solve({})
        assert status == "optimal"
        assert value == pytest.approx(solved_anew(costs, entries, rows, upper), rel=1e-7)
        assert value == pytest.approx(float(np.array(costs) @ at_columns), rel=1e-7)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(some.integers(0, 2**31))
def test_a_primal_method_that_goes_in_circles_is_left_for_the_dual(seed: int) -> None:
    rng = np.random.default_rng(seed)
    model, entries, costs = Model(), rng.integers(0, 4, (40, ROWS)).astype(float), rng.uniform(1, 9, 40)
    for i in range(ROWS):
        model.column(50.0, 0.0, np.inf)
        model.row({i: 1.0}, 10.0 + i, np.inf)
    live, ways = Live(model), []
    solve_by = live._run

    def run(way: object) -> None:
        """The primal method has one step only."""
        ways.append(way)
        with pytest.MonkeyPatch.context() as patch:
            if way == live._ways.kSimplexStrategyPrimal:
                patch.setattr(linear, "STEPS", 0)
            solve_by(way)

    live._run = run  # type: ignore[method-assign]  # as if it went in circles
    assert live.solve({})[0] == "optimal"
    live.columns(costs, entries)
    status, value, _ = live.solve({})
    whole = solved_anew([50.0] * ROWS + costs.tolist(), [*np.eye(ROWS), *entries], [], [np.inf] * (ROWS + 40))
    assert (status, value) == ("optimal", pytest.approx(whole, rel=1e-7))
    assert ways[1:] == [live._ways.kSimplexStrategyPrimal, live._ways.kSimplexStrategyDual]


def test_a_program_that_no_method_solves_in_its_steps_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "STEPS", 0)
    model = Model()
    one, other = model.column(1.0, 0.0, np.inf), model.column(3.0, 0.0, np.inf)
    model.row({one: 1.0, other: 2.0}, 4.0, np.inf)
    assert Live(model).solve({})[0] == "failed"


def test_bounds_of_one_solve_are_forgotten_by_the_next() -> None:
    model = Model()
    cheap, dear = model.column(1.0, 0.0, np.inf), model.column(3.0, 0.0, np.inf)
    model.row({cheap: 1.0, dear: 1.0}, 4.0, np.inf)
    live = Live(model)
    assert live.solve({})[1] == pytest.approx(4.0)
    assert live.solve({cheap: (0.0, 1.0)})[1] == pytest.approx(10.0)
    live.columns(np.array([2.0]), np.array([[1.0]]))
    assert live.solve({cheap: (0.0, 1.0)})[1] == pytest.approx(7.0)
    assert live.solve({})[1] == pytest.approx(4.0)
    assert live.solve({cheap: (0.0, 0.0), 2: (0.0, 0.0), dear: (0.0, 1.0)})[0] == "infeasible"
