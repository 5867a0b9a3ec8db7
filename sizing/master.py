"""The continuous program over the columns of the generation, kept loaded in HiGHS: columns come, types are closed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sizing.compiled import Compiled
from sizing.linear import Live, Model
from sizing.packing import Floats
from sizing.pools import least_nodes
from sizing.problem import SPOT_POOL_SHARE

Ints = npt.NDArray[np.int64]
HAIR = 1e-4  # of a node less than each pool's least: where pods bind as well, they and not the nodes get the duals


@dataclass(frozen=True)
class Solved:
    """`used` by column, `spares` (knapsack row), `duals` by row of the program; the value in USD a month."""

    used: Floats
    spares: Floats
    duals: Floats
    value: float


class Master:
    """Demand by item; nodes, zones, spares and share of each pool; the quota. A spare is a column of its own.

    Each solve starts from the last one's basis. `item` (class): its item; `counts` and `cpu` by item (milli-CPU that
    the 60 % rule counts); `pool` and `price` by knapsack row, row by row the types of each pool.
    """

    def __init__(self, compiled: Compiled, counts: Floats, cpu: Floats, pool: Ints, price: Floats) -> None:
        model = Model()
        self.pool, self.price, self.cpu = pool, price, cpu
        self.vcpu = np.concatenate([part.vcpu for part in compiled.pools])
        self.row_of: Ints = np.zeros(0, dtype=np.int64)  # knapsack row of each column
        self.numbers: list[int] = []  # what the columns are known by elsewhere
        self.inside: set[int] = set()
        self.pool_rows: list[list[int]] = []
        self.share_rows: dict[int, int] = {}
        self.spare_rows: dict[int, list[int]] = {}
        self.quota_row: int | None = None
        for price_of in price:
            model.column(float(price_of), 0.0, np.inf)
        for count in counts:
            model.row({}, float(count), np.inf)
        for k, part in enumerate(compiled.pools):
            mine = np.flatnonzero(pool == k).tolist()
            forced = compiled.counts * (compiled.allowed.sum(axis=1) == 1) * compiled.allowed[:, k]
            least = float(least_nodes(compiled, k, forced))
            both = [model.row(dict.fromkeys(mine, 1.0), least - HAIR, float(part.wish.max))]
            zoned = forced * (compiled.classes.zone >= 0)
            if len({int(z) for z in compiled.classes.zone[zoned > 0]}) == compiled.zones > 1:
                both.append(model.row({}, float(compiled.zones) - HAIR, np.inf))
            self.pool_rows.append(both)
            if not part.wish.spot and forced.any():
                fits = compiled.fits(k)
                needs = {fits[c].tobytes(): fits[c] for c in np.flatnonzero(forced)}
                self.spare_rows[k] = [
                    model.row({mine[t]: 1.0 for t in np.flatnonzero(need)}, 1.0, np.inf) for need in needs.values()
                ]
            if part.wish.spot and cpu.any():
                self.share_rows[k] = model.row({}, -np.inf, SPOT_POOL_SHARE * float(counts @ cpu))
        if compiled.problem.vcpu_quota is not None:
            use = dict(enumerate(self.vcpu.tolist()))
            self.quota_row = model.row(use, -np.inf, float(compiled.problem.vcpu_quota))
        self.rows = len(model.rows)
        self.live = Live(model, compiled.problem.seed)

    def add(self, numbers: list[int], rows: Ints, patterns: Floats) -> None:
        """More columns: their numbers, their knapsack rows, and what each holds (column, item)."""
        if not len(rows):
            return
        self.numbers += numbers
        self.inside.update(numbers)
        entries = np.zeros((len(rows), self.rows))
        entries[:, : patterns.shape[1]] = patterns
        for k, own in enumerate(self.pool_rows):
            entries[np.ix_(self.pool[rows] == k, own)] = 1.0
        for k, row in self.share_rows.items():
            mine = self.pool[rows] == k
            entries[mine, row] = patterns[mine] @ self.cpu
        if self.quota_row is not None:
            entries[:, self.quota_row] = self.vcpu[rows]
        self.live.columns(self.price[rows], entries)
        self.row_of = np.append(self.row_of, rows)

    def solve(self, closed: npt.NDArray[np.bool_] | None) -> tuple[str, Solved | None]:
        """Status, and the optimum where no node is of a closed knapsack row."""
        every = np.append(np.arange(len(self.price)), self.row_of)
        self.live.upper[:] = np.inf if closed is None else np.where(closed[every], 0.0, np.inf)
        status, value, values = self.live.solve({})
        if status != "optimal":
            return status, None
        split = len(self.price)
        return status, Solved(values[split:], values[:split], self.live.duals(), value)
