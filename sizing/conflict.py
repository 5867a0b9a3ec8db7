"""Which limits cannot hold together: a set of them from which none can be left out (QuickXplain).

U. Junker, QuickXplain: preferred explanations and relaxations for over-constrained problems, AAAI 2004.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from sizing.catalogue import InstanceType
from sizing.compiled import compile_problem
from sizing.fluid import program
from sizing.limits import WORKLOADS, Limit, lift, limits_of
from sizing.plan import Infeasible
from sizing.problem import Problem

CALLS = ((150, 120, 24), (600, 60, 6), (10**9, 30, 3))
"""Pods; trials of one search, and of one where each trial is a whole solution: numbers, so that no clock decides."""
NUMBERS = ("quota", "budget", "pool_max")
BOUND_GAP = 0.01
NODES = 200  # of each integer program
WITHIN = 1e-6  # of the budget: what rounding may hide

Fails = Callable[[tuple[Limit, ...]], bool]
Solve = Callable[[Problem], object]


@dataclass(frozen=True)
class Conflict:
    """Limits that cannot hold together; `proven`: by a relaxation, else no plan was found; `least`: none is left over.

    Without limits the demand fits nowhere whatever is lifted. Where the trials did not suffice, the limits that are
    numbers are named: some of them bind.
    """

    limits: tuple[Limit, ...]
    proven: bool
    least: bool
    whole: bool = True  # whether whole nodes were needed for the proof


class _Spent(Exception):  # noqa: N818 - not an error: the trials are used up
    pass


@dataclass
class _Trials:
    """Whether some limits fail together; each set is tried once, and not more than `left` sets."""

    fails: Fails
    left: int
    known: dict[frozenset[Limit], bool] = field(default_factory=dict)

    def __call__(self, kept: tuple[Limit, ...]) -> bool:
        key = frozenset(kept)
        if key not in self.known:
            if not self.left:
                raise _Spent
            self.left -= 1
            self.known[key] = self.fails(kept)
        return self.known[key]


def bound(problem: Problem, *, spot_share: bool = True, gap: float = 1.0, whole: bool = True) -> float:
    """No plan costs less (USD a month); infinite when it is proven that there is none. `whole`: nodes are whole.

    With `gap` 1 the figure matters to nobody, only whether it is infinite: then the budget is a row of the program,
    whose search ends with the first nodes within it. Elsewhere the search goes on until the bound is that near.
    """
    compiled = compile_problem(problem)
    if isinstance(compiled, Infeasible):
        return float("inf")
    without = frozenset() if spot_share else frozenset({"spot_share"})
    model = program(compiled, whole=whole, without=without).model
    budget = problem.budget_usd_month
    if budget is not None and gap >= 1.0:
        model.row({column: cost / budget for column, cost in enumerate(model.cost) if cost}, -np.inf, 1.0 + WITHIN)
    out = model.solve(nodes_limit=NODES, gap=gap, seed=problem.seed, quick=True)
    if out.status == "infeasible":
        return float("inf")
    return float("inf") if budget is not None and out.bound > budget * (1.0 + WITHIN) else out.bound


def find(problem: Problem, every: tuple[InstanceType, ...], solve: Solve) -> Conflict:
    """The conflict of a problem for which no plan was found."""
    limits = limits_of(problem)

    def proven(kept: tuple[Limit, ...], *, whole: bool) -> bool:
        gone = rest(limits, kept)
        share = Limit("spot_share") in kept or Limit("spot_share") not in limits
        return bound(lift(problem, gone, every), spot_share=share, whole=whole) == float("inf")

    def searched(kept: tuple[Limit, ...]) -> bool:
        return isinstance(solve(lift(problem, rest(limits, kept), every)), Infeasible)

    pods = sum(w.replicas for w in problem.workloads)
    calls, tried = next((calls, tried) for most, calls, tried in CALLS if pods <= most)
    for whole in (False, True):  # what parts of nodes prove already is proved in a fraction of the time
        if proven(limits, whole=whole):
            found = _least(limits, partial(proven, whole=whole), calls if whole else CALLS[0][1], is_proven=True)
            return replace(found, whole=whole)
    few = tuple(limit for limit in limits if limit.kind != "spot_share")  # the solvers cannot lift it
    return _least(few, searched, tried, is_proven=False)


def rest(limits: tuple[Limit, ...], kept: tuple[Limit, ...]) -> set[Limit]:
    """What of `limits` is not kept, subject by subject: a group may be kept in part."""
    atoms = [{(limit.kind, s) for limit in some for s in limit.subjects or ("",)} for some in (limits, kept)]
    return {Limit(kind, (subject,) if subject else ()) for kind, subject in atoms[0] - atoms[1]}


def _least(limits: tuple[Limit, ...], fails: Fails, calls: int, *, is_proven: bool) -> Conflict:
    trials = _Trials(fails, calls)
    try:
        if trials(()):
            return Conflict((), is_proven, least=True)
        found = narrow((), (), limits, trials)
    except _Spent:
        return Conflict(tuple(limit for limit in limits if limit.kind in NUMBERS), is_proven, least=False)
    for group in [limit for limit in found if limit.kind in WORKLOADS and len(limit.subjects) > 1]:
        others = tuple(limit for limit in found if limit != group)
        found = (*others, _apart(group, others, trials))
    return Conflict(tuple(sorted(found, key=lambda limit: _seat(limits, limit))), is_proven, least=True)


def _apart(group: Limit, others: tuple[Limit, ...], trials: _Trials) -> Limit:
    """The few workloads of a group that matter; the whole group where that takes too many trials."""
    try:
        few = narrow(others, (), tuple(Limit(group.kind, (name,)) for name in group.subjects), trials)
    except _Spent:
        return group
    return Limit(group.kind, tuple(limit.subjects[0] for limit in few))


def narrow(
    base: tuple[Limit, ...], added: tuple[Limit, ...], rest: tuple[Limit, ...], fails: Fails
) -> tuple[Limit, ...]:
    """The least part of `rest` that fails together with `base`; earlier ones are kept rather than later ones."""
    if added and fails(base):
        return ()
    if len(rest) == 1:
        return rest
    first, second = rest[: len(rest) // 2], rest[len(rest) // 2 :]
    right = narrow((*base, *first), first, second, fails)
    left = narrow((*base, *right), right, first, fails)
    return (*left, *right)


def _seat(limits: tuple[Limit, ...], limit: Limit) -> int:
    return next(
        (i for i, one in enumerate(limits) if one.kind == limit.kind and set(limit.subjects) <= set(one.subjects)), 99
    )
