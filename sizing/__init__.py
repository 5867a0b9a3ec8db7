"""The arithmetic: from demand and dated prices to a proven plan. No pulumi, no network, no clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sizing.plan import Infeasible, Plan
    from sizing.problem import Problem


def solve(problem: Problem, previous: Plan | None = None) -> Plan | Infeasible:
    """The cheapest verified plan of one cluster, or why there is none; solvers are imported on the first call."""
    from sizing.decide import decide  # noqa: PLC0415 - `import sizing` stays light

    return decide(problem, previous)
