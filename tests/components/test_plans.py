"""Plans that were made before: the same bytes with and without them, nothing trusted unseen, a store with bounds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import sizing
from automation import effort
from components import plans, solving
from components.optimizer import SizingProvider
from components.plans import PlanStore, address, of_environment, opened, sealed
from sizing.canonical import canonical, sha256_hex
from sizing.evidence import problems_json, sizing_outputs
from sizing.plan import Plan
from sizing.problem import Problem
from tests.sizing.factory import problem

ROOT = Path(__file__).resolve().parents[2]
ASKED = problem(workloads=problem().workloads[3:])
TEXT = problems_json({ASKED.cluster: ASKED})


@pytest.fixture(scope="module")
def plan() -> Plan:
    made = sizing.solve(ASKED)
    assert isinstance(made, Plan)
    return made


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def store(tmp_path: Path, said: list[str]) -> PlanStore:
    return PlanStore(tmp_path / "plans", said.append)


def files(store: PlanStore) -> list[Path]:
    return sorted(store.folder.iterdir())


def check(**olds: Any) -> dict[str, Any]:
    """Inputs of the dynamic resource after the provider's look at them."""
    found = SizingProvider().check(olds, {"problems": TEXT, "seed": 7})
    assert not found.failures
    return dict(found.inputs)


def test_same_bytes_with_and_without_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = sizing_outputs(TEXT, None)
    monkeypatch.setenv(plans.VARIABLE, str(tmp_path / "plans"))
    monkeypatch.setenv(solving.METER, str(tmp_path / effort.NAME))
    first, second = check(), check()
    assert {key: first[key] for key in plain} == plain
    assert second == first
    monkeypatch.setenv(plans.VARIABLE, plans.OFF)
    made = effort.of(tmp_path, [10.0, 10.0])
    assert (made["checks"], made["solved"], made["recalled"]) == (2, 1, 1)
    assert made["share_of_wall"] == pytest.approx(made["seconds"] / 20, abs=1e-3)
    assert check(document=first["document"]) == first  # the plan that runs answers by itself
    assert [path.parent.name for path in (tmp_path / "plans").iterdir()] == ["plans"]


def test_two_processes_write_the_same_file(tmp_path: Path, plan: Plan) -> None:
    code = (
        "import json, sys; from pathlib import Path; from components.plans import PlanStore; "
        "from sizing.problem import Problem; from sizing.plan import Plan; "
        "p = Problem.from_json(Path(sys.argv[1]).read_text()); "
        "m = Plan.from_object(json.loads(Path(sys.argv[2]).read_text())); "
        "s = PlanStore(Path(sys.argv[3]), sys.exit); "
        "[(s.keep(p, None, m), s.recall(p, None) or sys.exit('torn')) for _ in range(40)]"
    )
    asked, answer = tmp_path / "problem", tmp_path / "plan"
    asked.write_text(ASKED.to_json())
    answer.write_text(canonical(plan.to_object()))
    command = [sys.executable, "-c", code, str(asked), str(answer), str(tmp_path / "plans")]
    both = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(one.communicate()[1], one.returncode) for one in both] == [("", 0), ("", 0)]
    (left,) = (tmp_path / "plans").iterdir()
    assert left.read_text() == sealed(address(ASKED, None), plan)


