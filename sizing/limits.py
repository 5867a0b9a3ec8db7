"""The limits of a problem by name, and the same problem with some of them lifted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

from sizing.allocatable import Room
from sizing.catalogue import InstanceType
from sizing.compiled import largest_fit, pool_types, stale_types
from sizing.problem import PoolWish, Problem, WorkloadDemand

MOST_SLOTS: Final = 5
ANY_AGE: Final = 100_000  # days
GPU_POOL: Final = "gpu"
WORKLOADS: Final = ("demand", "pools", "gpu", "spot", "spread", "survives", "zone", "requests")
"""Kinds whose subjects are workloads; the subject of the rest is a pool, or the cluster itself."""
SHOWN: Final = 4


@dataclass(frozen=True, order=True)
class Limit:
    """Something that can stand in the way: its kind, and the pool or the workloads that it binds."""

    kind: str
    subjects: tuple[str, ...] = ()

    def told(self, problem: Problem) -> str:  # noqa: C901, PLR0911, PLR0912 - one sentence a kind
        """What it asks for, with its number."""
        pools = {p.name: p for p in problem.pools}
        jobs = {w.name: w for w in problem.workloads}
        one = self.subjects[0] if self.subjects else ""
        who = named(self.subjects)
        match self.kind:
            case "quota":
                return f"the quota of {problem.vcpu_quota} vCPU (sizing.vcpu_quota)"
            case "budget":
                return f"the budget of {problem.budget_usd_month:,.0f} USD a month (sizing.budget_usd_month)"
            case "pool_max":
                return f"pool {one}: max {pools[one].max} nodes"
            case "pool_min":
                return f"pool {one}: min {pools[one].min} nodes"
            case "slots":
                slots = pools[one].slots
                return f"pool {one}: {slots} slot{'s' if slots > 1 else ''}, so as many types at most"
            case "arch":
                return f"pool {one}: {' or '.join(pools[one].arch)} only"
            case "spot_share":
                return "at most 60 % of the spot-eligible CPU in one spot pool"
            case "zones":
                return f"a node in each of {problem.zones} zones where pods or purpose ask for it"
            case "price_age":
                return f"no price older than {problem.max_age_days} days (prices.max_age_days)"
            case "pools":
                return f"workload {who}: only in {' or '.join(jobs[one].pools)}"
            case "gpu":
                return f"workload {who}: asks for GPUs, and none of its pools has gpu: true"
            case "spot":
                return f"workload {who}: spot {jobs[one].spot}"
            case "survives":
                return f"workload {who}: room for all of it without any one zone"
            case "zone":
                return f"workload {who}: its volumes are in zone {jobs[one].zone}"
            case "requests":
                return f"workload {who}: {asked(jobs[one])} a pod, more than any type of its pools has room for"
            case "spot_pool":
                return f"pool {one}: spot only, and no type that it may use has a spot price"
            case "spread":
                return f"workload {who}: spread over {jobs[one].spread}s"
            case _:
                pods = sum(jobs[name].replicas for name in self.subjects)
                return f"the demand of {who}: {pods} pod{'s' if pods > 1 else ''} in {' or '.join(jobs[one].pools)}"


def named(names: tuple[str, ...]) -> str:
    """Some names, then how many more."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def asked(w: WorkloadDemand) -> str:
    """What one pod asks for, in words."""
    gpu = f", {w.gpu} GPU{'s' if w.gpu > 1 else ''}" if w.gpu else ""
    return f"{w.cpu_milli}m CPU, {w.memory_mib} MiB{gpu}"


