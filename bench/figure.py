"""One measured figure, its goal, and whether it is met."""

from __future__ import annotations

import operator
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "=": operator.eq,
}
PACKAGES: Final = (
    "pulumi", "pulumi-aws", "pulumi-gcp", "pulumi-azure-native", "pulumi-kubernetes", "pulumi-policy", "highspy",
    "qiskit",
)  # fmt: skip


def meets(goal: str, value: float | None) -> bool | None:
    """Judge a value by a goal such as `<= 0.40`; None where there is no goal or no value."""
    if not goal or value is None:
        return None
    comparison, _, limit = goal.partition(" ")
    return COMPARISONS[comparison](value, float(limit))


@dataclass(frozen=True)
class Figure:
    """A figure as it is printed and written; `how` says what was run, how often, and in which unit the value is."""

    id: str
    goal: str
    value: float | None
    how: str

    def as_json(self) -> dict[str, Any]:
        """Return the form of `bench/*.json`; `met` follows from value and goal."""
        return {**asdict(self), "met": meets(self.goal, self.value)}


def rounded(value: float) -> float:
    """Keep three significant decimals: no run is more exact."""
    return round(value, 3)


def machine() -> dict[str, Any]:
    """Describe the machine, without its name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": model,
        "cores": os.cpu_count(),
        "load": rounded(os.getloadavg()[0]),
    }


def versions() -> dict[str, str]:
    """Return what was measured: Python and the packages that decide."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in PACKAGES}}


def table(figures: Sequence[Figure]) -> None:
    """Print the figures."""
    from rich.console import Console  # noqa: PLC0415 - only a run prints
    from rich.table import Table  # noqa: PLC0415

    shown = Table(title="figures of docs/performance.md", show_lines=False)
    for title in ("figure", "goal", "this run", "met", "how"):
        shown.add_column(title, overflow="fold")
    words = {True: "yes", False: "NO", None: ""}
    for figure in figures:
        value = "not measured" if figure.value is None else f"{figure.value:g}"
        shown.add_row(figure.id, figure.goal, value, words[meets(figure.goal, figure.value)], figure.how)
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else 160).print(shown)
