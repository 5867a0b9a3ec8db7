"""A problem in arrays: classes of equal pods, the pools they may use, the types each pool may use."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from sizing.allocatable import Room
from sizing.catalogue import HOURS_PER_MONTH, InstanceType, fresh, prune
from sizing.packing import Classes, Floats, fit_in
from sizing.plan import Infeasible
from sizing.problem import ON_DEMAND_SHARE, PoolWish, Problem, WorkloadDemand


@dataclass(frozen=True)
class PoolPart:
    """A pool with the types it may use; `price` in USD per month, `room` (type, 4)."""

    wish: PoolWish
    types: tuple[InstanceType, ...]
    price: Floats
    room: Floats
    vcpu: Floats

    def cost(self, slots: Iterable[tuple[int, int, int]]) -> float:
        """What nodes cost a month, in USD; `slots` are (type, working nodes, spares)."""
        return float(sum(self.price[t] * (n + s) for t, n, s in slots))


@dataclass(frozen=True)
class PodClass:
    """Equal pods: `block` is on_demand or flexible (may be interrupted).

    Pods of several workloads are one class where nothing tells them apart; it bears the first one's name.
    """

    workload: str
    block: str
    zone: int
    members: tuple[tuple[str, int], ...]  # (workload, pods), by name
    pools: tuple[int, ...]

    @property
    def count(self) -> int:
        """Pods of all its workloads."""
        return sum(pods for _, pods in self.members)


@dataclass(frozen=True)
class Compiled:
    """One independent part of a problem, ready for the solvers."""

    problem: Problem
    pools: tuple[PoolPart, ...]
    pods: tuple[PodClass, ...]
    classes: Classes
    counts: Floats
    allowed: npt.NDArray[np.bool_]  # (class, pool)
    order: npt.NDArray[np.int64]  # decreasing size: how the scheduler sees them
    bound_first: npt.NDArray[np.int64]  # bound to hosts, then to zones, then the rest; each in decreasing size
    eligible: npt.NDArray[np.bool_]  # (class,) spot-eligible
    needs_zones: npt.NDArray[np.bool_]  # (pool,) must stand in every zone
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)  # answers that come up again

    @property
    def zones(self) -> int:
        """How many zones the cluster has."""
        return self.problem.zones

    @cached_property
    def bears(self) -> dict[tuple[str, str], str]:
        """(workload, block): the workload whose name its class bears."""
        return {(name, pod.block): pod.workload for pod in self.pods for name, _ in pod.members}

    def zoned_groups(self) -> list[list[int]]:
        """Classes of one workload and block that differ in their zone only; several pools to choose from."""
        found: dict[tuple[str, str], list[int]] = {}
        for c, pod in enumerate(self.pods):
            if pod.zone >= 0 and len(pod.pools) > 1:
                found.setdefault((pod.workload, pod.block), []).append(c)
        return [sorted(group, key=lambda c: self.pods[c].zone) for group in found.values()]

    def fits(self, pool: int) -> npt.NDArray[np.bool_]:
        """(class, type): one pod fits on an empty node."""
        return fit_in(self.classes.sizes, self.pools[pool].room)


class ByWorkload:
    """Deals the pods of a part's classes back to their workloads, node by node: the first workload's first."""

    def __init__(self, compiled: Compiled) -> None:
        self._blocks = [pod.block for pod in compiled.pods]
        self._left = [deque(pod.members) for pod in compiled.pods]

    def take(self, pods: npt.NDArray[np.int64]) -> dict[str, dict[str, int]]:
        """One node's pods (class,) as workload -> block -> pods; the next node gets of those that are left."""
        made: dict[str, dict[str, int]] = {}
        for c in np.flatnonzero(pods).tolist():
            block, count, left = self._blocks[c], int(pods[c]), self._left[c]
            while count:
                name, most = left.popleft()
                here = min(most, count)
                if most > here:
                    left.appendleft((name, most - here))
                blocks = made.setdefault(name, {})
                blocks[block] = blocks.get(block, 0) + here
                count -= here
        return made


def pool_types(problem: Problem, wish: PoolWish) -> tuple[InstanceType, ...]:
    """Fresh types of the pool's architectures (with GPUs or without) that have the price it pays, pruned."""
    return _pool_types(
        problem.types,
        problem.as_of,
        problem.max_age_days,
        wish.arch,
        gpu=wish.gpu,
        spot=wish.spot,
        running=problem.running,
    )


