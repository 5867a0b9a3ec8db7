"""One run of a pipeline from the command line: which stages, the record, the ledger."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from automation.exits import Ending, Exit
from automation.ledger.hand import actor, ledger_of, now
from automation.pipeline.catalogue import PIPELINES
from automation.pipeline.model import ENVIRONMENTS, Pipeline
from automation.pipeline.record import RunRecord
from automation.pipeline.runner import Runner, trigger_of
from automation.policy import commit
from automation.redact import Redactor, of_environment
from automation.signing.keys import stamp


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    name: str
    stages: tuple[str, ...]
    environment: str
    record: Path
    real: bool = False


def chosen(pipeline: Pipeline, asked: Asked) -> tuple[str, ...]:
    """The stages of this run; wrong names are wrong input (exit 2)."""
    known = [stage.key for stage in pipeline.stages]
    if unknown := [key for key in asked.stages if key not in known]:
        raise Ending(Exit.WRONG_INPUT, "stage", f"--stage {', '.join(unknown)}: give one of {', '.join(known)}")
    if asked.stages:
        return asked.stages
    return pipeline.chosen(trigger_of(os.environ, asked.environment)) or tuple(known)


def run(project: Path, asked: Asked, say: Callable[[str], object]) -> RunRecord:
    """Run, write the record and one entry of the ledger; returns the record."""
    pipeline = PIPELINES.get(asked.name)
    if pipeline is None:
        raise Ending(Exit.WRONG_INPUT, "pipeline", f"{asked.name}: give one of {', '.join(PIPELINES)}")
    if asked.environment not in ENVIRONMENTS:
        raise Ending(Exit.WRONG_INPUT, "option", f"--environment: give one of {', '.join(ENVIRONMENTS)}")
    stages = chosen(pipeline, asked)
    began, at = time.monotonic(), now()
    number = int(os.environ.get("GITHUB_RUN_ID") or at.timestamp() * 1000)
    record = RunRecord(
        number,
        asked.name,
        commit(project),
        os.environ.get("GITHUB_REF_NAME", ""),
        os.environ.get("GITHUB_EVENT_NAME", "workflow_dispatch"),
        int(os.environ.get("GITHUB_RUN_ATTEMPT") or 1),
        stamp(at),
        asked.environment,
    )
    record.outputs = {name: os.environ[name.upper()] for name in _outputs(pipeline) if os.environ.get(name.upper())}
    folder = asked.record if asked.record.is_absolute() else project / asked.record
    runner = Runner(project, folder.parent, say, Redactor(of_environment(os.environ)), asked.environment, asked.real)
    runner.run(pipeline, stages, record)
    say(f"recorded: {record.save(folder)}")
    outcome = {"success": "ok", "neutral": "degraded"}.get(record.conclusion, "failed")
    ledger_of(project, os.environ).append(
        now(),
        "pipeline",
        who=actor(project, os.environ),
        pipeline=asked.name,
        stack=asked.environment,
        stages=list(stages),
        commit=record.head_sha,
        outcome=outcome,
        degraded=len(record.degraded),
        seconds=round(time.monotonic() - began, 2),
    )
    return record


def _outputs(pipeline: Pipeline) -> list[str]:
    return [name for stage in pipeline.stages for name in stage.outputs]
