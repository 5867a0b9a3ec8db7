"""The monthly bill before and after, estimated from what the engine will make. Unknown is listed, never zero."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from automation.events import Step
from automation.free import is_free
from automation.meters import HOURS, METERS, Meter, cloud_of

if TYPE_CHECKING:
    from sizing.catalogue import Catalogue
    from sizing.services import ServicePrices

SIZING_TYPE: Final = "pulumi-python:dynamic/sizing:Sizing"

NODE_POOLS: Final = frozenset(
    {"aws:eks/nodeGroup:NodeGroup", "gcp:container/nodePool:NodePool", "azure-native:containerservice:AgentPool"}
)
"""Priced by the sizing plan (nodes), and by their disks here."""


@dataclass
class Bill:
    """USD a month at list price, on demand unless the plan says spot."""

    by_cloud: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    by_kind: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    unpriced: list[dict[str, str]] = field(default_factory=list)
    by_use: list[dict[str, Any]] = field(default_factory=list)
    approximate: list[dict[str, str]] = field(default_factory=list)
    oldest: date | None = None

    @property
    def total(self) -> float:
        return sum(self.by_cloud.values())

    def add(self, cloud: str, kind: str, amount: float, priced_at: date | None) -> None:
        self.by_cloud[cloud] += amount
        self.by_kind[kind] += amount
        if priced_at and (self.oldest is None or priced_at < self.oldest):
            self.oldest = priced_at


@dataclass(frozen=True)
class Held:
    """One side of a step: what exists before, or what exists after."""

    urn: str
    type: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    parent: str

    @property
    def name(self) -> str:
        return self.urn.rsplit("::", 1)[-1]


def before(steps: Iterable[Step]) -> list[Held]:
    """What exists now, as the state knows it; a replaced resource once."""
    found = {s.urn: Held(s.urn, s.type, s.old, s.old_outputs, s.parent) for s in steps if s.old}
    return list(found.values())


def after(steps: Iterable[Step]) -> list[Held]:
    """What exists when the update is done."""
    found = {s.urn: Held(s.urn, s.type, s.new, s.new_outputs, s.parent) for s in steps if s.exists_after}
    return list(found.values())


def plan_of(held: Held) -> dict[str, dict[str, dict[str, Any]]]:
    """Cluster -> slot key -> numbers, from the Sizing resource: the plan joined with evidence object and document."""
    source = held.inputs if held.inputs.get("plan") else held.outputs
    plan, objects = source.get("plan") or {}, source.get("pool_objects") or {}
    judged = _quality(source.get("document"))
    joined: dict[str, dict[str, dict[str, Any]]] = {}
    for cluster, slots in plan.items():
        joined[cluster] = {}
        for key, numbers in slots.items():
            text = (objects.get(cluster) or {}).get(key)
            told = json.loads(text) if isinstance(text, str) else {}
            joined[cluster][key] = {**told, **judged.get((cluster, key), {}), **numbers}
    return joined


def _quality(document: object) -> dict[tuple[str, str], dict[str, Any]]:
    """(cluster, slot key) -> gap, bound and winner, from the evidence document."""
    if not isinstance(document, str):
        return {}
    plans = json.loads(document).get("plans") or {}
    rows = [pool for plan in (plans.values() if isinstance(plans, dict) else plans) for pool in plan.get("pools", ())]
    return {
        (row["cluster"], f"{row['pool']}-{row['slot']}"): {name: row.get(name) for name in ("gap", "bound", "winner")}
        for row in rows
    }


def sizing_of(things: Iterable[Held]) -> dict[str, dict[str, dict[str, Any]]]:
    """The stack's plan; {} without a Sizing resource."""
    return next((plan_of(held) for held in things if held.type == SIZING_TYPE), {})


def _region(held: Held, regions: Mapping[str, Iterable[str]], cloud: str) -> str:
    """The region of a resource: its own input, else the stack's region that its name or URN holds, else the first."""
    said = str(held.inputs.get("region") or held.inputs.get("location") or "").lower().replace(" ", "")
    known = list(regions.get(cloud, ()))
    for region in known:
        if said == region or said.startswith(f"{region}-"):
            return region
    named = [region for region in known if region in held.name]
    return (named or [said] if said else named or known or [""])[0]


