"""From a stack with placements to a stack without: what is asked, what was chosen, and the account of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from sizing.canonical import canonical, sha256_hex
from sizing.compiled import Compiled, compile_problem
from sizing.egress import Site, Tariff, Unpriced
from sizing.evidence import code_hash
from sizing.placement import PlacementRefused, Question, Split, Talk, Wish, whole
from sizing.placement_choice import Choice, choose
from sizing.placement_costs import Costs, Priced
from sizing.problem import Problem
from stacks.links import chosen as joined_pairs
from stacks.model import Stack, Workload
from stacks.placement import INTERNET, STORE, Traffic
from stacks.split import decided, undecided

FORMAT: Final = 1
TOLD: Final = 8
"""Rejected splits that the account names, the cheapest ones."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The question, each cluster with all pods that it may run, and what cannot run where."""

    question: Question
    base: Mapping[str, Problem]
    excluded: tuple[Mapping[str, str], ...]


def place(
    stack: Stack, base: Mapping[str, Problem], previous: Mapping[str, Any] | None = None
) -> tuple[Stack, dict[str, Any]]:
    """The stack with every placement decided, and the account of it. Raises PlacementRefused.

    `base` holds every cluster with all pods of each placed workload; `previous` is the account of what runs now: for
    the same inputs it is the answer, else its split stays unless another one saves more than `sizing.threshold`.
    """
    asked = ask(stack, base)
    inputs = sha256_hex(
        canonical({
            "question": asked.question.to_object(),
            "problems": {name: one.to_compact() for name, one in sorted(asked.base.items())},
            "threshold": stack.sizing.threshold,
            "code": code_hash(),
        })
    )  # fmt: skip
    before = previous if previous and previous.get("format") == FORMAT else None
    if before is not None and before.get("input_hash") == inputs:
        return decided(stack, whole(before["split"])), dict(before)
    held = whole(before["split"]) if before is not None else None
    costs = Costs(asked.question, asked.base)
    choice = choose(costs, stack.sizing.quality, stack.sizing.threshold, held)
    made = account(asked, choice, inputs, stack.sizing.threshold, held)
    return decided(stack, choice.chosen.split), made


def account(asked: Asked, choice: Choice, inputs: str, threshold: float, previous: Split | None) -> dict[str, Any]:
    """What was chosen, what each part costs, what every other split looked at would cost, and what was left out."""
    won, question = choice.chosen, asked.question
    lines = question.egress(won.split)
    dearer = [one for one in choice.others if not one.why and one.quality == won.quality]
    dates = sorted({line.source_date for line in lines})
    return {
        "format": FORMAT,
        "input_hash": inputs,
        "question": question.to_object(),
        "split": {name: dict(held) for name, held in won.split.items()},
        "nodes_usd_month": {name: round(value, 4) for name, value in won.nodes.items()},
        "flows": [asdict(flow) for flow in question.flows(won.split)],
        "egress": [asdict(line) for line in lines],
        "egress_usd_month": round(won.egress, 4),
        "total_usd_month": round(won.total, 4),
        "bound_usd_month": None if choice.bound is None else round(choice.bound, 4),
        "next_best_usd_month": round(dearer[0].total, 4) if dearer else None,
        "considered": [_considered(one) for one in choice.others[:TOLD]],
        "looked_at": len(choice.others) + 1,
        "excluded": [dict(one) for one in asked.excluded],
        "kept": choice.kept,
        "threshold": threshold,
        "previous": None if previous is None else {name: dict(held) for name, held in previous.items()},
        "quality": won.quality,
        "oldest_price": dates[0] if dates else None,
    }


def ask(stack: Stack, base: Mapping[str, Problem]) -> Asked:
    """The question of a stack. Raises PlacementRefused where a workload is left without a cluster."""
    wanted = undecided(stack)
    tariff = Tariff(stack.prices.as_of, stack.prices.max_age_days)
    sites = {}
    for cluster in sorted(stack.cluster_names()):
        cloud, region, place_ = stack.region_of(cluster)
        sites[cluster] = Site(cluster=cluster, cloud=cloud, region=region, zones=place_.zones)
    joined = _joined(stack)
    wishes, excluded = [], list[Mapping[str, str]]()
    for number, workload in enumerate(stack.workloads):
        if workload.name in wanted:
            wish = _wish(stack, number, workload, base)
            probe = Question(sites=sites, wishes=(), joined=joined, tariff=tariff)
            fine = []
            for cluster in wish.clusters:
                why = _cannot(probe, wish, base[cluster], cluster)
                if why:
                    excluded.append({"workload": wish.name, "cluster": cluster, "why": why})
                else:
                    fine.append(cluster)
            wishes.append(replace(wish, clusters=tuple(fine)))
    question = Question(sites=sites, wishes=tuple(wishes), joined=joined, tariff=tariff)
    try:
        question.refuse_impossible()
    except PlacementRefused as refused:
        out = "; ".join(f"{one['cluster']}: {one['why']}" for one in excluded)
        raise PlacementRefused(f"{refused}{f' (left out: {out})' if out else ''}") from None
    runs = {cluster: {wish.name for wish in wishes if cluster in wish.clusters} for cluster in sites}
    kept = {
        cluster: replace(
            problem, workloads=tuple(w for w in problem.workloads if w.name not in wanted or w.name in runs[cluster])
        )
        for cluster, problem in base.items()
        if runs[cluster]
    }
    return Asked(question=question, base=kept, excluded=tuple(excluded))