def test_what_the_answer_depends_on_is_in_the_address(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {
        address(ASKED, None),
        address(ASKED, plan),
        address(ASKED, replace(plan, cost_usd_month=1.0)),
        address(replace(ASKED, seed=8), None),
        address(replace(ASKED, threshold=0.2), None),
    }
    for name, value in (("code_hash", lambda: "other"), ("_version", lambda _: "other")):
        with monkeypatch.context() as patch:
            patch.setattr(plans, name, value)
            plans.solver.cache_clear()
            known.add(address(ASKED, None))
    plans.solver.cache_clear()
    assert len(known) == 7
    assert address(ASKED, None) in known


def forged(text: str, change: dict[str, Any]) -> str:
    """A file with a changed plan and a seal that is right again."""
    made = json.loads(text)
    body = {"key": change.pop("key", made["key"]), "plan": {**made["plan"], **change}}
    return canonical({**body, "sha256": sha256_hex(canonical(body))})


DAMAGE: list[tuple[str, Any]] = [
    ("JSONDecodeError", lambda text: text[: len(text) // 2]),
    ("JSONDecodeError", lambda _: ""),
    ("holds no plan", lambda _: "[]"),
    ("sha256", lambda text: text.replace('"min":', '"min" :', 1).replace('"desired":1', '"desired":2', 1)),
    ("another problem", lambda text: forged(text, {"key": "0" * 64})),
    ("another problem", lambda text: forged(text, {"input_hash": "0" * 64})),
    ("verifier refuses", lambda text: forged(text, {"cost_usd_month": 1.0})),
    ("verifier refuses", lambda text: forged(text, {"assignment": {}})),
    ("Error", lambda text: forged(text, {"pools": [{}]})),
    ("TypeError", lambda text: forged(text, {"more": 1})),
]


@pytest.mark.parametrize(("why", "damage"), DAMAGE, ids=[f"{why}-{i}" for i, (why, _) in enumerate(DAMAGE)])
def test_a_torn_or_forged_file_is_told_and_not_used(
    why: str, damage: Any, store: PlanStore, said: list[str], plan: Plan
) -> None:
    store.keep(ASKED, None, plan)
    (path,) = files(store)
    path.write_text(damage(path.read_text()))
    assert store.recall(ASKED, None) is None
    assert why in said[0]
    assert str(path) in said[0]
    assert not path.exists()
    store.keep(ASKED, None, plan)
    assert store.recall(ASKED, None) == opened(sealed(address(ASKED, None), plan), address(ASKED, None), ASKED)
    assert len(said) == 1


def test_a_folder_that_cannot_be_used_costs_a_warning(tmp_path: Path, said: list[str], plan: Plan) -> None:
    (tmp_path / "file").write_text("")
    store = PlanStore(tmp_path / "file", said.append)
    assert store.recall(ASKED, None) is None
    store.keep(ASKED, None, plan)
    assert "was not kept" in said[-1]
    assert plans.VARIABLE in said[-1]


def test_the_least_recently_used_go_first(store: PlanStore, plan: Plan) -> None:
    few = replace(store, most_plans=3)
    problems = [replace(ASKED, seed=seed) for seed in range(5)]
    made = [replace(plan, input_hash=one.input_hash, seed=one.seed) for one in problems]
    for age, (one, its) in enumerate(zip(problems[:3], made[:3], strict=True)):
        few.keep(one, None, its)
        os.utime(few.folder / f"{address(one, None)}{plans.SUFFIX}", (1000 + age, 1000 + age))
    assert few.recall(problems[0], None) is not None  # used now: the second is the oldest
    few.keep(problems[3], None, made[3])
    assert [few.recall(one, None) is not None for one in problems] == [True, False, True, True, False]
    size = files(few)[0].stat().st_size
    replace(few, most_bytes=int(size * 1.5)).keep(problems[4], None, made[4])
    assert [path.name for path in files(few)] == [f"{address(problems[4], None)}{plans.SUFFIX}"]


def test_where_the_store_is(tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert of_environment({plans.VARIABLE: "OFF"}, said.append) is None
    assert said == []
    given = of_environment({plans.VARIABLE: str(tmp_path)}, said.append)
    assert given is not None
    assert given.folder == tmp_path
    for wrong in ("plans", str(ROOT / "plans"), str(tmp_path / ".." / ".." / ROOT / "x")):
        assert of_environment({plans.VARIABLE: wrong}, said.append) is None
        assert "outside the project" in said.pop()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    own = of_environment({}, said.append)
    assert own is not None
    assert own.folder == tmp_path / "cache" / "cloud-ecosystem" / "plans"


def test_only_what_is_not_known_is_solved(store: PlanStore, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def solve(one: Problem, _previous: Plan | None = None) -> Plan:
        asked.append(one.cluster)
        return replace(plan, cluster=one.cluster, input_hash=one.input_hash)

    monkeypatch.setattr(sizing, "solve", solve)
    store.keep(ASKED, None, plan)
    other = replace(ASKED, cluster="aws-us-east-1")
    solver = solving.Solving(store)
    answers = solver({"a": ASKED, "b": other}, {})
    assert (list(answers), asked, solver.solved, solver.recalled) == (["a", "b"], ["aws-us-east-1"], 1, 1)
    solving.Solving(store)({"a": ASKED}, {"a": plan})  # another plan runs: another question
    assert asked == ["aws-us-east-1", ASKED.cluster]
