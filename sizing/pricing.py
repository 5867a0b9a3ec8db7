"""The pricing step of column generation: the most valuable filling of one node, and a proven limit to its value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sizing.linear import packed
from sizing.packing import Floats

Ints = npt.NDArray[np.int64]
WEIGHTS = np.array(
    [[c, 1 - c, 0.0, p] for c in (1.0, 0.85, 0.7, 0.5, 0.3, 0.15, 0.0) for p in (0.0, 0.15)]
    + [[0.33, 0.33, 0.33, 0.01]]
)
ROUNDINGS = np.array([[1.0, 1.0, 0.0, 0.02], [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.5, 0.1, 0.0, 0.1]])
SURROGATES = np.array(
    [[c, 1 - c, 0.0, 0.0] for c in np.linspace(0, 1, 11)] + [[0.45, 0.45, 0.0, 0.1], [0.2, 0.2, 0.6, 0.0]]
)
GAP = 1e-3
COARSE = 0.02  # while quick fillings gain more than this share of a node, nothing is solved exactly
BRANCHES = 20_000  # of one knapsack


@dataclass(frozen=True)
class Knapsacks:
    """One knapsack per row: room (row, 4), at most `most` (row, item) of each item; sizes (item, 4)."""

    sizes: Floats
    room: Floats
    most: Floats


def most_of(sizes: Floats, room: Floats) -> Floats:
    """(row, item): how many of an item alone fit into each room."""
    share = room[:, None] / np.maximum(sizes, 1e-9)[None]
    whole: Floats = np.floor(np.where(sizes > 0, share, np.inf).min(axis=2))
    return whole


def fill(sacks: Knapsacks, value: Floats) -> tuple[Floats, Floats]:
    """Greedy fillings by several weightings: the best (row, item) pattern and its worth; value (row, item)."""
    from sizing.filling import greedy  # noqa: PLC0415 - numba takes half a second

    return greedy(sacks.sizes, sacks.room, sacks.most, value, WEIGHTS, np.zeros(value.shape))


def mixed(sacks: Knapsacks, value: Floats) -> tuple[Floats, Floats]:
    """Fillings that mix what fills CPU with what fills memory: all rows' LP relaxations at once, rounded and filled up.

    The best (row, item) pattern and its worth, as `fill`; that one never mixes two kinds that are plentiful.
    """
    from sizing.filling import greedy  # noqa: PLC0415 - as above

    base = np.floor(_relaxed(sacks, value) + 1e-6)
    return greedy(sacks.sizes, sacks.room, sacks.most, value, ROUNDINGS, base, 1e-9)


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


def quickly(
    sacks: Knapsacks, guesses: Sequence[Floats], value: Floats, dear: Floats, price: Floats
) -> Iterator[tuple[Floats, Floats]]:
    """Fillings that are found quickly for some guesses of the values, and what each gains, as shares of the price.

    (row, item) and (row,). A node costs `dear`; the finer way is gone only while nothing gained more than `COARSE`.
    """
    most = 0.0
    for guess in guesses:
        for way in (fill, mixed):
            if way is mixed and most > COARSE:
                continue  # what is found quickly is enough to go on
            pattern, _ = way(sacks, guess)
            gained = (np.einsum("ri,ri->r", pattern, value) - dear) / price
            yield pattern, gained
            most = max(most, float(gained.max()))


def exact(sacks: Knapsacks, value: Floats, floor: Floats) -> tuple[Floats, Floats]:
    """Per row the best filling found and a proven ceiling of its worth, by branch and bound.

    Where nothing is worth more than `floor` (row), the pattern is empty and the ceiling is the floor.
    """
    from sizing.knapsack import fillings  # noqa: PLC0415 - numba takes half a second

    return fillings(sacks.sizes, sacks.room, sacks.most, value, floor, SURROGATES, GAP, BRANCHES)
