"""Ways out of a conflict: the least change of each limit after which a plan is found, and what that plan costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sizing.catalogue import InstanceType
from sizing.conflict import BOUND_GAP, Conflict, Solve, bound, find
from sizing.limits import MOST_SLOTS, Limit, asked, gpu_pool, lift, named, open_to_all
from sizing.plan import Plan, Relaxation
from sizing.problem import PoolWish, Problem

SHOWN = 4
FEW = 150  # pods up to which whole nodes are counted where parts of them would do
SOLVES = ((150, 12), (500, 5), (10**9, 2))  # pods, and how many whole solutions they are worth
ROUNDS = 5  # conflicts lifted one after the other
STEPS = 3  # trials between what a relaxation proves and what a plan used

LIFTABLE = (
    "quota",
    "budget",
    "pool_max",
    "pools",
    "gpu",
    "arch",
    "spot",
    "spread",
    "survives",
    "requests",
    "spot_pool",
    "slots",
    "pool_min",
    "zones",
    "price_age",
)


@dataclass(frozen=True)
class _Way:
    """A changed problem, the number that may still be lowered, and how to tell it."""

    problem: Problem
    limits: tuple[Limit, ...]
    add: str = ""  # the pool that is added to workloads


@dataclass
class _Solver:
    """Whole solutions, counted."""

    solve: Solve
    left: int

    def __call__(self, problem: Problem) -> Plan | None:
        if not self.left:
            return None
        self.left -= 1
        made = self.solve(problem)
        return made if isinstance(made, Plan) else None


def ways(problem: Problem, conflict: Conflict, every: tuple[InstanceType, ...], solve: Solve) -> tuple[Relaxation, ...]:
    """The changes that help, cheapest plan first: single ones, else several together."""
    pods = sum(w.replicas for w in problem.workloads)
    solver = _Solver(solve, next(most for size, most in SOLVES if pods <= size))
    singles = [way for limit in conflict.limits if limit.kind in LIFTABLE for way in _single(problem, limit, every)]
    ranked = sorted((bound(way.problem, gap=BOUND_GAP, whole=pods <= FEW), i) for i, way in enumerate(singles))
    found: list[Relaxation] = []
    for floor, i in ranked:
        if floor == float("inf") or len(found) == SHOWN:
            break
        made = _told(problem, singles[i], solver)
        if made is not None:
            found.append(made)
    if not found:
        several = _several(problem, conflict, every, solve)
        made = _told(problem, several, solver) if several else None
        found = [made] if made else []
    return tuple(sorted(found, key=lambda way: (way.cost_usd_month, way.change)))


def _single(problem: Problem, limit: Limit, every: tuple[InstanceType, ...]) -> Iterator[_Way]:
    """The problems after one limit was lifted: as little as can be said without solving."""
    if limit.kind == "pools":
        yield from _other_pools(problem, limit)
        return
    tried: Iterable[Problem]
    if limit.kind == "slots":
        more = range(next(p.slots for p in problem.pools if p.name in limit.subjects) + 1, MOST_SLOTS + 1)
        tried = (replace(problem, pools=_each(problem, limit, slots=n)) for n in more)
    elif limit.kind == "zones":
        tied = any(w.zone is not None or w.survives != "none" for w in problem.workloads)
        tried = (replace(problem, zones=zones) for zones in range(problem.zones - 1, 0, -1)) if not tied else ()
    elif limit.kind == "price_age":
        ages = sorted(age for age in _ages(problem) if age > problem.max_age_days)
        tried = (replace(problem, max_age_days=age) for age in ages)
    else:
        tried = (lift(problem, (limit,), every),)
    few = sum(w.replicas for w in problem.workloads) <= FEW
    first = next((made for made in tried if bound(made, whole=few) < float("inf")), None)
    if first is not None:
        yield _Way(first, (limit,))


def _other_pools(problem: Problem, limit: Limit) -> Iterator[_Way]:
    mine = {p for w in problem.workloads if w.name in limit.subjects for p in w.pools}
    for pool in sorted(open_to_all(problem) - mine):
        jobs = tuple(replace(w, pools=(*w.pools, pool)) if w.name in limit.subjects else w for w in problem.workloads)
        yield _Way(replace(problem, workloads=jobs), (limit,), pool)


def _each(problem: Problem, limit: Limit, **to: int) -> tuple[PoolWish, ...]:
    """The pools, with numbers of the limit's own changed."""
    return tuple(replace(p, **to) if p.name in limit.subjects else p for p in problem.pools)  # type: ignore[arg-type]


