"""Judge a plan from its evidence alone: another algorithm, no code of the solvers, plain Python on plain JSON."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from sizing.placing import Bin, scheduled

MONTH = 730
RISK = (Fraction(0), Fraction(5, 100), Fraction(10, 100), Fraction(20, 100), Fraction(40, 100))
MIDDLE = 2
DIMENSIONS = ("cpu_milli", "memory_mib", "gpu", "pods")


def verify_document(text: str) -> list[str]:
    """Everything wrong with a document, cluster by cluster; an empty list is a pass."""
    made = json.loads(text)
    found = []
    for name, plan in made["plans"].items():
        found += [f"{name}: {wrong}" for wrong in verify(made["problems"][name], plan)]
        for key, text_of_pool in made["pool_objects"][name].items():
            one = json.loads(text_of_pool)
            row = next((p for p in plan["pools"] if f"{p['pool']}-{p['slot']}" == key), None)
            if row is None or any(one[f] != row[f] for f in ("instance_type", "min", "desired", "max", "spot")):
                found.append(f"{name}: the object of pool {key} is not what the plan says")
    return found


def verify(problem: Mapping[str, Any], plan: Mapping[str, Any]) -> list[str]:
    """Everything wrong with one cluster's plan: sentences that name pool, node or workload."""
    return list(_Judge(problem, plan).findings())


