"""Linear and integer programs for HiGHS: one thread, a seed, node and gap limits, never a clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sizing.packing import Floats

Ints = npt.NDArray[np.int64]
STEPS, LEAST_ROWS = 10, 100  # of the simplex method for each row: what is solved takes 1 to 4


@dataclass(frozen=True)
class Outcome:
    """`values` None when no solution was found; `bound` (0 after a failure) holds unless infeasible; duals for LPs.

    `status` is optimal, limit, infeasible, or `failed: WHY`; the caller goes on without and says so.
    """

    status: str
    objective: float
    bound: float
    values: Floats | None
    duals: Floats | None


@dataclass
class Model:
    """A minimisation, built column by column and row by row."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    rows: list[tuple[dict[int, float], float, float]] = field(default_factory=list)

    def column(self, cost: float, lower: float, upper: float, *, whole: bool = False) -> int:
        """Add a variable; its number."""
        self.cost.append(cost)
        self.lower.append(lower)
        self.upper.append(upper)
        self.whole.append(whole)
        return len(self.cost) - 1

    def row(self, entries: Mapping[int, float], lower: float, upper: float) -> int:
        """Add lower <= sum(entries) <= upper; its number."""
        self.rows.append((dict(entries), lower, upper))
        return len(self.rows) - 1

    def bound(self, column: int, lower: float, upper: float) -> None:
        """Change a variable's bounds."""
        self.lower[column], self.upper[column] = lower, upper

    def solve(self, *, nodes_limit: int = 500, gap: float = 1e-4, seed: int = 0, quick: bool = False) -> Outcome:
        """Run HiGHS; the status is checked, not only the value. `quick`: no restarts, no heuristics."""
        import highspy  # noqa: PLC0415 - 0.1 s, and only solvers need it

        lp = _loaded(self, highspy)
        mixed = any(self.whole)
        if mixed:
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            lp.integrality_ = [kinds[w] for w in self.whole]
        highs = highspy.Highs()  # type: ignore[no-untyped-call]
        options: dict[str, Any] = {"output_flag": False, "threads": 1, "random_seed": seed % 2**31}
        if mixed:
            options |= {"mip_rel_gap": gap, "mip_max_nodes": nodes_limit}
        if mixed and quick:
            options |= {"mip_allow_restart": False, "mip_heuristic_run_rins": False, "mip_heuristic_run_rens": False}
            options |= {"mip_heuristic_effort": 0.0, "mip_heuristic_run_feasibility_jump": False}
        for name, value in options.items():
            highs.setOptionValue(name, value)
        try:
            highs.passModel(lp)
            highs.run()
        except (RuntimeError, MemoryError) as wrong:
            return Outcome(f"failed: {type(wrong).__name__}", 0.0, 0.0, None, None)
        return _read(highs, highspy, mixed=mixed)


class Live:
    """The continuous program of a model, kept loaded: bounds change, rows and columns come; it goes on from the last.

    Where only columns came, the last basis stays feasible and the primal simplex method goes on from it; else the dual.
    HiGHS's primal method may go round in circles for ever: after so many steps the dual goes on from where it stands.
    """

    def __init__(self, model: Model, seed: int = 0) -> None:
        import highspy  # noqa: PLC0415 - as above

        self._known, self._ways = highspy.HighsModelStatus, highspy.simplex_constants.SimplexStrategy
        self.lower, self.upper = np.array(model.lower), np.array(model.upper)
        self._highs = highspy.Highs()  # type: ignore[no-untyped-call]
        options: dict[str, Any] = {"output_flag": False, "threads": 1, "random_seed": seed % 2**31, "presolve": "off"}
        for name, value in options.items():
            self._highs.setOptionValue(name, value)
        self._highs.passModel(_loaded(model, highspy))
        self._before = (self.lower.copy(), self.upper.copy())  # the bounds of the last solve
        self._rows_came = False

    def column(self, lower: float, upper: float) -> int:
        """Add a variable that costs nothing; its number."""
        self._highs.addCol(0.0, lower, upper, 0, np.zeros(0, dtype=np.int32), np.zeros(0))
        self.lower, self.upper = np.append(self.lower, lower), np.append(self.upper, upper)
        return len(self.lower) - 1

    def columns(self, costs: Floats, entries: Floats) -> None:
        """Add variables of at least 0 with these costs and entries (column, row)."""
        column, row = np.nonzero(entries)
        count = len(costs)
        starts = np.searchsorted(column, np.arange(count)).astype(np.int32)
        values = entries[column, row]
        none, every = np.zeros(count), np.full(count, np.inf)
        self._highs.addCols(count, costs, none, every, len(values), starts, row.astype(np.int32), values)
        self.lower, self.upper = np.append(self.lower, none), np.append(self.upper, every)

    def duals(self) -> Floats:
        """Of the rows, as the last solve left them."""
        return np.array(self._highs.getSolution().row_dual)

    def row(self, entries: Mapping[int, float], lower: float, upper: float) -> None:
        """Add lower <= sum(entries) <= upper."""
        index = np.fromiter(entries.keys(), dtype=np.int32, count=len(entries))
        value = np.fromiter(entries.values(), dtype=float, count=len(entries))
        self._highs.addRow(lower, upper, len(entries), index, value)
        self._rows_came = True

    def solve(self, changes: Mapping[int, tuple[float, float]]) -> tuple[str, float, Floats]:
        """Status (optimal, infeasible, failed), value and columns with the bounds of some columns changed."""
        lower, upper = self.lower.copy(), self.upper.copy()
        for column, (low, high) in changes.items():
            lower[column], upper[column] = low, high
        known = len(self._before[0])
        moved = (lower[:known] != self._before[0]).any() or (upper[:known] != self._before[1]).any()
        came = len(lower) > known
        primal = came and not (moved or self._rows_came)
        way = self._ways.kSimplexStrategyPrimal if primal else self._ways.kSimplexStrategyChoose
        try:
            if moved or came:
                self._highs.changeColsBounds(len(lower), np.arange(len(lower), dtype=np.int32), lower, upper)
            self._before, self._rows_came = (lower, upper), False
            self._run(way)
            if primal and self._highs.getModelStatus() == self._known.kIterationLimit:
                self._run(self._ways.kSimplexStrategyDual)
        except (RuntimeError, MemoryError):
            return "failed", 0.0, np.zeros(0)
        status = self._highs.getModelStatus()
        if status == self._known.kInfeasible:
            return "infeasible", np.inf, np.zeros(0)
        if status != self._known.kOptimal:
            return "failed", 0.0, np.zeros(0)
        return (
            "optimal",
            float(self._highs.getInfo().objective_function_value),
            np.array(self._highs.getSolution().col_value),
        )

    def _run(self, way: Any) -> None:
        """Solve by one of the simplex methods, in a number of steps that is never needed unless it goes in circles."""
        steps = STEPS * (self._highs.getNumRow() + LEAST_ROWS)
        self._highs.setOptionValue("simplex_strategy", int(way))
        self._highs.setOptionValue("simplex_iteration_limit", steps)
        self._highs.run()


