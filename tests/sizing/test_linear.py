"""A program that stays loaded says what the same program says when it is built anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

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
