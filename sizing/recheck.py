"""Judge evidence again without solving: feasibility, cost, hashes, the bound's figures, the quantum runs' figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sizing.canonical import canonical, sha256_hex
from sizing.problem import Problem
from sizing.verify import verify, verify_document


def recheck(made: Mapping[str, Any]) -> list[str]:
    """Everything wrong with an evidence document or with the JSON of `size --json`; empty is a pass."""
    if "clusters" in made:
        found = []
        for name, cluster in made["clusters"].items():
            plan = {**cluster["plan"], "assignment": cluster["assignment"]}
            found += [f"{name}: {wrong}" for wrong in judged(cluster["problem"], plan)]
        return found
    found = verify_document(canonical(made))
    for name, plan in made["plans"].items():
        found += [f"{name}: {wrong}" for wrong in _hashes(made["problems"][name], plan)]
    return found


def judged(problem: Mapping[str, Any], plan: Mapping[str, Any]) -> list[str]:
    """One cluster's plan: the verifier's findings, and whether the plan belongs to this problem."""
    return [*verify(problem, plan), *_hashes(problem, plan)]


def _hashes(problem: Mapping[str, Any], plan: Mapping[str, Any]) -> list[str]:
    found = []
    if sha256_hex(Problem.from_object(problem).to_json()) != plan["input_hash"]:
        found.append("input_hash is not the hash of this problem: the plan was made for another one")
    highest = sum(max(part["by_method"].values()) for part in plan["notes"]["bounds"].values())
    if plan["bound_usd_month"] > highest * (1 + 1e-6) + 0.01:
        found.append(f"the bound {plan['bound_usd_month']} is more than its proofs add up to ({highest:.4f})")
    found += [
        f"quantum run {run['seed']}: something was found below the optimum of its own table"
        for run in plan["quantum"].get("runs", [])
        if run["optimum"] > min(run["found"], run["control_found"])
    ]
    return found
