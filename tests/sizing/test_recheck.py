"""Evidence judged again: every field that is changed is found, also by one who writes the seal anew."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import sizing
from sizing import evidence
from sizing.plan import Plan
from sizing.recheck import SEAL, proofs, recheck, sealed
from sizing.reproved import reproved
from tests.sizing.factory import JOBS, TINY, problem

PROBLEM = problem(types=TINY)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    plan = sizing.solve(PROBLEM)
    assert isinstance(plan, Plan)
    made: dict[str, Any] = json.loads(evidence.document({"c": PROBLEM}, {"c": plan}))
    assert recheck(made) == []
    return made


def leaves(made: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value that is no container."""
    inside = made.items() if isinstance(made, dict) else enumerate(made) if isinstance(made, list) else ()
    for key, value in inside:
        if isinstance(value, dict | list) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def changed(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}x" if isinstance(value, str) else ["x"]


def put(made: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    wrong = copy.deepcopy(made)
    inner = wrong
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = changed(inner[path[-1]])
    return wrong


def test_any_changed_field_is_found(document: dict[str, Any]) -> None:
    paths = [path for path in leaves(document) if path != (SEAL,)]
    for path in random.Random(7).sample(paths, 60):
        wrong = put(document, path)
        assert wrong[SEAL] != sealed(wrong), path
    assert any("was changed after" in finding for finding in recheck(put(document, ("plans", "c", "winner"))))
    assert any("sha256 is missing" in finding for finding in recheck({k: v for k, v in document.items() if k != SEAL}))


def test_what_follows_from_other_fields_is_found_without_the_seal(document: dict[str, Any]) -> None:
    plan = ("plans", "c")
    fields = (
        "cost_usd_month",
        "list_usd_month",
        "bound_usd_month",
        "gap",
        "input_hash",
        "seed",
        "cluster",
        "oldest_price",
    )
    paths: list[tuple[Any, ...]] = [(*plan, field) for field in fields]
    used = next(i for i, row in enumerate(document["plans"]["c"]["pools"]) if row["min"] and row["pool"] == "general")
    of_pool = ("pool", "slot", "cluster", "instance_type", "min", "desired", "max", "spot", "nodes_cost_usd", "gap")
    paths += [(*plan, "pools", used, field) for field in of_pool]
    paths += [(*plan, "quantum", key) for key in ("subproblems", "optimum_found", "control_optimum_found")]
    runs = document["plans"]["c"]["quantum"]["runs"]
    paths += [(*plan, "quantum", "runs", 0, "histogram", 0, 1), (*plan, "quantum", "runs", 0, "seed")]
    paths += [(*plan, "quantum", "runs", 0, "terms", i, 1) for i in range(len(runs[0]["terms"]))][:1]
    paths += [("problems", "c", "workloads", 0, key) for key in ("cpu_milli", "memory_mib", "replicas", "name")]
    paths += [("problems", "c", "pools", 0, key) for key in ("min", "max", "slots")]
    paths += [("problems", "c", key) for key in ("zones", "vcpu_quota", "threshold", "max_age_days", "region")]
    shown = ("problems", "c", "types", 0)
    paths += [(*shown, "allocatable", key) for key in ("cpu_milli", "memory_mib", "gpu", "pods")]
    paths += [(*shown, key) for key in ("vcpu", "price_usd_hour", "price_source", "spot_effective_usd_hour")]
    paths += [("format",), ("code",), ("input_hash",), ("solver_revision",)]
    paths += [(*plan, field) for field in ("winner", "kept_previous", "solver_revision", "stale_prices")]
    paths += [(*plan, "pools", used, field) for field in ("bound", "spare", "winner")]
    paths += [(*plan, "notes", "fill_order", "general", 0), (*plan, "notes", "scheduler", "general")]
    paths += [(*plan, "quantum", "layers"), (*plan, "quantum", "status")]
    paths += [("pool_objects", "c", "general-0")]
    for path in paths:
        wrong = put(document, path)
        wrong[SEAL] = sealed(wrong)
        try:
            found = recheck(wrong)
        except (ValueError, KeyError):
            continue  # refused as no evidence at all
        assert found, path


def test_a_bound_is_proved_again_near_the_claim_and_never_above_the_cost(document: dict[str, Any]) -> None:
    plan, made = document["plans"]["c"], document["problems"]["c"]
    proved = reproved(made, plan)
    assert 0.9 * plan["bound_usd_month"] <= proved <= plan["cost_usd_month"] + 1e-6
    (bound, circuits) = proofs(document)
    assert "proves that no plan costs less than" in bound
    assert "sampled again" in circuits


WORTHS: dict[str, Callable[[float], float]] = {
    "raised": lambda worth: worth * 100,
    "torn": lambda worth: worth * worth,
    "one": lambda _: 1.0,
    "none": lambda _: 0.0,
}


@pytest.mark.parametrize("name", WORTHS)
def test_wrong_worths_only_prove_less(name: str, document: dict[str, Any]) -> None:
    plan = copy.deepcopy(document["plans"]["c"])
    honest = reproved(document["problems"]["c"], plan)
    for part in plan["notes"]["bounds"].values():
        part["duals"] = {key: WORTHS[name](value) for key, value in part["duals"].items()}
    assert reproved(document["problems"]["c"], plan) <= plan["cost_usd_month"] + 1e-6
    if name == "raised":
        assert reproved(document["problems"]["c"], plan) == pytest.approx(honest, rel=1e-6)


def test_only_some_circuits_are_written_down() -> None:
    jobs = tuple(w for w in JOBS if w.pools != ("system",))
    plan = sizing.solve(problem(types=TINY, workloads=jobs, quality="standard"))
    assert isinstance(plan, Plan)
    assert sum("terms" in run for run in plan.quantum["runs"]) <= 4


def test_room_that_is_larger_than_the_node_leaves_is_found(document: dict[str, Any]) -> None:
    wrong = copy.deepcopy(document)
    for one in wrong["problems"]["c"]["types"]:
        one["allocatable"]["memory_mib"] *= 2
    wrong[SEAL] = sealed(wrong)
    assert any("memory" in finding or "allocatable" in finding for finding in recheck(wrong))


def test_hits_that_do_not_agree_with_what_was_found_are_found(document: dict[str, Any]) -> None:
    for key, value in (
        ("optimum_shots", 10**6),
        ("control_optimum_shots", -1),
        ("optimal_states", 0),
        ("before", -1.0),
    ):
        wrong = copy.deepcopy(document)
        wrong["plans"]["c"]["quantum"]["runs"][0][key] = value
        wrong[SEAL] = sealed(wrong)
        assert recheck(wrong), key


def test_the_bound_without_slots_is_not_above_the_bound(document: dict[str, Any]) -> None:
    wrong = copy.deepcopy(document)
    wrong["plans"]["c"]["notes"]["bound_free_mixing"] = wrong["plans"]["c"]["bound_usd_month"] + 1
    wrong[SEAL] = sealed(wrong)
    assert any("bound_free_mixing" in finding for finding in recheck(wrong))


def test_candidates_below_the_plan_or_its_bound_are_found(document: dict[str, Any]) -> None:
    wrong = copy.deepcopy(document)
    plan = wrong["plans"]["c"]
    plan["candidates"]["greedy"] = plan["bound_usd_month"] * 0.9
    wrong[SEAL] = sealed(wrong)
    assert sum("a candidate costs" in finding for finding in recheck(wrong)) == 2


def test_what_rounding_and_dear_spares_leave_apart_is_no_finding(document: dict[str, Any]) -> None:
    """Costs are written in steps of 0.0001 USD; the bound by dual prices counts whole spares, its program parts."""
    honest = copy.deepcopy(document)
    plan = honest["plans"]["c"]
    run = next(run for run in plan["quantum"]["runs"] if run["optimum_shots"] and not run["flat"])
    run["found"] = round(run["optimum"] + 1e-4, 4)
    for proof in plan["notes"]["bounds"].values():
        proof["columns"]["lp"] += 5.0
    honest[SEAL] = sealed(honest)
    assert not [one for one in recheck(honest) if "optimum_shots" in one or "dual prices" in one]
    run["found"] += 1.0
    honest[SEAL] = sealed(honest)
    assert any("optimum_shots" in one for one in recheck(honest))