def _ages(problem: Problem) -> set[int]:
    spot = {(problem.as_of - t.spot_date).days for t in problem.types if t.spot_date}
    return spot | {(problem.as_of - t.price_date).days for t in problem.types}


def _several(problem: Problem, conflict: Conflict, every: tuple[InstanceType, ...], solve: Solve) -> _Way | None:
    """Lift conflict after conflict until none is left, then take back what was not needed."""
    lifted: tuple[Limit, ...] = ()
    now = conflict
    for _ in range(ROUNDS):
        more = tuple(limit for limit in now.limits if limit.kind in LIFTABLE and limit not in lifted)
        if not more:
            return None
        lifted += more
        made = lift(problem, lifted, every)
        if bound(made) < float("inf"):
            break
        now = find(made, every, solve)
    else:
        return None
    for limit in reversed(lifted):
        fewer = tuple(one for one in lifted if one != limit)
        if bound(lift(problem, fewer, every)) < float("inf"):
            lifted = fewer
    return _Way(lift(problem, lifted, every), lifted)


def _told(problem: Problem, way: _Way, solver: _Solver) -> Relaxation | None:
    """Solve, lower the numbers that were lifted as far as a plan is still found, and say it."""
    plan = solver(way.problem)
    if plan is None:
        return None
    made, add = way.problem, way.add
    for limit in way.limits:
        if limit.kind == "pools" and not add:
            made, add = _used(problem, made, limit, plan)
    for limit in way.limits:
        made, plan = _lowered(problem, made, limit, plan, solver)
    changes = [_change(problem, made, limit, add) for limit in way.limits]
    return Relaxation(
        change=" and ".join(sentence for sentence, _, _ in changes),
        cost_usd_month=plan.cost_usd_month,
        limits={
            "/".join((limit.kind, *limit.subjects[:1])): (now, then)
            for limit, (_, now, then) in zip(way.limits, changes, strict=True)
        },
    )


def _used(problem: Problem, made: Problem, limit: Limit, plan: Plan) -> tuple[Problem, str]:
    """Of the pools that were opened to the workloads those that the plan uses: the others stay closed."""
    held = {
        key.rsplit("-", 1)[0]
        for key, nodes in plan.assignment.items()
        for node in nodes
        if any(name in node["pods"] for name in limit.subjects)
    }
    before = {w.name: w.pools for w in problem.workloads}
    jobs = tuple(
        replace(w, pools=tuple(p for p in w.pools if p in before[w.name] or p in held))
        if w.name in limit.subjects
        else w
        for w in made.workloads
    )
    opened = sorted((held & {p.name for p in problem.pools}) - {p for name in limit.subjects for p in before[name]})
    return replace(made, workloads=jobs), " and ".join(opened)


