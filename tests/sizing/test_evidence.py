"""Same inputs, same bytes; a pool's evidence is its own; the stored plan comes back unchanged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import sizing
from sizing import catalogue, evidence, verify
from sizing.canonical import canonical, digest
from sizing.plan import Plan
from sizing.problem import Problem
from sizing.stack_problem import from_stack
from stacks.load import read_file
from tests.sizing.factory import JOBS, problem

ROOT = Path(__file__).parents[2]
TEXT = evidence.problems_json({"aws-eu-west-1": problem()})


def test_importing_sizing_loads_no_solver() -> None:
    code = "import sys, sizing.evidence, sizing.problem; print([m for m in ('qiskit', 'highspy') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_a_problem_survives_its_json() -> None:
    made = problem()
    assert Problem.from_json(made.to_json()) == replace(
        made,
        pools=tuple(sorted(made.pools, key=lambda p: p.name)),
        workloads=tuple(sorted(made.workloads, key=lambda w: w.name)),
        types=tuple(sorted(made.types, key=lambda t: t.name)),
    )
    assert Problem.from_json(made.to_json()).input_hash == made.input_hash
    assert " " not in made.to_json().split('"cluster"')[1][:30]


def test_floats_from_the_wire_hash_like_integers() -> None:
    assert canonical({"b": 2.0, "a": [1, 1.5]}) == '{"a":[1,1.5],"b":2}'
    assert len(digest("x")) == 52


@pytest.mark.parametrize(("hash_seed", "threads"), [("0", "1"), ("1", "2"), ("4711", "1")])
def test_same_bytes_in_every_process(hash_seed: str, threads: str, tmp_path: Path) -> None:
    file = tmp_path / "problems.json"
    file.write_text(TEXT)
    code = (
        "import pathlib, sys; from sizing.evidence import sizing_outputs; "
        "print(sizing_outputs(pathlib.Path(sys.argv[1]).read_text(), None)['document_hash'])"
    )
    env = {**os.environ, "PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    out = subprocess.run(
        [sys.executable, "-c", code, str(file)], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == evidence.sizing_outputs(TEXT, None)["document_hash"]


def test_unchanged_inputs_return_the_stored_plan() -> None:
    first = evidence.sizing_outputs(TEXT, None)
    assert evidence.sizing_outputs(TEXT, first["document"]) == first
    assert verify.verify_document(first["document"]) == []
    for key, row in first["plan"]["aws-eu-west-1"].items():
        assert row["evidence"] == digest(first["pool_objects"]["aws-eu-west-1"][key])


def test_a_change_of_one_pool_leaves_the_others_evidence_alone() -> None:
    first = evidence.sizing_outputs(TEXT, None)
    jobs = tuple(replace(w, replicas=w.replicas + 9, cpu_milli=900) if w.name == "dns" else w for w in JOBS)
    second = evidence.sizing_outputs(
        evidence.problems_json({"aws-eu-west-1": problem(workloads=jobs)}), first["document"]
    )
    before, after = first["plan"]["aws-eu-west-1"], second["plan"]["aws-eu-west-1"]
    changed = {key for key in before if before[key] != after[key]}
    assert changed
    assert all(key.startswith("system") for key in changed)
    assert verify.verify_document(second["document"]) == []


def test_what_cannot_be_sized_is_refused_with_its_reason() -> None:
    text = evidence.problems_json({"a": problem(vcpu_quota=4)})
    with pytest.raises(evidence.SizingRefused, match="quota"):
        evidence.sizing_outputs(text, None)
    with pytest.raises(evidence.SizingRefused, match="wrong"):
        evidence.sizing_outputs("{", None)


@pytest.mark.parametrize("name", ["dev", "staging", "prod", "dr"])
def test_the_stacks_of_the_project_have_plans(name: str) -> None:
    problems = from_stack(read_file(ROOT / f"Pulumi.{name}.yaml"), ROOT, catalogue.load())
    cluster = min(problems)
    plan = sizing.solve(problems[cluster])
    assert isinstance(plan, Plan)
    assert verify.verify(json.loads(problems[cluster].to_json()), plan.to_object()) == []
