"""kube-scheduler as it decides: one pod at a time, largest first, filters then scores, ties by chance.

Scores of NodeResourcesFit (LeastAllocated) and NodeResourcesBalancedAllocation, weight 1 each, in whole points, as in
Kubernetes 1.36.3, pkg/scheduler/framework/plugins/noderesources; filters of node resources, hard zone spread with
maxSkew 1 per workload and pool, one pod a host. Ties fall at random there, so several draws are made here: a plan is
accepted when each of them leaves no pod pending. Not followed: sampling of nodes above 100, preemption.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sizing.compiled import Compiled
from sizing.packing import Floats, groups
from sizing.pools import PoolSolution, each_node, node_zones

DRAWS = 8
LOTS = 64  # of chance per node
Ints = npt.NDArray[np.int64]
NOWHERE: Ints = np.zeros((0, 0), dtype=np.int64)


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
    wanted, room, zones = _seen(compiled, made)
    if not len(room):
        return int(sum(made.counts))
    if first and not once(wanted, room, zones):
        return 1  # most that fail do so in the first draw
    return schedule(wanted, room, zones, draws, compiled.problem.seed, first=first)


def _seen(compiled: Compiled, made: PoolSolution) -> tuple[list[Kind], Floats, Ints]:
    """A pool as the scheduler sees it: its pods, and room (node, 4) and zone of all nodes."""
    working, spares = each_node(made.slots)
    types = [*working, *spares]
    wanted = _known_kinds(compiled, made.pool, made.counts)
    return wanted, compiled.pools[made.pool].room[types], node_zones(compiled, len(types))


def _known_kinds(compiled: Compiled, pool: int, counts: tuple[int, ...]) -> list[Kind]:
    """What the scheduler sees of a pool's pods (class,), found once."""
    key = ("kinds", pool, counts)
    if key not in compiled.memo:
        compiled.memo[key] = kinds(compiled, np.array(counts, dtype=float))
    wanted: list[Kind] = compiled.memo[key]
    return wanted


def once(wanted: list[Kind], room: Floats, zones: Ints) -> bool:
    """Whether all pods find a node in the one draw in which ties fall to the first node."""
    return not _drawn(wanted, room, zones, np.zeros((1, 1, len(room))), first=True)


def schedule(wanted: list[Kind], room: Floats, zones: Ints, draws: int, seed: int, *, first: bool = False) -> int:  # noqa: PLR0913
    """The worst number of pods left over `draws` draws; `room` (node, 4)."""
    rng = np.random.default_rng(seed)
    return _drawn(wanted, room, zones, rng.random((LOTS, draws, len(room))).transpose(1, 0, 2), first=first)


def _drawn(wanted: list[Kind], room: Floats, zones: Ints, lots: Floats, *, first: bool) -> int:
    """The same with the lots (draw, turn, node) given; they are used round and round."""
    from sizing.scheduling import draw  # noqa: PLC0415 - numba takes half a second

    if not wanted:
        return 0
    rooms, where = np.ascontiguousarray(room, dtype=np.float64), np.ascontiguousarray(zones, dtype=np.int64)
    worst, arrays = 0, _arrays(wanted)
    for chance in np.ascontiguousarray(lots):
        worst = max(worst, int(draw(*arrays, rooms, where, chance, first, NOWHERE)))
        if first and worst:
            break
    return worst


def _arrays(wanted: list[Kind]) -> tuple[Floats, Ints, npt.NDArray[np.bool_], Ints, Ints]:
    """Kinds of pods as the loop takes them."""
    return (
        np.array([kind.size for kind in wanted], dtype=np.float64),
        np.array([kind.count for kind in wanted], dtype=np.int64),
        np.array([kind.spread for kind in wanted]),
        groups(np.array([kind.host for kind in wanted], dtype=np.int64)),
        np.array([kind.zone for kind in wanted], dtype=np.int64),
    )


def stands(compiled: Compiled, pool: int, types: list[int], counts: Floats) -> Ints | None:
    """(class, node) pods of a pool as a first draw puts them on such nodes, each in its zone; None if it fails."""
    from sizing.scheduling import draw  # noqa: PLC0415 - numba takes half a second

    classes, order = compiled.classes, [c for c in compiled.order.tolist() if counts[c] > 0]
    wanted = [
        Kind(classes.sizes[c], int(counts[c]), spread=False, host=int(classes.host[c]), zone=int(classes.zone[c]))
        for c in order
    ]
    room = np.ascontiguousarray(compiled.pools[pool].room[types], dtype=np.float64)
    put: Ints = np.zeros((len(order), len(types)), dtype=np.int64)
    zones, lots = node_zones(compiled, len(types)), np.zeros((1, len(types)))
    if draw(*_arrays(wanted), room, zones, lots, True, put):  # noqa: FBT003 - the loop takes no names
        return None
    found: Ints = np.zeros((len(counts), len(types)), dtype=np.int64)
    found[order] = put
    return found


def taken(  # noqa: PLR0913, PLR0917
    compiled: Compiled, pool: int, counts: Floats, kinds_: Ints, nodes: Ints, spare: Ints, looks: float
) -> Iterator[int]:
    """Which of these mixes take all pods (class,) of a pool in its first draw, in their order, until looks run out.

    Types (mix, n), -1 with no nodes, working nodes of each, the spare's type (mix,) or -1; a look is a pod on a node.
    """
    from sizing.scheduling import first_taken  # noqa: PLC0415 - numba takes half a second

    pods = _arrays(_known_kinds(compiled, pool, tuple(int(c) for c in counts)))
    room, row = np.ascontiguousarray(compiled.pools[pool].room, dtype=np.float64), -1
    while True:
        row, looks = first_taken(row + 1, looks, kinds_, nodes, spare, room, compiled.zones, pods)
        if not 0 <= row < len(kinds_):
            return
        yield row
