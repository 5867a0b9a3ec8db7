"""Keep the plan that runs: a new one replaces it when it saves more than the threshold, or when it no longer holds."""

from __future__ import annotations

import numpy as np

from sizing.compiled import Compiled
from sizing.exactly import continued, exactly
from sizing.greedy import share_out
from sizing.packing import Floats
from sizing.part import PartSolution, within_limits
from sizing.plan import Plan, PoolPlan
from sizing.pools import (
    FIRST,
    SPREAD,
    Ints,
    PoolSolution,
    best_single,
    empty,
    finish,
    grow,
    least_nodes,
    pack,
    scheduler_accepts,
    settle,
    spare_slots,
)
from sizing.steps import between, changed, stepped


def choose(
    compiled: Compiled, new: PartSolution, previous: Plan | None, most_changed: int | None = None
) -> tuple[PartSolution, str]:
    """The plan to apply, and what became of the previous one.

    "kept": it holds and is near; "adjusted": its types are kept; "stepped": at most `most_changed` nodes change, and
    more would have to; "no": a new plan.
    """
    if previous is None:
        return new, "no"
    most = new.cost / (1 - compiled.problem.threshold) + 1e-6
    pods = _pods(compiled, previous)
    kept = [_kept(compiled, k, pods[:, k], previous) for k in range(len(compiled.pools))]
    same = _whole(compiled, kept)
    if same is not None and same.cost <= most:
        return same, "kept"
    options = [
        [pool or _near(compiled, k, pods[:, k], previous) for k, pool in enumerate(kept)],
        _others(compiled, kept, pods, previous),
        [_near(compiled, k, pods[:, k], previous) for k in range(len(kept))],
    ]
    near = [whole for pools in options if (whole := _whole(compiled, pools)) is not None]
    best = _calmest(compiled, new, [*near, *(between(compiled, same, new) if same else ())], previous)
    if most_changed is None or changed(compiled, best, previous) <= most_changed:
        return best, "no" if best is new else "adjusted"
    return stepped(compiled, [*([same] if same else []), *near], best, previous, most_changed), "stepped"


def _calmest(compiled: Compiled, new: PartSolution, others: list[PartSolution], previous: Plan) -> PartSolution:
    """The plan that changes fewest types, then fewest nodes, and is dearer than the new one by the threshold at most.

    By half of it first: a plan that just keeps the threshold would be given up at the next chance.
    """
    mine = {part.wish.name for part in compiled.pools}
    before = {(row.pool, row.instance_type) for row in previous.pools if row.min and row.pool in mine}
    for share in (0.5, 1.0):
        most = new.cost / (1 - compiled.problem.threshold * share) + 1e-6
        fine = [other for other in others if other.cost <= most]
        best = min(
            [new, *fine],
            key=lambda one: (
                len(_kinds(compiled, one) ^ before),
                changed(compiled, one, previous),
                round(one.cost, 6),
            ),
        )
        if best is not new:
            return best
    return new


def _kinds(compiled: Compiled, made: PartSolution) -> set[tuple[str, str]]:
    """Pool and type of every node pool that has nodes."""
    parts = compiled.pools
    return {(parts[p.pool].wish.name, parts[p.pool].types[t].name) for p in made.pools for t, n, s in p.slots if n + s}


def _whole(compiled: Compiled, pools: list[PoolSolution | None]) -> PartSolution | None:
    fine = [pool for pool in pools if pool is not None]
    made = PartSolution(tuple(fine))
    return made if len(fine) == len(pools) and within_limits(compiled, made) else None


def _others(
    compiled: Compiled, kept: list[PoolSolution | None], pods: Floats, previous: Plan
) -> list[PoolSolution | None]:
    """Nodes only added to those that run, never taken away."""
    made = []
    for k, pool in enumerate(kept):
        slots = None if pool else _slots(compiled, k, previous)
        if pool or not slots or not pods[:, k].any():
            made.append(pool or _near(compiled, k, pods[:, k], previous))
            continue
        types, numbers = tuple(t for t, _, _ in slots), np.array([n for _, n, _ in slots], dtype=np.int64)
        spare = 0 if compiled.pools[k].wish.spot else 1
        options = []
        for manner in (FIRST, SPREAD):
            more = grow(compiled, k, types, numbers, pods[:, k], compiled.pools[k].wish.max - spare, manner)
            found = None if more is None else finish(compiled, k, types, more, pods[:, k], manner)
            options += [found] if found else []
        made.append(min(options, key=lambda o: o.nodes) if options else _near(compiled, k, pods[:, k], previous))
    return made


def _slots(compiled: Compiled, pool: int, previous: Plan) -> list[tuple[int, int, int]] | None:
    """(type, working, spare) of the previous plan in its fill order; None when a type is no longer offered."""
    part = compiled.pools[pool]
    index = {t.name: i for i, t in enumerate(part.types)}
    merged: dict[int, tuple[int, int]] = {}
    for row in _filled(part.wish.name, previous):
        if row.instance_type not in index:
            return None
        n, s = merged.get(index[row.instance_type], (0, 0))
        merged[index[row.instance_type]] = (n + row.min - row.spare, s + row.spare)
    return [(t, n, s) for t, (n, s) in merged.items()]


def _filled(pool: str, previous: Plan) -> list[PoolPlan]:
    """The slots of a pool that have nodes in the previous plan, in its fill order."""
    rows = {p.slot: p for p in previous.pools if p.pool == pool and p.min > 0}
    order = previous.notes.get("fill_order", {}).get(pool, sorted(rows))
    return [rows[slot] for slot in order if slot in rows]


