"""Charter: node pools are what the plan says, and pods fit into them."""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from charter.documents import json_object
from charter.facts import Facts
from charter.graph import Graph
from charter.rule import CRITICAL, Finding, Found, Open, Resource, apart, located, stack_rule
from charter.values import UNKNOWN, Reader, walk

SIZING = "pulumi-python:dynamic*"
RANDOM = "PresharedKeys"
"""Dynamic resource that makes keys, and decides nothing."""
TAKES_KEYS = re.compile(r"(?i)secret|key")
"""Properties that keys may go into; the value of a secret in a vault stands among its `properties`."""
EVIDENCE = "optimizer-evidence"
FEASIBLE = "feasible"
CENT, ROUNDING = 0.01, 1e-6
"""Costs are written with four decimals, sums of parts."""


@dataclass(frozen=True)
class Shape:
    """Where a kind of node pool says what the plan decides."""

    evidence: str
    instance_type: str
    low: str
    desired: str
    high: str


SHAPES = {
    "aws:eks/nodeGroup:NodeGroup": Shape(
        "tags", "instanceTypes", "scalingConfig.minSize", "scalingConfig.desiredSize", "scalingConfig.maxSize"
    ),
    "gcp:container/nodePool:NodePool": Shape(
        "nodeConfig.resourceLabels",
        "nodeConfig.machineType",
        "autoscaling.totalMinNodeCount",
        "",
        "autoscaling.totalMaxNodeCount",
    ),
    "azure-native:containerservice:AgentPool": Shape("tags", "vmSize", "minCount", "count", "maxCount"),
}
CLOUDS = {"aws": "aws", "gcp": "gcp", "azure-native": "azure"}
SIZED_BY = {
    "aws:eks/nodeGroup:NodeGroup": {"instanceTypes", "amiType", "scalingConfig", "tags", "diskSize"},
    "gcp:container/nodePool:NodePool": {"nodeConfig", "autoscaling", "initialNodeCount", "nodeCount"},
    "azure-native:containerservice:AgentPool": {
        "vmSize",
        "minCount",
        "maxCount",
        "count",
        "tags",
        "agentPoolName",
        "mode",
    },
    "aws:autoscaling/schedule:Schedule": {"minSize"},
}
"""Properties that the plan may decide; nothing else may come from an optimizer."""
MAY_READ_PLAN = frozenset({"kubernetes:core/v1:ResourceQuota", "kubernetes:core/v1:ConfigMap"})
IDENTITIES = ("iam/", "authorization:", "serviceaccount/", "RoleBinding", "ClusterRole", "Policy", "ServiceAccount")


def digest(text: str) -> str:
    """Return the hash of a canonical object as pools carry it: base32 of sha256, lower case, no padding."""
    return b32encode(hashlib.sha256(text.encode()).digest()).decode().lower().rstrip("=")


@dataclass(frozen=True)
class Plans:
    """Every pool object of the stack's sizing resources, by its hash."""

    objects: dict[str, dict[str, Any]]
    unclear: bool


def sizings(graph: Graph) -> list[Resource]:
    """Return the dynamic resources that size: all but those that only make keys at random."""
    return [each for each in graph.of(SIZING) if each.kind != RANDOM]


def plans(graph: Graph) -> Plans:
    """Collect the pool objects; `unclear` when one is not known yet."""
    objects: dict[str, dict[str, Any]] = {}
    unclear = False
    for sizing in sizings(graph):
        held = sizing.reader.raw("pool_objects")
        unclear = unclear or held is UNKNOWN
        for slots in held.values() if isinstance(held, dict) else ():
            unclear = unclear or slots is UNKNOWN
            for text in slots.values() if isinstance(slots, dict) else ():
                unclear = unclear or text is UNKNOWN
                made = _object(text)
                if made is not None:
                    objects[digest(text)] = made
    return Plans(objects, unclear)


def _object(text: Any) -> dict[str, Any] | None:
    return json_object(text)