def _loaded(model: Model, highspy: Any) -> Any:
    """The model as HiGHS takes it, all columns continuous."""
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(model.cost), len(model.rows)
    lp.col_cost_ = np.array(model.cost)
    lp.col_lower_, lp.col_upper_ = np.array(model.lower), np.array(model.upper)
    lp.row_lower_ = np.array([low for _, low, _ in model.rows])
    lp.row_upper_ = np.array([high for _, _, high in model.rows])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    sizes = [len(entries) for entries, _, _ in model.rows]
    lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    lp.a_matrix_.index_ = np.array([i for entries, _, _ in model.rows for i in entries], dtype=np.int32)
    lp.a_matrix_.value_ = np.array([v for entries, _, _ in model.rows for v in entries.values()], dtype=float)
    return lp


def packed(cost: Floats, upper: Floats, most: Floats, rows: Ints, columns: Ints, values: Floats) -> Floats | None:  # noqa: PLR0913, PLR0917
    """The continuous minimum of `cost` x over 0 <= x <= `upper`, A x <= `most`, or None when it is not solved.

    A has `values` at (`rows`, `columns`). For programs of many thousand entries, where `Model` takes longer to build
    than to solve.
    """
    import highspy  # noqa: PLC0415 - as above

    order = np.argsort(rows, kind="stable")
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(cost), len(most)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, np.zeros(len(cost)), upper
    lp.row_lower_, lp.row_upper_ = np.full(len(most), -np.inf), most
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.searchsorted(rows[order], np.arange(len(most) + 1)).astype(np.int32)
    lp.a_matrix_.index_ = columns[order].astype(np.int32)
    lp.a_matrix_.value_ = values[order]
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, value in {"output_flag": False, "threads": 1, "random_seed": 0}.items():
        highs.setOptionValue(name, value)
    try:
        highs.passModel(lp)
        highs.run()
    except (RuntimeError, MemoryError):
        return None
    out = _read(highs, highspy, mixed=False)
    return out.values if out.status == "optimal" else None


def _read(highs: Any, highspy: Any, *, mixed: bool) -> Outcome:
    status = highs.getModelStatus()
    known = highspy.HighsModelStatus
    info = highs.getInfo()
    if status in (known.kInfeasible, known.kUnboundedOrInfeasible):
        return Outcome("infeasible", float("inf"), float("inf"), None, None)
    limited = (known.kSolutionLimit, known.kIterationLimit, known.kInterrupt, known.kTimeLimit)
    if status != known.kOptimal and status not in limited:
        return Outcome(f"failed: {highs.modelStatusToString(status)}", 0.0, 0.0, None, None)
    name = "optimal" if status == known.kOptimal else "limit"
    feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    solution = highs.getSolution()
    bound = float(info.mip_dual_bound) if mixed else float(info.objective_function_value)
    bound = bound if np.isfinite(bound) else 0.0
    values = np.array(solution.col_value) if feasible else None
    duals = None if mixed else np.array(solution.row_dual)
    return Outcome(name, float(info.objective_function_value), bound, values, duals)
