"""Plain plans: pods shared out by price, one type a pool; and the two autoscalers everybody knows, as baselines."""

from __future__ import annotations

import numpy as np

from sizing.compiled import Compiled
from sizing.fluid import choosing
from sizing.packing import Floats
from sizing.problem import SPOT_POOL_SHARE


def share_out(compiled: Compiled, wanted: Floats) -> Floats:
    """Whole pods near `wanted` (class, pool): sums kept, no spot pool above its share."""
    x = np.floor(wanted + 1e-6) * compiled.allowed
    for c in range(len(compiled.pods)):
        rest = int(compiled.counts[c] - x[c].sum())
        pools = sorted(compiled.pods[c].pools, key=lambda p: (-(wanted[c, p] - np.floor(wanted[c, p] + 1e-6)), p))
        for i in range(rest):
            x[c, pools[i % len(pools)]] += 1
    return even(compiled, keep_spot_share(compiled, x))


def even(compiled: Compiled, pods: Floats) -> Floats:
    """The same pods per workload, block and pool, dealt so that each pool holds them evenly over the zones.

    A pool takes consecutive pods of the round that deals the block over the zones: no zone gets more than one more.
    """
    x = pods.copy()
    for group in compiled.zoned_groups():
        whole = x[group].sum(axis=0)
        left = {c: int(compiled.counts[c]) for c in group}
        x[group] = 0
        most = max(left.values())
        turn = next((i for i in range(len(group)) if left[group[i]] == most > left[group[i - 1]]), 0)
        for k in np.flatnonzero(whole):
            for _ in range(int(whole[k])):
                while not left[group[turn % len(group)]]:
                    turn += 1
                c = group[turn % len(group)]
                x[c, k] += 1
                left[c] -= 1
                turn += 1
    return x


def keep_spot_share(compiled: Compiled, pods: Floats) -> Floats:
    """Move pods out of spot pools that hold more than their share, smallest pods first, to where there is room."""
    several = choosing(compiled)
    cpu = compiled.classes.sizes[:, 0]
    cap = SPOT_POOL_SHARE * float((compiled.counts * cpu)[several].sum())
    spot = [k for k, part in enumerate(compiled.pools) if part.wish.spot]
    x = pods.copy()
    for k in spot:
        for c in sorted(np.flatnonzero(several & (x[:, k] > 0) & (cpu > 0)), key=lambda c: (cpu[c], c)):
            over = float((x[several, k] * cpu[several]).sum()) - cap
            if over <= 1e-9:  # noqa: PLR2004
                break
            for other in sorted(compiled.pods[c].pools, key=lambda p: (p not in spot, p)):
                if other == k:
                    continue
                held = float((x[several, other] * cpu[several]).sum()) if other in spot else -np.inf
                room = np.floor((cap - held) / cpu[c] + 1e-9) if other in spot else np.inf
                moved = min(float(x[c, k]), float(np.ceil(over / cpu[c] - 1e-9)), float(room))
                if moved > 0:
                    x[c, k] -= moved
                    x[c, other] += moved
                    over -= moved * float(cpu[c])
    return x


def cheapest_pool_first(compiled: Compiled) -> Floats:
    """(class, pool): every class in the pool where its share of a node costs least, spot shares kept.

    Of pools that cost the same the one that must have most nodes anyway: names decide only between equal wishes.
    """
    x = np.zeros((len(compiled.pods), len(compiled.pools)))
    for c, pod in enumerate(compiled.pods):
        cost = {}
        for k in pod.pools:
            part = compiled.pools[k]
            share = (compiled.classes.sizes[c] / np.maximum(part.room, 1e-9)).max(axis=1)
            cost[k] = float(np.where(share <= 1, share * part.price, np.inf).min())
        x[c, min(cost, key=lambda k: (round(cost[k], 9), *_tied(compiled, k), k))] = compiled.counts[c]
    return even(compiled, keep_spot_share(compiled, x))


def _tied(compiled: Compiled, k: int) -> tuple[int, int, int]:
    """What decides between pools that cost the same: nodes that are there anyway, then how much may come."""
    wish = compiled.pools[k].wish
    due = compiled.zones if compiled.needs_zones[k] else 0
    return -max(wish.min, due), -wish.max, -wish.slots
