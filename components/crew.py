"""Clusters solved side by side: this process and, where asked for, helpers take one after the other.

Who solves decides nothing: a plan depends on its problem only. A helper that cannot be had, dies, or answers with
anything but a plan is left, and its cluster is solved here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from sizing.errand import question
from sizing.evidence import code_hash, one_by_one
from sizing.plan import Infeasible, Plan
from sizing.problem import Problem

PROJECT: Final = Path(__file__).resolve().parents[1]
WORTH_A_HELPER: Final = 240
"""Workloads, weighed by quality, from which a helper's start (1.5 CPU seconds) is less than it saves."""
WEIGHT: Final = {"fast": 1, "standard": 2, "best": 20}
VARIABLE: Final = "ECOSYSTEM_SOLVERS"
"""At most so many processes solve. Without it this one alone: on a busy machine a helper gains nothing (ADR 0014)."""


def side_by_side(problems: Mapping[str, Problem], running: Mapping[str, Plan]) -> dict[str, Plan | Infeasible]:
    """Answer for every cluster, the largest problems first."""
    number = min(processes(os.environ), len(problems))
    if number <= 1 or sum(map(_weight, problems.values())) < WORTH_A_HELPER:
        return one_by_one(problems, running)
    code_hash()  # of the sources as they are now: a helper that finds others is not believed
    waiting = deque(sorted(problems, key=lambda name: (-_weight(problems[name]), name)))
    answers: dict[str, Plan | Infeasible] = {}
    helpers = [threading.Thread(target=_helped, args=(waiting, problems, running, answers)) for _ in range(number - 1)]
    for helper in helpers:
        helper.start()
    try:
        while waiting:
            try:
                name = waiting.popleft()
            except IndexError:  # a helper was quicker
                break
            answers |= one_by_one({name: problems[name]}, running)
    finally:
        waiting.clear()
        for helper in helpers:
            helper.join()
    left = {name: problem for name, problem in problems.items() if name not in answers}
    return answers | one_by_one(left, running)


def _weight(problem: Problem) -> int:
    return len(problem.workloads) * WEIGHT[problem.quality]


def processes(environ: Mapping[str, str]) -> int:
    """How many processes may solve at once."""
    given = environ.get(VARIABLE, "")
    return int(given) if given.isdecimal() and int(given) else 1


def _helped(
    waiting: deque[str],
    problems: Mapping[str, Problem],
    running: Mapping[str, Plan],
    answers: dict[str, Plan | Infeasible],
) -> None:
    """Hand one cluster after the other to a process; whatever goes wrong with it, the cluster is not answered."""
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "sizing.errand"],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
    except OSError:
        return
    assert process.stdin is not None  # noqa: S101 - pipes were asked for
    assert process.stdout is not None  # noqa: S101
    with suppress(OSError), process:  # one that died has closed its end
        try:
            while waiting:
                name = waiting.popleft()
                process.stdin.write(question(problems[name], running.get(name)) + "\n")
                process.stdin.flush()
                made = json.loads(process.stdout.readline())
                plan = made["plan"]
                if made["code"] == code_hash() and plan and plan["input_hash"] == problems[name].input_hash:
                    answers[name] = Plan.from_object(plan)
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            process.kill()