def limits_of(problem: Problem) -> tuple[Limit, ...]:
    """Everything that could be lifted, what people change first standing first; workloads that are alike in groups."""
    made = [Limit("quota")] if problem.vcpu_quota is not None else []
    made += [Limit("budget")] if problem.budget_usd_month is not None else []
    pools = sorted(problem.pools, key=lambda p: p.name)
    made += [Limit("pool_max", (p.name,)) for p in pools]
    made += [Limit("spot_share")] if sum(p.spot for p in pools) > 1 else []
    made += _groups("demand", problem.workloads, lambda w: w.pools)
    everywhere = open_to_all(problem)
    gpu = {p.name for p in pools if p.gpu}
    made += _groups("pools", (w for w in problem.workloads if everywhere - set(w.pools)), lambda w: w.pools)
    made += _groups("gpu", (w for w in problem.workloads if w.gpu and not gpu & set(w.pools)), lambda w: w.pools)
    made += [Limit("arch", (p.name,)) for p in pools if len(set(p.arch)) == 1]
    made += _groups("spot", (w for w in problem.workloads if _cannot(problem, w)), lambda w: (*w.pools, w.spot))
    made += _groups("spread", (w for w in problem.workloads if w.spread != "none"), lambda w: (*w.pools, w.spread))
    made += _groups("survives", (w for w in problem.workloads if w.survives != "none"), lambda w: w.pools)
    made += _groups("zone", (w for w in problem.workloads if w.zone is not None), lambda w: (*w.pools, str(w.zone)))
    made += [Limit("requests", (name,)) for name in sorted(smaller(problem))]
    made += [Limit("spot_pool", (p.name,)) for p in pools if p.spot and not pool_types(problem, p)]
    made += [Limit("slots", (p.name,)) for p in pools if p.slots < MOST_SLOTS]
    made += [Limit("pool_min", (p.name,)) for p in pools if p.min]
    made += [Limit("zones")] if problem.zones > 1 else []
    made += [Limit("price_age")] if stale_types(problem) else []
    return tuple(made)


def _groups(kind: str, jobs: Iterable[WorkloadDemand], alike: object) -> Iterator[Limit]:
    found: dict[tuple[str, ...], list[str]] = {}
    for w in sorted(jobs, key=lambda w: (-w.replicas * max(w.cpu_milli, w.memory_mib / 4), w.name)):
        found.setdefault(tuple(alike(w)), []).append(w.name)  # type: ignore[operator]
    for names in found.values():
        yield Limit(kind, tuple(names))


def _cannot(problem: Problem, w: WorkloadDemand) -> bool:
    """Whether the workload's wish for spot shuts out all of its pools."""
    spot = {p.name for p in problem.pools if p.spot}
    return not spot & set(w.pools) if w.spot == "only" else set(w.pools) <= spot


def smaller(problem: Problem) -> dict[str, WorkloadDemand]:
    """Workloads whose pods fit on no type of their pools, with requests that do, cut as little as can be."""
    rooms = {p: [t.room for t in pool_types(problem, p)] for p in problem.pools}
    made = {w.name: _cut(w, rooms) for w in problem.workloads}
    return {w.name: made[w.name] for w in problem.workloads if made[w.name] != w}


def _cut(w: WorkloadDemand, rooms: Mapping[PoolWish, list[Room]]) -> WorkloadDemand:
    need = (w.cpu_milli, w.memory_mib, w.gpu)
    open_to = (p for p in rooms if p.name in w.pools and not (p.spot and w.spot == "never") and (p.gpu or not w.gpu))
    room = largest_fit(need, [room for p in open_to for room in rooms[p]])
    if room is None:
        return w
    cpu, memory, gpu = (min(pair) for pair in zip(need, room, strict=False))
    return replace(w, cpu_milli=cpu, memory_mib=memory, gpu=gpu)


def open_to_all(problem: Problem) -> set[str]:
    """Pools that any workload could be let into: those of the system stay its own."""
    return {p.name for p in problem.pools if p.purpose != "system"}


def ceiling(problem: Problem) -> int:
    """Nodes that no pool can need more of: one a pod, and what minima, zones and spares add."""
    pods = sum(w.seats(problem.zones) for w in problem.workloads)
    if any(w.zone is not None for w in problem.workloads):
        pods *= problem.zones  # as many nodes stand in the other zones
    return pods + problem.zones + MOST_SLOTS + max(p.min for p in problem.pools)