@stack_rule(
    "CH-15",
    "A node pool carries the hash of its part of the plan, and stays within it.",
    CRITICAL,
    [*SHAPES, SIZING],
    remediation="Take instance type, bounds and evidence of a pool from the Sizing resource of the same stack.",
)
def sized(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """The fixed bootstrap pool of AKS is part of the cluster resource and has no plan."""
    known = plans(graph)
    carriers: dict[str, list[str]] = defaultdict(list)
    for kind, shape in SHAPES.items():
        for pool in graph.of(kind):
            for found in apart(_within(pool, shape, known, carriers)):
                yield located(found, pool.urn)
    for sizing in sizings(graph):
        for found in apart(_document(sizing.reader)):
            yield located(found, sizing.urn)


def _within(pool: Resource, shape: Shape, known: Plans, carriers: dict[str, list[str]]) -> Iterator[Found]:
    reader = pool.reader
    held = reader.map(shape.evidence)
    evidence = held.get(EVIDENCE)
    where = f"{shape.evidence}.{EVIDENCE}"
    if evidence is UNKNOWN or (known.unclear and evidence not in known.objects):
        yield Open(where)
        return
    plan = known.objects.get(evidence) if isinstance(evidence, str) else None
    if plan is None:
        yield Finding(where, "is absent" if evidence is None else "is the hash of no pool of this stack's plan")
        return
    carriers[str(evidence)].append(pool.urn)
    if len(carriers[str(evidence)]) > 1:
        yield Finding(where, "stands on another pool too; each pool has a part of the plan of its own")
    cluster = str(plan.get("cluster", ""))
    if cluster.partition("-")[0] != CLOUDS[pool.package]:
        yield Finding(where, "is the part of another cloud's pool")
    region = (
        reader.raw("region") if pool.package == "aws" else reader.raw("location") if pool.package == "gcp" else None
    )
    if isinstance(region, str) and not region.startswith(cluster.partition("-")[2]):
        yield Finding(where, "is the part of another region's pool")
    yield from apart(_type(reader, shape, plan), _bounds(reader, shape, plan))


def _type(reader: Reader, shape: Shape, plan: dict[str, Any]) -> Iterator[Found]:
    value = reader.read(shape.instance_type)
    found = reader.values(shape.instance_type) if isinstance(value, list) else [value]
    if found != [plan.get("instance_type")]:
        yield Finding(shape.instance_type, "is not the plan's instance type")


def _bounds(reader: Reader, shape: Shape, plan: dict[str, Any]) -> Iterator[Found]:
    low, high = reader.number(shape.low, -1), reader.number(shape.high, -1)
    least, most = float(plan.get("min", 0)), float(plan.get("max", 0))
    desired = reader.number(shape.desired, low) if shape.desired else low
    if not least <= low <= desired <= high <= most:
        yield Finding(
            shape.low.partition(".")[0],
            f"min {low:g}, desired {desired:g}, max {high:g} are not in order within the plan's {least:g} to {most:g}",
        )


def _document(reader: Reader) -> Iterator[Found]:
    text = reader.read("document")
    document = _object(text)
    if document is None:
        yield Finding("document", "is no evidence document")
        return
    if reader.read("document_hash") != digest(str(text)):
        yield Finding("document_hash", "is not the document's hash")
    made = document.get("plans")
    for cluster, plan in made.items() if isinstance(made, dict) else ():
        if not isinstance(plan, dict):
            yield Finding(f"document.plans.{cluster}", "is no plan")
            continue
        missing = [
            key for key in ("input_hash", "seed", "solver_revision", "candidates", "winner") if plan.get(key) is None
        ]
        if missing:
            yield Finding(f"document.plans.{cluster}", f"does not say {', '.join(missing)}")
        if plan.get("status", FEASIBLE) != FEASIBLE:
            yield Finding(f"document.plans.{cluster}.status", f"is not {FEASIBLE}: the pools hold no such plan")
        yield from _cheapest(f"document.plans.{cluster}", plan, document.get("problems"), str(cluster))
    held = reader.read("pool_objects")
    for path, leaf in walk(held, "pool_objects"):
        if leaf is UNKNOWN:
            yield Open(path)
            return
    if document.get("pool_objects") != held:
        yield Finding("pool_objects", "are not the document's")


def _cheapest(path: str, plan: dict[str, Any], problems: Any, cluster: str) -> Iterator[Found]:
    """Nothing that was found and not refused is cheaper; a plan that is kept may cost the threshold more.

    What a judge refused stands in `notes.rejected`, with its reason, and not among the candidates. A plan that may
    change so many nodes only is a step on the way, at whatever cost.
    """
    notes = plan.get("notes")
    refused = notes.get("rejected") if isinstance(notes, dict) else None
    for number, entry in enumerate(refused if isinstance(refused, list) else ()):
        if not isinstance(entry, dict) or not entry.get("findings"):
            yield Finding(f"{path}.notes.rejected[{number}]", "sets a candidate aside without a reason")
    methods, cost = plan.get("candidates"), plan.get("cost_usd_month")
    listed = methods if isinstance(methods, dict) else {}
    classical = [usd for name, usd in listed.items() if "qaoa" not in name and isinstance(usd, int | float)]
    if not classical or not isinstance(cost, int | float):
        return
    asked = problems.get(cluster) if isinstance(problems, dict) else None
    asked = asked if isinstance(asked, dict) else {}
    most = min(classical)
    if plan.get("kept_previous") not in {None, "no"}:
        threshold = asked.get("threshold")
        if asked.get("max_changed_nodes") is not None or not isinstance(threshold, int | float) or threshold >= 1:
            return
        most /= 1 - threshold
    if cost > most * (1 + ROUNDING) + CENT:
        yield Finding(f"{path}.cost_usd_month", "is dearer than a classical plan that was found")


@stack_rule(
    "CH-17",
    "The optimizer decides sizes, and nothing else.",
    CRITICAL,
    [SIZING, *SHAPES, "ecosystem:*"],
    remediation="Feed only instance types, bounds and evidence from the Sizing resource.",
)
def direction(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Property dependencies are followed; what is simulated feeds no identity and no policy."""
    sizing = {each.urn for each in sizings(graph)}
    random = {each.urn for each in graph.of(SIZING)} - sizing
    simulated = {each.urn for each in graph.resources if str(each.props.get("simulated")).lower() == "true"}
    for resource in graph.resources:
        if resource.type.startswith(("pulumi:", "ecosystem:")) or resource.urn in sizing | random:
            continue
        allowed = SIZED_BY.get(resource.type, set())
        for prop, sources in resource.property_dependencies.items():
            if sizing & set(sources) and prop not in allowed and resource.type not in MAY_READ_PLAN:
                yield Finding(prop, "is decided by the optimizer, which sizes pools only", resource.urn)
            if random & set(sources) and not TAKES_KEYS.search(prop) and resource.kind != "Secret":
                yield Finding(prop, "is made at random, and takes no key", resource.urn)
            if simulated & set(sources) and any(word in resource.type for word in IDENTITIES):
                yield Finding(prop, "is fed by something simulated", resource.urn)
