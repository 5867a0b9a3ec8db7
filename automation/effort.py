"""What sizing took of a run: the provider writes a line for each look at the plan, and they are added up here."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

NAME: Final = "sizing.jsonl"
"""In the run's own folder, which goes with it."""


def environment(folder: Path) -> dict[str, str]:
    """The variable that asks the provider for its lines."""
    from components.solving import METER  # noqa: PLC0415 - only for runs that are measured

    return {METER: str(folder / NAME)}


def of(folder: Path, seconds: Iterable[float]) -> dict[str, Any]:
    """Looks at the plan, clusters solved and recalled, wall and CPU seconds, and the share of the phases' seconds."""
    path = folder / NAME
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    whole, spent = sum(seconds), sum(line["seconds"] for line in lines)
    return {
        "checks": len(lines),
        "solved": sum(line["solved"] for line in lines),
        "recalled": sum(line["recalled"] for line in lines),
        "seconds": round(spent, 2),
        "cpu_seconds": round(sum(line["cpu_seconds"] for line in lines), 2),
        "share_of_wall": round(spent / whole, 4) if whole else 0.0,
    }
