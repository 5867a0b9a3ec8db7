"""What follows from something else in the evidence: whoever changes one field has to change the other too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sizing.canonical import canonical, sha256_hex
from sizing.catalogue import HOURS_PER_MONTH
from sizing.compiled import stale_types
from sizing.evidence import FORMAT, pool_object, problems_json
from sizing.plan import Plan
from sizing.pools import FIRST, PATTERNS, SPREAD
from sizing.problem import Problem, type_object
from sizing.quantum import LAYERS
from sizing.verdicts import KEPT

HEX: Final = re.compile(r"[0-9a-f]{64}")
FATES: Final = ("no", "partly", *KEPT)
CENT: Final = 0.011
ROUNDED: Final = 1e-4
"""USD: what is written down is rounded to this."""


def of_document(made: Mapping[str, Any]) -> Iterator[str]:
    """What a whole evidence document says of itself: format, hash of all problems, versions, the objects of pools."""
    if made["format"] != FORMAT:
        yield f"format is {made['format']!r}, known is {FORMAT}"
    if not HEX.fullmatch(str(made["code"])):
        yield f"code {made['code']!r} is no sha256"
    problems = {name: Problem.from_object(one) for name, one in made["problems"].items()}
    if sorted(problems) != sorted(made["plans"]):
        yield f"problems of {sorted(problems)}, but plans of {sorted(made['plans'])}"
        return
    if made["input_hash"] != sha256_hex(problems_json(problems)):
        yield "input_hash is not the hash of these problems"
    for name, plan in made["plans"].items():
        if plan["solver_revision"] != made["solver_revision"]:
            yield f"{name}: solver_revision {plan['solver_revision']!r} is not the document's"
        whole = Plan.from_object(plan)
        kinds, wishes = {t.name for t in problems[name].types}, {p.name for p in problems[name].pools}
        fine = [row for row in whole.pools if row.instance_type in kinds and row.pool in wishes]
        due = {row.key: pool_object(whole, row, problems[name]) for row in fine}
        for key in sorted({*due, *made["pool_objects"][name]}):
            if due.get(key) != made["pool_objects"][name].get(key):
                yield f"{name}: the object of pool {key} is not what the plan says"


def of_types(problem: Mapping[str, Any]) -> Iterator[str]:
    """Types as they are shown against what they are made of: room and effective price are worked out again."""
    due = {t.name: type_object(t) for t in Problem.from_object(problem).types}
    for shown in problem["types"]:
        one = due.get(shown["name"])
        if one is None:
            yield f"type {shown['name']} is shown, but not offered"
            continue
        wrong = sorted(key for key in {*one, *shown} if canonical(one.get(key)) != canonical(shown.get(key)))
        if wrong:
            yield f"type {shown['name']}: {', '.join(wrong)} does not follow from what was offered and the formulas"


def of_plan(problem: Mapping[str, Any], plan: Mapping[str, Any]) -> Iterator[str]:
    """Winner, candidates, bounds, spares and notes of one plan."""
    yield from of_types(problem)
    yield from _methods(plan)
    yield from _pools(problem, plan)
    yield from _bounds(problem, plan)
    stale = list(stale_types(Problem.from_object(problem)))
    if list(plan["stale_prices"]) != stale:
        yield f"stale_prices is not the list of prices that are too old ({len(stale)})"
    yield from _circuit(plan["quantum"])


def _methods(plan: Mapping[str, Any]) -> Iterator[str]:
    known, kept = plan["candidates"], plan["kept_previous"]
    if kept not in FATES:
        yield f"kept_previous is {kept!r}; one of {', '.join(FATES)}"
    for who, name in (("", plan["winner"]), *((f"pool {row['pool']}: ", row["winner"]) for row in plan["pools"])):
        if name not in known and (kept == "no" or name not in KEPT.values()):
            yield f"{who}winner {name!r} is not among the candidates"
    cheapest = min(known.values(), default=plan["cost_usd_month"])
    if kept == "no" and cheapest < plan["cost_usd_month"] - CENT:
        yield f"a candidate costs {cheapest}, less than the plan"
    if cheapest < plan["bound_usd_month"] - CENT:
        yield f"a candidate costs {cheapest}, less than the bound"


def _pools(problem: Mapping[str, Any], plan: Mapping[str, Any]) -> Iterator[str]:
    prices = {t.name: t for t in Problem.from_object(problem).types}
    share = plan["bound_usd_month"] / plan["cost_usd_month"] if plan["cost_usd_month"] else 1.0
    for row in plan["pools"]:
        key = f"{row['pool']}-{row['slot']}"
        kind = prices.get(row["instance_type"])
        if kind is not None:
            hour = kind.spot_effective_usd_hour if row["spot"] else kind.price_usd_hour
            due = (hour or 0.0) * HOURS_PER_MONTH * row["min"] * share
            if abs(row["bound"] - due) > CENT + 1e-6 * due:
                yield f"{key}: its share of the bound is {row['bound']}, by its cost {due:.2f}"
        empty = sum(not node["pods"] for node in plan["assignment"].get(key, []))
        if not 0 <= row["spare"] <= empty:
            yield f"{key}: {row['spare']} spare nodes, but {empty} of its nodes hold no pods"
    slots = {name: sorted(r["slot"] for r in plan["pools"] if r["pool"] == name) for name in _names(plan)}
    for name, order in plan["notes"]["fill_order"].items():
        if sorted(order) != slots.get(name):
            yield f"pool {name}: fill_order {order} is no order of its slots"
    for name, manner in plan["notes"]["scheduler"].items():
        if name not in slots or manner not in {FIRST, SPREAD, PATTERNS}:
            yield f"pool {name}: its nodes were filled by {manner!r}; {FIRST}, {SPREAD} or {PATTERNS}"


def _names(plan: Mapping[str, Any]) -> list[str]:
    return sorted({row["pool"] for row in plan["pools"]})


def _bounds(problem: Mapping[str, Any], plan: Mapping[str, Any]) -> Iterator[str]:
    """No part's bound lies above its cost, and the parts are all pools, each once."""
    notes = plan["notes"]
    parts = [name for part in notes["bounds"] for name in part.split(",")]
    if sorted(parts) != sorted(wish["name"] for wish in problem["pools"]):
        yield f"the bounds are for pools {sorted(parts)}, not for all pools once"
    free, bound, every = notes["bound_free_mixing"], plan["bound_usd_month"], list(notes["bounds"].values())
    highest = [max(bounds["by_method"].values()) for bounds in every]
    mixed = sum(min(b["by_method"].get("columns") or high, high) for b, high in zip(every, highest, strict=True))
    if free > bound + CENT or (abs(sum(highest) - bound) < CENT and abs(mixed - free) > CENT):
        yield f"bound_free_mixing {free} does not follow from the bounds of the parts"


