"""Availability, computed from the resource graph: zones, nodes, replicas and what they share; assumptions are listed.

A cluster serves while its region and control plane are there and, over all ways in which zones can fail, each of its
pools has a node, its single NAT gateway (if that is all there is) is there, and its least spread workload has a pod.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from automation.pullrequest.graph import Node, Picture

REGION: Final = 0.9999
"""A cloud's region: the region-level commitment, https://aws.amazon.com/compute/sla/, 2026-11-21."""
ZONE: Final = 0.999
"""A zone, assumed: no cloud promises one; two of them reach the region's commitment with room."""
INSTANCE: Final = 0.995
"""A node: the instance-level commitment, https://aws.amazon.com/compute/sla/, 2026-11-21."""
REGIONAL_CONTROL: Final = 0.9995
"""A control plane over zones: https://aws.amazon.com/eks/sla/, https://cloud.google.com/kubernetes-engine/sla,

https://azure.microsoft.com/support/legal/sla/kubernetes-service/, 2026-11-21.
"""
ZONAL_CONTROL: Final = 0.995
"""A zonal GKE control plane, and AKS without a commitment (tier Free), by the same pages; the latter is assumed."""
AKS_NO_ZONES: Final = 0.999
CLUSTERS: Final = (
    "aws:eks/cluster:Cluster",
    "gcp:container/cluster:Cluster",
    "azure-native:containerservice:ManagedCluster",
)
POOLS: Final = (
    "aws:eks/nodeGroup:NodeGroup",
    "gcp:container/nodePool:NodePool",
    "azure-native:containerservice:AgentPool",
)
NAT: Final = "aws:ec2/natGateway:NatGateway"
WORKLOADS: Final = ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet")
ZONE_KEY: Final = "topology.kubernetes.io/zone"
ASSUMPTIONS: Final = (
    f"assumed: a region {REGION:.2%} as a whole, a zone {ZONE:.2%}, a node {INSTANCE:.1%}, independent of each other",
    f"assumed: control planes {REGIONAL_CONTROL:.2%} over zones, {ZONAL_CONTROL:.1%} in one (the clouds' commitments)",
    "not counted: faults of the software itself, of DNS, of the edge, of identity and of people",
)


@dataclass(frozen=True)
class Pool:
    """A node pool: how many zones it spans and how many nodes it keeps at least."""

    zones: int
    nodes: int


@dataclass(frozen=True)
class Cluster:
    """One cluster as far as availability goes."""

    name: str
    control: float
    pools: tuple[Pool, ...]
    lone_nat: bool
    spread: int | None  # zones of the least spread workload that the graph shows; None without workloads
    lone: int  # workloads with one replica

    @property
    def zones(self) -> int:
        return max((pool.zones for pool in self.pools), default=1)


def _number(value: Any, default: int = 0) -> int:
    return int(value) if isinstance(value, (int, float)) and math.isfinite(value) else default


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _pool(node: Node, cluster: Node) -> Pool:
    inputs = node.inputs
    if node.type == POOLS[0]:
        scaling = inputs.get("scalingConfig") or {}
        return Pool(max(1, len(_listed(inputs.get("subnetIds")))), _number(scaling.get("minSize")))
    if node.type == POOLS[1]:
        places = _listed(inputs.get("nodeLocations")) or _listed(cluster.inputs.get("nodeLocations"))
        scaling = inputs.get("autoscaling") or {}
        zones = max(1, len(places))
        least = _number(scaling.get("totalMinNodeCount")) or _number(scaling.get("minNodeCount")) * zones
        return Pool(zones, least or _number(inputs.get("nodeCount")) * zones)
    zones = max(1, len(_listed(inputs.get("availabilityZones"))))
    return Pool(zones, _number(inputs.get("minCount")) or _number(inputs.get("count")))


def _control(cluster: Node, zones: int) -> float:
    if cluster.type == CLUSTERS[1]:
        place = str(cluster.inputs.get("location") or "")
        return ZONAL_CONTROL if place.count("-") > 1 else REGIONAL_CONTROL
    if cluster.type == CLUSTERS[2]:
        if str((cluster.inputs.get("sku") or {}).get("tier") or "Free") == "Free":
            return ZONAL_CONTROL
        return REGIONAL_CONTROL if zones > 1 else AKS_NO_ZONES
    return REGIONAL_CONTROL


def _ancestors(picture: Picture, urn: str) -> set[str]:
    found, waiting = set[str](), [urn]
    while waiting:
        here = picture.nodes.get(waiting.pop())
        for need in here.needs if here else ():
            if need not in found:
                found.add(need)
                waiting.append(need)
    return found


