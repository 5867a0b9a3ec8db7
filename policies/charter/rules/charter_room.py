"""Charter: what is asked for fits into what may be bought, also when a zone is gone, and is worth what stands there."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from charter.cluster_kinds import SCALERS, replicas_of, targets_of
from charter.documents import json_object
from charter.facts import Facts
from charter.graph import Graph
from charter.pods import pods
from charter.quantities import amount
from charter.routes import SUBNET
from charter.rule import HIGH, Finding, Found, Open, Resource, stack_rule
from charter.rules.charter_sizing import EVIDENCE, SHAPES, SIZING, plans
from charter.values import UNKNOWN, Reader

PATTERNS: Final = frozenset({"PodTemplate", "PodTemplateList"})
"""Kinds whose pods nobody starts."""
FLOOR: Final = 0.1
"""Share of the nodes that stand there which must be asked for; less is an idle fleet."""
Amounts = tuple[float, float]
"""Cores and bytes."""


@dataclass
class Room:
    """What a cluster may have: all pools at their most, what each zone loses with itself, and what stands there."""

    most: list[float] = field(default_factory=lambda: [0.0, 0.0])
    nodes: float = 0.0
    in_zone: dict[str, list[float]] = field(default_factory=lambda: defaultdict(lambda: [0.0, 0.0]))
    stands: list[float] = field(default_factory=lambda: [0.0, 0.0])
    zones: set[str] = field(default_factory=set)


def _rooms(graph: Graph) -> dict[str, Room]:
    found: dict[str, Room] = defaultdict(Room)
    places = _places(graph)
    for key, plan in plans(graph).objects.items():
        held = plan.get("allocatable")
        if not isinstance(held, dict):
            continue
        room = found[str(plan.get("cluster"))]
        most, desired = float(plan.get("max", 0)), float(plan.get("desired", 0))
        zones = places.get(key, set())
        room.nodes += most
        room.zones |= zones
        node = float(held.get("cpu_milli", 0)) / 1000, float(held.get("memory_mib", 0)) * 2**20
        for place, size in enumerate(node):
            room.most[place] += most * size
            room.stands[place] += desired * size
            if len(zones) == 1:  # the others make up for a lost zone, within the same maximum
                room.in_zone[min(zones)][place] += most * size
    return found


def _places(graph: Graph) -> dict[str, set[str]]:
    """Return the zones that each pool may stand in, by the hash of its part of the plan."""
    found: dict[str, set[str]] = {}
    for kind, shape in SHAPES.items():
        for pool in graph.of(kind):
            held = pool.reader.raw(f"{shape.evidence}.{EVIDENCE}")
            if isinstance(held, str):
                found[held] = _zones(graph, pool)
    return found


def _zones(graph: Graph, pool: Resource) -> set[str]:
    named = pool.reader.raw("nodeLocations") or pool.reader.raw("availabilityZones")
    if not named:
        named = [each.reader.raw("availabilityZone") for each in graph.named(pool, "subnetIds", SUBNET)]
    return {each for each in named if isinstance(each, str)} if isinstance(named, list) else set()


@stack_rule(
    "CH-16",
    "What is asked for fits into what may be bought.",
    HIGH,
    [SIZING, *SHAPES, "kubernetes:*"],
    remediation="Put the workload into the stack file's demand; spread pools over zones; buy no more than is asked.",
)
def fits(graph: Graph, facts: Facts) -> Iterator[Found]:
    """Requests times replicas (an autoscaler's most, one per node) per cluster, against all pools at their maximum.

    In production a cluster over several zones can lose any of them: pools that stand in that zone alone go with it, the
    others make up for it elsewhere. And what stands there is asked for: a tenth at least, or it is an idle fleet.
    """
    rooms = _rooms(graph)
    scaled = {target.urn: hpa for hpa in graph.of(*SCALERS) for target in targets_of(graph, hpa)}
    asked: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    first: dict[str, str] = {}
    for workload in graph.of("kubernetes:*"):
        cluster = next((name for name in rooms if workload.provider_name.startswith(name)), "")
        for pod in pods(workload) if cluster and workload.kind not in PATTERNS else ():
            copies = _copies(workload, scaled.get(workload.urn))
            if copies is UNKNOWN:
                yield Open("spec.replicas", workload.urn)
                continue
            times = rooms[cluster].nodes if workload.kind == "DaemonSet" else float(copies)
            first.setdefault(cluster, workload.urn)
            for place, name in enumerate(("cpu", "memory")):
                asked[cluster][place] += times * _asked(pod.spec, name)
    for cluster, (cpu, memory) in asked.items():
        yield from _judged(cluster, rooms[cluster], (cpu, memory), first[cluster], facts)
    for sizing in graph.of(SIZING):
        for cluster, found in _idle(sizing.reader, rooms):
            yield Finding(f"document.problems.{cluster}.workloads", found, sizing.urn)


def _judged(cluster: str, room: Room, asked: Amounts, urn: str, facts: Facts) -> Iterator[Found]:
    if any(asked[place] > room.most[place] for place in (0, 1)):
        told = f"{cluster} is asked for {asked[0]:.1f} cores and may have {room.most[0]:.1f}"
        yield Finding("", told, urn)
        return
    for zone in sorted(room.in_zone) if facts.production and len(room.zones) > 1 else ():
        left = [room.most[place] - room.in_zone[zone][place] for place in (0, 1)]
        if any(asked[place] > left[place] for place in (0, 1)):
            told = f"{cluster} is asked for {asked[0]:.1f} cores and may have {left[0]:.1f} when a zone is lost"
            yield Finding("", told, urn)
            return


def _idle(sizing: Reader, rooms: dict[str, Room]) -> Iterator[tuple[str, str]]:
    """Yield the clusters whose nodes stand there for nearly nothing, by the plan's own account of what is asked."""
    document = sizing.raw("document")
    problems = (json_object(document) or {}).get("problems") if isinstance(document, str) else None
    for cluster, problem in problems.items() if isinstance(problems, dict) else ():
        room = rooms.get(str(cluster))
        wanted = problem.get("workloads") if isinstance(problem, dict) else None
        if room is None or not isinstance(wanted, list) or not all(room.stands):
            continue
        cpu = sum(_times(each, "cpu_milli") for each in wanted) / 1000
        memory = sum(_times(each, "memory_mib") for each in wanted) * 2**20
        share = max(cpu / room.stands[0], memory / room.stands[1])
        if share < FLOOR:
            told = math.floor(share * 1000) / 10  # 9.96 % is less than 10 %, and must not read like it
            yield str(cluster), f"ask for {told:g}% of the nodes that stand there; at least {FLOOR:.0%} must be used"


def _times(workload: Any, name: str) -> float:
    held = workload if isinstance(workload, dict) else {}
    size, replicas = held.get(name), held.get("replicas", 1)
    return float(size) * float(replicas) if isinstance(size, int | float) and isinstance(replicas, int | float) else 0.0


def _copies(workload: Resource, autoscaler: Resource | None) -> Any:
    """Return how many copies there may be: an autoscaler's most, a job's at once, else the replicas."""
    if autoscaler is not None:
        _, copies = replicas_of(autoscaler)
    else:
        job = "spec.parallelism" if workload.kind == "Job" else "spec.jobTemplate.spec.parallelism"
        copies = workload.reader.raw(job if workload.kind in ("Job", "CronJob") else "spec.replicas")
    if isinstance(copies, str) and copies.isdigit():
        return int(copies)
    return copies if copies is UNKNOWN or isinstance(copies, int | float) else 1


def _asked(spec: Reader, name: str) -> float:
    """Return what a pod asks for: its containers together, or the largest that runs before them.

    What starts first and goes on counts with both; a runtime's overhead comes on top, and a pod may ask as a whole.
    Source: kubernetes.io/docs/concepts/workloads/pods/sidecar-containers, 2026-11.
    """
    overhead = amount(spec.map("overhead").get(name)) or 0
    whole = _of_one(spec, name)
    if whole:
        return whole + overhead
    together = sum(_of_one(one, name) for one in spec.each("containers"))
    beside = most = 0.0
    for one in spec.each("initContainers"):
        if one.raw("restartPolicy") == "Always":
            beside += _of_one(one, name)
            most = max(most, beside)
        else:
            most = max(most, beside + _of_one(one, name))
    return max(together + beside, most) + overhead


def _of_one(holder: Reader, name: str) -> float:
    """Return what a container, or a pod as a whole, asks for; a limit without a request is one."""
    told = holder.map("resources.requests").get(name)
    return amount(holder.map("resources.limits").get(name) if told is None else told) or 0
