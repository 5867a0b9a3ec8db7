"""Put the parts of a cluster together into one plan: slots, bounds of the autoscaler, witness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sizing.catalogue import HOURS_PER_MONTH
from sizing.compiled import ByWorkload, Compiled, stale_types
from sizing.plan import SOLVER_REVISION, Plan, PoolPlan
from sizing.pools import PoolSolution, node_zones, place
from sizing.problem import PoolWish, Problem

if TYPE_CHECKING:
    from sizing.portfolio import Result


def headroom(wish: PoolWish, nodes: Sequence[int]) -> list[int]:
    """Max of each slot: its nodes and a share of the room below the wish's max, by largest remainder; empty: 1.

    The slots' max add up to the wish's max at most, with one exception: an empty slot's max is always 1 (no cloud makes
    a node pool of max 0), so a pool that is full may exceed its wish by its number of empty slots.
    """
    used = [n for n in nodes if n > 0]
    left = max(0, wish.max - sum(used) - (len(nodes) - len(used)))
    total = sum(used)
    shares = [left * n / total if total else 0.0 for n in nodes]
    made = [n + int(share) if n else 1 for n, share in zip(nodes, shares, strict=True)]
    rest = left - sum(int(share) for share in shares) if total else 0
    ranked = sorted((i for i, n in enumerate(nodes) if n), key=lambda i: (-(shares[i] - int(shares[i])), i))
    for i in ranked[:rest]:
        made[i] += 1
    return made


def slot_rows(compiled: Compiled, made: PoolSolution) -> list[tuple[int, int, int]]:
    """(type, working, spare) of each slot; nodes are split over slots that the cap would not let stand empty."""
    wish = compiled.pools[made.pool].wish
    rows = list(made.slots)
    while len(rows) < wish.slots and made.nodes + (wish.slots - len(rows)) > wish.max:
        widest = max(range(len(rows)), key=lambda i: (rows[i][1] + rows[i][2], -i), default=None)
        if widest is None or rows[widest][1] + rows[widest][2] < 2:  # noqa: PLR2004
            break
        t, n, s = rows[widest]
        rows[widest : widest + 1] = [(t, n, s - 1), (t, 0, 1)] if s else [(t, n - 1, 0), (t, 1, 0)]
    cheapest = int(compiled.pools[made.pool].price.argmin())
    return rows + [(cheapest, 0, 0)] * (wish.slots - len(rows))


def places(names: Sequence[str], used: Sequence[bool], pool: str, previous: Plan | None) -> list[int]:
    """The slot of each row: where the previous plan had a row of the same type it stays, the rest fill up in order."""
    before = {p.slot: p.instance_type for p in previous.pools if p.pool == pool and p.min} if previous else {}
    free = list(range(len(names)))
    found: dict[int, int] = {}
    for row, name in enumerate(names):
        slot = next((s for s in free if used[row] and before.get(s) == name), None)
        if slot is not None:
            found[row] = slot
            free.remove(slot)
    for row in range(len(names)):
        if row not in found:
            found[row] = free.pop(0)
    return [found[row] for row in range(len(names))]


def assemble(problem: Problem, results: Sequence[Result], previous: Plan | None) -> Plan:
    """One plan of the whole cluster."""
    fill_order: dict[str, list[int]] = {}
    pools: list[PoolPlan] = []
    assignment: dict[str, list[dict[str, Any]]] = {}
    cost = round(sum(r.solution.cost for r in results), 4)
    bound = round(sum(r.bound for r in results), 4)
    free = sum(min(r.proof["bounds"]["columns"] or r.bound, r.bound) for r in results)
    gap = round(cost / bound - 1, 6) if bound > 0 else 0.0
    dates = []
    for result in results:
        compiled = result.compiled
        named = ByWorkload(compiled)
        for made in result.solution.pools:
            rows, nodes = _pool(compiled, made, named)
            part = compiled.pools[made.pool]
            maxima = headroom(part.wish, [n + s for _, n, s in rows])
            share = bound / cost if cost else 1.0
            seats = places(
                [part.types[t].name for t, _, _ in rows], [n + s > 0 for _, n, s in rows], part.wish.name, previous
            )
            fill_order[part.wish.name] = seats
            for row, (slot, (t, n, s), most) in enumerate(zip(seats, rows, maxima, strict=True)):
                kind = part.types[t]
                hour = kind.spot_price_usd_hour if part.wish.spot else kind.price_usd_hour
                dates += [d for d in (kind.price_date, kind.spot_date if part.wish.spot else None) if d]
                pools.append(
                    PoolPlan(
                        pool=part.wish.name,
                        slot=slot,
                        cluster=problem.cluster,
                        instance_type=kind.name,
                        min=n + s,
                        desired=n + s,
                        max=most,
                        spot=part.wish.spot,
                        nodes_cost_usd=round((hour or 0.0) * HOURS_PER_MONTH * (n + s), 2),
                        gap=gap,
                        bound=round(float(part.price[t]) * (n + s) * share, 2),
                        winner=result.winner,
                        spare=s,
                    )
                )
                assignment[f"{part.wish.name}-{slot}"] = nodes[row]
    names = {name for r in results for name in r.candidates}
    candidates = {
        name: round(sum(r.candidates.get(name, r.solution.cost) for r in results), 4) for name in sorted(names)
    }
    heaviest = max(results, key=lambda r: r.solution.cost)
    return Plan(
        cluster=problem.cluster,
        pools=tuple(sorted(pools, key=lambda p: (p.pool, p.slot))),
        cost_usd_month=cost,
        list_usd_month=round(sum(p.nodes_cost_usd for p in pools), 2),
        bound_usd_month=bound,
        gap=gap,
        winner=heaviest.winner,
        seed=problem.seed,
        input_hash=problem.input_hash,
        solver_revision=SOLVER_REVISION,
        assignment=assignment,
        candidates=candidates,
        quantum=dict(heaviest.quantum),
        oldest_price=min(dates).isoformat() if dates else problem.as_of.isoformat(),
        stale_prices=stale_types(problem),
        kept_previous=_kept(results),
        notes={
            "bound_free_mixing": round(free, 4),
            "bounds": {",".join(p.wish.name for p in r.compiled.pools): _rounded(r.proof) for r in results},
            "limits": sorted(limit for r in results for limit in r.limits),
            "fill_order": fill_order,
            "scheduler": {
                r.compiled.pools[made.pool].wish.name: made.manner for r in results for made in r.solution.pools
            },
        },
    )


def _rounded(proof: dict[str, Any]) -> dict[str, Any]:
    """The proof's figures: bounds by method in USD per month, the duals and by how much they were scaled."""
    bounds = {name: round(value, 4) for name, value in proof["bounds"].items()}
    return {
        "by_method": bounds,
        "columns": {k: round(v, 6) for k, v in proof["columns"].items()},
        "duals": proof["duals"],
        "packed_exactly": proof["packed"] and round(proof["packed"], 4),  # the cheapest nodes that some packing fills
    }


def _kept(results: Sequence[Result]) -> str:
    """What became of the previous plan, over all parts: kept, adjusted, partly or no."""
    said = {r.kept for r in results}
    return said.pop() if len(said) == 1 else "partly"


def _pool(
    compiled: Compiled, made: PoolSolution, named: ByWorkload
) -> tuple[list[tuple[int, int, int]], list[list[dict[str, Any]]]]:
    """The slot rows, and per slot its nodes with zone and pods."""
    placed, slot_of = place(compiled, made)
    zones = node_zones(compiled, len(slot_of))
    witness: list[list[dict[str, Any]]] = [[] for _ in made.slots]
    for node, slot in enumerate(slot_of):
        witness[slot].append({"zone": int(zones[node]), "pods": named.take(placed[:, node])})
    rows = slot_rows(compiled, made)
    if len(made.slots) < len(rows):  # deal the witness out over the rows: same types, in order
        queue: dict[int, list[dict[str, Any]]] = {}
        for (t, _, _), nodes in zip(made.slots, witness, strict=True):
            queue.setdefault(t, []).extend(nodes)
        witness = []
        for t, n, s in rows:
            witness.append(queue.get(t, [])[: n + s])
            queue[t] = queue.get(t, [])[n + s :]
    return rows, witness
