"""Two autoscalers everybody knows, as rivals: what they would buy as published, and on the same terms as our plans.

As published they keep none of the problem's hard limits that they do not know: no spare node (N+1), no node in each
zone, no share of a tolerant workload on demand, no cap on one spot pool; and kube-scheduler may find no place on nodes
that they packed by first fit. Such a plan is judged by the verifier, and what it breaks is listed: it is no rival plan.

On equal terms the same algorithm gets the same shares of spot, and goes on buying until the verifier accepts: nodes for
pods that kube-scheduler leaves pending, a node in each zone, the cheapest spares that take over any node's pods: all of
them of types that the autoscaler can buy, which for Cluster Autoscaler are those of its node groups. What only our own
node pools are held to (so many types a pool, nodes even over the zones) binds no rival.

Two rivals are the hardest, not the usual ones: nobody knows beforehand what they know. Karpenter fills the largest
types there are, and a spare for a node of 96 vCPU is dear: `karpenter_sized` is the same algorithm with the limit on a
node's size (`karpenter.k8s.aws/instance-cpu` in a NodePool) that turns out cheapest for each pool. Cluster Autoscaler
gets one type for all its groups, as they are made by hand; `cluster_autoscaler_by_pool` has in each pool the type of
that shape that is cheapest there, arm64 where the pool allows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final

import numpy as np

from sizing import autoscaler, karpenter
from sizing.catalogue import HOURS_PER_MONTH
from sizing.compiled import ByWorkload, Compiled, compile_problem, parts
from sizing.greedy import cheapest_pool_first, even
from sizing.karpenter import Fleet
from sizing.packing import Floats, fit_in, spread_fit
from sizing.plan import Infeasible
from sizing.pools import least_nodes
from sizing.problem import Problem
from sizing.scheduler import kinds, schedule
from sizing.verify import verify

LARGEST: Final = (8, 16, 32, 48, 64)
"""vCPU of the largest node, tried for `karpenter_sized`."""
ANY_SIZE: Final = 10_000
ONE_BY_ONE: Final = 2500  # pods of a pool up to which kube-scheduler is followed pod by pod
CONSOLIDATED: Final = 5000  # pods of a pool up to which consolidation is played
ROUNDS: Final = 60  # of buying for pods that are left pending
SHAPE: Final = ("stand unevenly over the zones: ",)  # of node groups, not of the demand
BROKEN: Final = {
    "N+1": "N+1",
    "a zone has no node": "a node in each zone",
    "at least 30 %": "30 % on demand",
    "more than 60 %": "60 % in one spot pool",
    "the quota is": "quota",
    " nodes, wished ": "a pool's min or max",
    "pending": "kube-scheduler",
    "evenly over the zones": "even spread",
}

Buy = Callable[[Fleet, Floats], bool]


@dataclass(frozen=True)
class Way:
    """One autoscaler in one pool: what buys for pods, and of which types it can buy at all for such pods (class,)."""

    buy: Callable[[Compiled, int], Buy]
    types: Callable[[Compiled, int, Floats], list[int]]


@dataclass(frozen=True)
class Rival:
    """One autoscaler: USD a month as published and what that plan breaks; on equal terms (infinite: no plan, `why`)."""

    name: str
    published: float
    breaks: tuple[str, ...]
    equal_terms: float
    why: tuple[str, ...] = ()


def baselines(problem: Problem) -> dict[str, float]:
    """Cost on equal terms in USD per month by name; infinite where the algorithm finds no plan."""
    return {rival.name: rival.equal_terms for rival in rivals(problem)}


def rivals(problem: Problem) -> tuple[Rival, ...]:
    """The autoscalers, as published and on equal terms."""
    made = []
    groups = [Way(_autoscaler, autoscaler.groups)]
    known: tuple[tuple[str, Problem, list[Way]], ...] = (
        ("karpenter", problem, [_karpenter(ANY_SIZE)]),
        ("karpenter_sized", problem, [_karpenter(most) for most in (*LARGEST, ANY_SIZE)]),
        ("cluster_autoscaler", autoscaler.one_type(problem), groups),
        ("cluster_autoscaler_by_pool", problem, groups),
    )
    for name, offered, ways in known:
        cost, breaks = _judged(problem, _fleets(_careless(offered), ways[-1:], complete=False))
        bought = _fleets(offered, ways, complete=True)
        fair, wrong = _judged(problem, bought)
        if wrong == [BROKEN["pending"]] and not isinstance(bought, str) and any(_large(fleet) for fleet in bought):
            wrong = [f"kube-scheduler is not followed pod by pod above {ONE_BY_ONE:,} pods a pool, and leaves some"]
        made.append(Rival(name, cost, tuple(sorted(breaks)), float("inf") if wrong else fair, tuple(wrong)))
    return tuple(made)


def _large(fleet: Fleet) -> bool:
    return int(fleet.held().sum()) > ONE_BY_ONE


def _careless(problem: Problem) -> Problem:
    """The same demand to one who knows no shares: what may be interrupted runs on spot altogether."""
    spot = {p.name for p in problem.pools if p.spot}
    jobs = tuple(
        replace(w, spot="only") if w.spot == "tolerant" and spot & set(w.pools) else w for w in problem.workloads
    )
    return replace(problem, workloads=jobs, notes={})


def _karpenter(most: int) -> Way:
    def types(compiled: Compiled, pool: int, _: Floats) -> list[int]:
        return [int(t) for t in np.flatnonzero(compiled.pools[pool].vcpu <= most)]

    def of(compiled: Compiled, pool: int) -> Buy:
        some = np.array(types(compiled, pool, compiled.counts), dtype=np.int64)

        def buy(fleet: Fleet, counts: Floats) -> bool:
            first = not fleet.kinds
            if not len(some) or not karpenter.provision(fleet, counts, some):
                return False
            if first and counts.sum() <= CONSOLIDATED:
                made = karpenter.consolidate(fleet, some)
                fleet.kinds, fleet.zones, fleet.pods = made.kinds, made.zones, made.pods
            return True

        return buy

    return Way(of, types)


def _autoscaler(compiled: Compiled, pool: int) -> Buy:
    def buy(fleet: Fleet, counts: Floats) -> bool:
        return autoscaler.scale_up(fleet, counts, autoscaler.groups(compiled, pool, counts))

    return buy


def _fleets(problem: Problem, ways: list[Way], *, complete: bool) -> list[Fleet] | str:
    """The nodes of every pool, the cheapest of `ways` each; in words where there are none."""
    made: list[Fleet] = []
    for part in parts(problem):
        compiled = compile_problem(part)
        if isinstance(compiled, Infeasible):
            return compiled.message
        pods = cheapest_pool_first(compiled) if complete else _cheapest_pool(compiled)
        for k in range(len(compiled.pools)):
            options = [fleet for way in ways if (fleet := _fleet(compiled, k, pods[:, k], way, complete=complete))]
            if not options:
                return f"pool {compiled.pools[k].wish.name}: pods stay pending whatever is bought"
            made.append(min(options, key=lambda fleet: fleet.cost))
    return made


def _cheapest_pool(compiled: Compiled) -> Floats:
    """(class, pool): every class in the pool where its share of a node costs least, whatever the shares."""
    x = np.zeros((len(compiled.pods), len(compiled.pools)))
    for c, pod in enumerate(compiled.pods):

        def cost(k: int, c: int = c) -> tuple[float, int]:
            part = compiled.pools[k]
            share = (compiled.classes.sizes[c] / np.maximum(part.room, 1e-9)).max(axis=1)
            return float(np.where(share <= 1, share * part.price, np.inf).min()), k

        x[c, min(pod.pools, key=cost)] = compiled.counts[c]
    return even(compiled, x)


def _fleet(compiled: Compiled, pool: int, counts: Floats, way: Way, *, complete: bool) -> Fleet | None:
    fleet = Fleet(compiled, pool)
    buy = way.buy(compiled, pool)
    types = way.types(compiled, pool, counts)
    if counts.any() and not buy(fleet, counts):
        return None
    if not complete:
        return fleet
    worked = fleet.without(set())
    for _ in range(ROUNDS):
        whole = _kept(worked, counts, types)
        if whole is None:
            return None
        waits = _pending(whole, counts)
        if not waits.any():
            return whole
        # a node for the pods that wait; in the witness they stay where first fit had put them
        more = Fleet(compiled, pool)
        if not buy(more, waits):
            return None
        worked = Fleet(compiled, pool, worked.kinds + more.kinds, worked.zones[:], worked.pods[:])
        for _ in more.kinds:
            zone = min(range(compiled.zones), key=lambda z: (worked.zones.count(z), z))
            worked.zones.append(zone)
            worked.pods.append(np.zeros(len(compiled.pods), dtype=np.int64))
    return None


def _kept(fleet: Fleet, counts: Floats, types: list[int]) -> Fleet | None:
    """With the cheapest spares of these types that take over any node's pods, and a node where the pool must stand."""
    compiled, part = fleet.compiled, fleet.compiled.pools[fleet.pool]
    if not types:
        return None
    made = fleet.without(set())
    least = least_nodes(compiled, fleet.pool, counts)
    none = np.zeros(len(compiled.pods), dtype=np.int64)
    spares: list[int] = []
    if counts.any() and not part.wish.spot:
        held = made.held()
        loads = (held @ compiled.classes.sizes)[held.any(axis=1)]
        empty = [t for t, pods in zip(made.kinds, made.pods, strict=True) if not pods.any()]
        loads = loads[~fit_in(loads, part.room[empty]).any(axis=1)] if empty else loads
        spares = [types[i] for i in _spares(loads, part.room[types], part.price[types])] if len(loads) else []
    cheapest = min(types, key=lambda t: float(part.price[t]))
    needed = compiled.zones if least >= compiled.zones and least > part.wish.min else 0
    every = needed or (compiled.zones if compiled.needs_zones[fleet.pool] else 0)
    lacking = [z for z in range(every) if z not in made.zones]
    for kind in spares:
        made.add(kind, none.copy(), lacking.pop(0) if lacking else -1)
    for zone in lacking:
        made.add(cheapest, none.copy(), zone)
    while len(made.kinds) < least:
        made.add(cheapest, none.copy())
    return made


