"""Solve one cluster: every method in turn, with fixed budgets, and the cheapest plan that passes the verifier."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sizing import infeasible
from sizing.columns import Columns, generate, prepare
from sizing.compiled import Compiled, compile_problem, parts
from sizing.cutting import Cuts, Cutting, cut, loosened
from sizing.descent import Width, polish
from sizing.enumeration import Reach, search_all
from sizing.exchange import Exchange, exchange
from sizing.fluid import solve_fluid
from sizing.greedy import cheapest_pool_first, share_out
from sizing.hysteresis import choose
from sizing.mixtures import Mixing, deepen
from sizing.narrowing import starts
from sizing.neighbourhood import Budget, search
from sizing.part import PartSolution, build
from sizing.plan import Infeasible, Plan
from sizing.problem import Problem
from sizing.proportions import proportioned
from sizing.quantum import LAYERS
from sizing.steps import changed
from sizing.verdicts import KEPT, vcpu_used, verified
from sizing.zoned import zoned_bound

FILLS = (0.95, 0.9, 0.8, 0.7, 0.6)
FEW_NODES, ANY_GOOD = 20, 0.1  # of those programs: they only have to find a start
COST_TOLERANCE = 1e-6
SETTLED = 1 + 1e-6  # of the bound: a plan that costs no more needs no search
WORTH_PROVING = 0.05  # a smaller gap needs no dearer bound


@dataclass(frozen=True)
class Work:
    """The fixed budget of one quality: no clock decides anything."""

    reach: Reach
    columns: int  # rounds of the generation
    cutting: Cutting
    rounds_after_loss: int
    starts: int  # of the free mix narrowed to the slots
    search: Budget
    width: Width
    fills: tuple[float, ...]  # shares of the nodes that count in further programs, for starting points
    mixings: tuple[tuple[Mixing, int], ...]  # in turn: how all mixes are searched, and in how many cheapest candidates
    exchange: Exchange | None = None  # of pods between pools, from the cheapest of all
    kinds: int = 0  # types whose proportions are sought in large pools
    zoned: int = 0  # nodes of the bound that sees zones
    zoned_columns: int = 0  # at most so many


EFFORTS = {
    "fast": Work(
        Reach(2_000, 12, 10), 15, Cutting(1, 30), 2, 0, Budget(2, 4), Width(32, 64, 6, 192),
        (), ((Mixing(12, 5_000, 1e8, 100), 1),),
    ),
    "standard": Work(
        Reach(20_000, 20, 400), 30, Cutting(8, 20), 4, 1, Budget(4, 6), Width(),
        (0.97, 0.95, 0.92, 0.88), ((Mixing(16, 10_000, 3e8, 100), 2),), None, 12, 20, 200,
    ),
    "best": Work(
        Reach(100_000, 40, 2_000), 60, Cutting(60, 30), 6, 2, Budget(40, 8, 512),
        Width(96, 960, 16, 4000), tuple(round(0.99 - 0.01 * step, 2) for step in range(16)),
        ((Mixing(32, 20_000, 3e9, 400), 40), (Mixing(32, 50_000, 2e10, 3_000), 4)),
        Exchange(1_200, Mixing(16, 4_000, 3e7, 8)), 16, 500, 1500,
    ),
}  # fmt: skip


@dataclass
class Result:
    """What the portfolio found for one part."""

    compiled: Compiled
    solution: PartSolution
    winner: str
    bound: float
    candidates: dict[str, float] = field(default_factory=dict)
    quantum: dict[str, Any] = field(default_factory=dict)
    proof: dict[str, Any] = field(default_factory=dict)
    kept: str = "no"
    others: list[tuple[str, PartSolution]] = field(default_factory=list)  # what to take next, cheapest first
    limits: tuple[str, ...] = ()  # solvers that failed or met a limit
    rejected: list[dict[str, Any]] = field(default_factory=list)  # what was set aside, by whom and why


def solve(problem: Problem, previous: Plan | None = None) -> Plan | Infeasible:
    """The cheapest verified plan, or why there is none. Same problem and previous plan: same bytes."""
    results = _all_parts(parts(problem), previous)
    if isinstance(results, Infeasible):
        return results
    if problem.vcpu_quota is not None and vcpu_used(results) > problem.vcpu_quota:
        results = _all_parts((problem,), previous)  # each part alone kept the quota, together they do not
        if isinstance(results, Infeasible):
            return results
    made = verified(problem, results, previous)
    if isinstance(made, Plan) or problem.vcpu_quota is None or len(results) == 1:
        return made
    whole = _all_parts((problem,), previous)  # spares that kube-scheduler needs may have met the quota
    return made if isinstance(whole, Infeasible) else verified(problem, whole, previous)


def _all_parts(problems: tuple[Problem, ...], previous: Plan | None) -> list[Result] | Infeasible:
    """Solve each part, or say why one has no plan."""
    results: list[Result] = []
    most = problems[0].max_changed_nodes
    for part in problems:
        compiled = compile_problem(part)
        if isinstance(compiled, Infeasible):
            return compiled
        found = solve_part(compiled)
        if isinstance(found, Infeasible):
            return found
        fresh_one = (found.winner, found.solution)
        found.solution, found.kept = choose(compiled, found.solution, previous, most)
        if most is not None and previous is not None:
            most = max(0, most - changed(compiled, found.solution, previous))
        if found.kept != "no":
            found.others.insert(0, fresh_one)
            found.winner = KEPT[found.kept]
        results.append(found)
    return results


def solve_part(compiled: Compiled) -> Result | Infeasible:
    """Greedy, columns, cutting planes, then a search with and without the circuit; each with a fixed budget."""
    effort = EFFORTS[compiled.problem.quality]
    fluid = solve_fluid(compiled, whole=False)
    if fluid.status == "infeasible":
        return infeasible.explain(compiled)
    found: dict[str, PartSolution] = {}
    _keep(found, "greedy", build(compiled, cheapest_pool_first(compiled)))
    columns = prepare(compiled, list(found.values()))
    if not effort.starts:  # else the programs' starting points are better ones
        for name, made in list(found.items()):
            _keep(found, f"{name}, descent", polish(compiled, made, effort.width))
    generate(columns, effort.columns)
    below = min((made.cost for made in found.values()), default=float("inf"))
    cuts = cut(columns, below, effort.cutting)
    if cuts.status == "infeasible" and not found:
        return infeasible.explain(compiled)
    improved = _from_starts(columns, cuts, below, effort, found)
    if not found and not _from_volumes(compiled, found):
        return infeasible.packing(compiled)
    bounds = {"fluid": fluid.bound, "columns": columns.bound, "cuts": cuts.bound}
    start = _mixed(compiled, effort, found, improved, max(bounds.values()))
    proven = start.cost <= max(bounds.values()) * SETTLED
    budget = replace(effort.search, rounds=1, chunks=3) if proven else effort.search
    found["search, exhaustive"], _ = search(compiled, start, "exhaustive", budget)
    report = _quantum(compiled, start, budget, found)
    names = list(found)  # the classical ones stand first: the circuit wins only by a lower cost
    winner = min(names, key=lambda name: (round(found[name].cost, 6), names.index(name)))
    costs = {name: made.cost for name, made in found.items()}
    if effort.zoned and found[winner].cost > max(bounds.values()) * (1 + WORTH_PROVING):
        bounds["zones"] = zoned_bound(compiled, effort.zoned, effort.zoned_columns)
    every = search_all(compiled, found[winner], max(bounds.values()), effort.reach)
    if every.bound > max(bounds.values()):
        bounds["enumeration"] = every.bound
    if every.best.cost < found[winner].cost - COST_TOLERANCE:
        winner = "enumeration"
        found[winner], costs[winner] = every.best, every.best.cost
        names = list(found)
    bound = min(max(bounds.values()), found[winner].cost)
    proof = {"bounds": bounds, "columns": columns.proof, "duals": columns.duals, "packed": every.packed}
    rest = sorted((n for n in names if n != winner), key=lambda name: (round(found[name].cost, 6), names.index(name)))
    others = [(name, found[name]) for name in rest]
    limits = tuple(
        f"{name}: {status}"
        for name, status in (("fluid", fluid.status), ("columns", columns.status), ("cuts", cuts.status))
        if status != "optimal"
    )
    return Result(compiled, found[winner], winner, bound, costs, report, proof, others=others, limits=limits)


def _from_starts(
    columns: Columns, cuts: Cuts, below: float, effort: Work, found: dict[str, PartSolution]
) -> list[PartSolution]:
    """Settle the programs' starting points and improve them; the cheapest of each method goes to `found`."""
    compiled = columns.compiled
    nearly_all = [("cuts", whole.pods, whole.nodes) for whole in cuts.starts]
    nearly_all += [("cuts", less.pods, less.nodes) for less in loosened(compiled, cuts, below, effort.fills)]
    narrowed = starts(columns, effort.rounds_after_loss, most=effort.starts) if effort.starts else []
    nearly_all += [("columns", pods, nodes) for pods, nodes in narrowed]
    improved = []
    for name, pods, nodes in nearly_all:
        nearly = build(compiled, share_out(compiled, pods), nodes)
        polished = nearly and polish(compiled, nearly, effort.width)
        _keep(found, name, nearly)
        _keep(found, f"{name}, descent", polished)
        improved += [polished] if polished else []
    return improved


