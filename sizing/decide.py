"""The answer for one cluster: a plan within its budget, or what stands in the way and the cheapest way out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from sizing import conflict, portfolio, relax
from sizing.catalogue import InstanceType, UnknownPrice, fit_for_nodes, load
from sizing.plan import Infeasible, Plan
from sizing.problem import Problem


def decide(problem: Problem, previous: Plan | None = None) -> Plan | Infeasible:
    """The cheapest verified plan, or why there is none. Same problem and previous plan: same bytes."""
    if previous is not None:
        problem = replace(problem, running=tuple(sorted({row.instance_type for row in previous.pools if row.min})))
    made = within_budget(problem, previous)
    if not isinstance(made, Plan):
        return explained(problem, made)
    if previous is None or problem.max_changed_nodes is None:
        return made
    counted = {"changed_nodes": nodes_changed(made, previous), "max_changed_nodes": problem.max_changed_nodes}
    return replace(made, notes={**made.notes, **counted})


def nodes_changed(now: Plan, before: Plan) -> int:
    """Nodes made plus nodes removed, by pool and type."""
    count: Counter[tuple[str, str]] = Counter()
    for plan, sign in ((now, 1), (before, -1)):
        for row in plan.pools:
            count[row.pool, row.instance_type] += sign * row.min
    return sum(abs(number) for number in count.values())


def within_budget(problem: Problem, previous: Plan | None = None) -> Plan | Infeasible:
    """A plan that costs no more than the budget; the one that runs gives way when only that keeps the budget."""
    made = portfolio.solve(problem, previous)
    budget = problem.budget_usd_month
    if budget is None or not isinstance(made, Plan) or made.cost_usd_month <= budget:
        return made
    if previous is not None:
        return within_budget(problem)
    return Infeasible(
        constraint="budget",
        message=f"{problem.cluster}: the best plan found costs {made.cost_usd_month:,.0f} USD a month (spot marked up "
        f"by its risk), no plan less than {made.bound_usd_month:,.0f}; the budget is {budget:,.0f}: raise "
        "sizing.budget_usd_month or ask for less",
        detail={"cost": made.cost_usd_month, "bound": made.bound_usd_month, "budget": budget},
    )


def explained(problem: Problem, made: Infeasible) -> Infeasible:
    """The same with the limits that cannot hold together, and the cheapest changes after which a plan was found."""
    every = offered(problem)
    fast = replace(problem, quality="fast")
    found = conflict.find(fast, every, within_budget)
    ways = relax.ways(fast, found, every, within_budget)
    return replace(
        made,
        conflict=tuple(limit.told(problem) for limit in found.limits),
        proven=found.proven,
        least=found.least,
        relaxations=ways,
        detail={**made.detail, "kinds": sorted({limit.kind for limit in found.limits})},
    )


def offered(problem: Problem) -> tuple[InstanceType, ...]:
    """Every type of the region that makes an honest node, also those that no pool may use; none without prices."""
    try:
        return fit_for_nodes(load().types(problem.cloud, problem.region))
    except UnknownPrice:
        return ()
