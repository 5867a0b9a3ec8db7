"""Health of the pipelines from their records: what fails, what is slow, what passes only sometimes."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from automation.exits import Ending, Exit
from automation.guard.classify import causes
from automation.pipeline.record import RunRecord, read


def load(paths: Iterable[Path]) -> list[RunRecord]:
    """Records of files and folders, oldest first; a file that is none is wrong input (exit 2)."""
    files: list[Path] = []
    for path in paths:
        files += sorted(path.glob("*.json")) if path.is_dir() else [path]
    found = []
    for file in files:
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
            if "jobs" not in document or "name" not in document:
                raise ValueError("it has no name or no jobs")  # noqa: TRY301 - one sentence for all
            found.append(read(document))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Ending(Exit.WRONG_INPUT, "record", f"{file} is no run record: {error}") from None
    return sorted(found, key=lambda run: (run.created_at, run.id, run.run_attempt))


def flaky(runs: Sequence[RunRecord]) -> list[str]:
    """Steps that passed and failed at the same commit."""
    seen: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    for run in runs:
        for job in run.jobs:
            for step in job.steps:
                if run.head_sha:
                    seen[run.name, job.name, step.name, run.head_sha].add(step.conclusion)
    return sorted(
        {f"{name}: {job}: {step}" for (name, job, step, _), said in seen.items() if {"success", "failure"} <= said}
    )


def health(runs: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """A row for each pipeline: runs, share that passed, median seconds, the step that fails most, why runs failed."""
    rows = []
    for name in sorted({run.name for run in runs}):
        own = [run for run in runs if run.name == name]
        counted = Counter(run.conclusion for run in own)
        seconds = [sum(step.seconds for job in run.jobs for step in job.steps) for run in own]
        failing = Counter(
            f"{job.name}: {step.name}" for run in own for job in run.jobs for step in job.steps
            if step.conclusion == "failure"
        )  # fmt: skip
        kinds = Counter(cause.kind for run in own if run.conclusion == "failure" for cause in causes(run, own))
        row = 0
        for run in reversed(own):
            if run.conclusion != "failure":
                break
            row += 1
        rows.append(
            {
                "pipeline": name,
                "runs": len(own),
                "passed": counted["success"],
                "failed": counted["failure"],
                "degraded": counted["neutral"],
                "seconds_median": round(median(seconds), 2),
                "failing_most": failing.most_common(1)[0][0] if failing else "",
                "kinds": dict(sorted(kinds.items())),
                "failures_in_a_row": row,
            }
        )
    return rows
