"""The pricing step of column generation: the most valuable filling of one node, and a proven limit to its value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sizing.packing import Floats

Ints = npt.NDArray[np.int64]
WEIGHTS = np.array(
    [[c, 1 - c, 0.0, p] for c in (1.0, 0.85, 0.7, 0.5, 0.3, 0.15, 0.0) for p in (0.0, 0.15)]
    + [[0.33, 0.33, 0.33, 0.01]]
)
FINE = np.array([[c, 1 - c, 0.0, p] for c in np.linspace(0, 1, 41) for p in (0.0, 0.12)] + [[0.2, 0.2, 1.0, 0.0]])


@dataclass(frozen=True)
class Knapsacks:
    """One knapsack per row: room (row, 4), at most `most` (row, item) of each item; sizes (item, 4)."""

    sizes: Floats
    room: Floats
    most: Floats


def fill(sacks: Knapsacks, value: Floats) -> tuple[Floats, Floats]:
    """Greedy fillings by several weightings: the best (row, item) pattern and its worth; value (row, item)."""
    rows, ways = len(sacks.room), len(WEIGHTS)
    share = sacks.sizes[None] / np.maximum(sacks.room[:, None], 1e-9)  # row, item, 4
    weight = np.einsum("rid,wd->rwi", share, WEIGHTS) + 1e-9
    useful = np.where((value > 1e-9) & (sacks.most > 0), value, -1.0)  # noqa: PLR2004
    rank = np.argsort(-(useful[:, None] / weight), axis=2, kind="stable")
    free = np.repeat(sacks.room[:, None], ways, axis=1)
    taken = np.zeros((rows, ways, len(sacks.sizes)))
    row_index = np.arange(rows)[:, None]
    for step in range(min(len(sacks.sizes), int((useful > 0).sum(axis=1).max(initial=0)))):
        item = rank[:, :, step]
        size = sacks.sizes[item]
        fit = np.floor(np.where(size > 0, free / np.maximum(size, 1e-9), np.inf).min(axis=2))
        fit = np.minimum(fit, sacks.most[row_index, item]) * (useful[row_index, item] > 0)
        fit = np.maximum(fit, 0)
        free -= fit[:, :, None] * size
        np.put_along_axis(taken, item[:, :, None], fit[:, :, None], axis=2)
    worth = np.einsum("rwi,ri->rw", taken, value)
    best = worth.argmax(axis=1)
    return taken[np.arange(rows), best], worth[np.arange(rows), best]


def ceiling(sacks: Knapsacks, value: Floats) -> Floats:
    """(row,): no filling is worth more. The continuous knapsack of the best of several surrogate constraints."""
    share = sacks.sizes[None] / np.maximum(sacks.room[:, None], 1e-9)
    weight = np.einsum("rid,wd->rwi", share, FINE / FINE.sum(axis=1, keepdims=True)) + 1e-12
    useful = np.where((value > 0) & (sacks.most > 0), value, 0.0)
    rank = np.argsort(-(useful[:, None] / weight), axis=2, kind="stable")
    most = np.where(useful > 0, sacks.most, 0.0)[:, None].repeat(len(FINE), axis=1)
    load = np.take_along_axis(weight * most, rank, axis=2)
    worth = np.take_along_axis(useful[:, None] * most, rank, axis=2)
    before = np.cumsum(load, axis=2) - load
    part = np.clip((1 + 1e-9 - before) / np.maximum(load, 1e-15), 0, 1)
    out: Floats = (worth * part).sum(axis=2).min(axis=1)
    return out


def grid(sacks: Knapsacks, row: int, value: Floats, cells: int = 60_000) -> tuple[Floats, float] | None:
    """A filling and the proven ceiling of its worth, by dynamic programming over a grid of CPU and memory.

    Sizes are rounded down and room up to the grid, so the ceiling holds; the filling is cut to fit. Pods per node and
    GPUs only cut the filling. None when the grid would be too large to be exact enough.
    """
    items = np.flatnonzero((value > 1e-9) & (sacks.most[row] > 0))  # noqa: PLR2004
    pattern = np.zeros(len(sacks.sizes))
    if not len(items):
        return pattern, 0.0
    units: list[float] = []
    steps_left = float(cells)
    for d, most in ((0, 256.0), (1, float(cells))):
        whole = float(np.gcd.reduce(sacks.sizes[items, d].astype(np.int64)))
        least = max(float(sacks.room[row, d]) / min(most, steps_left), 1.0)
        units.append(max(whole, least))
        steps_left /= sacks.room[row, d] // units[d] + 1
    wide, high = (int(sacks.room[row, d] // units[d]) + 1 for d in (0, 1))
    if wide * high > cells * 2:
        return None
    best = np.zeros((wide, high))
    steps: list[tuple[int, int, int, int, npt.NDArray[np.bool_]]] = []
    for i in items.tolist():
        w, h = int(sacks.sizes[i, 0] // units[0]), int(sacks.sizes[i, 1] // units[1])
        rest, part = int(sacks.most[row, i]), 1
        while rest > 0:
            part = min(part, rest)
            rest -= part
            dx, dy = w * part, h * part
            if dx < wide and dy < high:
                shifted = best[: wide - dx, : high - dy] + value[i] * part
                better = shifted > best[dx:, dy:] + 1e-12
                best = best.copy()
                best[dx:, dy:] = np.where(better, shifted, best[dx:, dy:])
                steps.append((int(i), part, dx, dy, better))
            part *= 2
    top, x, y = float(best[-1, -1]), wide - 1, high - 1
    for item, part, dx, dy, better in reversed(steps):
        if x >= dx and y >= dy and better[x - dx, y - dy]:
            pattern[item] += part
            x, y = x - dx, y - dy
    return _cut(sacks, row, value, pattern), top


def _cut(sacks: Knapsacks, row: int, value: Floats, pattern: Floats) -> Floats:
    """Take out the least valuable pods by size until the filling truly fits."""
    share = (sacks.sizes / np.maximum(sacks.room[row], 1e-9)).sum(axis=1)
    while (pattern @ sacks.sizes > sacks.room[row] + 1e-6).any():
        worth = np.where(pattern > 0, value / share, np.inf)
        pattern[int(worth.argmin())] -= 1
    return pattern
