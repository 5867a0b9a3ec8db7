"""Which splits of pods over clusters a stack allows, and which traffic each of them causes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any, Final

from sizing.egress import Flow, Line, Site, Tariff, Unpriced, crossing
from stacks.placement import possible

Split = Mapping[str, Mapping[str, int]]
"""Pods of each placed workload by cluster; clusters without any are left out."""


LOOKED_THROUGH: Final = 20
"""Ways looked through for each split that is kept, before the splits count as too many."""


class PlacementRefused(ValueError):  # noqa: N818 - as SizingRefused
    """No split of a workload's pods can be had; the message names the path, why, and what to change."""


def whole(split: Mapping[str, Mapping[str, Any]]) -> Split:
    """Read a split as the engine's state, or a file, gives it back: its numbers may be floats."""
    return {
        name: {cluster: int(pods) for cluster, pods in sorted(held.items())} for name, held in sorted(split.items())
    }


@dataclass(frozen=True, kw_only=True)
class Talk:
    """Traffic of a workload with one peer, GB a month of all its pods: what it sends and what it receives.

    `at`: pods of the peer by cluster where that is fixed, 1 for a store beside it; None where the peer is placed too.
    `away`: clusters whose store keeps its objects in another region. `whole`: no zone is crossed (objects).
    """

    peer: str
    kind: str  # internet, workload, store
    sends_gb: float
    receives_gb: float
    at: Mapping[str, int] | None = None
    away: Mapping[str, str] = field(default_factory=dict)
    whole: bool = False


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One workload to be placed: its pods in total and what the stack file says of how they may be shared out."""

    name: str
    path: str
    pods: int
    clusters: tuple[str, ...]
    least: int
    most: int
    min_clusters: int
    min_clouds: int
    talks: tuple[Talk, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Question:
    """Everything a placement depends on but nodes: wishes, sites, which sites reach each other, prices of traffic."""

    sites: Mapping[str, Site]
    wishes: tuple[Wish, ...]
    joined: frozenset[tuple[str, str]]
    tariff: Tariff

    def wish(self, name: str) -> Wish:
        """Return the wish of a workload. Raises KeyError."""
        return next(each for each in self.wishes if each.name == name)

    def allows(self, split: Split) -> bool:
        """Whether a split keeps every wish; prices are not looked at."""
        return all(self._keeps(wish, split.get(wish.name, {})) for wish in self.wishes)

    def _keeps(self, wish: Wish, held: Mapping[str, int]) -> bool:
        some = {cluster: pods for cluster, pods in held.items() if pods}
        return (
            sum(some.values()) == wish.pods
            and some.keys() <= set(wish.clusters)
            and all(wish.least <= pods <= wish.most for pods in some.values())
            and len(some) >= wish.min_clusters
            and len({self.sites[cluster].cloud for cluster in some}) >= wish.min_clouds
        )

    def splits(self, most: int) -> list[Split] | None:
        """Every split, or None when there are more than `most` of them, or far more ways to look through."""
        ways: list[list[dict[str, int]]] = []
        for wish in self.wishes:
            found: list[dict[str, int]] = []
            for number, one in enumerate(_ways(wish, wish.clusters, wish.pods)):
                if self._keeps(wish, one):
                    found.append(one)
                if len(found) > most or number > most * LOOKED_THROUGH:
                    return None
            ways.append(found)
        if prod(map(len, ways)) > most:
            return None
        names = [wish.name for wish in self.wishes]
        return [dict(zip(names, chosen, strict=True)) for chosen in product(*ways)]

    def flows(self, split: Split) -> list[Flow]:
        """Traffic of the placed workloads. Raises Unpriced where some of it has no dated price, or no way."""
        made: list[Flow] = []
        for wish in self.wishes:
            for talk in wish.talks:
                for cluster, pods in sorted(split[wish.name].items()):
                    share = pods / wish.pods
                    made += self._talked(
                        wish, talk, cluster, share, talk.at if talk.at is not None else split.get(talk.peer, {})
                    )
        return [flow for flow in made if flow.gb > 0]

    def _talked(self, wish: Wish, talk: Talk, cluster: str, share: float, at: Mapping[str, int]) -> Iterator[Flow]:
        sends, receives = talk.sends_gb * share, talk.receives_gb * share
        if talk.kind == "internet":
            yield Flow(sender=cluster, kind="internet", gb=sends, told=f"{wish.name} in {cluster} to the internet")
            return
        to = self.nearest(talk, cluster, at)
        yield from self.between(cluster, to, sends, f"{wish.name} in {cluster} to {talk.peer} in {to}", talk)
        yield from self.between(to, cluster, receives, f"{talk.peer} in {to} to {wish.name} in {cluster}", talk)

    def between(self, sender: str, to: str, gb: float, told: str, talk: Talk) -> Iterator[Flow]:
        """What GB from one cluster to another are charged as."""
        here, there = self.sites[sender], self.sites[to]
        if sender == to:
            if to in talk.away:
                yield Flow(sender=sender, kind="region", gb=gb, told=f"{told}, kept in {talk.away[to]}")
            elif not talk.whole and here.zones > 1:
                yield Flow(sender=sender, kind="zone", gb=gb * crossing(here.zones), told=told)
        elif here.cloud == there.cloud:
            yield Flow(sender=sender, kind="region", gb=gb, told=told)
        else:
            yield Flow(sender=sender, kind="internet", gb=gb, told=told)

    def nearest(self, talk: Talk, cluster: str, at: Mapping[str, int]) -> str:
        """The cluster whose peer is called: the own where it has any, else the cheapest in reach. Raises Unpriced."""
        if at.get(cluster):
            return cluster
        reasons: list[str] = []
        found: list[tuple[float, str]] = []
        for other in sorted(name for name, pods in at.items() if pods):
            if talk.kind == "store" or (cluster, other) not in self.joined:
                reasons.append(f"{cluster} does not reach {talk.kind} {talk.peer} in {other}")
                continue
            try:
                found.append((self.per_gb(talk, cluster, other), other))
            except Unpriced as missing:
                reasons.append(str(missing))
        if not found:
            raise Unpriced("; ".join(dict.fromkeys(reasons)) or f"{talk.kind} {talk.peer} stands in no cluster")
        return min(found)[1]

    def per_gb(self, talk: Talk, cluster: str, other: str) -> float:
        """USD of a talk at the first tier, both ways, if all of it went between two clusters. Raises Unpriced."""
        total = 0.0
        for gb, sender, to in ((talk.sends_gb, cluster, other), (talk.receives_gb, other, cluster)):
            for flow in self.between(sender, to, gb, "", talk):
                if flow.gb:
                    total += flow.gb * self.tariff.first(self.sites[flow.sender], flow.kind, self.sites[to].region)
        return total

    def egress(self, split: Split) -> list[Line]:
        """What the traffic of a split costs, price by price. Raises Unpriced."""
        return self.tariff.lines(self.sites, self.flows(split))

    def to_object(self) -> dict[str, Any]:
        """The same as plain data: what the evidence keeps, and what its hash covers."""
        return {
            "sites": {name: vars(site) for name, site in sorted(self.sites.items())},
            "wishes": [
                {**vars(wish), "clusters": list(wish.clusters), "talks": [_talk(talk) for talk in wish.talks]}
                for wish in self.wishes
            ],
            "joined": sorted(map(list, self.joined)),
            "as_of": self.tariff.as_of.isoformat(),
            "max_age_days": self.tariff.max_age_days,
        }

    @classmethod
    def from_object(cls, made: Mapping[str, Any]) -> Question:
        """The question back from plain data."""
        from datetime import date  # noqa: PLC0415

        return cls(
            sites={name: Site(**{**site, "zones": int(site["zones"])}) for name, site in made["sites"].items()},
            wishes=tuple(
                Wish(
                    **{
                        **wish,
                        "clusters": tuple(wish["clusters"]),
                        "talks": tuple(Talk(**talk) for talk in wish["talks"]),
                    }
                )
                for wish in made["wishes"]
            ),
            joined=frozenset((one, other) for one, other in made["joined"]),
            tariff=Tariff(date.fromisoformat(made["as_of"]), int(made["max_age_days"])),
        )

    def refuse_impossible(self) -> None:
        """Raise PlacementRefused for a wish that no split can keep once the clusters that cannot run it are gone."""
        for wish in self.wishes:
            clouds = len({self.sites[cluster].cloud for cluster in wish.clusters})
            needed = (wish.min_clusters, wish.min_clouds)
            if not possible(wish.pods, (wish.least, wish.most), needed, (len(wish.clusters), clouds)):
                left = ", ".join(wish.clusters) or "none"
                raise PlacementRefused(
                    f"no plan: {wish.path}: {wish.pods} pods of {wish.name}, {wish.least} to {wish.most} a cluster, on "
                    f"at least {max(needed)} clusters, do not share out over those that can run it ({left}): allow "
                    "more clusters or regions, or loosen its numbers"
                )


def _ways(wish: Wish, clusters: Sequence[str], left: int) -> Iterator[dict[str, int]]:
    """Ways to share pods out, in a fixed order; how many clusters and clouds a wish needs is not looked at."""
    if not clusters:
        if not left:
            yield {}
        return
    others = wish.most * (len(clusters) - 1)
    for pods in (0, *range(max(wish.least, left - others), min(wish.most, left) + 1)):
        if left - pods <= others:
            for more in _ways(wish, clusters[1:], left - pods):
                yield {**({clusters[0]: pods} if pods else {}), **more}


def _talk(talk: Talk) -> dict[str, Any]:
    return {**vars(talk), "at": None if talk.at is None else dict(talk.at), "away": dict(talk.away)}