def gpu_pool(problem: Problem) -> str:
    """The name of a pool with GPUs that could be added: one that no pool of the problem has."""
    taken = {p.name for p in problem.pools}
    return next(name for n in count(1) if (name := GPU_POOL if n == 1 else f"{GPU_POOL}-{n}") not in taken)


def lift(problem: Problem, limits: Collection[Limit], every: tuple[InstanceType, ...]) -> Problem:
    """The problem without these limits; `every` type of the region may be used where types are what was lifted."""
    gone = {kind: {s for limit in limits if limit.kind == kind for s in limit.subjects} for kind in WORKLOADS}
    named_pools = {(limit.kind, s) for limit in limits for s in limit.subjects}
    kinds = {limit.kind for limit in limits}
    pools = [_pool(problem, p, named_pools) for p in problem.pools]
    spot = {p.name for p in problem.pools if p.spot}
    jobs = [_job(problem, w, gone, spot) for w in problem.workloads if w.name not in gone["demand"]]
    if "spot_pool" in kinds:  # who could run on spot there only, runs there on demand
        lost = spot - {p.name for p in pools if p.spot}
        jobs = [replace(w, spot="never") if w.spot == "only" and spot & set(w.pools) <= lost else w for w in jobs]
    if "zones" in kinds:
        jobs = [replace(w, survives="none", zone=None) for w in jobs]
    if gone["gpu"]:
        pools.append(PoolWish(name=gpu_pool(problem), gpu=True, max=ceiling(problem), arch=("amd64", "arm64")))
    offered = {t.name: t for t in problem.types}
    if "arch" in kinds:
        known = {arch for p in problem.pools for arch in p.arch}
        offered |= {t.name: t for t in every if t.arch not in known and not t.gpu}
    if "gpu" in kinds:
        offered |= {t.name: t for t in every if t.gpu}
    made = replace(
        problem,
        pools=tuple(pools),
        workloads=tuple(jobs),
        types=tuple(offered[name] for name in sorted(offered)),
        vcpu_quota=None if "quota" in kinds else problem.vcpu_quota,
        budget_usd_month=None if "budget" in kinds else problem.budget_usd_month,
        zones=1 if "zones" in kinds else problem.zones,
        max_age_days=ANY_AGE if "price_age" in kinds else problem.max_age_days,
    )
    if not gone["requests"]:
        return made
    less = {name: w for name, w in smaller(made).items() if name in gone["requests"]}
    return replace(made, workloads=tuple(less.get(w.name, w) for w in made.workloads))


def _job(problem: Problem, w: WorkloadDemand, gone: Mapping[str, set[str]], spot: set[str]) -> WorkloadDemand:
    made = w
    if w.name in gone["spot"]:
        made = replace(made, spot="only" if set(w.pools) <= spot else "never")
    if w.name in gone["pools"]:
        made = replace(made, pools=tuple(sorted({*w.pools, *open_to_all(problem)})))
    if w.name in gone["gpu"]:
        made = replace(made, pools=(*made.pools, gpu_pool(problem)))
    if w.name in gone["spread"]:
        made = replace(made, spread="none")
    if w.name in gone["survives"]:
        made = replace(made, survives="none")
    return replace(made, zone=None) if w.name in gone["zone"] else made


def _pool(problem: Problem, pool: PoolWish, gone: set[tuple[str, str]]) -> PoolWish:
    made = pool
    if ("pool_max", pool.name) in gone:
        made = replace(made, max=max(pool.max, ceiling(problem)))
    if ("pool_min", pool.name) in gone:
        made = replace(made, min=0)
    if ("slots", pool.name) in gone:
        made = replace(made, slots=MOST_SLOTS)
    if ("arch", pool.name) in gone:
        made = replace(made, arch=("amd64", "arm64"))
    if ("spot_pool", pool.name) in gone:
        made = replace(made, spot=False)
    return made
