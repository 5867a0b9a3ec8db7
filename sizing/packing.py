"""First fit in decreasing order, for many trial sets of nodes at once: the greedy scheduler a plan must satisfy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def fit_in(sizes: Floats, room: Floats) -> npt.NDArray[np.bool_]:
    """(size, room): each size fits into each room, in all dimensions."""
    made: npt.NDArray[np.bool_] = np.all(sizes[:, None, :] <= room[None, :, :], axis=2)
    return made


def largest(rooms: Iterable[Floats]) -> list[Floats]:
    """Rooms that lie within no other, in their order."""
    held: list[Floats] = []
    for some in rooms:
        if not any((other >= some).all() for other in held):
            held = [other for other in held if not (some >= other).all()] + [some]
    return held


def groups(host: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Groups of pods that share no node, numbered from 0 without gaps; -1 stays."""
    _, number = np.unique(host, return_inverse=True)
    return np.where(host < 0, -1, number.astype(np.int64))


@dataclass(frozen=True)
class Classes:
    """Equal pods, class by class, in the order the scheduler sees them.

    `sizes` (class, 4): milli-CPU, MiB, GPUs, 1; `zone` -1 or the zone a pod is bound to; `host` -1 or the group of
    which a node holds at most one pod.
    """

    sizes: Floats
    zone: npt.NDArray[np.int64]
    host: npt.NDArray[np.int64]


@dataclass
class Packed:
    """Outcome per trial: pods left over by class, and (if asked) pods by class and node."""

    left: Floats  # (trial, class); where trials that fail may stop early, what is above zero says no more than that
    last: npt.NDArray[np.int64]  # nodes up to the last one in use
    free: Floats  # (4, trial, node)
    placed: npt.NDArray[np.int64] | None  # (class, node), first trial only


def first_fit(  # noqa: PLR0913
    classes: Classes,
    counts: Floats,
    capacity: Floats,
    zones: npt.NDArray[np.int64],
    order: npt.NDArray[np.int64],
    *,
    keep: bool = False,
    stop: bool = False,
) -> Packed:
    """Put pods on the first node with room, class by class in `order`.

    `counts` (trial, class); `capacity` (4, trial, node), a node that does not exist has zero pods; `zones` (node,).
    With `stop` a trial ends with the first class that is left over; `free` and `last` then say nothing of trials that
    fail. Exact arithmetic: all sizes are whole numbers below 2^40.
    """
    from sizing.fitting import first  # noqa: PLC0415 - numba takes half a second

    return _packed(first, classes, counts, capacity, zones, order, keep=keep, stop=stop)


def spread_fit(  # noqa: PLR0913
    classes: Classes,
    counts: Floats,
    capacity: Floats,
    zones: npt.NDArray[np.int64],
    order: npt.NDArray[np.int64],
    *,
    keep: bool = False,
    stop: bool = False,
) -> Packed:
    """Put pods where most is left and CPU and memory stay balanced, as kube-scheduler's default scores do.

    Score of a node = LeastAllocated + BalancedAllocation (weight 1 each, as in the default profile of Kubernetes 1.34,
    pkg/scheduler/framework/plugins/noderesources). Equal pods go round by round, one to each of the best nodes; ties go
    to the first node. Arguments as `first_fit`.
    """
    from sizing.fitting import spread  # noqa: PLC0415 - as above

    return _packed(spread, classes, counts, capacity, zones, order, keep=keep, stop=stop)


def _packed(  # noqa: PLR0913, PLR0917
    loop: Callable[..., None],
    classes: Classes,
    counts: Floats,
    capacity: Floats,
    zones: npt.NDArray[np.int64],
    order: npt.NDArray[np.int64],
    *,
    keep: bool,
    stop: bool,
) -> Packed:
    """Run one of the loops of `sizing/fitting.py` over all trials."""
    free = np.array(capacity, dtype=np.float64, order="C")
    _, trials, nodes = free.shape
    kinds = len(classes.sizes)
    left, last = np.zeros((trials, kinds)), np.zeros(trials, dtype=np.int64)
    placed = np.zeros((kinds if keep else 0, nodes), dtype=np.int64)
    many = np.ascontiguousarray(counts, dtype=np.float64)
    loop(classes.sizes, classes.zone, groups(classes.host), many, free, zones, order, stop, left, last, placed)
    return Packed(left, last, free, placed if keep else None)
