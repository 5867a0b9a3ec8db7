"""First fit in decreasing order, for many trial sets of nodes at once: the greedy scheduler a plan must satisfy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def fit_in(sizes: Floats, room: Floats) -> npt.NDArray[np.bool_]:
    """(size, room): each size fits into each room, in all dimensions."""
    made: npt.NDArray[np.bool_] = np.all(sizes[:, None, :] <= room[None, :, :], axis=2)
    return made


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


def first_fit(  # noqa: C901, PLR0913 - a kernel
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
    With `stop` a trial ends with the first class that is left over; `free` and `last` are then those of trials that do
    not fail. Exact arithmetic: all sizes are whole numbers below 2^40.
    """
    free = capacity.copy()
    _, trials, nodes = free.shape
    left = np.zeros((trials, classes.sizes.shape[0]))
    last = np.zeros(trials, dtype=np.int64)
    placed = np.zeros((classes.sizes.shape[0], nodes), dtype=np.int64) if keep else None
    taken: dict[int, npt.NDArray[np.bool_]] = {}
    positions = np.arange(1, nodes + 1)
    going = np.arange(trials)
    for c in order:
        need = counts[:, c]
        if not need.any():
            continue
        size = classes.sizes[c]
        wants = np.flatnonzero(size)
        fit = free[wants[0]] / size[wants[0]]
        for d in wants[1:]:
            np.minimum(fit, free[d] / size[d] if size[d] != 1 else free[d], out=fit)
        np.floor(fit, out=fit)
        if classes.zone[c] >= 0:
            fit[:, zones != classes.zone[c]] = 0
        group = int(classes.host[c])
        if group >= 0:
            np.minimum(fit, 1, out=fit)
            if group in taken:
                fit[taken[group]] = 0
        running = np.cumsum(fit, axis=1)
        rest = np.maximum(need - running[:, -1], 0)
        left[going, c] = rest
        if stop and rest.any():
            on = rest <= 0
            going, need, fit, running = going[on], need[on], fit[on], running[on]
            free, counts, last = free[:, on], counts[on], last[on]
            taken = {group: some[on] for group, some in taken.items()}
            if not len(going):
                break
        take = np.minimum(np.maximum(need[:, None] - (running - fit), 0), fit)
        for d in wants:
            free[d] -= take * size[d]
        used = take > 0
        np.maximum(last, (used * positions).max(axis=1), out=last)
        if group >= 0:
            taken[group] = taken[group] | used if group in taken else used
        if placed is not None:
            placed[c] = take[0].astype(np.int64)
    return Packed(left, last, free, placed)


def spread_fit(  # noqa: C901, PLR0912, PLR0913, PLR0915 - a kernel
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
    free = capacity.copy()
    _, trials, nodes = free.shape
    left = np.zeros((trials, classes.sizes.shape[0]))
    placed = np.zeros((classes.sizes.shape[0], nodes), dtype=np.int64) if keep else None
    whole = np.maximum(capacity[:2], 1e-9)
    taken: dict[int, npt.NDArray[np.bool_]] = {}
    used = np.zeros((trials, nodes), dtype=bool)
    seat = np.arange(nodes)
    going = np.arange(trials)
    for c in order:
        need = counts[going, c]
        if not need.any():
            continue
        size = classes.sizes[c]
        wants = np.flatnonzero(size)
        group = int(classes.host[c])
        may = np.broadcast_to(zones == classes.zone[c], (len(going), nodes)) if classes.zone[c] >= 0 else None
        if group >= 0:
            barred = taken.setdefault(group, np.zeros((len(going), nodes), dtype=bool))
        while True:
            fits = free[wants[0]] >= size[wants[0]]
            for d in wants[1:]:
                fits &= free[d] >= size[d]
            if may is not None:
                fits &= may
            if group >= 0:
                fits &= ~barred
            fits &= (need > 0)[:, None]
            open_nodes = fits.sum(axis=1)
            if not open_nodes.any():
                break
            if (need >= open_nodes).all():  # everyone gets one: no scores needed
                for d in wants:
                    free[d] -= fits * size[d]
                need -= open_nodes
                used |= fits
                if group >= 0:
                    barred |= fits
                if placed is not None:
                    placed[c] += fits[0]
                continue
            cpu, memory = (free[0] - size[0]) / whole[0], (free[1] - size[1]) / whole[1]
            score = (cpu + memory) / 2 + (1 - np.abs(cpu - memory) / 2)
            ranked = np.argsort(np.where(fits, -score, np.inf), axis=1, kind="stable")
            row, place = np.nonzero(seat < need[:, None])
            take = np.zeros_like(fits)
            take[row, ranked[row, place]] = True
            take &= fits
            for d in wants:
                free[d] -= take * size[d]
            need -= take.sum(axis=1)
            used |= take
            if group >= 0:
                barred |= take
            if placed is not None:
                placed[c] += take[0]
        left[going, c] = need
        if stop and need.any():
            on = need <= 0
            going, free, whole, used = going[on], free[:, on], whole[:, on], used[on]
            taken = {group: some[on] for group, some in taken.items()}
            if not len(going):
                break
    last = (used * (seat + 1)).max(axis=1)
    return Packed(left, last, free, placed)