class Estimator:
    """Prices both sides of a run with dated prices; a price of another region of the same cloud is approximate."""

    def __init__(self, services: ServicePrices, catalogue: Catalogue, regions: Mapping[str, Mapping[str, int]]) -> None:
        """`regions`: cloud -> region -> number of zones, from the stack file."""
        self.services = services
        self.catalogue = catalogue
        self.regions = regions

    def bill(self, things: list[Held]) -> Bill:
        """Estimate what these resources cost a month."""
        bill = Bill()
        plan = sizing_of(things)
        self._nodes(bill, plan)
        for held in things:
            if held.type in NODE_POOLS:
                if not plan:
                    bill.unpriced.append({"urn": held.urn, "type": held.type})
                continue
            if held.type == "azure-native:containerservice:ManagedCluster":
                self._bootstrap_pool(bill, held)
            self._resource(bill, held)
        self._node_disks(bill, things, plan)
        return bill

    def _nodes(self, bill: Bill, plan: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
        for cluster, slots in plan.items():
            cloud, region = cluster.split("-", 1)
            for numbers in slots.values():
                cost = float(numbers["nodes_cost_usd"])
                priced_at = None
                if cost:
                    row = self.catalogue.price(cloud, region, str(numbers["instance_type"]))
                    priced_at = (row.spot_date or row.price_date) if numbers.get("spot") else row.price_date
                bill.add(cloud, "nodes", cost, priced_at)

    def _bootstrap_pool(self, bill: Bill, held: Held) -> None:
        """The fixed system pool inside an AKS cluster resource."""
        region = _region(held, self.regions, "azure")
        for profile in held.inputs.get("agentPoolProfiles") or ():
            if not isinstance(profile, dict):
                continue
            try:
                row = self.catalogue.price("azure", region, str(profile.get("vmSize")))
            except LookupError:
                bill.unpriced.append({"urn": held.urn, "type": f"{held.type} ({profile.get('vmSize')})"})
                continue
            count = float(profile.get("count") or 1)
            bill.add("azure", "nodes", row.price_usd_hour * HOURS * count, row.price_date)

    def _resource(self, bill: Bill, held: Held) -> None:
        read = METERS.get(held.type)
        if read is None:
            if not is_free(held.type, dict(held.inputs)):
                bill.unpriced.append({"urn": held.urn, "type": held.type})
            return
        cloud = cloud_of(held.type) or ""
        region = _region(held, self.regions, cloud)
        zones = self.regions.get(cloud, {}).get(region, 1)
        for meter in read(held.inputs, zones):
            self._meter(bill, held, meter, region)

    def _meter(self, bill: Bill, held: Held, meter: Meter, region: str) -> None:
        price = self.services.lookup(meter.cloud, meter.service, meter.sku, region)
        if price is None:
            bill.unpriced.append({"urn": held.urn, "type": held.type})
            return
        if price.approximate:
            bill.approximate.append({"urn": held.urn, "type": held.type, "region": price.region})
        if meter.quantity is None:
            bill.by_use.append(
                {"urn": held.urn, "type": held.type, "usd": price.price_usd, "unit": price.unit, "sku": price.sku}
            )
            return
        bill.add(meter.cloud, meter.service, price.price_usd * meter.quantity, price.source_date)

    def _node_disks(self, bill: Bill, things: list[Held], plan: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
        """Boot disks of the planned nodes: size from the launch template or the pool, count from the plan."""
        sizes = disk_sizes(things)
        for cluster, slots in plan.items():
            cloud, region = cluster.split("-", 1)
            for key, numbers in slots.items():
                nodes = float(numbers["desired"])
                found = sizes.get(f"{cluster}-{key}") or next(
                    (s for n, s in sizes.items() if n.startswith(cluster)), None
                )
                if not nodes or not found:
                    continue
                sku, size = found
                price = self.services.lookup(cloud, "block_storage", sku, region)
                if price is None:
                    continue
                units = nodes if price.unit == "disk-month" else nodes * size
                bill.add(cloud, "node_disks", price.price_usd * units, price.source_date)


def disk_sizes(things: Iterable[Held]) -> dict[str, tuple[str, float]]:
    """Name of the pool (or its launch template) -> (price row, GiB) of its nodes' boot disks."""
    found: dict[str, tuple[str, float]] = {}
    for held in things:
        if held.type == "aws:ec2/launchTemplate:LaunchTemplate":
            for device in held.inputs.get("blockDeviceMappings") or ():
                ebs = device.get("ebs") or {} if isinstance(device, dict) else {}
                found[held.name] = (f"EBS {ebs.get('volumeType', 'gp3')}", float(ebs.get("volumeSize") or 20))
        elif held.type == "gcp:container/nodePool:NodePool":
            config = held.inputs.get("nodeConfig") or {}
            names = {"pd-ssd": "PD SSD", "pd-standard": "PD standard", "pd-balanced": "PD balanced"}
            kind = names.get(str(config.get("diskType")), "PD balanced")
            found[held.name] = (kind, float(config.get("diskSizeGb") or 100))
        elif held.type == "azure-native:containerservice:AgentPool" and held.inputs.get("osDiskType") != "Ephemeral":
            found[held.name] = ("Premium SSD P10 (128 GiB) LRS", float(held.inputs.get("osDiskSizeGB") or 128))
    return found


def record(was: Bill, will_be: Bill) -> dict[str, Any]:
    """The report's `cost_monthly_usd`."""
    oldest = min((bill.oldest for bill in (was, will_be) if bill.oldest), default=None)
    return {
        "before": round(was.total, 2),
        "after": round(will_be.total, 2),
        "by_cloud": {cloud: round(amount, 2) for cloud, amount in sorted(will_be.by_cloud.items())},
        "by_kind": {kind: round(amount, 2) for kind, amount in sorted(will_be.by_kind.items())},
        "unpriced": will_be.unpriced,
        "by_use": will_be.by_use,
        "approximate": will_be.approximate,
        "oldest_price": oldest.isoformat() if oldest else None,
    }
