"""Clusters solved side by side: the same plans whoever solves, and a helper that fails costs nothing but its help."""

from __future__ import annotations

import io
import json
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace

import pytest

import sizing
from components import crew
from sizing import errand
from sizing.evidence import code_hash, document, one_by_one
from sizing.plan import Infeasible, Plan
from sizing.problem import Problem
from tests.sizing.factory import problem

SMALL = problem(workloads=problem().workloads[3:4], pools=problem().pools[1:])
TWO = {"aws-eu-west-1": SMALL, "other": replace(SMALL, cluster="other", seed=8)}


def evidence(answers: Mapping[str, Plan | Infeasible], problems: Mapping[str, Problem]) -> str:
    """The document of answers that are all plans."""
    plans = {name: plan for name, plan in answers.items() if isinstance(plan, Plan)}
    assert plans.keys() == problems.keys()
    return document(problems, plans)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Clusters that this process solves; problems of any size are worth one helper."""
    solved: list[str] = []

    def noted(problems: Mapping[str, Problem], running: Mapping[str, Plan]) -> dict[str, Plan | Infeasible]:
        solved.extend(problems)
        return one_by_one(problems, running)

    monkeypatch.setattr(crew, "WORTH_A_HELPER", 1)
    monkeypatch.setenv(crew.VARIABLE, "2")
    monkeypatch.setattr(crew, "one_by_one", noted)
    return solved


def test_a_helper_answers_as_this_process_does() -> None:
    before = sizing.solve(SMALL)
    assert isinstance(before, Plan)
    more = replace(SMALL, workloads=tuple(replace(w, replicas=w.replicas + 1) for w in SMALL.workloads))
    never = replace(SMALL, vcpu_quota=1)
    out = io.StringIO()
    errand.serve(io.StringIO("".join(f"{errand.question(*one)}\n" for one in ((more, before), (never, None)))), out)
    made = [json.loads(line) for line in out.getvalue().splitlines()]
    assert {one["code"] for one in made} == {code_hash()}
    second, third = (one["plan"] for one in made)
    assert evidence({"a": Plan.from_object(second)}, {"a": more}) == evidence(
        {"a": sizing.solve(more, before)}, {"a": more}
    )
    assert third is None


def test_same_plans_side_by_side(here: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    taken = threading.Event()

    def asked(one: Problem, previous: Plan | None) -> str:
        taken.set()
        return errand.question(one, previous)

    def late(problems: Mapping[str, Problem], running: Mapping[str, Plan]) -> dict[str, Plan | Infeasible]:
        here.extend(problems)
        assert taken.wait(60)  # the helper has the other one by then
        return one_by_one(problems, running)

    monkeypatch.setattr(crew, "question", asked)
    monkeypatch.setattr(crew, "one_by_one", late)
    made = crew.side_by_side(TWO, {})
    assert len(here) == 1  # whichever of them took its first earlier
    assert evidence(made, TWO) == evidence(one_by_one(TWO, {}), TWO)


@pytest.mark.parametrize("helper", ["/no/such/python", "/bin/false", "/bin/cat", "/bin/echo"])
def test_a_helper_that_fails_is_left(helper: str, here: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", helper)
    made = crew.side_by_side(TWO, {})
    assert sorted(here) == sorted(TWO)
    assert evidence(made, TWO) == evidence(one_by_one(TWO, {}), TWO)


def test_a_helper_with_other_sources_is_not_believed(here: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "code_hash", lambda: "of the sources a minute ago")
    made = crew.side_by_side(TWO, {})
    assert sorted(here) == sorted(TWO)
    assert evidence(made, TWO) == evidence(one_by_one(TWO, {}), TWO)


def test_an_error_here_ends_the_helper_too(here: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> dict[str, Plan | Infeasible]:
        raise RuntimeError("broken")

    monkeypatch.setattr(crew, "one_by_one", broken)
    monkeypatch.setattr(sys, "executable", "/bin/cat")
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="broken"):
        crew.side_by_side(TWO, {})
    assert threading.active_count() == before
    assert here == []


def test_a_helper_has_to_be_worth_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    hired: list[object] = []
    monkeypatch.setattr(crew, "_helped", lambda *given: hired.append(given))
    large = replace(SMALL, workloads=tuple(replace(SMALL.workloads[0], name=f"w{i}") for i in range(130)))
    cases = (
        ("2", {"a": large}, 0),  # one cluster
        ("2", {"a": large, "b": SMALL}, 0),  # quick enough alone
        ("1", {"a": large, "b": replace(large, quality="standard")}, 0),
        ("2", {"a": large, "b": replace(large, quality="standard")}, 1),
        ("9", {"a": large, "b": large, "c": SMALL}, 2),
    )
    monkeypatch.setattr(crew, "one_by_one", lambda problems, _: dict.fromkeys(problems))
    for number, problems, helpers in cases:
        monkeypatch.setenv(crew.VARIABLE, number)
        hired.clear()
        assert crew.side_by_side(problems, {}).keys() == problems.keys()
        assert len(hired) == helpers
    for given, count in (("3", 3), ("", 1), ("0", 1), ("many", 1), ("-1", 1)):
        assert crew.processes({crew.VARIABLE: given}) == count