def _from_volumes(compiled: Compiled, found: dict[str, PartSolution]) -> bool:
    """Where no other start packs: whole nodes filled to a share of their volume, fullest first; whether one does."""
    for fill in FILLS:
        less = solve_fluid(compiled, fill=fill, nodes_limit=FEW_NODES, gap=ANY_GOOD)
        if less.nodes:
            _keep(found, "fluid", build(compiled, share_out(compiled, less.pods), less.nodes))
        if found or less.status == "infeasible":  # less of a node holds no more
            break
    return bool(found)


def _mixed(
    compiled: Compiled, effort: Work, found: dict[str, PartSolution], improved: list[PartSolution], bound: float
) -> PartSolution:
    """Search all mixes for the cheapest candidates, then exchange pods in the best unless nothing can cost less.

    What is found goes to `found`.
    """
    if effort.kinds:
        cheapest = min(found.values(), key=lambda made: round(made.cost, 6))
        _keep(found, "proportions", proportioned(compiled, cheapest, effort.kinds))
    some = list(dict.fromkeys([*found.values(), *improved]))
    for mixing, many in effort.mixings:
        some = [deepen(compiled, made, mixing) for made in sorted(some, key=lambda made: round(made.cost, 6))[:many]]
        for made in some:
            _keep(found, "mixtures", made)
    start = min(found.values(), key=lambda made: round(made.cost, 6))
    if effort.exchange is None or start.cost <= bound * SETTLED:
        return start
    found["exchange"] = exchange(compiled, start, effort.exchange)
    return found["exchange"]


