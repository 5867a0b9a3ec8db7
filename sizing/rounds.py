"""Optimise on and on: each round solves anew with another seed, and the plan that runs gives way only when it pays.

What a round is worth is measured, not claimed: the regret is what the plan that runs costs above the best plan known
for this round's demand, and above the proven bound; the circuit's finds stand beside those of random draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sizing.decide import decide, nodes_changed
from sizing.plan import Infeasible, Plan
from sizing.problem import Problem


@dataclass(frozen=True)
class Round:
    """One round of one cluster; costs and regrets in USD a month."""

    cluster: str
    number: int
    cost: float
    bound: float
    best: float
    kept: str
    changed_nodes: int
    winner: str
    subproblems: int
    circuit_found: int
    chance_found: int
    circuit_cheaper: int
    chance_cheaper: int

    @property
    def regret(self) -> float:
        """Above the best plan that is known for this demand."""
        return max(0.0, self.cost - self.best)

    @property
    def gap(self) -> float:
        """Above the proven bound, as a share of it."""
        return self.cost / self.bound - 1 if self.bound else 0.0


@dataclass
class Memory:
    """What one cluster's rounds leave behind: the plan that runs, its demand, the best cost and bound known."""

    plan: Plan | None = None
    asked: str = ""
    best: float = float("inf")
    bound: float = 0.0


def once(problem: Problem, number: int, memory: Memory) -> Round | Infeasible:
    """One more round; `memory` keeps the plan that runs. An infeasible round leaves everything as it was."""
    made = decide(replace(problem, seed=problem.seed + number), memory.plan)
    if isinstance(made, Infeasible):
        return made
    if memory.asked != problem.input_hash:  # another demand: what was known of the old one says nothing
        memory.asked, memory.best, memory.bound = problem.input_hash, float("inf"), 0.0
    memory.best = min(memory.best, made.cost_usd_month, *made.candidates.values())
    memory.bound = max(memory.bound, made.bound_usd_month)
    runs = made.quantum.get("runs", [])
    done = Round(
        cluster=problem.cluster,
        number=number,
        cost=made.cost_usd_month,
        bound=memory.bound,
        best=memory.best,
        kept=made.kept_previous,
        changed_nodes=nodes_changed(made, memory.plan) if memory.plan else 0,
        winner=made.winner,
        subproblems=len(runs),
        circuit_found=sum(_met(run, "found") for run in runs),
        chance_found=sum(_met(run, "control_found") for run in runs),
        circuit_cheaper=sum(run["found"] < run["control_found"] - 1e-6 for run in runs),
        chance_cheaper=sum(run["control_found"] < run["found"] - 1e-6 for run in runs),
    )
    memory.plan = made
    return done


def _met(run: Mapping[str, Any], key: str) -> bool:
    return bool(run[key] <= run["optimum"] + 1e-6)
