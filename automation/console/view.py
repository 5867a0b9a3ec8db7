"""What the console shows, read anew for each page from records, ledger and alerts; nothing is kept in between."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from automation.answers import ignored
from automation.exits import Ending
from automation.guard.health import load
from automation.ledger.hand import ledger_of
from automation.ledger.measures import measures
from automation.notify.send import from_environment
from automation.pipeline.record import RunRecord

RUNS: Final = 20
ENTRIES: Final = 50
COSTED: Final = frozenset({"plan", "up", "rollback", "deploy"})


@dataclass(frozen=True)
class Sources:
    """Where the console reads."""

    project: Path
    records: Path
    environ: Mapping[str, str]

    def fingerprint(self) -> str:
        """Changes whenever one of the files does."""
        found = [self.project / ignored.FILE]
        found += sorted(self.records.glob("*.json")) if self.records.is_dir() else []
        files = [f"{path.name}:{path.stat().st_mtime_ns}" for path in found if path.exists()]
        return "|".join([ledger_of(self.project, self.environ).mark(), *files])


def _run(run: RunRecord) -> dict[str, Any]:
    word = {"neutral": "degraded"}.get(run.conclusion, run.conclusion)
    jobs = [
        {
            "name": job.name,
            "conclusion": {"neutral": "degraded"}.get(job.conclusion, job.conclusion),
            "steps": [
                {
                    "name": step.name,
                    "conclusion": {"neutral": "not run"}.get(step.conclusion, step.conclusion),
                    "seconds": step.seconds,
                    "why": step.missing or (_last(step.log) if step.conclusion == "failure" else ""),
                }
                for step in job.steps
            ],
        }
        for job in run.jobs
    ]
    return {
        "id": run.id, "name": run.name, "conclusion": word, "environment": run.environment, "at": run.created_at,
        "commit": run.head_sha[:12], "jobs": jobs, "degraded": run.degraded,
    }  # fmt: skip


def _last(log: str) -> str:
    lines = [line for line in log.splitlines() if line.strip()]
    return " / ".join(lines[-2:])[:300]


def read(sources: Sources) -> dict[str, Any]:
    """Everything on the page; a record that cannot be read is named, not hidden."""
    broken = ""
    try:
        runs = load([sources.records]) if sources.records.is_dir() else []
    except Ending as ending:
        runs, broken = [], str(ending)
    ledger = ledger_of(sources.project, sources.environ)
    entries = list(ledger.entries())
    contents = [{"seq": one.seq, "at": one.at, **one.content} for one in entries]
    newest = entries[-ENTRIES:][::-1]
    rows = [
        {
            "seq": one.seq, "at": one.at, "who": ledger.person(one), "action": one.content.get("action", ""),
            "outcome": one.content.get("outcome", ""), "stack": one.content.get("stack", ""),
            "reason": one.content.get("reason", ""), "hash": one.hash[:12],
        }
        for one in newest
    ]  # fmt: skip
    gates = [one for one in reversed(contents) if one.get("outcome") == "refused"][:RUNS]
    return {
        "runs": [_run(run) for run in reversed(runs[-RUNS:])],
        "broken": broken,
        "gates": [{name: one.get(name, "") for name in ("at", "action", "stack", "reason")} for one in gates],
        "drift": _newest(contents, {"drift"}),
        "ignored": [one.model_dump(mode="json") for one in ignored.load(sources.project)],
        "cost": [one for one in _newest(contents, COSTED) if one.get("cost_monthly_usd") is not None],
        "figures": measures(entries),
        "ledger": rows,
        "alerts": from_environment(sources.environ).all()[:RUNS],
    }


def _newest(contents: list[dict[str, Any]], actions: set[str] | frozenset[str]) -> list[dict[str, Any]]:
    """The newest entry of these actions for each stack and mode that says something."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one in contents:
        if one.get("action") in actions and one.get("outcome") == "ok":
            found[str(one.get("stack")), str(one.get("mode"))] = one
    return [found[key] for key in sorted(found)]


def sources_of(project: Path, records: Path) -> Sources:
    """The sources of a checkout."""
    return Sources(project, records if records.is_absolute() else project / records, dict(os.environ))
