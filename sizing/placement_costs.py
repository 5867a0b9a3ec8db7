"""What a split costs: nodes of every cluster, sized or bounded from below, and its traffic; each answer found once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sizing.compiled import Compiled, compile_problem
from sizing.decide import within_budget
from sizing.egress import Unpriced, cost
from sizing.fluid import solve_fluid
from sizing.placement import Question, Split
from sizing.plan import Infeasible, Plan
from sizing.problem import Problem

Vector = tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class Priced:
    """A split with its cost, USD a month; `why` says what stands in its way, and then the cost is infinite."""

    split: Split
    nodes: Mapping[str, float]
    egress: float
    quality: str
    why: str = ""

    @property
    def total(self) -> float:
        """Nodes and traffic."""
        return math.inf if self.why else round(sum(self.nodes.values()) + self.egress, 6)


@dataclass
class Costs:
    """Answers kept by cluster and pods; `base` holds each cluster with all pods of every workload it may run."""

    question: Question
    base: Mapping[str, Problem]
    solved: dict[tuple[str, Vector, str], float | str] = field(default_factory=dict)
    bounds: dict[tuple[str, Vector], float] = field(default_factory=dict)
    traffic: dict[str, float | str] = field(default_factory=dict)

    def problem(self, cluster: str, vector: Vector) -> Problem:
        """The cluster's problem with so many pods of each placed workload."""
        placed, base = {wish.name for wish in self.question.wishes}, self.base[cluster]
        pods = dict(vector)
        jobs = tuple(
            replace(job, replicas=pods[job.name]) if job.name in placed else job
            for job in base.workloads
            if job.name not in placed or pods.get(job.name)
        )
        return replace(base, workloads=jobs)

    def vector(self, cluster: str, split: Split) -> Vector:
        """Pods of each placed workload in a cluster."""
        return tuple((name, held[cluster]) for name, held in sorted(split.items()) if held.get(cluster))

    def new(self, split: Split, quality: str) -> int:
        """How many clusters would have to be sized for a split."""
        return sum((cluster, self.vector(cluster, split), quality) not in self.solved for cluster in self.base)

    def sized(self, split: Split, quality: str) -> Priced:
        """The split with every cluster sized by the whole portfolio, its plans verified."""
        egress = self.egress(split)
        if isinstance(egress, str):
            return Priced(split=split, nodes={}, egress=0.0, quality=quality, why=egress)
        nodes, why = {}, []
        for cluster in sorted(self.base):
            key = (cluster, self.vector(cluster, split), quality)
            if key not in self.solved:
                chosen: Any = quality
                made = within_budget(replace(self.problem(cluster, key[1]), quality=chosen))
                self.solved[key] = _answer(cluster, made)
            answer = self.solved[key]
            if isinstance(answer, str):
                why.append(answer)
            else:
                nodes[cluster] = answer
        return Priced(split=split, nodes=nodes, egress=egress, quality=quality, why="; ".join(why))

    def bound(self, split: Split) -> float:
        """No plan of the split costs less: nodes by volume, and its traffic; infinite where it cannot be."""
        egress = self.egress(split)
        if isinstance(egress, str):
            return math.inf
        return egress + sum(self._bound(cluster, self.vector(cluster, split)) for cluster in sorted(self.base))

    def _bound(self, cluster: str, vector: Vector) -> float:
        key = (cluster, vector)
        if key not in self.bounds:
            made = compile_problem(self.problem(cluster, vector))
            found = solve_fluid(made, whole=False) if isinstance(made, Compiled) else None
            infeasible = found is None or found.status == "infeasible"
            self.bounds[key] = math.inf if infeasible or found is None else found.bound
        return self.bounds[key]

    def egress(self, split: Split) -> float | str:
        """What the traffic costs; in words, why it has no price."""
        key = repr(sorted((name, sorted(held.items())) for name, held in split.items()))
        if key not in self.traffic:
            try:
                self.traffic[key] = cost(self.question.egress(split))
            except Unpriced as missing:
                self.traffic[key] = str(missing)
        return self.traffic[key]


def _answer(cluster: str, made: Plan | Infeasible) -> float | str:
    return f"{cluster}: {made.constraint}: {made.message}" if isinstance(made, Infeasible) else made.cost_usd_month