def _lowered(problem: Problem, made: Problem, limit: Limit, plan: Plan, solver: _Solver) -> tuple[Problem, Plan]:
    """The least number at which a plan is found, between what is proven to be needed and what the plan uses."""
    types = {t.name: t for t in made.types}

    def put(number: int) -> Problem:
        if limit.kind == "quota":
            return replace(made, vcpu_quota=number)
        return replace(made, pools=_each(made, limit, max=max(number, 1)))

    if limit.kind == "quota":
        low = problem.vcpu_quota or 0
        high = sum(types[p.instance_type].vcpu * p.min for p in plan.pools)
    elif limit.kind == "pool_max":
        low = next(p.max for p in problem.pools if p.name in limit.subjects)
        high = sum(p.min for p in plan.pools if p.pool in limit.subjects)
    elif limit.kind == "budget":
        return replace(made, budget_usd_month=float(math.ceil(plan.cost_usd_month))), plan
    elif limit.kind == "pool_min":
        nodes = sum(p.min for p in plan.pools if p.pool in limit.subjects)
        return replace(made, pools=_each(made, limit, min=nodes)), plan
    else:
        return made, plan
    few = sum(w.replicas for w in made.workloads) <= FEW
    least = _first(low + 1, high, lambda number: bound(put(number), whole=few) < float("inf"))
    best, kept = high, plan
    for step in range(STEPS):
        number = least + (best - least) * step // STEPS
        if number >= best:
            break
        tried = solver(put(number))
        if tried is not None:
            best, kept = number, tried
            break
    return put(best), kept


def _first(low: int, high: int, fine: Callable[[int], bool]) -> int:
    """The least number from `low` to `high` for which it is fine; it is for `high`."""
    while low < high:
        middle = (low + high) // 2
        if fine(middle):
            high = middle
        else:
            low = middle + 1
    return high


def _change(before: Problem, after: Problem, limit: Limit, add: str) -> tuple[str, Any, Any]:  # noqa: C901, PLR0911, PLR0912
    """The sentence, and the value now and then."""
    one = limit.subjects[0] if limit.subjects else ""
    old = {p.name: p for p in before.pools}
    new = {p.name: p for p in after.pools}
    jobs = {w.name: w for w in after.workloads}
    who = named(limit.subjects)
    match limit.kind:
        case "quota":
            return (
                f"raise the quota from {before.vcpu_quota} to {after.vcpu_quota} vCPU",
                before.vcpu_quota,
                after.vcpu_quota,
            )
        case "budget":
            now, then = before.budget_usd_month, after.budget_usd_month
            return f"raise the budget from {now:,.0f} to {then:,.0f} USD a month", now, then
        case "pool_max":
            return f"raise pool {one}'s max from {old[one].max} to {new[one].max}", old[one].max, new[one].max
        case "pool_min":
            return f"lower pool {one}'s min from {old[one].min} to {new[one].min}", old[one].min, new[one].min
        case "slots":
            return f"raise pool {one}'s slots from {old[one].slots} to {new[one].slots}", old[one].slots, new[one].slots
        case "arch":
            return f"let pool {one} use {' and '.join(new[one].arch)}", list(old[one].arch), list(new[one].arch)
        case "zones":
            now, then = before.zones, after.zones
            return f"use {then} zone{'s' if then > 1 else ''} instead of {now}", now, then
        case "price_age":
            now, then = before.max_age_days, after.max_age_days
            return f"raise prices.max_age_days from {now} to {then}, or load newer prices", now, then
        case "gpu":
            return f"add a pool with gpu: true and let {who} run there", False, gpu_pool(before)
        case "spot":
            return f"let {who} be spot: {jobs[one].spot}", None, jobs[one].spot
        case "requests":
            was = next(w for w in before.workloads if w.name == one)
            return f"lower {one}'s requests to {asked(jobs[one])} a pod", asked(was), asked(jobs[one])
        case "spot_pool":
            only = {w.name for w in before.workloads if w.spot == "only"}
            moved = named(tuple(w.name for w in after.workloads if w.name in only and w.spot != "only"))
            return f"let pool {one}{f' and {moved}' if moved else ''} be on demand (spot: never)", True, False
        case "survives":
            return f"let {who} not survive the loss of a zone", "zone", "none"
        case "spread":
            return f"do not spread {who}", None, "none"
        case _:
            return f"let {who} also run in pool {add or 'any'}", None, add or "any"
