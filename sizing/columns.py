"""Column generation: every column a filled node of one type. Its dual gives a bound that packing cannot evade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sizing.compiled import Compiled
from sizing.fluid import choosing
from sizing.master import Master, Solved
from sizing.packing import Floats
from sizing.part import PartSolution
from sizing.pools import place
from sizing.pricing import COARSE, Knapsacks, exact, most_of, quickly
from sizing.problem import SPOT_POOL_SHARE

Ints = npt.NDArray[np.int64]
SMOOTH = 0.6
LOADS = 6  # steps of the fullest node's load in the bound
FLOOR = 0.9  # of a node's price: fillings worth less need no exact knapsack


@dataclass
class Columns:
    """The state of the generation: items (merged classes), knapsacks (pool, type) and the columns found."""

    compiled: Compiled
    item_of: Ints  # class -> item
    counts: Floats
    sizes: Floats
    several: npt.NDArray[np.bool_]
    pool: Ints  # per knapsack row
    kind: Ints
    sacks: Knapsacks
    price: Floats
    rows: list[int] = field(default_factory=list)  # knapsack row of each column
    patterns: list[Floats] = field(default_factory=list)
    number: dict[bytes, int] = field(default_factory=dict)  # of each column by what it holds
    basic: set[int] = field(default_factory=set)  # columns that some program used
    bound: float = 0.0
    proof: dict[str, float] = field(default_factory=dict)
    status: str = "optimal"
    duals: dict[str, float] = field(default_factory=dict)  # worth of one pod by item, in USD per month
    closed: npt.NDArray[np.bool_] | None = None  # knapsack rows that may not be used
    used: Floats = field(default_factory=lambda: np.zeros(0))
    worth: Floats = field(default_factory=lambda: np.zeros((0, 0)))  # (pool, item): duals of the last LP of all types
    master: Master | None = None

    def keep(self, row: int, pattern: Floats) -> int:
        """Keep a column unless it is known; its number, -1 where it is empty."""
        if not pattern.any():
            return -1
        key = np.int64(row).tobytes() + pattern.astype(np.int32).tobytes()
        known = self.number.setdefault(key, len(self.rows))
        if known == len(self.rows):
            self.rows.append(row)
            self.patterns.append(pattern)
        return known

    def missing(self, inside: set[int], rows: Ints, patterns: Floats) -> dict[int, int]:
        """Numbers of the columns that are not inside, each with its first place among these; new ones are kept."""
        found: dict[int, int] = {}
        for at, row in enumerate(rows.tolist()):
            number = self.keep(row, patterns[at])
            if number >= 0 and number not in inside:
                found.setdefault(number, at)
        return found


def prepare(compiled: Compiled, starts: Sequence[PartSolution]) -> Columns:
    """Merge classes that are alike (zones aside: a relaxation); nodes of known solutions are the first columns."""
    several = choosing(compiled)
    keys: dict[tuple[object, ...], int] = {}
    item_of = np.zeros(len(compiled.pods), dtype=np.int64)
    for c, pod in enumerate(compiled.pods):
        zoned = pod.workload if pod.zone >= 0 else ""
        key = (*compiled.classes.sizes[c], int(compiled.classes.host[c]), zoned, pod.pools, pod.block == "flexible")
        item_of[c] = keys.setdefault(key, len(keys))
    count = len(keys)
    counts, most, sizes = np.zeros(count), np.zeros(count), np.zeros((count, 4))
    chosen = np.zeros(count, dtype=bool)
    allowed = np.zeros((count, len(compiled.pools)), dtype=bool)
    for c in range(len(compiled.pods)):
        i = item_of[c]
        counts[i] += compiled.counts[c]
        most[i] = max(most[i], compiled.counts[c]) if compiled.pods[c].zone >= 0 else counts[i]
        if compiled.classes.host[c] >= 0:
            most[i] = 1
        sizes[i], chosen[i], allowed[i] = compiled.classes.sizes[c], several[c], compiled.allowed[c]
    pool = np.array([k for k, part in enumerate(compiled.pools) for _ in part.types], dtype=np.int64)
    kind = np.array([t for part in compiled.pools for t in range(len(part.types))], dtype=np.int64)
    room = np.concatenate([part.room for part in compiled.pools])
    price = np.concatenate([part.price for part in compiled.pools])
    limit = np.minimum(most_of(sizes, room), most[None]) * allowed.T[pool]
    made = Columns(compiled, item_of, counts, sizes, chosen, pool, kind, Knapsacks(sizes, room, limit), price)
    for start in starts:
        for part in start.pools:
            placed, slot_of = place(compiled, part)
            for node, slot in enumerate(slot_of):
                pattern = np.bincount(item_of, weights=placed[:, node], minlength=count) if count else np.zeros(0)
                row = int(np.flatnonzero((pool == part.pool) & (kind == part.slots[slot][0]))[0])
                made.keep(row, np.minimum(pattern, limit[row]))
    for i in range(count):
        best = np.where(limit[:, i] > 0, price / np.maximum(limit[:, i], 1), np.inf)
        for k in np.flatnonzero(allowed[i]):
            mine = np.where(pool == k, best, np.inf)
            if np.isfinite(mine.min()):
                pattern = np.zeros(count)
                pattern[i] = limit[int(mine.argmin()), i]
                made.keep(int(mine.argmin()), pattern)
    return made


def _master(made: Columns) -> Master:
    """The program with all columns of the start, then with those that some other program used."""
    if made.master is None:
        cpu = made.sizes[:, 0] * made.several
        made.master = Master(made.compiled, made.counts, cpu, made.pool, made.price)
        numbers = list(range(len(made.rows)))
    else:
        numbers = sorted(made.basic - made.master.inside)
    rows = np.array(made.rows, dtype=np.int64)[numbers]
    made.master.add(numbers, rows, np.array([made.patterns[j] for j in numbers]))
    return made.master


def _join(made: Columns, master: Master, rows: Ints, patterns: Floats) -> int:
    """Add those of the columns that the program does not have; how many."""
    fresh = made.missing(master.inside, rows, patterns)
    some = list(fresh.values())
    master.add(list(fresh), rows[some], patterns[some])
    return len(some)


def generate(made: Columns, rounds: int) -> None:
    """Add columns until pricing finds none, for so many rounds at most, then prove a bound."""
    if not len(made.counts):
        return
    center: Floats | None = None  # smoothed duals: raw ones swing wildly in the first rounds
    master = _master(made)
    for number in range(rounds):
        status, out = master.solve(made.closed)
        if out is None:
            made.status = status if made.closed is None else made.status
            return
        made.used = np.zeros(len(made.rows))
        made.used[master.numbers] = out.used
        made.basic.update(np.flatnonzero(made.used > 0).tolist())
        value, fixed = _values(made, master, out.duals)
        if made.closed is None:
            made.worth = np.array([value[made.pool == k][0] for k in range(len(made.compiled.pools))])
        center = value if center is None else SMOOTH * center + (1 - SMOOTH) * value
        dear = made.price - fixed
        worthy = dear if made.closed is None else np.where(made.closed, np.inf, dear)
        fresh, gain = 0, 0.0
        for pattern, gained in quickly(made.sacks, (center, value), value, worthy, made.price):
            some = np.flatnonzero(gained > 1e-6)  # noqa: PLR2004
            fresh += _join(made, master, some, pattern[some])
            gain = max(gain, float(gained.max()))
        last = number == rounds - 1
        if fresh and not last and gain > COARSE:
            continue
        if made.closed is not None:
            return
        pattern, most = exact(made.sacks, value, np.maximum(dear, 1e-9))
        some = np.flatnonzero(pattern.any(axis=1))
        fresh += _join(made, master, some, pattern[some])
        if last or not fresh:
            _prove(made, master, out, value, dear, most)
            return


def _values(made: Columns, master: Master, duals: Floats) -> tuple[Floats, Floats]:
    """Worth of each item in each knapsack row, and what each row's node earns by itself (caps, minima, quota)."""
    worth = np.maximum(duals[: len(made.counts)], 0.0)
    value = np.tile(worth, (len(made.pool), 1))
    cpu = made.sizes[:, 0] * made.several
    fixed = np.zeros(len(made.pool))
    for k, rows in enumerate(master.pool_rows):
        mine = made.pool == k
        fixed[mine] += float(sum(duals[r] for r in rows))
        if k in master.share_rows:
            value[mine] += min(0.0, float(duals[master.share_rows[k]])) * cpu[None]
    if master.quota_row is not None:
        fixed += min(0.0, float(duals[master.quota_row])) * master.vcpu
    return value, fixed


