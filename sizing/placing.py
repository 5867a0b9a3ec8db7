"""kube-scheduler's own order and scores in plain Python: for the verifier, without a line of the solvers'."""

from __future__ import annotations

import heapq
from collections import Counter

Bin = tuple[int, list[int], Counter[str], list[int]]  # zone, free, pods by workload, room


def _score(one: Bin, name: str, need: tuple[int, ...], *, alone: bool) -> int | None:
    """LeastAllocated + BalancedAllocation of Kubernetes 1.36 in whole points; None where the pod does not fit."""
    _, free, held, whole = one
    if any(n > f for n, f in zip(need, free, strict=True)) or (alone and held[name]):
        return None
    before = [1 - free[d] / whole[d] for d in (0, 1)]
    after = [before[d] + need[d] / whole[d] for d in (0, 1)]
    least = sum(int((1 - part) * 100 + 1e-9) for part in after) // 2
    even, was = (int((1 - abs(a - b) / 2) * 100 + 1e-9) for a, b in (after, before))
    return least + 50 + (50 + even - was) // 2


def scheduled(bins: list[Bin], name: str, need: tuple[int, ...], rest: int, zones: int, *, alone: bool) -> int:  # noqa: PLR0913
    """Each pod on the node with the best score, the first of equals, in a zone that has fewest; how many are left."""
    queues: dict[int, list[tuple[int, int]]] = {zone: [] for zone in range(zones)}
    for number, one in enumerate(bins):
        score = _score(one, name, need, alone=alone)
        if score is not None:
            queues[one[0] if zones > 1 else 0].append((-score, number))
    for queue in queues.values():
        heapq.heapify(queue)
    held = dict.fromkeys(queues, 0)
    while rest:
        least = min(held.values())
        heads = [(queue[0], zone) for zone, queue in queues.items() if queue and held[zone] == least]
        if not heads:
            return rest
        (_, number), zone = min(heads)
        heapq.heappop(queues[zone])
        for d, n in enumerate(need):
            bins[number][1][d] -= n
        bins[number][2][name] += 1
        held[zone] += 1
        rest -= 1
        score = _score(bins[number], name, need, alone=alone)
        if score is not None:
            heapq.heappush(queues[zone], (-score, number))
    return 0
