"""Which candidate becomes the plan: the cheapest that kube-scheduler and the verifier accept; the rest say why not."""

from __future__ import annotations

import re
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Final

from sizing.assemble import assemble
from sizing.compiled import Compiled, PoolPart
from sizing.part import PartSolution, within_limits
from sizing.plan import Infeasible, Plan
from sizing.pools import MOST_SCHEDULED, PoolSolution
from sizing.problem import Problem
from sizing.scheduler import pending
from sizing.verify import verify

if TYPE_CHECKING:
    from sizing.portfolio import Result

CENT: Final = 0.01
SHOWN: Final = 5  # findings of each plan that was set aside
SPARES: Final = (1, 2, 4, 8)  # tried of each type, where kube-scheduler leaves pods pending
KEPT: Final = {
    "kept": "previous plan",
    "adjusted": "previous plan, adjusted",
    "stepped": "a step from the previous plan",
}
MOST_MORE: Final = 3
WITH_MORE: Final = re.compile(r"(.*), with (\d) more spares?$")
LEAVES: Final = "a spreading scheduler leaves"  # the verifier's words
PENDING: Final = "kube-scheduler leaves pods pending, also with a few more spares"


def verified(problem: Problem, results: list[Result], previous: Plan | None) -> Plan | Infeasible:
    """The cheapest candidates that pass; those that do not are in the plan's notes, each with its reason."""
    given = problem.to_object()
    for result in results:
        schedulable(result)
    while True:
        plan = assemble(problem, results, previous)
        wrong = verify(given, plan.to_object())
        rejected = [entry for result in results for entry in result.rejected]
        if not wrong:
            return replace(plan, notes={**plan.notes, **({"rejected": rejected} if rejected else {})})
        roomier = {id(result): _roomier(result, wrong) for result in results}
        open_ones = [result for result in results if result.others or roomier[id(result)]]
        if not open_ones:
            return Infeasible(
                constraint="unverified",
                message=f"{problem.cluster}: no candidate passes the verifier: {'; '.join(wrong[:3])}",
                detail={"rejected": rejected},
            )
        named = [result for result in open_ones if any(_names(result, sentence) for sentence in wrong)]
        for result in named or [min(open_ones, key=_step)]:
            set_aside(result, "verifier", wrong[:SHOWN], roomier[id(result)])
            schedulable(result)


def _step(result: Result) -> float:
    """What the next candidate costs more."""
    return (result.others[0][1].cost if result.others else inf) - result.solution.cost


def set_aside(result: Result, judge: str, findings: list[str], instead: tuple[str, PartSolution] | None = None) -> None:
    """Leave the plan of the part, under all names that led to it, and take the next: a cheaper one cannot stay."""
    lost, names = result.solution, [result.winner]
    names += [name for name, solution in result.others if solution == lost]
    result.others = [(name, solution) for name, solution in result.others if solution != lost]
    for name in names:
        result.candidates.pop(name, None)
    _note(result, judge, names, lost, findings)
    if instead is not None:
        result.candidates[instead[0]] = instead[1].cost
        result.others = sorted([*result.others, instead], key=lambda one: round(one[1].cost, 6))
    if result.others:
        result.winner, result.solution = result.others.pop(0)
    result.kept = "no"


def _roomier(result: Result, findings: list[str]) -> tuple[str, PartSolution] | None:
    """The same nodes with one more spare in each pool where the verifier's scheduler left pods; a few times only."""
    found = WITH_MORE.match(result.winner)
    name, before = (found[1], int(found[2])) if found else (result.winner, 0)
    if before >= MOST_MORE:
        return None
    pools = []
    for made in result.solution.pools:
        part = result.compiled.pools[made.pool]
        if not any(one.startswith(f"pool {part.wish.name}: {LEAVES}") for one in findings) or not made.slots:
            pools.append(made)
            continue
        cheapest = min(range(len(made.slots)), key=lambda i: float(part.price[made.slots[i][0]]))
        if made.nodes >= part.wish.max:
            return None
        pools.append(_spared(part, made, cheapest, 1))
    more = PartSolution(tuple(pools))
    if more == result.solution or not within_limits(result.compiled, more):
        return None
    return f"{name}, with {before + 1} more spare{'s' if before else ''}", more


