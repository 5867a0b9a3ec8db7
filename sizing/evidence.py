"""Evidence: one canonical document per plan, one canonical object per pool, and the hashes they are known by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import sizing
from sizing.canonical import canonical, digest, sha256_hex
from sizing.plan import SOLVER_REVISION, Infeasible, Plan, PoolPlan
from sizing.problem import Problem, WrongProblem, type_object

__all__ = ["SizingRefused", "digest", "document", "outputs", "pool_object", "problems_json", "sizing_outputs"]

FORMAT = 1

Solver = Callable[[Mapping[str, Problem], Mapping[str, Plan]], Mapping[str, Plan | Infeasible]]
"""From every cluster's problem and the plans that run to every cluster's answer."""


class SizingRefused(ValueError):  # noqa: N818 - part of the interface
    """No plan may reach a pool; the message says why and what to change."""


@cache
def code_hash() -> str:
    """sha256 over the sizing package's own sources and prices: another solver is another plan."""
    here = Path(sizing.__file__).parent
    seen = hashlib.sha256()
    for path in sorted(here.rglob("*.py")):
        seen.update(path.relative_to(here).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return seen.hexdigest()


def problems_json(problems: Mapping[str, Problem]) -> str:
    """All clusters' problems as one canonical text: the input of the dynamic resource."""
    return canonical({name: problem.to_compact() for name, problem in problems.items()})


def pool_object(plan: Plan, pool_plan: PoolPlan, problem: Problem | None = None) -> str:
    """Canonical JSON of one pool: only what is its own, so that a change of another pool leaves it alone."""
    made: dict[str, Any] = {
        "format": FORMAT,
        "cluster": plan.cluster,
        "pool": pool_plan.pool,
        "slot": pool_plan.slot,
        "instance_type": pool_plan.instance_type,
        "min": pool_plan.min,
        "desired": pool_plan.desired,
        "max": pool_plan.max,
        "spare": pool_plan.spare,
        "spot": pool_plan.spot,
        "nodes_cost_usd": pool_plan.nodes_cost_usd,
        "seed": plan.seed,
        "solver_revision": plan.solver_revision,
        "pods": placed(plan, pool_plan.key),
    }
    if problem is not None:
        wish = asdict(next(w for w in problem.pools if w.name == pool_plan.pool))
        kind = type_object(next(t for t in problem.types if t.name == pool_plan.instance_type))
        made["inputs_hash"] = sha256_hex(canonical({"wish": wish, "type": kind, "pods": made["pods"]}))
        made["allocatable"], made["price_source"] = kind["allocatable"], kind["price_source"]
    return canonical(made)


def placed(plan: Plan, key: str) -> dict[str, int]:
    """Pods by workload that the plan puts into a slot."""
    total: dict[str, int] = {}
    for node in plan.assignment.get(key, []):
        for name, blocks in node["pods"].items():
            total[name] = total.get(name, 0) + sum(blocks.values())
    return total


def document(
    problems: Mapping[str, Problem], plans: Mapping[str, Plan], placement: Mapping[str, Any] | None = None
) -> str:
    """The evidence of all clusters: problems, plans with their witnesses, and the object of every pool.

    `placement` is the account of how pods were shared out over the clusters, where the stack file leaves that open.
    """
    made: dict[str, Any] = {
        "format": FORMAT,
        "solver_revision": SOLVER_REVISION,
        "code": code_hash(),
        "input_hash": sha256_hex(problems_json(problems)),
        "problems": {
            name: problem.to_compact({p.instance_type for p in plans[name].pools}) for name, problem in problems.items()
        },
        "plans": {name: plan.to_object() for name, plan in plans.items()},
        "pool_objects": {
            name: {p.key: pool_object(plan, p, problems[name]) for p in plan.pools} for name, plan in plans.items()
        },
    }
    if placement is not None:
        made["placement"] = dict(placement)
    return canonical({**made, "sha256": sha256_hex(canonical(made))})


def outputs(text: str) -> dict[str, Any]:
    """What the dynamic resource hands out, from a document."""
    made = json.loads(text)
    plan: dict[str, dict[str, Any]] = {}
    for name, part in made["plans"].items():
        objects = made["pool_objects"][name]
        plan[name] = {
            f"{p['pool']}-{p['slot']}": {
                "instance_type": p["instance_type"],
                "min": p["min"],
                "desired": p["desired"],
                "max": p["max"],
                "spot": p["spot"],
                "nodes_cost_usd": p["nodes_cost_usd"],
                "evidence": digest(objects[f"{p['pool']}-{p['slot']}"]),
            }
            for p in part["pools"]
        }
    return {"plan": plan, "pool_objects": made["pool_objects"], "document": text, "document_hash": digest(text)}


def one_by_one(problems: Mapping[str, Problem], running: Mapping[str, Plan]) -> dict[str, Plan | Infeasible]:
    """Solve every cluster here and now."""
    return {name: sizing.solve(problem, running.get(name)) for name, problem in problems.items()}


def sizing_outputs(
    problems_json: str, previous: str | None, placement: str | None = None, solver: Solver = one_by_one
) -> dict[str, Any]:  # the interface's names
    """Solve every cluster; unchanged inputs return the previous document's outputs. SizingRefused when one has no plan.

    `previous` is the document of the last applied plan, or None; `placement` the account of the placements, or None.
    `solver` may answer from what it solved before, as long as the answers are the same.
    """
    before, shared_out = _read(previous), None if placement is None else json.loads(placement)
    if (
        before
        and previous
        and before["input_hash"] == sha256_hex(problems_json)
        and before["code"] == code_hash()
        and before.get("placement") == shared_out
    ):
        return outputs(previous)
    try:
        given = json.loads(problems_json)
        problems = {name: Problem.from_object(made) for name, made in sorted(given.items())}
    except (json.JSONDecodeError, WrongProblem, ValueError) as wrong:
        raise SizingRefused(f"the sizing problem is wrong: {wrong}") from wrong
    plans: dict[str, Plan] = {}
    refused: list[str] = []
    old = before["plans"] if before else {}
    running = {name: Plan.from_object(old[name]) for name in problems if name in old}
    for name, answer in solver(problems, running).items():
        if isinstance(answer, Infeasible):
            refused += [f"{name}: {line}" for line in answer.lines()]
        else:
            plans[name] = answer
    if refused:
        raise SizingRefused("no plan: " + "\n  ".join(refused))
    return outputs(document(problems, plans, shared_out))


def _read(previous: str | None) -> dict[str, Any] | None:
    """The previous document, None when there is none or it is of another format."""
    if not previous:
        return None
    try:
        made = json.loads(previous)
    except json.JSONDecodeError:
        return None
    return made if isinstance(made, dict) and made.get("format") == FORMAT else None