def _wish(stack: Stack, number: int, workload: Workload, base: Mapping[str, Problem]) -> Wish:
    placement = workload.placement
    assert placement is not None  # noqa: S101 - only asked of workloads that have one
    talks = tuple(_talk(stack, each, base) for each in placement.traffic)
    clusters = []
    for cluster in sorted(stack.cluster_names()):
        cloud, region, _ = stack.region_of(cluster)
        if (
            (not workload.clusters or cluster in workload.clusters)
            and (not placement.clouds or cloud in placement.clouds)
            and (not placement.regions or region in placement.regions)
        ):
            clusters.append(cluster)
    pods = {job.replicas for cluster in clusters for job in base[cluster].workloads if job.name == workload.name}
    total = max(pods, default=workload.replicas)
    return Wish(
        name=workload.name,
        path=f"stack.workloads.{number}.placement",
        pods=total,
        clusters=tuple(clusters),
        least=placement.min_per_cluster,
        most=placement.most(total),
        min_clusters=placement.min_clusters,
        min_clouds=placement.min_clouds,
        talks=talks,
    )


def _talk(stack: Stack, wish: Traffic, base: Mapping[str, Problem]) -> Talk:
    kind, _, name = wish.peer.partition("/")
    made = Talk(peer=name or INTERNET, kind=kind, sends_gb=wish.sends_gb, receives_gb=wish.receives_gb)
    if wish.peer.startswith(STORE):
        store = stack.data[name]
        beside = [cluster for cluster in sorted(stack.cluster_names()) if name in stack.stores_of(cluster)]
        away = {cluster: stack.other_region(cluster) or "" for cluster in beside if store.elsewhere}
        return replace(made, at=dict.fromkeys(beside, 1), away=away, whole=store.engine == "objects")
    if kind == INTERNET or name in undecided(stack):
        return made
    at = {cluster: job.replicas for cluster, one in base.items() for job in one.workloads if job.name == name}
    return replace(made, at=dict(sorted(at.items())))


def _joined(stack: Stack) -> frozenset[tuple[str, str]]:
    """Pairs of clusters whose workloads call each other: those of one mesh, over its links where it has some."""
    mesh = stack.services.mesh
    if mesh is None or mesh.federation is None:
        return frozenset()
    names = stack.cluster_names()
    if stack.links is None:
        return frozenset((one, other) for one in names for other in names if one != other)
    pairs = joined_pairs(stack.links, {name: stack.region_of(name)[0] for name in names})
    return frozenset(pair for one, other in pairs for pair in ((one, other), (other, one)))


def _cannot(probe: Question, wish: Wish, problem: Problem, cluster: str) -> str:
    """Why a cluster cannot run a workload at all: no node for a pod, no price of its traffic, no way to a peer."""
    alone = replace(problem, workloads=tuple(job for job in problem.workloads if job.name == wish.name))
    made = compile_problem(alone)
    if not isinstance(made, Compiled):
        return f"{made.constraint}: {made.message}"
    for talk in wish.talks:
        try:
            if talk.kind == INTERNET:
                probe.tariff.tiers(probe.sites[cluster], "internet")
            elif talk.at is not None:
                to = probe.nearest(talk, cluster, talk.at)
                probe.per_gb(talk, cluster, to)
        except Unpriced as missing:
            return str(missing)
    return ""


def _considered(one: Priced) -> dict[str, Any]:
    made: dict[str, Any] = {"split": {name: dict(held) for name, held in one.split.items()}, "quality": one.quality}
    if one.why:
        return {**made, "why": one.why}
    nodes = sum(one.nodes.values())
    return {
        **made,
        "nodes_usd_month": round(nodes, 4),
        "egress_usd_month": round(one.egress, 4),
        "total_usd_month": round(one.total, 4),
    }
