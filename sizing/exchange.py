"""Pods change places between two pools, some there and some back, and each pool gets the cheapest mix for its pods.

How the programs share pods out knows nothing of what kube-scheduler leaves over on a pool's nodes: large pods without
small ones that fill the rest. The share is therefore searched: pods of one workload leave a pool, as much CPU of
another comes back or not; where the nodes of one of the two pools still hold its pods, mixes are walked for the other
that cost no more in sum. A move that costs the same is kept too: many improvements are two moves away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sizing.compiled import Compiled
from sizing.descent import CENT
from sizing.exactly import exactly
from sizing.greedy import even
from sizing.linear import Ints
from sizing.mixtures import Mixing, cheapest
from sizing.packing import Floats
from sizing.part import PartSolution, within_limits
from sizing.pools import PoolSolution, empty
from sizing.refutations import refutations_of

SHARES = (0.02, 0.1, 0.25, 0.5, 1.0)  # of a workload's pods in one pool that move together
BACK = 0.6  # of the moves bring as much CPU back
PODS, KINDS = 2_000, 100  # a part with more pods, or more kinds of them, gets fewer moves: each takes longer


@dataclass(frozen=True)
class Exchange:
    """Fixed numbers: moves tried, and how all mixes are searched after each."""

    moves: int
    mixing: Mixing


def exchange(compiled: Compiled, made: PartSolution, effort: Exchange) -> PartSolution:
    """The solution after so many moves, the cheapest that was met; never dearer, the same for the same seed."""
    groups = _groups(compiled)
    if not effort.moves or not groups:
        return made
    rng = np.random.default_rng([compiled.problem.seed % 2**63, 4])
    for k in range(len(compiled.pools)):
        refutations_of(compiled, k)  # what is learnt of mixes stays when a move is forgotten
    many = compiled.counts.sum() / PODS, len(compiled.counts) / KINDS
    for _ in range(max(1, int(effort.moves / max(1.0, *many)))):
        known = len(compiled.memo)
        pods = _moved(compiled, made.pods(), groups, rng)
        better = _judged(compiled, made, pods, effort.mixing) if pods is not None else None
        if better is not None:
            made = better
            continue
        while len(compiled.memo) > known:
            compiled.memo.popitem()
    return made


def _groups(compiled: Compiled) -> list[list[int]]:
    """Classes that move together, those that have a choice of pools: a spread workload's over all zones."""
    zoned = compiled.zoned_groups()
    inside = {c for group in zoned for c in group}
    return zoned + [[c] for c, pod in enumerate(compiled.pods) if c not in inside and len(pod.pools) > 1]


def _moved(compiled: Compiled, pods: Floats, groups: list[list[int]], rng: np.random.Generator) -> Floats | None:
    """(class, pool) after a move drawn by chance; None where no pods have a choice."""
    held = [(group, k) for group in groups for k in range(pods.shape[1]) if pods[group, k].any()]
    if not held:
        return None
    group, here = held[rng.integers(len(held))]
    there = int(rng.choice([k for k in np.flatnonzero(compiled.allowed[group[0]]) if k != here]))
    cpu = compiled.classes.sizes[:, 0]
    amount = max(1, round(float(pods[group, here].sum()) * rng.choice(SHARES)))
    made = pods.copy()
    _move(made, group, here, there, amount)
    others = [g for g in groups if g is not group and pods[g, there].any() and compiled.allowed[g[0], here]]
    if others and rng.random() < BACK:
        other = others[rng.integers(len(others))]
        _move(made, other, there, here, max(1, round(amount * cpu[group[0]] / max(cpu[other[0]], 1e-9))))
    return even(compiled, made)


def _move(pods: Floats, group: list[int], here: int, there: int, amount: float) -> None:
    for c in group:
        some = min(float(pods[c, here]), amount)
        pods[c, here] -= some
        pods[c, there] += some
        amount -= some


def _judged(compiled: Compiled, made: PartSolution, pods: Floats, mixing: Mixing) -> PartSolution | None:
    """The solution with these pods (class, pool), at no greater cost; None where that was not found."""
    changed = [k for k, one in enumerate(made.pools) if tuple(pods[:, k].astype(int).tolist()) != one.counts]
    pools: dict[int, PoolSolution] = {}
    left = sum(made.pools[k].cost for k in changed)
    wanting = []
    for k in changed:
        stays = _stays(compiled, made.pools[k], pods[:, k])
        if stays is None:
            wanting.append(k)
            if len(wanting) > 1:
                return None
            continue
        pools[k] = cheapest(compiled, stays, 1.0, mixing) if any(stays.counts) else stays
        left -= pools[k].cost
    for k in wanting:  # whatever holds its pods for what is left
        counts: Ints = pods[:, k].astype(np.int64)
        asked = replace(made.pools[k], cost=left + 2 * CENT, counts=tuple(counts.tolist()))
        pools[k] = cheapest(compiled, asked, 1.0, mixing)
        if pools[k] is asked:
            return None
    better = PartSolution(tuple(pools.get(k, one) for k, one in enumerate(made.pools)))
    dearer = round(better.cost, 6) > round(made.cost, 6)
    return None if dearer or not within_limits(compiled, better) else better


def _stays(compiled: Compiled, one: PoolSolution, counts: Floats) -> PoolSolution | None:
    """The pool's nodes with other pods, where they hold them; no node too many where no pods are left."""
    return exactly(compiled, one.pool, one.slots, counts) if counts.any() else empty(compiled, one.pool)