def _zones_of(workload: Node) -> tuple[int, bool]:
    """Replicas, and whether the pods are kept apart by zone."""
    spec = workload.inputs.get("spec") or {}
    pod = (spec.get("template") or {}).get("spec") or {}
    keys = {one.get("topologyKey") for one in _listed(pod.get("topologySpreadConstraints")) if isinstance(one, Mapping)}
    apart = ((pod.get("affinity") or {}).get("podAntiAffinity") or {}) if isinstance(pod, Mapping) else {}
    for rule in _listed(apart.get("requiredDuringSchedulingIgnoredDuringExecution")):
        keys.add(rule.get("topologyKey") if isinstance(rule, Mapping) else None)
    return _number(spec.get("replicas"), 1), ZONE_KEY in keys


def clusters(picture: Picture) -> Iterator[Cluster]:
    """Every cluster of the graph with its pools, its way out and its workloads, found by what they depend on."""
    nodes = picture.of(*CLUSTERS)
    pools = {one.urn: _ancestors(picture, one.urn) | set(one.needs) for one in picture.of(*POOLS)}
    nats = picture.of(NAT)
    works = {one.urn: _ancestors(picture, one.urn) for one in picture.of(*WORKLOADS)}
    for cluster in nodes:
        own = [_pool(picture.nodes[urn], cluster) for urn, needs in pools.items() if cluster.urn in needs]
        for profile in _listed(cluster.inputs.get("agentPoolProfiles")):
            if isinstance(profile, Mapping):
                zones = max(1, len(_listed(profile.get("availabilityZones"))))
                own.append(Pool(zones, _number(profile.get("minCount")) or _number(profile.get("count"))))
        kept = tuple(pool for pool in own if pool.nodes)
        zones = max((pool.zones for pool in kept), default=1)
        region = cluster.inputs.get("region")
        near = [one for one in nats if one.inputs.get("region") == region]
        spread: int | None = None
        lone = 0
        for urn, needs in works.items():
            if cluster.urn not in needs:
                continue
            replicas, apart = _zones_of(picture.nodes[urn])
            lone += replicas < 2  # noqa: PLR2004 - one pod is no spare
            reached = min(replicas, zones) if apart else 1
            spread = reached if spread is None else min(spread, reached)
        lone_nat = cluster.type == CLUSTERS[0] and len(near) == 1 and zones > 1
        yield Cluster(cluster.name, _control(cluster, zones), kept, lone_nat, spread, lone)


def of(cluster: Cluster) -> float:
    """The share of time in which a cluster serves, over all states of its zones."""
    zones = cluster.zones
    total = 0.0
    for state in itertools.product((True, False), repeat=zones):
        chance = math.prod(ZONE if up else 1 - ZONE for up in state)
        if (cluster.lone_nat and not state[0]) or (cluster.spread is not None and not any(state[: cluster.spread])):
            continue
        total += chance * math.prod(_serves(pool, state) for pool in cluster.pools)
    return REGION * cluster.control * total


def _serves(pool: Pool, state: Sequence[bool]) -> float:
    """The chance that a pool has a node, its nodes dealt out over its zones in turn."""
    here = sum(
        pool.nodes // pool.zones + (at < pool.nodes % pool.zones)
        for at in range(pool.zones)
        if at < len(state) and state[at]
    )
    return 1 - (1 - INSTANCE) ** here if here else 0.0


def report(was: Picture, now: Picture, target: float) -> dict[str, Any]:
    """Before and after as the report shows them: the weakest cluster, each cluster, shared causes, assumptions."""
    before, after = ({one.name: one for one in clusters(picture)} for picture in (was, now))
    rows = []
    for name in sorted(set(before) | set(after)):
        one = after.get(name) or before[name]
        rows.append(
            {
                "cluster": name,
                "before": of(before[name]) if name in before else None,
                "after": of(after[name]) if name in after else None,
                "zones": one.zones,
                "pools": len(one.pools),
            }
        )
    return {
        "before": min((of(one) for one in before.values()), default=None),
        "after": min((of(one) for one in after.values()), default=None),
        "any": 1 - math.prod(1 - of(one) for one in after.values()) if len(after) > 1 else None,
        "target": target,
        "clusters": rows,
        "shared": list(_shared(after.values())),
        "assumptions": list(ASSUMPTIONS),
    }


def _shared(found: Any) -> Iterator[str]:
    for one in found:
        if one.zones == 1:
            yield f"{one.name}: everything stands in one zone"
        if one.control == ZONAL_CONTROL:
            yield f"{one.name}: its control plane stands in one zone or has no commitment"
        if one.lone_nat:
            yield f"{one.name}: one NAT gateway carries the way out of {one.zones} zones"
        if any(pool.nodes == 1 for pool in one.pools):
            yield f"{one.name}: a pool keeps one node"
        if one.lone:
            yield f"{one.name}: {one.lone} workloads of the platform run one pod"