def _spares(loads: Floats, room: Floats, price: Floats) -> tuple[int, ...]:
    """The cheapest one or two types on one of which each load fits."""
    fits = fit_in(loads, room)
    whole = np.flatnonzero(fits.all(axis=0))
    best: tuple[float, tuple[int, ...]] = (float("inf"), ())
    if len(whole):
        one = int(whole[price[whole].argmin()])
        best = (float(price[one]), (one,))
    for a, b in combinations(range(len(price)), 2):
        cost = float(price[a] + price[b])
        if cost < best[0] - 1e-9 and (fits[:, a] | fits[:, b]).all():
            best = (cost, (a, b))
    return best[1]


def _pending(fleet: Fleet, counts: Floats) -> Floats:
    """Pods by class that kube-scheduler leaves pending on these nodes, empty ones included."""
    compiled, part = fleet.compiled, fleet.compiled.pools[fleet.pool]
    if not counts.any():
        return np.zeros(len(counts))
    ranked = sorted(range(len(fleet.kinds)), key=lambda i: (not fleet.pods[i].any(), i))
    zones = np.array([fleet.zones[i] for i in ranked], dtype=np.int64)
    room = part.room[[fleet.kinds[i] for i in ranked]]
    order = compiled.order[counts[compiled.order] > 0]
    left: Floats = spread_fit(
        compiled.classes, counts[None], np.ascontiguousarray(room.T)[:, None, :], zones, order
    ).left[0]
    if left.any() or counts.sum() > ONE_BY_ONE:
        return left
    wanted = kinds(compiled, counts)
    draws, seed = 8, compiled.problem.seed
    if not schedule(wanted, room, zones, draws, seed, first=True):
        return left
    low, high = 1, len(wanted)
    while low < high:  # the first kind that finds no room
        middle = (low + high) // 2
        if schedule(wanted[:middle], room, zones, draws, seed, first=True):
            high = middle
        else:
            low = middle + 1
    stuck = schedule(wanted[:low], room, zones, draws, seed)
    mine = [c for c in compiled.order if counts[c] > 0]
    seen: list[tuple[str, str]] = []
    for c in mine:
        name = (compiled.pods[c].workload, compiled.pods[c].block)
        if name not in seen:
            seen.append(name)
    for c in mine:
        if (compiled.pods[c].workload, compiled.pods[c].block) == seen[low - 1] and stuck > 0:
            left[c] = min(stuck, counts[c])
            stuck -= int(left[c])
    return left