def _keep(found: dict[str, PartSolution], name: str, made: PartSolution | None) -> None:
    if made is not None and (name not in found or made.cost < found[name].cost - COST_TOLERANCE):
        found[name] = made


def _quantum(compiled: Compiled, start: PartSolution, budget: Budget, found: dict[str, PartSolution]) -> dict[str, Any]:
    """Search with the circuit; whatever goes wrong there, the classical plan stands and the report says so."""
    try:
        made, trace = search(compiled, start, "qaoa", budget)
    except (Exception, MemoryError) as wrong:  # noqa: BLE001 - Aer raises what it likes; the plan must not depend on it
        return {"status": "failed", "reason": f"{type(wrong).__name__}: {wrong}"[:300]}
    found["search, qaoa"] = made
    return {
        "status": "ran" if trace.runs else "nothing to decide",
        "circuit": "QAOA, two-body log-rank phase, linear ramp 0.6, index encoding, on Aer (a simulator)",
        "layers": LAYERS,
        "shots": budget.shots,
        "control": "uniform sampling, equal shots",
        "subproblems": len(trace.runs),
        "accepted": trace.accepted,
        "optimum_found": sum(run["found"] <= run["optimum"] + COST_TOLERANCE for run in trace.runs),
        "control_optimum_found": sum(run["control_found"] <= run["optimum"] + COST_TOLERANCE for run in trace.runs),
        "runs": trace.runs,
        "cost_usd_month": round(made.cost, 4),
    }
