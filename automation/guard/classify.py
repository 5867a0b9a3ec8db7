"""What a failed run died of, read from its record. Who is not sure says so: `unknown` is escalated, never retried."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from automation.pipeline.record import CommandRecord, RunRecord

Kind = Literal[
    "flaky-test",
    "test",
    "registry-timeout",
    "dependency-conflict",
    "lint",
    "stack-file",
    "state-migration",
    "disk-full",
    "canary",
    "unknown",
]
Remedy = Literal["retry", "propose-lock", "propose-patch", "rollback", "escalate"]


@dataclass(frozen=True)
class Cause:
    """One cause, where it was seen, and the remedy that its class allows."""

    kind: Kind
    remedy: Remedy
    job: str
    step: str
    evidence: str


def _rule(kind: Kind, remedy: Remedy, *forms: str) -> tuple[Kind, Remedy, re.Pattern[str]]:
    return kind, remedy, re.compile("|".join(forms), re.IGNORECASE | re.MULTILINE)


_RULES: Final = (  # the first that matches wins: what is worst or surest stands first
    _rule("disk-full", "escalate", r"No space left on device|ENOSPC|database or disk is full|disk quota exceeded"),
    _rule(
        "state-migration",
        "escalate",
        r"newer than (this version|what this version)|unsupported (deployment|checkpoint|schema) version",
        r"the state file .{0,200} (is cut|is empty|cannot be read|is JSON but no)",
        r"migrat\w+ .{0,60}state.{0,40}fail",
    ),
    _rule("canary", "rollback", r"^canary: rolled-back$"),
    _rule(
        "stack-file",
        "escalate",
        r"Pulumi\.[\w-]+\.yaml does not describe a stack",
        r"Pulumi\.[\w-]+\.yaml .{0,40}to fix",
    ),
    _rule(
        "dependency-conflict",
        "propose-lock",
        r"ResolutionImpossible|conflicting dependencies|No solution found when resolving",
        r"THESE PACKAGES DO NOT MATCH THE HASHES|has requirement .{1,80} but you have",
    ),
    _rule(
        "registry-timeout",
        "retry",
        r"ReadTimeoutError|ConnectTimeoutError|Read timed out|i/o timeout|TLS handshake timeout",
        r"NewConnectionError|Connection refused|Temporary failure in name resolution|429 Too Many Requests",
        r"50[234] (Bad Gateway|Service Unavailable|Gateway Time-?out)|toomanyrequests",
    ),
    _rule(
        "lint",
        "propose-patch",
        r"^Found \d+ errors?(\.| \()|Would reformat: |would be reformatted|^\S+:\d+:\d+: [A-Z]{1,4}\d{3}",
    ),
    _rule("test", "escalate", r"^FAILED \S+::|^ERROR \S+::|=+ .*\d+ failed"),
)


def _failed(run: RunRecord) -> list[tuple[str, CommandRecord]]:
    return [(job.name, step) for job in run.jobs for step in job.steps if step.conclusion == "failure"]


def _tests(log: str) -> frozenset[str]:
    return frozenset(re.findall(r"^FAILED (\S+::\S+)", log, re.MULTILINE))


def is_flaky(step: CommandRecord, commit: str, history: Sequence[RunRecord]) -> bool:
    """Whether the same commit passed this very step in another attempt, or failed with other tests."""
    for run in history:
        if run.head_sha != commit or not commit:
            continue
        for job in run.jobs:
            for other in job.steps:
                if other.name != step.name or other is step:
                    continue
                if other.conclusion == "success" or (
                    other.conclusion == "failure" and _tests(other.log) != _tests(step.log)
                ):
                    return True
    return False


def causes(run: RunRecord, history: Sequence[RunRecord] = ()) -> list[Cause]:
    """Every failed step with its cause; a failed run always has at least one."""
    found = []
    for job, step in _failed(run):
        kind, remedy, evidence = _kind(step)
        if kind == "test" and is_flaky(step, run.head_sha, history):
            kind, remedy = "flaky-test", "retry"
        found.append(Cause(kind, remedy, job, step.name, evidence))
    if not found and run.conclusion == "failure":
        found.append(Cause("unknown", "escalate", "", "", "the run failed and no step says why"))
    return found


def _kind(step: CommandRecord) -> tuple[Kind, Remedy, str]:
    for kind, remedy, pattern in _RULES:
        match = pattern.search(step.log)
        if match:
            line = step.log[: match.start()].count("\n")
            return kind, remedy, step.log.splitlines()[line].strip()[:200]
    last = [line for line in step.log.splitlines() if line.strip()][-2:]
    return "unknown", "escalate", " / ".join(last)[:200]
