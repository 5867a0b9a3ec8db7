"""Large-neighbourhood search: a few chunks of pods, four slots to choose from, the exact cost of every combination."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sizing.compiled import Compiled
from sizing.fluid import choosing
from sizing.greedy import even
from sizing.packing import Floats, first_fit
from sizing.part import PartSolution, within_limits
from sizing.pools import best_single, node_zones, place, settle
from sizing.problem import SPOT_POOL_SHARE
from sizing.quantum import terms_of
from sizing.subsolvers import REGISTRY

Ints = npt.NDArray[np.int64]
Choice = tuple[int | None, int]  # a type and how many nodes of it
CHOICES = 4  # slots a chunk may go to: two qubits each
SHORTLIST = 8  # types tried per slot
RECORDED = 4  # circuits whose two-body phase is kept, so that anyone can sample them again
TOO_DEAR = 10.0  # factor on the current cost for a state that breaks a limit


@dataclass(frozen=True)
class Budget:
    """Fixed numbers that bound the search: rounds, chunks per subproblem, shots."""

    rounds: int
    chunks: int
    shots: int = 256


@dataclass
class Slot:
    """A slot of a pool with the pods it holds."""

    pool: int
    kind: int | None
    pods: Ints
    nodes: int


@dataclass(frozen=True)
class Chunk:
    """Some pods of a class that move together, and the slots (positions among the four) they may go to."""

    pod: int
    amount: int
    home: int
    targets: tuple[int, ...]


@dataclass
class Trace:
    """What the search did: per subproblem what the solver and the control run found."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    accepted: int = 0


def slots_of(compiled: Compiled, made: PartSolution) -> list[Slot]:
    """The solution as slots, empty ones included."""
    found = []
    for pool in made.pools:
        wish = compiled.pools[pool.pool].wish
        rows = [np.zeros(len(compiled.pods), dtype=np.int64) for _ in range(wish.slots)]
        if any(pool.counts):
            placed, slot_of = place(compiled, pool)
            for node, slot in enumerate(slot_of):
                rows[slot] += placed[:, node]
        kinds: list[Choice] = [(t, n) for t, n, _ in pool.slots]
        kinds += [(None, 0)] * (wish.slots - len(pool.slots))
        found += [Slot(pool.pool, kind, row, n) for (kind, n), row in zip(kinds, rows, strict=True)]
    return found


def search(compiled: Compiled, start: PartSolution, solver: str, budget: Budget) -> tuple[PartSolution, Trace]:
    """Improve `start` with one subsolver; never worse than `start`; the same for the same seed."""
    best, trace = start, Trace()
    for number in range(budget.rounds):
        seed = _seed(compiled.problem.seed, number)
        rng = np.random.default_rng(seed)
        slots = slots_of(compiled, best)
        drawn = _draw(compiled, slots, budget.chunks, rng)
        if drawn is None:
            break
        four, chunks = drawn
        cost, kinds = table(compiled, slots, four, chunks, best.cost)
        home = sum(chunk.targets.index(chunk.home) << (2 * k) for k, chunk in enumerate(chunks))
        picked = REGISTRY[solver](cost, budget.shots, seed)
        if solver == "qaoa":
            run = _compare(cost, picked.state, picked.histogram, budget, seed, home)
            if len(trace.runs) < RECORDED:
                run["terms"] = [[list(term), value] for term, value in sorted(terms_of(cost).items())]
            trace.runs.append(run)
        if cost[picked.state] >= cost[home] - 1e-6:
            continue
        made = _rebuild(compiled, best, slots, four, chunks, picked.state, kinds)
        if made is not None and made.cost < best.cost - 1e-6:
            best = made
            trace.accepted += 1
    return best, trace


def _seed(seed: int, number: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}/{number}".encode()).digest()[:4], "big") >> 1


def _draw(
    compiled: Compiled, slots: list[Slot], most: int, rng: np.random.Generator
) -> tuple[list[int], list[Chunk]] | None:
    """Four slots (one that holds pods, others its pods may enter) and chunks of the pods in them."""
    filled = [i for i, slot in enumerate(slots) if slot.pods.any()]
    if not filled:
        return None
    weight = np.array([float(slots[i].pods @ compiled.classes.sizes[:, 0]) + 1 for i in filled])
    first = int(rng.choice(filled, p=weight / weight.sum()))
    mine = np.flatnonzero(slots[first].pods)
    near = [i for i in range(len(slots)) if i != first and compiled.allowed[mine, slots[i].pool].any()]
    near = [
        i
        for i in near
        if slots[i].pods.any() or all(slots[j].pods.any() or slots[j].pool != slots[i].pool for j in near if j < i)
    ]
    rng.shuffle(near)
    four = [first, *near[: CHOICES - 1]]
    if len(four) < 2:  # noqa: PLR2004
        return None
    chunks: list[Chunk] = []
    options = [(pos, int(c)) for pos, i in enumerate(four) for c in np.flatnonzero(slots[i].pods)]
    rng.shuffle(options)
    for pos, c in options:
        targets = [p for p, i in enumerate(four) if compiled.allowed[c, slots[i].pool]]
        if len(targets) < 2 or pos not in targets:  # noqa: PLR2004
            continue
        targets += [pos] * (CHOICES - len(targets))
        held = int(slots[four[pos]].pods[c])
        amount = held if rng.random() < 0.5 else max(1, int(held * rng.choice((0.25, 0.5))))  # noqa: PLR2004
        chunks.append(Chunk(c, amount, pos, tuple(targets)))
        if len(chunks) == most:
            break
    return (four, chunks) if len(chunks) > 1 else None


