"""The plan and overflow pools share one quota of virtual CPUs; the plan gets what overflow leaves."""

from __future__ import annotations

from pathlib import Path

from sizing import catalogue, stack_problem
from stacks.load import read_file

FILE = Path(__file__).parents[1] / "stackfiles" / "happy.services-overflow.yaml"


def test_the_plan_gets_what_overflow_leaves_of_the_quota() -> None:
    stack = read_file(FILE)
    problems = stack_problem.from_stack(stack, FILE.parent, catalogue.load())
    assert stack.sizing.vcpu_quota == {"aws-eu-west-1": 256}
    assert problems["aws-eu-west-1"].vcpu_quota == 256 - 64 - 32
    assert problems["gcp-europe-west1"].vcpu_quota is None
    assert {pool.name for pool in problems["aws-eu-west-1"].pools} == {"system", "general", "burst"}
