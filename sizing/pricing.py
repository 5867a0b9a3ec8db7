"""The pricing step of column generation: the most valuable filling of one node, and a proven limit to its value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sizing.linear import Model, packed
from sizing.packing import Floats

Ints = npt.NDArray[np.int64]
WEIGHTS = np.array(
    [[c, 1 - c, 0.0, p] for c in (1.0, 0.85, 0.7, 0.5, 0.3, 0.15, 0.0) for p in (0.0, 0.15)]
    + [[0.33, 0.33, 0.33, 0.01]]
)
ROUNDINGS = ((1.0, 1.0, 0.0, 0.02), (1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.5, 0.1, 0.0, 0.1))
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


def mixed(sacks: Knapsacks, value: Floats) -> tuple[Floats, Floats]:
    """Fillings that mix what fills CPU with what fills memory: all rows' LP relaxations at once, rounded and filled up.

    The best (row, item) pattern and its worth, as `fill`; that one never mixes two kinds that are plentiful.
    """
    base = np.floor(_relaxed(sacks, value) + 1e-6)
    share = sacks.sizes[None] / np.maximum(sacks.room[:, None], 1e-9)
    useful = (value > 1e-9) & (sacks.most > 0)  # noqa: PLR2004
    rows = np.arange(len(value))
    best, worth = np.zeros_like(value), np.zeros(len(value))
    for weight in ROUNDINGS:
        taken = base.copy()
        free = sacks.room - taken @ sacks.sizes
        density = share @ np.array(weight) + 1e-9
        rank = np.argsort(-np.where(useful, value / density, -1.0), axis=1, kind="stable")
        for step in range(int(useful.sum(axis=1).max(initial=0))):
            item = rank[:, step]
            size = sacks.sizes[item]
            fit = np.floor(np.where(size > 0, free / np.maximum(size, 1e-9), np.inf).min(axis=1) + 1e-9)
            fit = np.maximum(np.minimum(fit, sacks.most[rows, item] - taken[rows, item]), 0) * useful[rows, item]
            free -= fit[:, None] * size
            taken[rows, item] += fit
        now = (taken * value).sum(axis=1)
        best[now > worth] = taken[now > worth]
        worth = np.maximum(worth, now)
    return best, worth


def _relaxed(sacks: Knapsacks, value: Floats) -> Floats:
    """The continuous optimum of every row, by one program of independent blocks; zeros where it is not solved."""
    taken = np.zeros_like(value)
    row, item = np.nonzero((value > 1e-9) & (sacks.most > 0))  # noqa: PLR2004
    if not len(row):
        return taken
    column, d = np.nonzero(sacks.sizes[item])
    values = packed(
        -value[row, item],
        sacks.most[row, item],
        sacks.room.ravel(),
        row[column] * sacks.room.shape[1] + d,
        column,
        sacks.sizes[item][column, d],
    )
    if values is not None:
        taken[row, item] = values
    return taken


def exact(sacks: Knapsacks, row: int, value: Floats, nodes_limit: int = 500) -> tuple[Floats, float] | None:
    """A filling of one row and a proven ceiling of its worth, by branch and bound; None when it is not solved."""
    pattern = np.zeros(len(sacks.sizes))
    items = np.flatnonzero((value > 1e-9) & (sacks.most[row] > 0))  # noqa: PLR2004
    if not len(items):
        return pattern, 0.0
    model = Model()
    scale = float(value[items].max())
    columns = {i: model.column(-float(value[i]) / scale, 0.0, float(sacks.most[row, i]), whole=True) for i in items}
    for d in range(4):
        load = {column: float(sacks.sizes[i, d]) for i, column in columns.items() if sacks.sizes[i, d]}
        if load:
            model.row(load, -np.inf, float(sacks.room[row, d]))
    out = model.solve(nodes_limit=nodes_limit, gap=1e-3, quick=True)
    if out.status not in ("optimal", "limit") or out.values is None or out.bound >= 0:
        return None
    for i, column in columns.items():
        pattern[i] = round(float(out.values[column]))
    if (pattern @ sacks.sizes > sacks.room[row] + 1e-6).any():
        return None
    return pattern, -out.bound * scale * (1 + 1e-6)