def shortlist(compiled: Compiled, slot: Slot, pods: Floats) -> list[int]:
    """Types worth trying for a slot: its own, and those on which its pods' volume costs least."""
    part = compiled.pools[slot.pool]
    volume = pods @ compiled.classes.sizes
    biggest = compiled.classes.sizes[pods > 0].max(axis=0) if pods.any() else np.zeros(4)
    share = (volume[None] / np.maximum(part.room, 1e-9)).max(axis=1)
    nodes = np.maximum(np.ceil(share), 1)
    value = np.where((part.room >= biggest).all(axis=1), nodes * part.price + share * part.price, np.inf)
    ranked = [int(t) for t in np.argsort(value, kind="stable")[:SHORTLIST] if np.isfinite(value[t])]
    if slot.kind is not None and slot.kind not in ranked:
        ranked = [slot.kind, *ranked[: SHORTLIST - 1]]
    return ranked


def table(
    compiled: Compiled, slots: list[Slot], four: list[int], chunks: list[Chunk], current: float
) -> tuple[Floats, list[list[Choice]]]:
    """Cost of all 4^k states, and per slot the cheapest type and its nodes for every subset of chunks."""
    subsets = 1 << len(chunks)
    bits = (np.arange(subsets)[:, None] >> np.arange(len(chunks))) & 1
    states = np.arange(CHOICES ** len(chunks))
    total = np.zeros(len(states))
    best_kind: list[list[Choice]] = []
    for pos, number in enumerate(four):
        base = slots[number].pods.astype(float)
        extra = np.zeros((len(chunks), len(base)))
        for k, chunk in enumerate(chunks):
            if chunk.home == pos:
                base[chunk.pod] -= chunk.amount
            extra[k, chunk.pod] = chunk.amount
        counts = base[None] + bits @ extra
        cost, kinds = _slot_costs(compiled, slots[number], counts, current * TOO_DEAR)
        best_kind.append(kinds)
        mask = np.zeros(len(states), dtype=np.int64)
        for k, chunk in enumerate(chunks):
            goes = np.array(chunk.targets)[(states >> (2 * k)) & 3]
            mask |= (goes == pos).astype(np.int64) << k
        total += cost[mask]
    return total + _spot_penalty(compiled, slots, four, chunks, states, current), best_kind


def _slot_costs(compiled: Compiled, slot: Slot, counts: Floats, dear: float) -> tuple[Floats, list[Choice]]:
    key = ("slot", slot.pool, slot.kind, counts.tobytes(), dear)
    if key not in compiled.memo:
        compiled.memo[key] = _price_slot(compiled, slot, counts, dear)
    made: tuple[Floats, list[Choice]] = compiled.memo[key]
    return made


def _price_slot(compiled: Compiled, slot: Slot, counts: Floats, dear: float) -> tuple[Floats, list[Choice]]:
    part = compiled.pools[slot.pool]
    kinds = shortlist(compiled, slot, counts[-1]) or shortlist(compiled, slot, counts[0])
    if not kinds:
        return np.where(counts.any(axis=1), dear, 0.0), [(None, 0)] * len(counts)
    used = np.flatnonzero(counts.any(axis=0))
    order = np.array([c for c in compiled.bound_first if c in set(used.tolist())], dtype=np.int64)
    volume = counts[-1] @ compiled.classes.sizes
    cost = np.full((len(counts), len(kinds)), dear)
    nodes = np.zeros((len(counts), len(kinds)), dtype=np.int64)
    for column, t in enumerate(kinds):
        need = float((volume / np.maximum(part.room[t], 1e-9)).max())
        hosts = max(
            (int(counts[-1][compiled.classes.host == g].sum()) for g in set(compiled.classes.host[used]) if g >= 0),
            default=0,
        )
        width = int(min(part.wish.max, max(need * 1.6 + 2 * compiled.zones, hosts + compiled.zones)))
        capacity = np.broadcast_to(part.room[t][:, None, None], (4, len(counts), max(1, width)))
        packed = first_fit(compiled.classes, counts, capacity, node_zones(compiled, max(1, width)), order)
        nodes[:, column] = packed.last
        cost[:, column] = np.where(packed.left.any(axis=1), dear, packed.last * part.price[t])
    cost[~counts.any(axis=1)] = 0.0
    pick = cost.argmin(axis=1)
    return cost.min(axis=1), [(kinds[int(p)], int(nodes[row, p])) for row, p in enumerate(pick)]


