"""A bound proved anew from the dual prices in the evidence, by a pricing of its own.

Any worths of pods that are not negative prove something: no node of a type holds pods worth more than U of that type,
so a plan costs at least the worth of all pods times the smallest price / U. U comes from an integer program per type
(HiGHS, its proven ceiling), not from the solvers' own pricing. On top comes the cheapest spare of each on-demand pool
that must have one. What the evidence says of its own bound is not used: wrong worths only prove less.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sizing.columns import Columns, prepare
from sizing.compiled import Compiled, compile_problem, parts
from sizing.linear import Model
from sizing.packing import Floats
from sizing.problem import Problem

NODES = 200  # of each integer program; its ceiling holds wherever it stops


def reproved(problem: Mapping[str, Any], plan: Mapping[str, Any]) -> float:
    """USD a month that no plan for this problem undercuts, as far as the evidence's dual prices prove it."""
    total = 0.0
    bounds = plan["notes"]["bounds"]
    for part in parts(Problem.from_object(problem)):
        compiled = compile_problem(part)
        if not isinstance(compiled, Compiled):
            continue
        key = ",".join(p.wish.name for p in compiled.pools)
        duals = bounds.get(key, {}).get("duals", {})
        columns = prepare(compiled, [])
        worth = np.array([max(0.0, float(duals.get(str(i), 0.0))) for i in range(len(columns.counts))])
        least = sum(float(p.price.min()) * p.wish.min for p in compiled.pools)
        total += max(least, _packed(columns, worth) + _spares(compiled))
    return round(total, 4)


def _packed(columns: Columns, worth: Floats) -> float:
    """The worth of all pods, cut to what the dearest filling of a node per dollar allows."""
    if not worth.any():
        return 0.0
    ratio = 0.0
    known: dict[bytes, float] = {}
    for row in np.lexsort((columns.price,)):
        most = np.where(worth > 0, columns.sacks.most[row], 0)
        key = columns.sacks.room[row].tobytes() + most.tobytes()
        if key not in known:
            known[key] = _fullest(columns.sizes, columns.sacks.room[row], most, worth)
        ratio = max(ratio, known[key] / float(columns.price[row]))
    return float(worth @ columns.counts) / ratio if ratio > 0 else 0.0


def _fullest(sizes: Floats, room: Floats, most: Floats, worth: Floats) -> float:
    """No filling of this room is worth more."""
    items = np.flatnonzero(most > 0)
    if not len(items):
        return 0.0
    model = Model()
    scale = float(worth[items].max())
    column = {int(i): model.column(-float(worth[i]) / scale, 0.0, float(most[i]), whole=True) for i in items}
    for d in range(sizes.shape[1]):
        row = {column[int(i)]: float(sizes[i, d]) for i in items if sizes[i, d]}
        if row:
            model.row(row, -np.inf, float(room[d]))
    out = model.solve(nodes_limit=NODES, gap=1e-6)
    if out.status not in {"optimal", "limit"}:  # then the sum of all is a ceiling, if a poor one
        return float(worth[items] @ most[items])
    return max(0.0, -out.bound) * scale


def _spares(compiled: Compiled) -> float:
    """The cheapest node that takes the largest pod, for each on-demand pool that some pods cannot avoid."""
    total = 0.0
    for k, part in enumerate(compiled.pools):
        forced = (compiled.counts > 0) & (compiled.allowed.sum(axis=1) == 1) & compiled.allowed[:, k]
        if part.wish.spot or not forced.any():
            continue
        fits = compiled.fits(k)[forced]
        total += max(float(part.price[row].min()) for row in fits)
    return total
