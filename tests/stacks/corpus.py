"""The corpus of stack files: what each wrong one is expected to say."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from stacks.problems import StackFileError

PROJECT = Path(__file__).parents[2]
FILES = Path(__file__).parents[1] / "stackfiles"
ERRORS = sorted(FILES.glob("error.*.yaml"))
HAPPY = sorted(FILES.glob("happy.*.yaml"))
OWN = sorted(PROJECT.glob("Pulumi.*.yaml"))
SHARED = Path(os.environ.get("SHARED", str(PROJECT.parent / "shared")))
MARK = "# expect: "


def expected(path: Path) -> list[tuple[str, str]]:
    """Return path and part of the message of each problem that a file's head announces."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith(MARK)]
    return [tuple(part.strip() for part in line.removeprefix(MARK).split("|", 1)) for line in lines]  # type: ignore[misc]


def report(judge: Callable[[], object]) -> StackFileError | None:
    """Return what a reading complains about."""
    try:
        judge()
    except StackFileError as error:
        return error
    return None
