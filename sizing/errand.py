"""Solve for another process: one line of JSON in, one out, until nothing more comes.

`python -m sizing.errand`; the asking process may end at any time, then this one does so too.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TextIO

import sizing
from sizing.canonical import canonical
from sizing.evidence import code_hash
from sizing.plan import Plan
from sizing.problem import Problem


def question(problem: Problem, previous: Plan | None) -> str:
    """One line that asks for a plan."""
    return canonical({"problem": problem.to_object(), "previous": None if previous is None else previous.to_object()})


def answer(line: str) -> str:
    """The plan as one line, with the hash of the code that made it: sources may have changed since the asker began.

    The plan is null where there is none: who asked solves again and gets the reasons.
    """
    asked: dict[str, Any] = json.loads(line)
    before = asked["previous"]
    made = sizing.solve(Problem.from_object(asked["problem"]), None if before is None else Plan.from_object(before))
    return canonical({"code": code_hash(), "plan": made.to_object() if isinstance(made, Plan) else None})


def serve(lines: TextIO, out: TextIO) -> None:
    """Answer line by line."""
    for line in lines:
        out.write(answer(line) + "\n")
        out.flush()


def main() -> None:
    """Answers go where standard output went; whatever a library prints goes to standard error."""
    code_hash()  # of the sources as they are before the solvers load
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        serve(sys.stdin, out)


if __name__ == "__main__":
    main()