def _prove(made: Columns, master: Master, out: Solved, value: Floats, dear: Floats, most: Floats) -> None:  # noqa: PLR0913, PLR0917
    """Farley's bound: scale the items' duals until no filling is worth more than its node."""
    if (dear <= 0).any():
        return
    bound, scale = _farley(made, master, out, value, dear, most)
    if bound > made.bound:
        made.bound = bound
        made.proof = {"lp": out.value, "scale": scale, "columns": float(len(made.rows))}
        made.duals = {str(i): round(max(0.0, float(out.duals[i])) / scale, 6) for i in range(len(made.counts))}


def _farley(  # noqa: PLR0917, PLR0913
    made: Columns, master: Master, out: Solved, value: Floats, dear: Floats, limit: Floats
) -> tuple[float, float]:
    """The bound: the pattern duals divided by the worst ratio of worth to price, plus the spare each pool must pay.

    A spare must take over the fullest node. So for every possible CPU load K of the fullest node of an on-demand pool,
    nodes are cut to K and the spare is at least a type with room for K; the smallest total over all K holds.
    """
    duals = out.duals
    scaled = float(np.maximum(duals[: len(made.counts)], 0.0) @ made.counts)
    cpu = float(made.counts @ (made.sizes[:, 0] * made.several))
    scaled += sum(min(0.0, float(duals[r])) * SPOT_POOL_SHARE * cpu for r in master.share_rows.values())
    spared = sum(float(duals[r]) for rows in master.spare_rows.values() for r in rows)
    base = out.value - scaled - spared
    ratio = limit / dear
    always = float(
        max(
            (ratio[made.pool == k].max() for k in range(len(made.compiled.pools)) if k not in master.spare_rows),
            default=0,
        )
    )
    best, worst = 0.0, 1.0
    for dimension in (0, 1):
        options = [_spare_options(made, master, k, duals, value, dear, limit, dimension) for k in master.spare_rows]
        scales = {always, *(ratio_ for some in options for ratio_, _ in some)}
        totals = {}
        for scale in sorted(s for s in scales if s >= always and s > 0):
            spares = [min((cost for r, cost in some if r <= scale), default=np.inf) for some in options]
            totals[scale] = base + scaled / scale + sum(spares)
        if totals:
            scale = min(totals, key=lambda s: (totals[s], s))
            if np.isfinite(totals[scale]) and totals[scale] > best:
                best, worst = float(totals[scale]), scale
    return best, worst


