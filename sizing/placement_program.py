"""A placement as one program over all clusters: pods in whole numbers, nodes by the share; where a search begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sizing.compiled import Compiled
from sizing.egress import Unpriced
from sizing.linear import Model
from sizing.placement import Question, Split, Talk, Wish

GAP = 0.002
NODES = 2_000


@dataclass
class Program:
    """The joint program; `compiled` holds every cluster with all pods of each workload that it may run."""

    question: Question
    compiled: Mapping[str, Compiled]
    model: Model = field(default_factory=Model)
    pods: dict[tuple[str, str], int] = field(default_factory=dict)
    runs: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for wish in self.question.wishes:
            self._wish(wish)
        for name, made in self.compiled.items():
            self._cluster(name, made)
        for wish in self.question.wishes:
            for talk in wish.talks:
                self._talk(wish, talk)

    def candidates(self, count: int, seed: int) -> list[Split]:
        """Up to `count` splits, cheapest first by this program's estimate, each on another set of clusters."""
        found: list[Split] = []
        while len(found) < count:
            out = self.model.solve(nodes_limit=NODES, gap=GAP, seed=seed)
            if out.values is None:
                break
            split = {
                wish.name: {
                    cluster: pods
                    for cluster in wish.clusters
                    if (pods := round(float(out.values[self.pods[wish.name, cluster]])))
                }
                for wish in self.question.wishes
            }
            found.append(split)
            ones = [column for (name, cluster), column in self.runs.items() if cluster in split[name]]
            row = {column: -1.0 if column in ones else 1.0 for column in self.runs.values()}
            self.model.row(row, 1.0 - len(ones), np.inf)
        return found

    def _wish(self, wish: Wish) -> None:
        for cluster in wish.clusters:
            self.pods[wish.name, cluster] = self.model.column(0.0, 0.0, float(wish.most), whole=True)
            self.runs[wish.name, cluster] = self.model.column(0.0, 0.0, 1.0, whole=True)
            pair = self.pods[wish.name, cluster], self.runs[wish.name, cluster]
            self.model.row({pair[0]: 1.0, pair[1]: -float(wish.most)}, -np.inf, 0.0)
            self.model.row({pair[0]: 1.0, pair[1]: -float(wish.least)}, 0.0, np.inf)
        mine = [(self.pods[wish.name, each], self.runs[wish.name, each]) for each in wish.clusters]
        self.model.row({pods: 1.0 for pods, _ in mine}, float(wish.pods), float(wish.pods))
        self.model.row({runs: 1.0 for _, runs in mine}, float(wish.min_clusters), np.inf)
        if wish.min_clouds > 1:
            clouds: dict[str, int] = {}
            for cloud in sorted({self.question.sites[each].cloud for each in wish.clusters}):
                clouds[cloud] = self.model.column(0.0, 0.0, 1.0, whole=True)
                inside = [each for each in wish.clusters if self.question.sites[each].cloud == cloud]
                self.model.row(
                    {clouds[cloud]: 1.0, **{self.runs[wish.name, each]: -1.0 for each in inside}}, -np.inf, 0.0
                )
            self.model.row(dict.fromkeys(clouds.values(), 1.0), float(wish.min_clouds), np.inf)

    def _cluster(self, name: str, made: Compiled) -> None:
        """Nodes of one cluster as in `sizing.fluid`, but by the share; what pods bring along hangs on a flag."""
        model, placed = self.model, {wish.name: wish for wish in self.question.wishes}
        chosen: dict[tuple[int, int], int] = {}
        for c, pod in enumerate(made.pods):
            for k in pod.pools:
                chosen[c, k] = model.column(0.0, 0.0, float(made.counts[c]))
            row = {chosen[c, k]: 1.0 for k in pod.pools}
            count = float(made.counts[c])
            if pod.workload in placed:
                row[self.pods[pod.workload, name]] = -count / placed[pod.workload].pods
                model.row(row, 0.0, 0.0)
            else:
                model.row(row, count, count)
        vcpu: dict[int, float] = {}
        for k, part in enumerate(made.pools):
            cap = float(part.wish.max)
            work = [model.column(float(price), 0.0, cap) for price in part.price]
            spare = [model.column(float(price), 0.0, cap) for price in part.price]
            both = dict.fromkeys((*work, *spare), 1.0)
            vcpu |= {column: float(part.vcpu[t]) for some in (work, spare) for t, column in enumerate(some)}
            every_zone = made.zones if part.wish.purpose == "system" else 0
            model.row(both, float(max(part.wish.min, every_zone)), cap)
            mine, fits = [c for c in range(len(made.pods)) if (c, k) in chosen], made.fits(k)
            for d in range(4):
                row = {chosen[c, k]: float(made.classes.sizes[c, d]) for c in mine if made.classes.sizes[c, d]}
                if row:
                    model.row(row | {work[t]: -float(part.room[t, d]) for t in range(len(work))}, -np.inf, 0.0)
            for c in mine:
                if not fits[c].any():
                    model.bound(chosen[c, k], 0.0, 0.0)
                    continue
                self._stands(name, made, c, k, work, spare, chosen[c, k])
        if made.problem.vcpu_quota is not None:
            model.row(vcpu, -np.inf, float(made.problem.vcpu_quota))

    def _stands(  # noqa: PLR0913, PLR0917
        self, name: str, made: Compiled, c: int, k: int, work: list[int], spare: list[int], chosen: int
    ) -> None:
        """Nodes that one class needs as soon as any pod of it is there: one it fits on, one per zone, a spare."""
        pod, fits = made.pods[c], made.fits(k)[c]
        inside = [t for t in range(len(work)) if fits[t]]
        flag = self.runs.get((pod.workload, name))
        if len(pod.pools) == 1:
            there = float(made.zones if made.classes.zone[c] >= 0 and made.needs_zones[k] else 1)
            for columns, number in ((work, there), (spare, 0.0 if made.pools[k].wish.spot else 1.0)):
                row = {columns[t]: 1.0 for t in inside}
                if number and flag is not None:
                    self.model.row(row | {flag: -number}, 0.0, np.inf)
                elif number:
                    self.model.row(row, number, np.inf)
        elif not made.pools[k].wish.spot:
            self.model.row({spare[t]: 1.0 for t in inside} | {chosen: -1.0 / float(made.counts[c])}, 0.0, np.inf)
        if made.classes.host[c] >= 0:
            self.model.row({work[t]: 1.0 for t in inside} | {chosen: -1.0}, 0.0, np.inf)

    def _talk(self, wish: Wish, talk: Talk) -> None:
        """Every pod's traffic goes to one cluster of the peer in reach, at the first tier's price."""
        question = self.question
        placed = question.wish(talk.peer) if talk.at is None and talk.kind == "workload" else None
        for cluster in wish.clusters:
            pods = self.pods[wish.name, cluster]
            if talk.kind == "internet":
                price = question.tariff.first(question.sites[cluster], "internet")
                self.model.cost[pods] += price * talk.sends_gb / wish.pods
                continue
            row = {pods: -1.0}
            for other in placed.clusters if placed is not None else sorted(talk.at or {}):
                if other != cluster and (talk.kind == "store" or (cluster, other) not in question.joined):
                    continue
                try:
                    price = question.per_gb(talk, cluster, other) / wish.pods
                except Unpriced:
                    continue
                column = self.model.column(price, 0.0, float(wish.most))
                row[column] = 1.0
                if placed is not None:
                    self.model.row({column: 1.0, self.runs[placed.name, other]: -float(wish.most)}, -np.inf, 0.0)
            self.model.row(row, 0.0, 0.0)
