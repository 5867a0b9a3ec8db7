"""The answers of a run: from the store where they are there, else solved; what that took, for who wants to know."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from components.crew import side_by_side
from components.plans import PlanStore
from sizing.plan import Infeasible, Plan
from sizing.problem import Problem

METER: Final = "ECOSYSTEM_SIZING_METER"
"""A file of the run's own working folder that takes one line of JSON for each look at the plan."""


def _used() -> float:
    """CPU seconds of this process and of helpers that have ended."""
    return sum(os.times()[:4])


@dataclass
class Solving:
    """Answers for every cluster, and how many of them were solved here."""

    store: PlanStore | None
    solved: int = 0
    recalled: int = 0
    _wall: float = field(default_factory=time.perf_counter)
    _cpu: float = field(default_factory=_used)

    def __call__(self, problems: Mapping[str, Problem], running: Mapping[str, Plan]) -> Mapping[str, Plan | Infeasible]:
        """Answer as the solver does; what is infeasible is asked anew each time."""
        answers: dict[str, Plan | Infeasible] = {}
        if self.store is not None:
            for name, problem in problems.items():
                plan = self.store.recall(problem, running.get(name))
                if plan is not None:
                    answers[name] = plan
        left = {name: problem for name, problem in problems.items() if name not in answers}
        made = side_by_side(left, running)
        self.solved, self.recalled = self.solved + len(made), self.recalled + len(answers)
        for name, answer in made.items():
            if self.store is not None and isinstance(answer, Plan):
                self.store.keep(problems[name], running.get(name), answer)
        answers |= made
        return {name: answers[name] for name in problems}

    def meter(self, environ: Mapping[str, str]) -> None:
        """Write down what this look took: wall and CPU seconds since it began."""
        if not environ.get(METER):
            return
        line = {
            "solved": self.solved,
            "recalled": self.recalled,
            "seconds": round(time.perf_counter() - self._wall, 3),
            "cpu_seconds": round(_used() - self._cpu, 3),
        }
        with suppress(OSError):  # a figure less is no reason to stop a run
            handle = os.open(environ[METER], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(handle, "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