def _spare_options(  # noqa: PLR0917, PLR0913
    made: Columns,
    master: Master,
    k: int,
    duals: Floats,
    value: Floats,
    dear: Floats,
    limit: Floats,
    dimension: int,
) -> list[tuple[float, float]]:
    """(worst ratio, least cost of the spare) for every load of the fullest node, in CPU (0) or memory (1)."""
    compiled = made.compiled
    mine = np.flatnonzero(made.pool == k)
    extra = dear[mine] + sum(float(duals[r]) for r in master.pool_rows[k][1:])
    room = made.sacks.room[mine]
    forced = (compiled.counts > 0) & (compiled.allowed.sum(axis=1) == 1) & compiled.allowed[:, k]
    fits = compiled.fits(k)[forced]
    least = max((float(extra[need].min()) for need in fits), default=0.0)
    found = []
    loads = sorted(set(room[:, dimension].tolist()), reverse=True)
    loads = loads[:: -(-len(loads) // LOADS)][::-1]  # the largest stays
    below = -1.0
    for load in loads:  # the fullest node holds more than `below` and at most `load`
        cut = room.copy()
        cut[:, dimension] = np.minimum(cut[:, dimension], load)
        _, tops = exact(Knapsacks(made.sizes, cut, made.sacks.most[mine]), value[mine], FLOOR * dear[mine])
        tops = np.minimum(limit[mine], tops)
        spare = max(least, float(extra[room[:, dimension] > below].min()))
        below = load
        found.append((float((tops / dear[mine]).max()), spare))
    return found