def schedulable(result: Result) -> None:
    """See that kube-scheduler places every pod of the large pools: by a few more spares, or by the next candidate."""
    ranked = [(result.winner, result.solution), *result.others]
    seen: dict[PartSolution, PartSolution | None] = {}
    best = _cheapest(result, ranked, seen)
    if best is None:  # none of them: the verifier has the last word
        return
    for solution in (one for one, made in seen.items() if made is None):
        names = [name for name, one in ranked if one == solution]
        result.candidates = {name: cost for name, cost in result.candidates.items() if name not in names}
        _note(result, "kube-scheduler", names, solution, [PENDING])
    left = [(name, made) for name, one in ranked if (made := seen.get(one, one)) is not None]
    result.candidates |= {name: made.cost for name, made in left if name in result.candidates}
    result.others = sorted((one for one in left if one[0] != best[0]), key=lambda one: round(one[1].cost, 6))
    if best[0] != ranked[0][0]:
        result.kept = "no"
    elif result.kept == "kept" and best[1] != ranked[0][1]:
        result.kept, best = "adjusted", (KEPT["adjusted"], best[1])
    result.winner, result.solution = best


def _cheapest(
    result: Result, ranked: list[tuple[str, PartSolution]], seen: dict[PartSolution, PartSolution | None]
) -> tuple[str, PartSolution] | None:
    """The cheapest candidate with the spares it needs, a plan that is kept before others; fills `seen` on the way."""
    best: tuple[str, PartSolution] | None = None
    for name, solution in ranked:
        if best is not None and solution.cost >= best[1].cost:
            break
        if solution not in seen:
            seen[solution] = _with_room(result.compiled, solution)
        made = seen[solution]
        if made is not None and (best is None or made.cost < best[1].cost):
            best = (name, made)
            if result.kept != "no" and name == result.winner and _worth_keeping(result, made):
                break
    return best


def _worth_keeping(result: Result, made: PartSolution) -> bool:
    """Whether the plan that runs, with its spares, is still within the threshold of the new one."""
    if result.kept == "stepped" or not result.others:
        return True
    return made.cost <= result.others[0][1].cost / (1 - result.compiled.problem.threshold) + CENT


def _with_room(compiled: Compiled, solution: PartSolution) -> PartSolution | None:
    """The solution with the spares that kube-scheduler needs; None where it stays short of them or of a limit."""
    pools = [_with_spares(compiled, made) for made in solution.pools]
    fine = [made for made in pools if made is not None]
    made = PartSolution(tuple(fine))
    return made if len(fine) == len(pools) and within_limits(compiled, made) else None


def _with_spares(compiled: Compiled, made: PoolSolution) -> PoolSolution | None:
    """The pool with as many spares more as kube-scheduler needs, at most a few; None when that is not enough."""
    if not any(made.counts) or sum(made.counts) <= MOST_SCHEDULED:
        return made  # looked at while solving
    part = compiled.pools[made.pool]
    if made.nodes <= part.wish.max and not pending(compiled, made, first=True):
        return made
    for more in SPARES:
        for slot in sorted(range(len(made.slots)), key=lambda i: float(part.price[made.slots[i][0]])):
            tried = _spared(part, made, slot, more)
            if tried.nodes <= part.wish.max and not pending(compiled, tried, first=True):
                return tried
    return None


def _spared(part: PoolPart, made: PoolSolution, slot: int, more: int) -> PoolSolution:
    """The pool with so many more spares in one of its slots."""
    slots = tuple((t, n, s + more * (i == slot)) for i, (t, n, s) in enumerate(made.slots))
    return replace(made, slots=slots, cost=part.cost(slots))


def _note(result: Result, judge: str, names: list[str], solution: PartSolution, findings: list[str]) -> None:
    result.rejected.append(
        {
            "pools": [part.wish.name for part in result.compiled.pools],
            "candidates": names,
            "cost_usd_month": round(solution.cost, 4),
            "by": judge,
            "findings": list(findings),
        }
    )


def _names(result: Result, sentence: str) -> bool:
    """Whether a finding speaks of a pool, a slot of it, or a workload of this part."""
    compiled = result.compiled
    names = {part.wish.name for part in compiled.pools} | {name for pod in compiled.pods for name, _ in pod.members}
    return any(re.search(rf"(?<![\w.-]){re.escape(name)}(?:-\d+)?(?![\w-])", sentence) for name in names)


def vcpu_used(results: list[Result]) -> float:
    """Sum of the vCPUs of all nodes, spares included."""
    return sum(
        float(r.compiled.pools[pool.pool].vcpu[t]) * (n + s)
        for r in results
        for pool in r.solution.pools
        for t, n, s in pool.slots
    )
