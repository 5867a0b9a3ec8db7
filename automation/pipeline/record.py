"""A run written down in the shape of the forge's own records, so that the guard reads both alike.

Fields as in https://docs.github.com/en/rest/actions/workflow-runs and /workflow-jobs, 2026-11-21; `log` and `degraded`
are ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Conclusion = Literal["success", "failure", "skipped", "neutral"]
LOG_KEPT = 20_000
"""Characters of a command's output that stay; the end says why it failed."""


@dataclass
class CommandRecord:
    """One step; `neutral` means that it could not run here, and says why."""

    name: str
    number: int
    conclusion: Conclusion
    log: str = ""
    seconds: float = 0.0
    missing: str = ""

    def record(self) -> dict[str, Any]:
        return {"status": "completed", **self.__dict__}


@dataclass
class StageRecord:
    """One job."""

    id: int
    name: str
    steps: list[CommandRecord] = field(default_factory=list)
    skipped: bool = False

    @property
    def conclusion(self) -> Conclusion:
        if self.skipped:
            return "skipped"
        if any(step.conclusion == "failure" for step in self.steps):
            return "failure"
        return "neutral" if any(step.conclusion == "neutral" for step in self.steps) else "success"

    def record(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "status": "completed",
            "conclusion": self.conclusion,
            "steps": [step.record() for step in self.steps],
        }


@dataclass
class RunRecord:
    """One run of a pipeline."""

    id: int
    name: str
    head_sha: str
    head_branch: str
    event: str
    run_attempt: int
    created_at: str
    environment: str = ""
    jobs: list[StageRecord] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def degraded(self) -> list[str]:
        """What could not run here, by name and reason."""
        return [
            f"{job.name}: {step.name}: {step.missing}"
            for job in self.jobs
            for step in job.steps
            if step.conclusion == "neutral"
        ]

    @property
    def conclusion(self) -> Conclusion:
        """`neutral` is a degraded run: nothing failed, and not everything ran."""
        if any(job.conclusion == "failure" for job in self.jobs):
            return "failure"
        return "neutral" if self.degraded else "success"

    def record(self) -> dict[str, Any]:
        return {
            **{name: value for name, value in self.__dict__.items() if name != "jobs"},
            "status": "completed",
            "conclusion": self.conclusion,
            "degraded": self.degraded,
            "jobs": [job.record() for job in self.jobs],
        }

    def save(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}-{self.id}-{self.run_attempt}.json"
        path.write_text(json.dumps(self.record(), indent=1) + "\n", encoding="utf-8")
        return path


def read(document: Mapping[str, Any]) -> RunRecord:
    """A run from its record; jobs without steps or logs (the forge keeps logs apart) are read as they are."""
    jobs = []
    for job in document.get("jobs", ()):
        steps = [
            CommandRecord(
                str(step["name"]),
                int(step.get("number", number)),
                _conclusion(step.get("conclusion")),
                str(step.get("log", "")),
                float(step.get("seconds", 0.0)),
                str(step.get("missing", "")),
            )
            for number, step in enumerate(job.get("steps") or (), 1)
        ]
        if not steps:
            steps = [CommandRecord(str(job["name"]), 1, _conclusion(job.get("conclusion")), str(job.get("log", "")))]
        jobs.append(StageRecord(int(job.get("id", 0)), str(job["name"]), steps, job.get("conclusion") == "skipped"))
    return RunRecord(
        int(document.get("id", 0)),
        str(document.get("name", "")),
        str(document.get("head_sha", "")),
        str(document.get("head_branch", "")),
        str(document.get("event", "")),
        int(document.get("run_attempt", 1)),
        str(document.get("created_at", "")),
        str(document.get("environment", "")),
        jobs,
        dict(document.get("outputs") or {}),
    )


def _conclusion(text: object) -> Conclusion:
    """Whatever is not plainly good is a failure: cancelled, timed_out, action_required, nothing at all."""
    known: dict[object, Conclusion] = {"success": "success", "skipped": "skipped", "neutral": "neutral"}
    return known.get(text, "failure")
