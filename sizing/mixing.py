"""All mixes of up to three types that hold a pool's pods by volume, walked in machine code.

Numba infers types when it compiles, so none are written here.
"""

from __future__ import annotations

import numpy as np

from sizing.machine_code import machine_code

NONE = 1e9  # so many nodes are never enough
EMPTY = 1e-9


@machine_code
def _enough(left, held):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Nodes that hold what is left, `NONE` where no number does."""
    most = 0.0
    for d in range(len(left)):
        if left[d] > EMPTY:
            if held[d] <= 0:
                return NONE
            most = max(most, left[d] / held[d])
    return np.ceil(most - EMPTY)


@machine_code
def _least(left, rate, a, b, c):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """What is left costs no less on these types (-1: none), dimension by dimension."""
    most = 0.0
    for d in range(len(left)):
        if left[d] > EMPTY:
            cheapest = rate[c, d]
            if b >= 0:
                cheapest = min(cheapest, rate[b, d])
            if a >= 0:
                cheapest = min(cheapest, rate[a, d])
            most = max(most, left[d] * cheapest)
    return most


@machine_code
def walk(price, mixes, spares, held, due, numbers, kinds, nodes, spare, cost):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, C901, PLR0912, PLR0913, PLR0917
    """Write the mixes that hold what is due and cost less than the limit; how many were written.

    Where there is no place for all, every second, fourth ... one is written. `mixes` (mix, 3) types, -1 in front where
    there are fewer; `spares` (spare,) types or -1; `held` (spare, type, dimension) what a node holds beside that spare;
    `due` (dimension,). `numbers`: the limit, slots, nodes at least and at most, steps in which a number is walked, and
    nodes of the last type more than are enough.
    """
    limit, slots, lowest, highest, steps, more = numbers
    found, written, every = 0, 0, 1
    left, rest = np.empty(len(due)), np.empty(len(due))
    rate = np.empty((len(price), len(due)))
    for s in range(len(spares)):
        own, room = spares[s], held[s]
        fee, firm = (price[own], 1) if own >= 0 else (0.0, 0)
        if fee >= limit:
            continue
        for t in range(len(price)):
            for d in range(len(due)):
                rate[t, d] = price[t] / room[t, d] if room[t, d] > 0 else NONE
        for m in range(len(mixes)):
            a, b, c = mixes[m, 0], mixes[m, 1], mixes[m, 2]
            types = 1 + (a >= 0) + (b >= 0) + (own >= 0 and a != own != b and own != c)
            if types > slots or fee + _least(due, rate, a, b, c) >= limit:
                continue
            na = 1.0 if a >= 0 else 0.0
            top_a = min((limit - fee) / price[a], _enough(due, room[a]), highest) if a >= 0 else 0.0
            while na <= top_a:
                after_a = fee + na * price[a] if a >= 0 else fee
                left[:] = due - na * room[a] if a >= 0 else due
                if after_a >= limit or (a >= 0 and (left <= EMPTY).all()):
                    break
                if after_a + _least(left, rate, -1, b, c) < limit:
                    nb = 1.0 if b >= 0 else 0.0
                    top_b = min((limit - after_a) / price[b], _enough(left, room[b]), highest) if b >= 0 else 0.0
                    while nb <= top_b:
                        after_b = after_a + nb * price[b] if b >= 0 else after_a
                        rest[:] = left - nb * room[b] if b >= 0 else left
                        if after_b >= limit or (b >= 0 and (rest <= EMPTY).all()):
                            break
                        enough = max(1.0, _enough(rest, room[c]))
                        for further in range(more + 1):
                            nc = enough + further
                            total, whole = na + nb + nc + firm, after_b + nc * price[c]
                            if whole >= limit or total > highest:
                                break
                            if total < lowest:
                                continue
                            found += 1
                            if found % every:
                                continue
                            if written == len(cost):  # no place: every second one stays
                                written //= 2
                                for i in range(written):
                                    kinds[i], nodes[i] = kinds[2 * i], nodes[2 * i]
                                    spare[i], cost[i] = spare[2 * i], cost[2 * i]
                                every *= 2
                            kinds[written, 0], kinds[written, 1], kinds[written, 2] = a, b, c
                            nodes[written, 0], nodes[written, 1], nodes[written, 2] = na, nb, nc
                            spare[written], cost[written] = own, whole
                            written += 1
                        nb += max(1.0, np.floor(top_b / steps))
                na += max(1.0, np.floor(top_a / steps))
    return written