class _Judge:
    """One plan under judgement."""

    def __init__(self, problem: Mapping[str, Any], plan: Mapping[str, Any]) -> None:
        self.problem, self.plan = problem, plan
        self.types = {t["name"]: t for t in problem["types"]}
        self.wishes = {w["name"]: w for w in problem["pools"]}
        self.jobs = {w["name"]: w for w in problem["workloads"]}
        self.apart = {n for n, w in self.jobs.items() if w["spread"] == "zone" or w.get("survives") == "zone"}
        self.rows: dict[str, list[Any]] = defaultdict(list)
        for row in plan["pools"]:
            self.rows[row["pool"]].append(row)

    def _is_spot(self, pool: str) -> bool:
        return pool in self.wishes and bool(self.wishes[pool]["spot"])

    def _asked(self, job: Any) -> int:
        """Pods that need a place: without one zone, an even share of them in each of the others holds all replicas."""
        zones = self.problem["zones"]
        if job.get("survives") != "zone" or zones == 1:
            return int(job["replicas"])
        return zones * math.ceil(Fraction(job["replicas"], zones - 1))  # type: ignore[no-any-return]

    def nodes(self, pool: str) -> list[tuple[Any, Any]]:
        """(slot row, node) of a pool in the order in which the scheduler fills it."""
        order = self.plan["notes"].get("fill_order", {}).get(pool, [])
        seat = {slot: number for number, slot in enumerate(order)}
        return [
            (row, node)
            for row in sorted(self.rows[pool], key=lambda r: seat.get(r["slot"], r["slot"]))
            for node in self.plan["assignment"].get(f"{pool}-{row['slot']}", [])
        ]

    def findings(self) -> Iterator[str]:
        for pool in sorted({*self.wishes, *self.rows}):
            if pool not in self.wishes:
                yield f"pool {pool} is in the plan but was never wished for"
                continue
            numbers = list(self._numbers(pool))
            yield from numbers
            if any("no type" in wrong for wrong in numbers):
                continue
            yield from self._loads(pool)
            yield from self._spare(pool)
            yield from self._zones(pool)
            yield from self._greedy(pool)
        yield from self._workloads()
        yield from self._shares()
        yield from self._money()

    def _numbers(self, pool: str) -> Iterator[str]:  # noqa: C901
        wish, rows = self.wishes[pool], sorted(self.rows[pool], key=lambda r: r["slot"])
        if [row["slot"] for row in rows] != list(range(wish["slots"])):
            yield f"pool {pool}: slots {[r['slot'] for r in rows]}, wished for {wish['slots']}"
        as_of = date.fromisoformat(self.problem["as_of"])
        for row in rows:
            key = f"{pool}-{row['slot']}"
            kind = self.types.get(row["instance_type"])
            if kind is None:
                yield f"{key}: no type {row['instance_type']} in the problem"
                continue
            if kind["arch"] not in wish["arch"] or (kind["gpu"] > 0) != wish["gpu"] or row["spot"] != wish["spot"]:
                yield f"{key}: {kind['name']} is not allowed in pool {pool} (architecture, GPU or spot)"
            source = kind["price_source"] + ("*" + kind["spot_source"] if wish["spot"] else "")
            dates = [date.fromisoformat(piece[:10]) for piece in source.split("@")[1:]]
            if not dates or (as_of - min(dates)).days > self.problem["max_age_days"]:
                yield f"{key}: the price of {kind['name']} is too old or has no date"
            if wish["spot"] and not kind["spot_price_usd_hour"]:
                yield f"{key}: {kind['name']} has no spot price"
            if not 0 <= row["min"] <= row["desired"] <= row["max"]:
                yield f"{key}: min {row['min']}, desired {row['desired']}, max {row['max']} are out of order"
            if len(self.plan["assignment"].get(key, [])) != row["min"]:
                yield f"{key}: the witness has {len(self.plan['assignment'].get(key, []))} nodes, min is {row['min']}"
        total = sum(row["min"] for row in rows)
        if not wish["min"] <= total <= wish["max"]:
            yield f"pool {pool}: {total} nodes, wished {wish['min']} to {wish['max']}"
        empties = sum(row["min"] == 0 for row in rows)
        most = sum(row["max"] for row in rows)
        if most > wish["max"] and most > total + empties:
            yield f"pool {pool}: the slots' max add up to {most}, wished at most {wish['max']}"

    def _load(self, node: Any) -> list[int]:
        load = [0, 0, 0, 0]
        for name, blocks in node["pods"].items():
            job, count = self.jobs.get(name), sum(blocks.values())
            if job is not None:
                for d, dimension in enumerate(("cpu_milli", "memory_mib", "gpu")):
                    load[d] += job[dimension] * count
                load[3] += count
        return load

    def _room(self, row: Any) -> list[int]:
        return [self.types[row["instance_type"]]["allocatable"][d] for d in DIMENSIONS]

    def _loads(self, pool: str) -> Iterator[str]:
        for number, (row, node) in enumerate(self.nodes(pool)):
            load, room = self._load(node), self._room(row)
            for d, dimension in enumerate(DIMENSIONS):
                if load[d] > room[d]:
                    yield f"pool {pool} node {number}: {dimension} {load[d]} exceeds {row['instance_type']}'s {room[d]}"
            for name, blocks in node["pods"].items():
                job = self.jobs.get(name)
                if job is None:
                    yield f"pool {pool} node {number}: workload {name} is not in the problem"
                    continue
                if pool not in job["pools"]:
                    yield f"workload {name} stands in pool {pool}, allowed are {job['pools']}"
                if job["spread"] == "host" and sum(blocks.values()) > 1:
                    yield f"workload {name}: {sum(blocks.values())} pods on one node, but it spreads over hosts"
                if row["spot"] and (job["spot"] == "never" or blocks.get("on_demand", 0)):
                    yield f"workload {name}: pods that must not be interrupted stand in spot pool {pool}"

    def _spare(self, pool: str) -> Iterator[str]:
        nodes = self.nodes(pool)
        if self.wishes[pool]["spot"] or not any(node["pods"] for _, node in nodes):
            return
        spares = [self._room(row) for row, node in nodes if not node["pods"]]
        for number, (_, node) in enumerate(nodes):
            load = self._load(node)
            if not any(all(a <= b for a, b in zip(load, spare, strict=True)) for spare in spares):
                yield f"pool {pool}: no spare node takes over the pods of node {number} (N+1)"
                return

    def _zones(self, pool: str) -> Iterator[str]:
        zones = self.problem["zones"]
        count = Counter(node["zone"] for _, node in self.nodes(pool))
        held = [count.get(z, 0) for z in range(zones)]
        if sum(held) != sum(count.values()):
            yield f"pool {pool}: a node stands in a zone outside 0..{zones - 1}"
        if max(held) - min(held) > 1:
            yield f"pool {pool}: its nodes stand unevenly over the zones: {held}"
        names = {name for _, node in self.nodes(pool) for name in node["pods"]} & set(self.jobs)
        spreads = bool(names & self.apart)
        if (spreads or self.wishes[pool]["purpose"] == "system") and zones > 1 and min(held) < 1:
            yield f"pool {pool}: a zone has no node: {held}"

    def _workloads(self) -> Iterator[str]:  # noqa: C901, PLR0912
        zones = self.problem["zones"]
        total: Counter[str] = Counter()
        firm: Counter[str] = Counter()
        by_zone: dict[str, Counter[int]] = defaultdict(Counter)
        by_part: dict[tuple[str, str, str], Counter[int]] = defaultdict(Counter)
        for pool in self.wishes:
            for row, node in self.nodes(pool):
                for name, blocks in node["pods"].items():
                    total[name] += sum(blocks.values())
                    by_zone[name][node["zone"]] += sum(blocks.values())
                    for block, count in blocks.items():
                        by_part[name, block, pool][node["zone"]] += count
                    if not row["spot"]:
                        firm[name] += sum(blocks.values())
        for name, job in sorted(self.jobs.items()):
            asked = self._asked(job)
            if total[name] != asked:
                yield f"workload {name}: {total[name]} pods placed, {asked} asked for"
            pinned = job.get("zone")
            if pinned is not None and zones > 1 and by_zone[name][pinned] != total[name]:
                yield f"workload {name}: its volumes are in zone {pinned}, but a pod stands elsewhere: {by_zone[name]}"
            if job.get("survives") == "zone" and any(
                total[name] - by_zone[name][z] < job["replicas"] for z in range(zones)
            ):
                yield f"workload {name}: without one zone there is no room for {job['replicas']} pods: {by_zone[name]}"
            spots = any(self._is_spot(p) for p in job["pools"])
            if job["spot"] == "tolerant" and spots and firm[name] < math.ceil(Fraction(3, 10) * asked):
                yield f"workload {name}: {firm[name]} of {asked} pods on demand, at least 30 % are needed"
            if name in self.apart and zones > 1:
                held = [by_zone[name][z] for z in range(zones)]
                if max(held) - min(held) > 1:
                    yield f"workload {name}: unevenly over the zones: {held}"
        for (name, block, pool), count in sorted(by_part.items()):
            held = [count[z] for z in range(zones)]
            if zones > 1 and name in self.apart and max(held) - min(held) > 1:
                yield f"workload {name}: its {block} pods stand unevenly over the zones of pool {pool}: {held}"

    def _greedy(self, pool: str) -> Iterator[str]:
        """kube-scheduler's own order and scores, pod by pod, on all nodes: every pod must find a place."""
        pods: Counter[tuple[str, str]] = Counter()
        bins: list[Bin] = []
        for row, node in sorted(self.nodes(pool), key=lambda one: not one[1]["pods"]):
            bins.append((node["zone"], self._room(row), Counter(), self._room(row)))
            for name, blocks in node["pods"].items():
                for block, count in blocks.items() if name in self.jobs else ():
                    pods[name, block] += count

        def size(item: tuple[str, str]) -> tuple[Any, ...]:
            job = self.jobs[item[0]]
            cpu, memory = job["cpu_milli"], job["memory_mib"]
            return (-job["gpu"], -max(cpu, memory / 4), -cpu, -memory, *item)

        for name, block in sorted(pods, key=size):
            job = self.jobs[name]
            need = (job["cpu_milli"], job["memory_mib"], job["gpu"], 1)
            zones = self.problem["zones"] if name in self.apart else 1
            tied = job.get("zone") if self.problem["zones"] > 1 else None
            some = bins if tied is None else [one for one in bins if one[0] == tied]
            rest = scheduled(some, name, need, pods[name, block], zones, alone=job["spread"] == "host")
            if rest:
                yield f"pool {pool}: a spreading scheduler leaves {rest} pods of workload {name} pending"

    def _shares(self) -> Iterator[str]:
        quota = self.problem["vcpu_quota"]
        rows = [row for row in self.plan["pools"] if row["instance_type"] in self.types]
        vcpu = sum(self.types[row["instance_type"]]["vcpu"] * row["min"] for row in rows)
        if quota is not None and vcpu > quota:
            yield f"{vcpu} vCPU in use, the quota is {quota}"
        choosing = {
            name
            for name, job in self.jobs.items()
            if job["spot"] != "never" and sum(self._is_spot(p) for p in job["pools"]) > 1
        }
        eligible = 0
        for name in choosing:
            job = self.jobs[name]
            firm = 0 if job["spot"] == "only" else math.ceil(Fraction(3, 10) * self._asked(job))
            eligible += (self._asked(job) - firm) * job["cpu_milli"]
        for pool, wish in self.wishes.items():
            held = sum(
                self.jobs[name]["cpu_milli"] * blocks.get("flexible", 0)
                for _, node in self.nodes(pool)
                for name, blocks in node["pods"].items()
                if name in choosing
            )
            if wish["spot"] and held * 10 > eligible * 6:
                yield f"spot pool {pool} holds {held}m of {eligible}m spot-eligible CPU, more than 60 %"

    def _money(self) -> Iterator[str]:
        cost = Fraction(0)
        for row in self.plan["pools"]:
            kind = self.types.get(row["instance_type"])
            if kind is None:
                return
            if row["spot"]:
                band = MIDDLE if kind["spot_band"] is None else kind["spot_band"]
                hour = Fraction(str(kind["spot_price_usd_hour"] or 0)) * (1 + RISK[band])
            else:
                hour = Fraction(str(kind["price_usd_hour"]))
            cost += hour * MONTH * row["min"]
            listed = (kind["spot_price_usd_hour"] if row["spot"] else kind["price_usd_hour"]) or 0
            if abs(listed * MONTH * row["min"] - row["nodes_cost_usd"]) > 0.011:  # noqa: PLR2004 - rounding
                key = f"{row['pool']}-{row['slot']}"
                yield f"{key}: nodes_cost_usd {row['nodes_cost_usd']} is not price x 730 h x nodes"
        if abs(float(cost) - self.plan["cost_usd_month"]) > 0.01:  # noqa: PLR2004
            yield f"cost_usd_month {self.plan['cost_usd_month']} does not follow from the nodes ({float(cost):.4f})"
        if self.plan["bound_usd_month"] > self.plan["cost_usd_month"] * (1 + 1e-6) + 1e-6:
            yield f"the bound {self.plan['bound_usd_month']} lies above the cost {self.plan['cost_usd_month']}"