def _circuit(said: Mapping[str, Any]) -> Iterator[str]:
    """Shots, states and hits of the circuit's runs agree with each other."""
    runs = said.get("runs", [])
    if (said.get("status") == "ran") != bool(runs):
        yield f"quantum.status is {said.get('status')!r} with {len(runs)} runs"
    if "layers" in said and said["layers"] != LAYERS:
        yield f"quantum.layers is {said['layers']}, the circuits have {LAYERS}"
    if not 0 <= said.get("accepted", 0) <= len(runs):
        yield f"quantum.accepted is {said['accepted']} of {len(runs)} runs"
    for run in runs:
        yield from (f"quantum run {run['seed']}: {wrong}" for wrong in _run(run, int(said["shots"])))


def _run(run: Mapping[str, Any], shots: int) -> Iterator[str]:
    least, states, best = run["optimum"], 2 ** run["qubits"], run["optimal_states"]
    if max(run["optimum_shots"], run["control_optimum_shots"], sum(n for _, n in run["histogram"])) > shots:
        yield f"more hits than its {shots} shots"
    for hits, found in (("optimum_shots", "found"), ("control_optimum_shots", "control_found")):
        near = 2 * ROUNDED if run[hits] > 0 else 1e-6  # both are rounded, each for itself
        if (run[hits] > 0) != (run[found] <= least + near):
            yield f"{hits} is {run[hits]}, but {found} is {run[found]} and the optimum {least}"
    if not 1 <= best <= states or (run["flat"] and best != states):
        yield f"{best} of {states} states are optimal{', and all cost the same' if run['flat'] else ''}"
    if run["before"] < least - 1e-6:
        yield f"it began at {run['before']}, below its optimum {least}"
