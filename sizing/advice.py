"""Requests that fit the measured use, as an optional step: what to change, and what that does to the plan.

As robusta-dev/krr and the vertical autoscaler do: CPU at the 95th percentile, because a pod without CPU only slows
down; memory at the highest sample and 15 % more, because a pod without memory is killed
(https://github.com/robusta-dev/krr, README, "How it works", 2026).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sizing.problem import Problem

CPU_LEVEL: Final = 0.95
MEMORY_MARGIN: Final = 1.15
LEAST_CPU: Final = 10  # milli-CPU
LEAST_MEMORY: Final = 32  # MiB
FEW_SAMPLES: Final = 100
NEAR: Final = 0.05  # a change of less than this share is none
ROUND_CPU, ROUND_MEMORY = 5, 16


@dataclass(frozen=True)
class Advice:
    """Requests of one pod of a workload, now and as advised, in milli-CPU and MiB; `warning` where samples are few."""

    workload: str
    cpu_milli: tuple[int, int]
    memory_mib: tuple[int, int]
    warning: str = ""

    @property
    def changes(self) -> bool:
        """Whether anything should be changed."""
        return self.cpu_milli[0] != self.cpu_milli[1] or self.memory_mib[0] != self.memory_mib[1]


def advise(cpu_milli: tuple[int, Sequence[float]], memory_mib: tuple[int, Sequence[float]], workload: str) -> Advice:
    """The advice for one workload: its requests now, and samples of one pod's use. ValueError without samples."""
    (cpu, cpu_used), (memory, memory_used) = cpu_milli, memory_mib
    if not len(cpu_used) or not len(memory_used):
        raise ValueError(f"workload {workload}: no samples of its use")
    then_cpu = _rounded(float(np.quantile(np.asarray(cpu_used), CPU_LEVEL)), LEAST_CPU, ROUND_CPU)
    then_memory = _rounded(max(memory_used) * MEMORY_MARGIN, LEAST_MEMORY, ROUND_MEMORY)
    few = min(len(cpu_used), len(memory_used))
    warning = f"only {few} samples: measure for longer" if few < FEW_SAMPLES else ""
    return Advice(workload, (cpu, _unless_near(cpu, then_cpu)), (memory, _unless_near(memory, then_memory)), warning)


def _rounded(value: float, least: int, step: int) -> int:
    return max(least, math.ceil(value / step - 1e-9) * step)


def _unless_near(now: int, then: int) -> int:
    return now if abs(then - now) <= NEAR * now else then


def applied(problem: Problem, advices: Mapping[str, Advice]) -> Problem:
    """The problem with the advised requests."""
    jobs = tuple(
        replace(w, cpu_milli=advices[w.name].cpu_milli[1], memory_mib=advices[w.name].memory_mib[1])
        if w.name in advices
        else w
        for w in problem.workloads
    )
    return replace(problem, workloads=jobs)
