"""Hard tables of the search's own kind, and how often the circuit hits their optimum beside chance."""

from __future__ import annotations

import numpy as np

from bench.sizing_instances import instance
from sizing import quantum
from sizing.compiled import Compiled, compile_problem, parts
from sizing.greedy import cheapest_pool_first
from sizing.neighbourhood import _draw, slots_of, table
from sizing.packing import Floats
from sizing.part import build
from sizing.subsolvers import uniform

HARD = 0.002
SHOTS = 256


def tables(qubits: int, wanted: int, seeds: tuple[int, ...] = (11, 23, 47), each: int = 8) -> list[tuple[int, Floats]]:
    """(seed x 100 + number, costs of all states) of drawn subproblems in which few states are optimal."""
    found: list[tuple[int, Floats]] = []
    for seed in seeds:
        mine = 0
        compiled = max(
            (c for c in map(compile_problem, parts(instance(300, seed))) if isinstance(c, Compiled)),
            key=lambda c: len(c.pods),
        )
        start = build(compiled, cheapest_pool_first(compiled))
        if start is None:
            continue
        for number in range(8 if each > 1 else 40):
            if mine == each:
                break
            rng = np.random.default_rng((seed, number))
            slots = slots_of(compiled, start)
            drawn = _draw(compiled, slots, qubits // 2, rng)
            if drawn is None or len(drawn[1]) < qubits // 2:
                continue
            cost, _ = table(compiled, slots, *drawn, start.cost)
            if (cost <= cost.min() + 1e-6).mean() < HARD and len(found) < wanted:
                found.append((seed * 100 + number, cost))
                mine += 1
    return found


def hits(qubits: int) -> tuple[float, float, int]:
    """(share of tables that the circuit hits, that chance hits, number of tables)."""
    some = tables(qubits, 12 if qubits <= 16 else 3)
    circuit, control = [], []
    for seed, cost in some:
        least = cost.min() + 1e-6
        circuit.append(any(cost[state] <= least for state in quantum.sample(cost, SHOTS, seed)))
        control.append(cost[uniform(cost, SHOTS, seed + 1).state] <= least)
    return (float(np.mean(circuit)), float(np.mean(control)), len(some)) if some else (0.0, 0.0, 0)
