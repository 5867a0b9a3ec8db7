"""Rounds of solving: the plan rests while the demand rests, regret and bounds are what they say."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from automation.cli import app
from automation.size_rounds import summary
from sizing.plan import Infeasible
from sizing.problem import PoolWish
from sizing.rounds import Memory, Round, once
from tests.sizing.factory import TINY, job, problem

ASKED = problem(
    types=TINY,
    pools=(PoolWish(name="general", max=30), PoolWish(name="burst", spot=True, max=20)),
    workloads=(job("api", 700, 1500, 9), job("batch", 900, 900, 8, spot="tolerant", pools=("general", "burst"))),
)


def done(made: Round | Infeasible) -> Round:
    assert isinstance(made, Round), made
    return made


def test_a_plan_rests_while_the_demand_rests_and_the_bound_only_rises() -> None:
    memory = Memory()
    rounds = [done(once(ASKED, number, memory)) for number in range(3)]
    assert [made.changed_nodes for made in rounds[1:]] == [0, 0]
    assert [made.bound for made in rounds] == sorted(made.bound for made in rounds)
    for made in rounds:
        assert made.bound <= made.best <= made.cost + 1e-6
        assert 0 <= made.regret <= made.cost * ASKED.threshold + 1e-6
        assert made.circuit_found <= made.subproblems


def test_another_demand_forgets_what_was_known_of_the_old_one() -> None:
    memory = Memory()
    many = done(once(ASKED, 0, memory))
    few = replace(ASKED, workloads=(job("api", 700, 1500, 2),), threshold=0.0)
    less = done(once(few, 1, memory))
    assert less.bound < many.bound
    assert less.best < many.best
    assert less.changed_nodes > 0


def test_a_round_without_a_plan_leaves_the_plan_that_runs() -> None:
    memory = Memory()
    once(ASKED, 0, memory)
    before = memory.plan
    assert isinstance(once(replace(ASKED, vcpu_quota=4), 1, memory), Infeasible)
    assert memory.plan is before


def test_the_command_tells_each_round_and_their_sum() -> None:
    done_ = CliRunner().invoke(app, ["size", "dev", "--rounds", "2", "--quality", "fast", "--json"])
    assert done_.exit_code == 0, done_.output
    made = json.loads(done_.stdout)
    assert made["summary"] == summary(made["rounds"])
    assert made["summary"]["rounds"] == 2
    assert made["summary"]["nodes_changed"] == 0
    assert {row["number"] for row in made["rounds"]} == {0, 1}
    assert all(row["seconds"] > 0 for row in made["rounds"])


@pytest.mark.parametrize("wrong", [["--rounds", "0"], ["--rounds", "2", "--every", "-1"]])
def test_wrong_numbers_are_refused(wrong: list[str]) -> None:
    assert CliRunner().invoke(app, ["size", "dev", *wrong]).exit_code == 2