def _placed(compiled: Compiled, previous: Plan) -> dict[tuple[str, str, int], Floats]:
    """(pool,) pods of each class's workload, block and zone, as the previous plan's witness has them."""
    names = {part.wish.name: k for k, part in enumerate(compiled.pools)}
    stood: dict[tuple[str, str, int], Floats] = {}
    for key, nodes in previous.assignment.items():
        k = names.get(key.rsplit("-", 1)[0])
        for node in nodes if k is not None else ():
            for workload, blocks in node["pods"].items():
                for block, count in blocks.items():
                    name = compiled.bears.get((workload, block), workload)
                    stood.setdefault((name, block, node["zone"]), np.zeros(len(names)))[k] += count
    return stood


def _pods(compiled: Compiled, previous: Plan) -> Floats:
    """(class, pool) pods, shared over the pools as the previous plan shared the workload's block."""
    stood, none = _placed(compiled, previous), np.zeros(len(compiled.pools))
    share: dict[tuple[str, str], Floats] = {}
    for (workload, block, _), held in stood.items():
        share[workload, block] = share.get((workload, block), 0) + held
    wanted = np.zeros((len(compiled.pods), len(compiled.pools)))
    same: dict[tuple[str, str], bool] = {}
    for c, pod in enumerate(compiled.pods):
        before = share.get((pod.workload, pod.block), none) * compiled.allowed[c]
        here = stood.get((pod.workload, pod.block, pod.zone), none) if pod.zone >= 0 else before
        alike = bool(here.sum() == compiled.counts[c]) and not here[~compiled.allowed[c]].any()
        same[pod.workload, pod.block] = same.get((pod.workload, pod.block), True) and alike
        if not before.any():
            before = compiled.allowed[c].astype(float)
        wanted[c] = compiled.counts[c] * before / before.sum()
    made = share_out(compiled, wanted)
    for c, pod in enumerate(compiled.pods):
        if same[pod.workload, pod.block]:  # as many as before: they stay where they are, zone by zone
            key_ = (pod.workload, pod.block, pod.zone)
            made[c] = stood[key_] if pod.zone >= 0 else share[pod.workload, pod.block]
    return made


def _kept(compiled: Compiled, pool: int, counts: Floats, previous: Plan) -> PoolSolution | None:
    """Exactly the previous nodes, if they still hold the pods with a spare and keep the wish."""
    part, slots = compiled.pools[pool], _slots(compiled, pool, previous)
    if slots is None:
        return None
    total = sum(n + s for _, n, s in slots)
    if not least_nodes(compiled, pool, counts) <= total <= part.wish.max or len(slots) > part.wish.slots:
        return None
    if not counts.any():
        idle = empty(compiled, pool)
        cost = part.cost(slots)
        return (
            PoolSolution(pool, tuple((t, 0, n + s) for t, n, s in slots), cost, idle.counts, FIRST) if slots else idle
        )
    types = tuple(t for t, _, _ in slots)
    cost = part.cost(slots)
    trial = np.array([[n for _, n, _ in slots]], dtype=np.int64)
    if not trial.any():
        return None
    for manner in (FIRST, SPREAD):
        _, packed = pack(compiled, pool, types, trial, counts, manner)
        if packed.left.any():
            continue
        if not part.wish.spot:
            spared = {i for i, (_, _, s) in enumerate(slots) if s}
            if not set(spare_slots(compiled, pool, types, trial, counts, manner)) <= spared:
                continue
        made = PoolSolution(pool, tuple(slots), cost, tuple(int(c) for c in counts), manner)
        if scheduler_accepts(compiled, made):
            return made
    stood = _stood(compiled, pool, previous)
    same = None if stood is None else continued(compiled, pool, tuple(slots), counts, stood)
    return same or exactly(compiled, pool, tuple(slots), counts)


def _stood(compiled: Compiled, pool: int, previous: Plan) -> Ints | None:
    """(class, working node) pods as the previous plan has them; None where its nodes are not those of its slots."""
    part = compiled.pools[pool]
    rows = _filled(part.wish.name, previous)
    if len({row.instance_type for row in rows}) < len(rows):
        return None
    number = {(pod.workload, pod.block, pod.zone): c for c, pod in enumerate(compiled.pods)}
    nodes = []
    for row in rows:
        every = previous.assignment.get(f"{part.wish.name}-{row.slot}", [])
        nodes += sorted(every, key=lambda node: not node["pods"])[: row.min - row.spare]
    placed: Ints = np.zeros((len(compiled.pods), len(nodes)), dtype=np.int64)
    for n, node in enumerate(nodes):
        for workload, blocks in node["pods"].items():
            for block, count in blocks.items():
                name = compiled.bears.get((workload, block), workload)
                bound = number.get((name, block, node["zone"]))
                free = number.get((name, block, -1))
                if bound is not None or free is not None:  # a workload that is gone leaves room
                    placed[bound if bound is not None else free, n] += count
    return placed


def _near(compiled: Compiled, pool: int, counts: Floats, previous: Plan) -> PoolSolution | None:
    """The previous types in other numbers."""
    slots = _slots(compiled, pool, previous)
    start = {t: max(n, 1) for t, n, _ in slots} if slots else {}
    return settle(compiled, pool, counts, start) if start else best_single(compiled, pool, counts)
