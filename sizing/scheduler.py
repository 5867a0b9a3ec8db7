"""kube-scheduler as it decides: one pod at a time, largest first, filters then scores, ties by chance.

Scores of NodeResourcesFit (LeastAllocated) and NodeResourcesBalancedAllocation, weight 1 each, in whole points, as in
Kubernetes 1.36.3, pkg/scheduler/framework/plugins/noderesources; filters of node resources, hard zone spread with
maxSkew 1 per workload and pool, one pod a host. Ties fall at random there, so several draws are made here: a plan is
accepted when each of them leaves no pod pending. Not followed: sampling of nodes above 100, preemption.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sizing.compiled import Compiled
from sizing.packing import Floats
from sizing.pools import PoolSolution, node_zones

DRAWS = 8
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Kind:
    """Equal pods of a workload and block in one pool."""

    size: Floats
    count: int
    spread: bool
    host: int
    zone: int = -1  # of its volumes


def kinds(compiled: Compiled, counts: Floats) -> list[Kind]:
    """What the scheduler sees of a pool's pods, in the order it sees them; zones are its own choice."""
    found: dict[tuple[str, str], list[int]] = {}
    for c in compiled.order.tolist():
        if counts[c] > 0:
            found.setdefault((compiled.pods[c].workload, compiled.pods[c].block), []).append(c)
    classes = compiled.classes
    pinned = {w.name: w.zone for w in compiled.problem.workloads} if compiled.zones > 1 else {}
    return [
        Kind(
            classes.sizes[group[0]],
            int(counts[group].sum()),
            bool(classes.zone[group[0]] >= 0) and pinned.get(compiled.pods[group[0]].workload) is None,
            int(classes.host[group[0]]),
            -1 if (zone := pinned.get(compiled.pods[group[0]].workload)) is None else zone,
        )
        for group in found.values()
    ]


def pending(compiled: Compiled, made: PoolSolution, draws: int = DRAWS, *, first: bool = False) -> int:
    """Pods left without a node in the worst draw, on all nodes of the pool; `first` stops at the first such pod."""
    room = compiled.pools[made.pool].room
    types = [t for t, n, _ in made.slots for _ in range(n)] + [t for t, _, s in made.slots for _ in range(s)]
    if not types:
        return int(sum(made.counts))
    zones = node_zones(compiled, len(types))
    wanted = kinds(compiled, np.array(made.counts, dtype=float))
    if first and not once(wanted, room[types], zones):
        return 1  # most that fail do so in the first draw
    return schedule(wanted, room[types], zones, draws, compiled.problem.seed, first=first)


def once(wanted: list[Kind], room: Floats, zones: Ints) -> bool:
    """Whether all pods find a node in the one draw in which ties fall to the first node: a fifth of the time of all."""
    free, whole = room.copy(), np.maximum(room[:, :2], 1.0)
    taken: dict[int, npt.NDArray[np.bool_]] = {}
    every = [np.flatnonzero(zones == zone) for zone in range(int(zones.max()) + 1)]
    for kind in wanted:
        size, alone = kind.size, kind.host >= 0
        fits = (free >= size).all(axis=1)
        if kind.zone >= 0:
            fits &= zones == kind.zone
        if alone:
            fits &= ~taken.setdefault(kind.host, np.zeros(len(room), dtype=bool))
        score = np.where(fits, _scores(free[:, 0], free[:, 1], size, whole[:, 0], whole[:, 1]), -1.0)
        sides = every if kind.spread else [np.arange(len(room))]
        held = [0] * len(sides)
        for _ in range(kind.count):
            least = min(held)
            heads = [
                (-float(score[side[at]]), int(side[at]), z)
                for z, side in enumerate(sides)
                if held[z] == least and len(side) and score[side[at := int(score[side].argmax())]] >= 0
            ]
            if not heads:
                return False
            _, node, z = min(heads)
            held[z] += 1
            free[node] -= size
            if alone:
                taken[kind.host][node] = True
            again = not alone and bool((free[node] >= size).all())
            one = [float(v) for v in (*free[node, :2], *whole[node])]
            score[node] = _score(one, float(size[0]), float(size[1])) if again else -1.0
    return True


