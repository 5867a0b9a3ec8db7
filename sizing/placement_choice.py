"""Choose the split: candidates from the joint program and by moves, sized exactly, with fixed budgets and no clock."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sizing.canonical import canonical
from sizing.compiled import Compiled, compile_problem
from sizing.placement import PlacementRefused, Question, Split
from sizing.placement_costs import Costs, Priced
from sizing.placement_program import Program
from stacks.services.propagation import divided

CENT: Final = 0.005
"""USD: splits nearer to each other are equal, and the first in canonical order wins."""


@dataclass(frozen=True)
class Effort:
    """Fixed budget: splits looked at one by one, bounds of clusters, clusters sized, seeds, and moves tried a step."""

    splits: int
    bounds: int
    solves: int
    seeds: int
    moves: int


EFFORTS: Final = {
    "fast": Effort(1_000, 150, 24, 4, 3),
    "standard": Effort(2_000, 300, 48, 6, 4),
    "best": Effort(10_000, 1_500, 200, 12, 8),
}
SEARCHED: Final = "fast"
"""Quality with which splits are compared; the two best and the one that runs are then sized with the stack's own."""
FINALISTS: Final = 2
STEPS: Final = 3
"""In so many steps the moves may use up the bounds."""
MOST_FINALISTS: Final = 5
"""Where the stack's own quality makes the best ones dearer than others looked cheaper, those are sized so too."""


@dataclass
class Choice:
    """The split that was chosen, and every other one that was looked at, cheapest first."""

    chosen: Priced
    others: list[Priced]
    bound: float | None  # no split costs less; None where not all of them were bounded
    kept: bool


def choose(costs: Costs, quality: str, threshold: float, previous: Split | None = None) -> Choice:
    """The cheapest split found, or the previous one unless that saves over `threshold`. Raises PlacementRefused."""
    question = costs.question
    question.refuse_impossible()
    effort = EFFORTS[quality]
    every = question.splits(effort.splits)
    small = every is not None and _vectors(costs, every) <= effort.bounds
    looked, bound = _each(costs, every, effort) if small and every is not None else _searched(costs, effort)
    before = _still(costs, previous, looked)
    if before is not None:
        looked[_key(before)] = costs.sized(before, SEARCHED)
    fine = sorted((one for one in looked.values() if not one.why), key=_rank)
    if not fine:
        raise PlacementRefused(_nothing(question, list(looked.values())))
    last = [] if before is None else [costs.sized(before, quality)]
    for number, one in enumerate(each for each in fine if before is None or _key(each.split) != _key(before)):
        least = min((made.total for made in last), default=math.inf)
        if number >= MOST_FINALISTS or (number >= FINALISTS and one.total >= least - CENT):
            break
        last.append(costs.sized(one.split, quality))
    best = min([one for one in last if not one.why] or [fine[0]], key=_rank)
    held = next((one for one in last if before is not None and _key(one.split) == _key(before)), None)
    kept = held is not None and held.total * (1 - threshold) <= best.total + CENT
    chosen = held if kept and held is not None else best
    final = {_key(one.split) for one in last}
    rest = [*last, *(one for key, one in looked.items() if key not in final)]
    others = sorted((one for one in rest if _key(one.split) != _key(chosen.split)), key=_rank)
    return Choice(chosen, others, None if bound is None else min(bound, chosen.total), kept)


