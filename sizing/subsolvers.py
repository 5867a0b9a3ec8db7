"""Ways to pick a state from a table of costs: all of it, a circuit, chance, or cooling. Interchangeable, seeded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from sizing import quantum
from sizing.packing import Floats
from sizing.resident import resident


class Picked(NamedTuple):
    """The state chosen and how many different states were looked at."""

    state: int
    seen: int
    histogram: dict[int, int]


Subsolver = Callable[[Floats, int, int], Picked]


def _best(cost: Floats, counts: dict[int, int]) -> Picked:
    state = min(counts, key=lambda s: (round(float(cost[s]), 6), s))
    return Picked(state, len(counts), counts)


def exhaustive(cost: Floats, shots: int, seed: int) -> Picked:
    """The cheapest state; the first of equals."""
    _ = shots, seed
    state = int(np.round(cost, 6).argmin())
    return Picked(state, len(cost), {state: 1})


def uniform(cost: Floats, shots: int, seed: int) -> Picked:
    """The control run: the best of as many states drawn evenly."""
    drawn = np.random.default_rng(seed).integers(0, len(cost), shots)
    states, times = np.unique(drawn, return_counts=True)
    return _best(cost, {int(s): int(n) for s, n in zip(states, times, strict=True)})


def annealing(cost: Floats, shots: int, seed: int) -> Picked:
    """Simulated annealing by single bit flips with as many evaluations as the others have shots."""
    rng = np.random.default_rng(seed)
    bits = len(cost).bit_length() - 1
    here = int(rng.integers(0, len(cost)))
    seen = {here: 1}
    warm = float(cost.std()) + 1e-9
    for step in range(shots - 1):
        there = here ^ (1 << int(rng.integers(0, bits)))
        seen[there] = seen.get(there, 0) + 1
        heat = warm * (1 - step / shots) + 1e-9
        if rng.random() < np.exp(min(0.0, float(cost[here] - cost[there]) / heat)):
            here = there
    return _best(cost, seen)


def qaoa(cost: Floats, shots: int, seed: int) -> Picked:
    """The best of the states measured at the end of the circuit, on Aer."""
    return _best(cost, resident(lambda: quantum.sample(cost, shots, seed)))


REGISTRY: Final[dict[str, Subsolver]] = {
    "exhaustive": exhaustive,
    "qaoa": qaoa,
    "uniform": uniform,
    "annealing": annealing,
}
"""By name; tests put a failing one in place of `qaoa` to prove the fall-back."""