def _judged(problem: Problem, fleets: list[Fleet] | str) -> tuple[float, list[str]]:
    """Cost, and what the plan breaks in the eyes of the verifier."""
    if isinstance(fleets, str):
        return float("inf"), [fleets]
    given, plan = _written(problem, fleets)
    found: dict[str, None] = {}
    for sentence in verify(given, plan):
        if any(mark in sentence for mark in SHAPE) and sentence.startswith("pool "):
            continue
        found[next((told for mark, told in BROKEN.items() if mark in sentence), sentence)] = None
    return round(sum(fleet.cost for fleet in fleets), 4), list(found)


def _written(problem: Problem, fleets: list[Fleet]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The problem with as many slots as types are used, and the rival's nodes as a plan that the verifier can read."""
    given = problem.to_object()
    rows: list[dict[str, Any]] = []
    assignment: dict[str, list[dict[str, Any]]] = {}
    named = {id(fleet.compiled): ByWorkload(fleet.compiled) for fleet in fleets}  # of each part
    for fleet in fleets:
        part = fleet.compiled.pools[fleet.pool]
        used = sorted(set(fleet.kinds)) or [int(part.price.argmin())]
        next(p for p in given["pools"] if p["name"] == part.wish.name)["slots"] = len(used)
        for slot, kind in enumerate(used):
            nodes = [
                {"zone": zone, "pods": named[id(fleet.compiled)].take(pods)}
                for t, zone, pods in zip(fleet.kinds, fleet.zones, fleet.pods, strict=True)
                if t == kind
            ]
            one = part.types[kind]
            hour = (one.spot_price_usd_hour if part.wish.spot else one.price_usd_hour) or 0.0
            rows.append(
                {
                    "pool": part.wish.name, "slot": slot, "instance_type": one.name, "spot": part.wish.spot,
                    "min": len(nodes), "desired": len(nodes), "max": len(nodes),
                    "nodes_cost_usd": round(hour * HOURS_PER_MONTH * len(nodes), 2),
                }
            )  # fmt: skip
            assignment[f"{part.wish.name}-{slot}"] = nodes
    cost = sum(fleet.cost for fleet in fleets)
    return given, {
        "pools": rows, "assignment": assignment, "notes": {}, "cost_usd_month": cost, "bound_usd_month": 0.0,
    }  # fmt: skip