@lru_cache(maxsize=64)  # the search for a conflict asks for the same types again and again
def _pool_types(  # noqa: PLR0913
    types: tuple[InstanceType, ...],
    as_of: date,
    days: int,
    arch: tuple[str, ...],
    *,
    gpu: bool,
    spot: bool,
    running: tuple[str, ...],
) -> tuple[InstanceType, ...]:
    young, _ = fresh(types, as_of, days)
    if spot:
        young = tuple(t for t in young if t.spot_date and (as_of - t.spot_date).days <= days)
    fitting = [t for t in young if t.arch in arch and (t.gpu > 0) == gpu and min(t.room[:2]) > 0 and t.room.pods > 0]
    return prune(fitting, spot=spot, running=running)


def stale_types(problem: Problem) -> tuple[str, ...]:
    """Names of types with a price too old to use; a spot price too old is listed as NAME (spot)."""
    found = []
    for t in problem.types:
        if (problem.as_of - t.price_date).days > problem.max_age_days:
            found.append(t.name)
        if t.spot_date and (problem.as_of - t.spot_date).days > problem.max_age_days:
            found.append(f"{t.name} (spot)")
    return tuple(sorted(found))


def parts(problem: Problem) -> tuple[Problem, ...]:
    """Split into problems that share no workload, so that a change stays in its part."""
    names = [pool.name for pool in problem.pools]
    root = {name: name for name in names}

    def find(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    for w in problem.workloads:
        first = find(w.pools[0])
        for other in w.pools[1:]:
            root[find(other)] = first
    groups: dict[str, list[PoolWish]] = {}
    for pool in sorted(problem.pools, key=lambda p: p.name):
        groups.setdefault(find(pool.name), []).append(pool)
    made = []
    for pools in groups.values():
        inside = {pool.name for pool in pools}
        jobs = tuple(w for w in problem.workloads if w.pools[0] in inside)
        made.append(_sub(problem, tuple(pools), jobs))
    return tuple(made)


def _sub(problem: Problem, pools: tuple[PoolWish, ...], jobs: tuple[WorkloadDemand, ...]) -> Problem:
    fields = {key: getattr(problem, key) for key in problem.__dataclass_fields__}
    return Problem(**{**fields, "pools": pools, "workloads": jobs, "notes": {}})


def compile_problem(problem: Problem, single: Container[str] = ()) -> Compiled | Infeasible:
    """Arrays for the solvers, or the reason why no plan can exist that is plain before solving.

    Equal pods of several workloads become one class, but for those of `single`.
    """
    wishes = sorted(problem.pools, key=lambda p: p.name)
    made_pools = []
    for wish in wishes:
        types = pool_types(problem, wish)
        if not types:
            return _no_types(problem, wish)
        price = [(t.spot_effective_usd_hour if wish.spot else t.price_usd_hour) or math.inf for t in types]
        made_pools.append(
            PoolPart(
                wish,
                types,
                np.array(price) * HOURS_PER_MONTH,
                np.array([t.room for t in types], dtype=float),
                np.array([t.vcpu for t in types], dtype=float),
            )
        )
    index = {wish.name: i for i, wish in enumerate(wishes)}
    heads: list[tuple[str, str, int, tuple[int, ...]]] = []
    members: list[list[tuple[str, int]]] = []
    sizes: list[tuple[int, int, int, int]] = []
    host: list[int] = []
    dealt: dict[str, list[tuple[str, int, int, tuple[str, ...]]]] = {}
    zones = Zones(problem.zones)
    for w in sorted(problem.workloads, key=_largest_first):
        blocks = split(problem, w, wishes, zones)
        if isinstance(blocks, Infeasible):
            return blocks
        dealt[w.name] = blocks
    equal: dict[tuple[object, ...], int] = {}
    for number, w in enumerate(sorted(problem.workloads, key=lambda w: w.name)):
        size, apart = (w.cpu_milli, w.memory_mib, w.gpu, 1), w.spread == "host" and w.seats(problem.zones) > 1
        alone = apart or zoned(problem, w) or w.name in single
        for block, zone, count, allowed in dealt[w.name]:
            where = tuple(sorted(index[name] for name in allowed))
            at = len(heads) if alone else equal.setdefault((size, block, zone, where), len(heads))
            if at == len(heads):
                heads.append((w.name, block, zone, where))
                members.append([])
                sizes.append(size)
                host.append(number if apart else -1)
            members[at].append((w.name, count))
    pods = [
        PodClass(name, block, zone, tuple(some), where)
        for (name, block, zone, where), some in zip(heads, members, strict=True)
    ]
    count = len(pods)
    allowed_in = np.zeros((count, len(wishes)), dtype=bool)
    for i, pod in enumerate(pods):
        allowed_in[i, list(pod.pools)] = True
    every = np.array(sizes, dtype=float).reshape(count, 4)
    classes = Classes(every, np.array([p.zone for p in pods], dtype=np.int64), np.array(host, dtype=np.int64))
    keys = sorted(range(count), key=lambda i: scheduling_order(sizes[i], pods[i]))
    needs = np.array(
        [
            problem.zones > 1
            and (w.purpose == "system" or any(p.zone >= 0 and k in p.pools and len(p.pools) == 1 for p in pods))
            for k, w in enumerate(wishes)
        ]
    )
    made = Compiled(
        problem,
        tuple(made_pools),
        tuple(pods),
        classes,
        np.array([p.count for p in pods], dtype=float),
        allowed_in,
        np.array(keys, dtype=np.int64),
        np.array(sorted(keys, key=lambda i: (host[i] < 0, pods[i].zone < 0, keys.index(i))), dtype=np.int64),
        np.array([p.block == "flexible" for p in pods], dtype=bool),
        needs,
    )
    return _too_large(made) or made


def _largest_first(w: WorkloadDemand) -> tuple[int, float, int, str]:
    return (-w.gpu, -max(w.cpu_milli, w.memory_mib / 4), -w.replicas, w.name)


def scheduling_order(size: tuple[int, int, int, int], pod: PodClass) -> tuple[float, float, int, int, str, str, int]:
    """The order pods come to the scheduler: most GPUs first, then most of milli-CPU or MiB / 4, most CPU; then by name.

    Equal pods come one after the other, whatever they are called.
    """
    cpu, memory, gpu, _ = size
    return (-gpu, -max(cpu, memory / 4), -cpu, -memory, pod.workload, pod.block, pod.zone)


class Zones:
    """Where pods that spread over zones begin: workload by workload in the zone that evens the load of their pools."""

    def __init__(self, zones: int) -> None:
        self.zones = zones
        self.load: dict[tuple[str, ...], list[Fraction]] = {}  # by pools

    def begin(self, w: WorkloadDemand, blocks: list[tuple[int, int, tuple[str, ...]]]) -> int:
        """The zone of its first pod, for blocks of (first pod, pods, pools); its pods count from now on."""
        size = Fraction(max(w.cpu_milli, w.memory_mib // 4, 1000 * w.gpu))

        def after(turn: int) -> list[tuple[tuple[str, ...], list[Fraction]]]:
            return [
                (
                    pools,
                    [
                        load + size * sum(1 for k in range(first, first + count) if (k + turn) % self.zones == zone)
                        for zone, load in enumerate(self.load.get(pools, [Fraction(0)] * self.zones))
                    ],
                )
                for first, count, pools in blocks
            ]

        turn = min(range(self.zones), key=lambda turn: (sum(x * x for _, loads in after(turn) for x in loads), turn))
        self.load |= dict(after(turn))
        return turn


def zoned(problem: Problem, w: WorkloadDemand) -> bool:
    """Whether each of its pods has its zone dealt."""
    return (w.spread == "zone" or w.survives == "zone") and problem.zones > 1


def split(
    problem: Problem, w: WorkloadDemand, wishes: list[PoolWish], zones: Zones
) -> list[tuple[str, int, int, tuple[str, ...]]] | Infeasible:
    """A workload as blocks (block, zone or -1, count, allowed pools): its on-demand share, then what may be spot."""
    seats = w.seats(problem.zones)
    kind = {wish.name: wish.spot for wish in wishes}
    steady = tuple(sorted(name for name in set(w.pools) if not kind[name]))
    spot = tuple(sorted(name for name in set(w.pools) if kind[name]))
    if w.spot == "only":
        if not spot:
            return Infeasible(
                constraint="spot_share",
                message=f"workload {w.name} runs on spot only, but none of its pools {sorted(w.pools)} is a spot pool: "
                "name a pool with spot: only, or let the workload be tolerant",
                detail={"workload": w.name},
            )
        firm, loose, loose_pools = 0, seats, spot
    elif not steady:
        return Infeasible(
            constraint="spot_share",
            message=f"workload {w.name} needs {'all' if w.spot == 'never' else '30 %'} of its pods "
            "on demand, but its pools "
            f"{sorted(w.pools)} are all spot: add an on-demand pool, or set spot: only",
            detail={"workload": w.name},
        )
    elif w.spot == "never" or not spot:
        firm, loose, loose_pools = seats, 0, ()
    else:
        firm = math.ceil(Fraction(str(ON_DEMAND_SHARE)) * seats)
        loose, loose_pools = seats - firm, tuple(sorted({*steady, *spot}))
    made = []
    over_zones = zoned(problem, w)
    blocks = [one for one in (("on_demand", 0, firm, steady), ("flexible", firm, loose, loose_pools)) if one[2]]
    turn = zones.begin(w, [one[1:] for one in blocks]) if over_zones else 0
    for block, start, count, allowed in blocks:
        if not over_zones:
            made.append((block, -1 if w.zone is None or problem.zones == 1 else w.zone, count, allowed))
            continue
        for zone in range(problem.zones):
            here = sum(1 for k in range(start, start + count) if (k + turn) % problem.zones == zone)
            if here:
                made.append((block, zone, here, allowed))
    return made


def largest_fit(need: tuple[int, int, int], rooms: Iterable[Room]) -> Room | None:
    """Of several rooms the one that least of what is needed has to be cut for; None without any."""
    asked = [(d, n) for d, n in enumerate(need) if n]
    return min(
        rooms,
        key=lambda room: (max((n / room[d] if room[d] else math.inf for d, n in asked), default=0.0), room),
        default=None,
    )


def _no_types(problem: Problem, wish: PoolWish) -> Infeasible:
    stale = stale_types(problem)
    full = [t for t in problem.types if t.arch in wish.arch and (t.gpu > 0) == wish.gpu]
    if full and not any(min(t.room[:2]) > 0 and t.room.pods > 0 for t in full):
        agents = problem.agents
        return Infeasible(
            constraint="pod_too_large",
            message=f"pool {wish.name}: what the nodes' own agents take ({agents.cpu_milli}m CPU, "
            f"{agents.memory_mib} MiB and {agents.pods} pods a node) leaves no room on any type that it may use: "
            "allow larger types, or switch services with agents off",
            detail={"pool": wish.name, "agents": agents._asdict()},
        )
    price = "spot" if wish.spot else "on-demand"
    kind = f"{' or '.join(wish.arch)}{' GPU' if wish.gpu else ''} instance type at {price} price"
    hint = (
        f"; {len(stale)} prices are older than {problem.max_age_days} days (raise prices.max_age_days)" if stale else ""
    )
    if not hint and wish.spot:
        hint = f": load dated spot prices of {problem.region}, or let the pool be on demand (spot: never)"
    return Infeasible(
        constraint="price_missing",
        message=f"pool {wish.name}: no {kind} in {problem.cloud} {problem.region}{hint}",
        detail={"pool": wish.name, "stale": len(stale)},
    )


def _too_large(made: Compiled) -> Infeasible | None:
    for c, pod in enumerate(made.pods):
        if any(made.fits(k)[c].any() for k in pod.pools):
            continue
        cpu, memory, gpu, _ = (int(v) for v in made.classes.sizes[c])
        largest = {made.pools[k].wish.name: [int(v) for v in made.pools[k].room.max(axis=0)] for k in pod.pools}
        near = largest_fit((cpu, memory, gpu), [t.room for k in pod.pools for t in made.pools[k].types])
        nearest = f"; the nearest leaves {near.cpu_milli}m CPU, {near.memory_mib} MiB, {near.gpu} GPU" if near else ""
        return Infeasible(
            constraint="pod_too_large",
            message=f"workload {pod.workload} asks {cpu}m CPU, {memory} MiB, {gpu} GPU a pod; no type allowed in "
            f"{' or '.join(largest)} has that much room{nearest}",
            detail={"workload": pod.workload, "largest": largest},
        )
    return None
