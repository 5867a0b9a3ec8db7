"""Judge evidence again without solving: feasibility, cost, hashes, figures that follow, the bound, the circuits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sizing.canonical import canonical, sha256_hex
from sizing.following import of_document, of_plan
from sizing.problem import Problem
from sizing.reproved import reproved
from sizing.verify import verify, verify_document

SEAL: Final = "sha256"
CENT: Final = 0.011
SHOTS_DUE: Final = 8  # states of a histogram that the evidence keeps


def sealed(made: Mapping[str, Any]) -> str:
    """sha256 of everything else in a document, in canonical form."""
    return sha256_hex(canonical({key: value for key, value in made.items() if key != SEAL}))


def recheck(made: Mapping[str, Any]) -> list[str]:
    """Everything wrong with an evidence document or with the JSON of `size --json`; empty is a pass."""
    found = []
    if SEAL not in made:
        found.append("sha256 is missing: the document was cut, or written by an older version")
    elif made[SEAL] != sealed(made):
        found.append("sha256 is not that of the document: something in it was changed after it was written")
    if "clusters" not in made:
        found += [*of_document(made), *verify_document(canonical(made))]
    for name, problem, plan in clusters(made):
        wrong = _followed(problem, plan) if "clusters" not in made else judged(problem, plan)
        found += [f"{name}: {sentence}" for sentence in wrong]
    if "placement" in made:
        from sizing.placement_check import judged as placement_judged  # noqa: PLC0415 - few stacks have one

        found += placement_judged(made["placement"], {name: problem for name, problem, _ in clusters(made)})
    return found


def clusters(made: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Name, problem and plan of every cluster of either form."""
    if "clusters" in made:
        for name, cluster in made["clusters"].items():
            yield name, cluster["problem"], {**cluster["plan"], "assignment": cluster["assignment"]}
    else:
        for name, plan in made["plans"].items():
            yield name, made["problems"][name], plan


def proofs(made: Mapping[str, Any]) -> list[str]:
    """What was proved again, in words: the bound from the dual prices, the circuits from their phases."""
    told = []
    for name, problem, plan in clusters(made):
        proved, claimed = reproved(problem, plan), float(plan["bound_usd_month"])
        share = min(proved / claimed, 1.0) if claimed else 1.0
        told.append(
            f"{name}: own pricing of the dual prices proves that no plan costs less than {proved:,.2f} USD a month "
            f"({share:.1%} of the bound {claimed:,.2f}; what is above rests on the solver's integer programs)"
        )
        runs = [run for run in plan["quantum"].get("runs", []) if "terms" in run]
        if runs:
            told.append(f"{name}: {len(runs)} circuits were built and sampled again")
    return told


def judged(problem: Mapping[str, Any], plan: Mapping[str, Any]) -> list[str]:
    """One cluster's plan: the verifier's findings, and what else does not follow."""
    return [*verify(problem, plan), *_followed(problem, plan)]


def _followed(problem: Mapping[str, Any], plan: Mapping[str, Any]) -> list[str]:
    return [*_hashes(problem, plan), *_figures(problem, plan), *of_plan(problem, plan), *_circuits(plan)]


def _hashes(problem: Mapping[str, Any], plan: Mapping[str, Any]) -> Iterator[str]:
    if sha256_hex(Problem.from_object(problem).to_json()) != plan["input_hash"]:
        yield "input_hash is not the hash of this problem: the plan was made for another one"
    for key in ("cluster", "seed"):
        if plan[key] != problem[key]:
            yield f"{key} {plan[key]!r} is not the problem's {problem[key]!r}"
    highest = sum(max(part["by_method"].values()) for part in plan["notes"]["bounds"].values())
    if plan["bound_usd_month"] > highest * (1 + 1e-6) + 0.01:
        yield f"the bound {plan['bound_usd_month']} is more than its proofs add up to ({highest:.4f})"
    for run in plan["quantum"].get("runs", []):
        if run["optimum"] > min(run["found"], run["control_found"]):
            yield f"quantum run {run['seed']}: something was found below the optimum of its own table"


def _figures(problem: Mapping[str, Any], plan: Mapping[str, Any]) -> Iterator[str]:
    """Figures that follow from others: gap, list price, age of prices."""
    cost, bound = float(plan["cost_usd_month"]), float(plan["bound_usd_month"])
    gap = round(cost / bound - 1, 6) if bound > 0 else 0.0
    if abs(gap - plan["gap"]) > 2e-6:  # noqa: PLR2004 - rounding
        yield f"gap {plan['gap']} does not follow from cost and bound ({gap})"
    listed = sum(row["nodes_cost_usd"] for row in plan["pools"])
    if abs(listed - plan["list_usd_month"]) > CENT * max(1, len(plan["pools"])):
        yield f"list_usd_month {plan['list_usd_month']} is not the sum over the pools ({listed:.2f})"
    types = {t.name: t for t in Problem.from_object(problem).types}
    dates = []
    for row in plan["pools"]:
        kind = types.get(row["instance_type"])
        if kind is not None:
            dates += [kind.price_date, *([kind.spot_date] if row["spot"] and kind.spot_date else [])]
        if row["cluster"] != plan["cluster"]:
            yield f"pool {row['pool']} says cluster {row['cluster']!r}"
        if row["gap"] != plan["gap"]:
            yield f"pool {row['pool']}-{row['slot']}: its gap {row['gap']} is not the plan's"
    if dates and min(dates).isoformat() != plan["oldest_price"]:
        yield f"oldest_price {plan['oldest_price']} is not the oldest of the types used ({min(dates)})"
    runs, said = plan["quantum"].get("runs", []), plan["quantum"]
    for key, due in (
        ("subproblems", len(runs)),
        ("optimum_found", sum(run["found"] <= run["optimum"] + 1e-6 for run in runs)),
        ("control_optimum_found", sum(run["control_found"] <= run["optimum"] + 1e-6 for run in runs)),
    ):
        if key in said and said[key] != due:
            yield f"quantum.{key} is {said[key]}, its runs say {due}"


def _circuits(plan: Mapping[str, Any]) -> Iterator[str]:
    """Every circuit whose phase was written down gives the same samples again, with the same seed."""
    runs = [run for run in plan["quantum"].get("runs", []) if "terms" in run]
    if not runs:
        return
    from sizing.quantum import sample_terms  # noqa: PLC0415 - a second of import
    from sizing.resident import resident  # noqa: PLC0415

    shots = int(plan["quantum"]["shots"])
    for run in runs:
        terms = {tuple(int(q) for q in term): float(value) for term, value in run["terms"]}
        counts = resident(lambda run=run, terms=terms: sample_terms(terms, run["qubits"], shots, run["seed"]))  # type: ignore[misc]
        top = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:SHOTS_DUE]
        if [list(one) for one in top] != [list(one) for one in run["histogram"]]:
            yield f"quantum run {run['seed']}: sampled again its circuit gives {top}, not {run['histogram']}"