@dataclass
class _Look:
    """Splits sized so far, and how many clusters may still be sized."""

    costs: Costs
    left: int
    found: dict[str, Priced]

    def at(self, split: Split) -> bool:
        """Size a split if the budget holds; whether it is the cheapest so far."""
        key = _key(split)
        new = self.costs.new(split, SEARCHED)
        if key in self.found or (new > self.left and self.found):
            return False
        before = self.best
        self.left -= new
        self.found[key] = self.costs.sized(split, SEARCHED)
        return self.found[key].total < before - CENT

    @property
    def best(self) -> float:
        """The least cost so far."""
        return min((one.total for one in self.found.values()), default=math.inf)

    def near(self, effort: Effort) -> None:
        """Move pods away from the cheapest split as long as that pays: the few most promising moves at each step.

        Where there are many moves, each step looks at others of them.
        """
        going, step = bool(self.found), 0
        while going and self.left > 0:
            best = min(self.found.values(), key=_rank)
            every = [split for split in _moves(self.costs.question, best.split) if _key(split) not in self.found]
            stride = -(-len(every) * STEPS // effort.bounds) or 1
            near = {_key(split): split for split in every[step % stride :: stride]}
            step += 1
            order = sorted((self.costs.bound(split), key) for key, split in near.items())
            promising = [key for bound, key in order if bound < best.total - CENT][: effort.moves]
            better = [self.at(near[key]) for key in promising]
            going = any(better)


def _each(costs: Costs, every: list[Split], effort: Effort) -> tuple[dict[str, Priced], float]:
    """All splits in the order of their bounds, until no bound lies below the best one; then moves, then free ones."""
    order = sorted(((costs.bound(split), _key(split), split) for split in every), key=lambda one: one[:2])
    look = _Look(costs, effort.solves, {})
    for bound, _, split in order:
        if bound >= look.best - CENT and len(look.found) >= FINALISTS:
            return look.found, min(look.best, bound)
        if look.found and (look.left <= effort.solves // 2 or math.isinf(bound)):
            break
        look.at(split)
    look.near(effort)
    for bound, key, split in order:  # what was sized for others makes up further splits without more work
        if bound < look.best - CENT and key not in look.found and not costs.new(split, SEARCHED):
            look.at(split)
    open_ = [bound for bound, key, _ in order if key not in look.found]
    return look.found, min([look.best, *open_])


def _searched(costs: Costs, effort: Effort) -> tuple[dict[str, Priced], None]:
    """Seeds on different sets of clusters from the joint program, then moves from the best one as long as they pay."""
    single = {wish.name for wish in costs.question.wishes}
    every = {name: compile_problem(base, single) for name, base in costs.base.items()}
    compiled = {name: made for name, made in every.items() if isinstance(made, Compiled)}
    seed = min(problem.seed for problem in costs.base.values())
    look = _Look(costs, effort.solves, {})
    for split in Program(costs.question, compiled).candidates(effort.seeds, seed):
        look.at(split)
    if math.isinf(look.best):
        for split in _even(costs.question):
            look.at(split)
    look.near(effort)
    return look.found, None


def _moves(question: Question, split: Split) -> Iterator[Split]:
    """Splits that differ by pods of one workload moved from one cluster to another: 1, 2, 4, ... or all of them."""
    for wish in question.wishes:
        held = split[wish.name]
        for one in sorted(held):
            steps = sorted({held[one], *(2**power for power in range(held[one].bit_length())), wish.least})
            for other in wish.clusters:
                for pods in steps if other != one else ():
                    moved = {**held, one: held[one] - pods, other: held.get(other, 0) + pods}
                    made = {**split, wish.name: {cluster: left for cluster, left in sorted(moved.items()) if left}}
                    if pods <= held[one] and question.allows(made):
                        yield made


def _even(question: Question) -> Iterator[Split]:
    """One plain split: pods in equal parts over as many clusters as there may be; the program found none."""
    made: dict[str, dict[str, int]] = {}
    for wish in question.wishes:
        for count in range(len(wish.clusters), 0, -1):
            held = divided(wish.pods, dict.fromkeys(wish.clusters[:count], 1))
            if question.allows({**made, **{w.name: {} for w in question.wishes}, wish.name: held}) or len(held) == 1:
                made[wish.name] = held
                break
    if question.allows(made):
        yield made


def _still(costs: Costs, previous: Split | None, looked: dict[str, Priced]) -> Split | None:
    """The split that runs, for as many pods as are asked for now; None where it keeps the wishes no longer."""
    fine = [one for one in looked.values() if not one.why]
    if not previous or not fine:
        return None
    best, made = min(fine, key=_rank).split, dict[str, dict[str, int]]()
    for wish in costs.question.wishes:
        held = {
            cluster: pods for cluster, pods in previous.get(wish.name, {}).items() if cluster in wish.clusters and pods
        }
        now = divided(wish.pods, held) if held else dict(best[wish.name])
        made[wish.name] = {cluster: now[cluster] for cluster in sorted(now) if now[cluster]}
    return made if costs.question.allows(made) else None


def _vectors(costs: Costs, every: list[Split]) -> int:
    return len({(cluster, costs.vector(cluster, split)) for split in every for cluster in costs.base})


def _rank(one: Priced) -> tuple[float, str]:
    return (round(one.total / CENT) * CENT if not one.why else math.inf, _key(one.split))


def _key(split: Split) -> str:
    plain: Any = {name: {cluster: pods for cluster, pods in held.items() if pods} for name, held in split.items()}
    return canonical(plain)


def _nothing(question: Question, looked: list[Priced]) -> str:
    paths = ", ".join(wish.path for wish in question.wishes)
    why = list(dict.fromkeys(one.why for one in looked if one.why))[:3]
    told = "; ".join(why) or "no split keeps all numbers and limits together"
    return (
        f"no plan: {paths}: none of the {len(looked)} splits looked at can be had: {told}: allow more clusters or "
        "regions, raise the max of pools or the quota, or ask for fewer pods"
    )