def _spot_penalty(  # noqa: PLR0917, PLR0913
    compiled: Compiled, slots: list[Slot], four: list[int], chunks: list[Chunk], states: Ints, current: float
) -> Floats:
    """A state that puts too much into one spot pool is too dear."""
    several = choosing(compiled)
    penalty = np.zeros(len(states))
    if not several.any():
        return penalty
    cpu = compiled.classes.sizes[:, 0] * several
    cap = SPOT_POOL_SHARE * float(compiled.counts @ cpu)
    for pool in {slots[i].pool for i in four if compiled.pools[slots[i].pool].wish.spot}:
        held = np.full(len(states), sum(float(slot.pods @ cpu) for slot in slots if slot.pool == pool))
        inside = [pos for pos, i in enumerate(four) if slots[i].pool == pool]
        for k, chunk in enumerate(chunks):
            goes = np.isin(np.array(chunk.targets)[(states >> (2 * k)) & 3], inside)
            held += (goes.astype(float) - float(chunk.home in inside)) * chunk.amount * cpu[chunk.pod]
        penalty += np.where(held > cap + 1e-6, current * TOO_DEAR, 0.0)
    return penalty


def _rebuild(  # noqa: PLR0917, PLR0913
    compiled: Compiled,
    best: PartSolution,
    slots: list[Slot],
    four: list[int],
    chunks: list[Chunk],
    state: int,
    kinds: list[list[Choice]],
) -> PartSolution | None:
    """The solution with the chunks moved: pools that changed are settled anew from the table's types."""
    pods = [slot.pods.copy() for slot in slots]
    mask = [0] * len(four)
    for k, chunk in enumerate(chunks):
        goes = chunk.targets[(state >> (2 * k)) & 3]
        pods[four[chunk.home]][chunk.pod] -= chunk.amount
        pods[four[goes]][chunk.pod] += chunk.amount
        mask[goes] |= 1 << k
    chosen = {number: kinds[pos][mask[pos]] for pos, number in enumerate(four)}
    held = np.array(
        [np.sum([p for p, s in zip(pods, slots, strict=True) if s.pool == b.pool], axis=0) for b in best.pools]
    )
    dealt = even(compiled, held.T.astype(float)).T
    touched = {slots[i].pool for i in four} | {
        b.pool for b, row in zip(best.pools, dealt, strict=True) if tuple(int(n) for n in row) != b.counts
    }
    made = []
    for pool in best.pools:
        if pool.pool not in touched:
            made.append(pool)
            continue
        mine = [i for i, slot in enumerate(slots) if slot.pool == pool.pool]
        counts = dealt[[b.pool for b in best.pools].index(pool.pool)]
        start: dict[int, int] = {}
        for i in mine:
            kind, need = chosen.get(i, (slots[i].kind, slots[i].nodes))
            if kind is not None and pods[i].any():
                start[kind] = start.get(kind, 0) + max(1, need)
        options = [best_single(compiled, pool.pool, counts)]
        if start:
            options.append(settle(compiled, pool.pool, counts, start))
        fine = [option for option in options if option is not None]
        if not fine:
            return None
        made.append(min(fine, key=lambda o: (o.cost, o.slots)))
    solution = PartSolution(tuple(made))
    return solution if within_limits(compiled, solution) else None


def _compare(  # noqa: PLR0917, PLR0913
    cost: Floats, state: int, histogram: dict[int, int], budget: Budget, seed: int, home: int
) -> dict[str, Any]:
    """The circuit's best beside the control run's and the true optimum of the same table."""
    control = REGISTRY["uniform"](cost, budget.shots, seed + 1)
    least = float(cost.min())
    best_states = np.flatnonzero(cost <= least + 1e-6)
    hits = sum(times for s, times in histogram.items() if cost[s] <= least + 1e-6)
    control_hits = sum(times for s, times in control.histogram.items() if cost[s] <= least + 1e-6)
    top = sorted(histogram.items(), key=lambda item: (-item[1], item[0]))[:8]
    return {
        "qubits": len(cost).bit_length() - 1,
        "optimal_states": len(best_states),
        "before": round(float(cost[home]), 4),
        "optimum": round(least, 4),
        "found": round(float(cost[state]), 4),
        "control_found": round(float(cost[control.state]), 4),
        "optimum_shots": hits,
        "control_optimum_shots": control_hits,
        "flat": bool(cost.max() - least < 1e-9),  # noqa: PLR2004
        "seed": seed,
        "histogram": [[s, n] for s, n in top],
    }