def _scores(cpu: Floats, memory: Floats, size: Floats, most: Floats, held: Floats) -> Floats:
    """LeastAllocated and BalancedAllocation of all nodes, as in `schedule`."""
    before = 1 - cpu / most, 1 - memory / held
    after = before[0] + size[0] / most, before[1] + size[1] / held
    least = (np.floor((1 - after[0]) * 100 + 1e-9) + np.floor((1 - after[1]) * 100 + 1e-9)) // 2
    with_pod, without = (np.floor((1 - np.abs(a - b) / 2) * 100 + 1e-9) for a, b in (after, before))
    made: Floats = least + 50 + (50 + with_pod - without) // 2
    return made


def _score(node: list[float], cpu: float, memory: float) -> float:
    """The same of one node: free CPU and memory, all CPU and memory."""
    before = 1 - node[0] / node[2], 1 - node[1] / node[3]
    after = before[0] + cpu / node[2], before[1] + memory / node[3]
    least = (int((1 - after[0]) * 100 + 1e-9) + int((1 - after[1]) * 100 + 1e-9)) // 2
    with_pod, without = (int((1 - abs(a - b) / 2) * 100 + 1e-9) for a, b in (after, before))
    return least + 50 + (50 + with_pod - without) // 2


def schedule(wanted: list[Kind], room: Floats, zones: Ints, draws: int, seed: int, *, first: bool = False) -> int:  # noqa: PLR0913
    """The worst number of pods left over `draws` draws; `room` (node, 4)."""
    rng = np.random.default_rng(seed)
    whole = np.maximum(room[:, :2], 1.0).T[:, None, :]
    free = np.repeat(room.T[:, None, :], draws, axis=1)
    lots = rng.random((64, draws, len(room)))  # ties; reused round and round
    there = np.arange(draws)
    in_zone = np.eye(int(zones.max()) + 1, dtype=np.int64)[zones]  # node, zone
    taken: dict[int, npt.NDArray[np.bool_]] = {}
    left = np.zeros(draws, dtype=np.int64)
    turn = 0
    for kind in wanted:
        wants = np.flatnonzero(kind.size)
        size = kind.size[:2, None, None]
        held = np.zeros((draws, in_zone.shape[1]), dtype=np.int64)
        hosts = taken.setdefault(kind.host, np.zeros((draws, len(room)), dtype=bool)) if kind.host >= 0 else None
        for number in range(kind.count):
            fits = free[wants[0]] >= kind.size[wants[0]]
            for d in wants[1:]:
                fits &= free[d] >= kind.size[d]
            if kind.spread:
                fits &= (held <= held.min(axis=1, keepdims=True))[:, zones]
            if kind.zone >= 0:
                fits &= zones == kind.zone
            if hosts is not None:
                fits &= ~hosts
            any_fits = fits.any(axis=1)
            if first and not any_fits.all():
                return 1
            if not any_fits.any():
                left += kind.count - number
                break
            before = 1 - free[:2] / whole
            after = before + size / whole
            least = np.floor((1 - after) * 100 + 1e-9).sum(axis=0) // 2
            with_pod = np.floor((1 - np.abs(after[0] - after[1]) / 2) * 100 + 1e-9)
            without = np.floor((1 - np.abs(before[0] - before[1]) / 2) * 100 + 1e-9)
            score = least + 50 + (50 + with_pod - without) // 2 + lots[turn % 64]
            turn += 1
            node = np.where(fits, score, -1.0).argmax(axis=1)
            ok = there[any_fits]
            at = node[any_fits]
            free[:, ok, at] -= kind.size[:, None]
            held[ok, zones[at]] += 1
            if hosts is not None:
                hosts[ok, at] = True
            left += ~any_fits
    return int(left.max())
