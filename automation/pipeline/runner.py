"""Runs the stages of a pipeline here, as the forge does: commands as children, outputs handed on, all recorded."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from automation.pipeline.model import Command, Pipeline, Stage, Trigger
from automation.pipeline.record import LOG_KEPT, CommandRecord, RunRecord, StageRecord
from automation.redact import Redactor

OUTPUT_VARIABLE: Final = "PIPELINE_OUTPUT"
_ENVIRONMENT: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
_OUTPUT: Final = re.compile(r"(?P<name>[a-z_]+)=(?P<value>[^\r\n]*)")


@dataclass
class Runner:
    """One run on this machine; `real` allows commands that need credentials."""

    project: Path
    build: Path
    say: Callable[[str], object]
    redactor: Redactor
    environment: str = "dev"
    real: bool = False
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    minutes: float | None = None

    def run(self, pipeline: Pipeline, stages: Sequence[str], record: RunRecord) -> RunRecord:
        """Run stages in order; after a failed one, those that need it are skipped. Fills and returns the record."""
        if not _ENVIRONMENT.fullmatch(self.environment):
            raise ValueError(f"environment {self.environment!r}: give lower-case letters, digits and dashes")
        bad: set[str] = set()
        for number, stage in enumerate((pipeline.stage(key) for key in stages), 1):
            skipped = bool(bad.intersection(stage.needs))
            made = StageRecord(number, stage.key, skipped=skipped)
            record.jobs.append(made)
            if skipped:
                self.say(f"== {stage.title}: skipped, {', '.join(sorted(bad.intersection(stage.needs)))} did not pass")
            else:
                self.say(f"== {stage.title}")
                self._stage(stage, made, record)
            if made.conclusion in {"failure", "skipped"}:
                bad.add(stage.key)
        return record

    def _stage(self, stage: Stage, made: StageRecord, record: RunRecord) -> None:
        for number, command in enumerate(stage.commands, 1):
            missing = self._missing(command)
            if missing:
                self.say(f"   {command.name}: NOT RUN, {missing}")
                made.steps.append(CommandRecord(command.name, number, "neutral", missing=missing))
                continue
            done = self._command(command, number, record, stage.minutes)
            made.steps.append(done)
            self.say(f"   {command.name}: {done.conclusion} ({done.seconds:.1f} s)")
            if done.conclusion == "failure":
                for line in done.log.splitlines()[-12:]:
                    self.say(f"     | {line}")
                return

    def _missing(self, command: Command) -> str:
        if command.tool and self._program(command.tool) is None:
            return f"{command.tool} is not installed here"
        gone = [name for name in command.files if not (self.project / name).exists()]
        if gone:
            return f"{', '.join(gone)} is not in the project"
        if command.identity and not self.real:
            return "it works on real clouds, and this run has no credentials (--real)"
        return ""

    def _program(self, name: str) -> str | None:
        """A program beside our Python, of the toolchain, or on PATH."""
        beside = Path(sys.executable).parent / name
        built = self.project / ".toolchain" / name / "current" / "bin" / name
        for path in (beside, built):
            if path.is_file():
                return str(path)
        return shutil.which(name, path=self.env.get("PATH"))

    def _words(self, command: Command, record: RunRecord) -> list[str]:
        known = {
            "stack": self.environment,
            "environment": self.environment,
            "build": str(self.build),
            "commit": record.head_sha or "unknown",
            "key": self.env.get("ECOSYSTEM_KEY", ""),
            "base": _base(self.env),
            **record.outputs,
        }
        words = [re.sub(r"\{(\w+)\}", lambda m: known.get(m[1], m[0]), word) for word in command.words]
        if words[0] == "python":
            words[0] = sys.executable
        else:
            words[0] = self._program(words[0]) or words[0]
        return words

    def _command(self, command: Command, number: int, record: RunRecord, minutes: float) -> CommandRecord:
        self.build.mkdir(parents=True, exist_ok=True)
        outputs = self.build / f"outputs-{os.getpid()}.txt"
        outputs.write_text("", encoding="utf-8")
        env = {**self.env, OUTPUT_VARIABLE: str(outputs), "PIPELINE_BUILD": str(self.build)}
        env |= {name.upper(): value for name, value in record.outputs.items()}
        env["PIPELINE_REAL"] = "true" if self.real else "false"
        began = time.monotonic()
        try:
            ran = subprocess.run(  # noqa: S603 - commands of our own definition, as a list of words
                self._words(command, record),
                cwd=self.project,
                env=env,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                timeout=(self.minutes or minutes) * 60,
                check=False,
            )
            code, said = ran.returncode, ran.stdout.decode("utf-8", "replace")
        except subprocess.TimeoutExpired as late:
            code, said = (
                124,
                (late.stdout or b"").decode("utf-8", "replace") + f"\ntimed out after {late.timeout:.0f} s",
            )
        except OSError as error:
            code, said = 127, f"{command.words[0]}: {error.strerror}"
        for line in outputs.read_text(encoding="utf-8").splitlines():
            if read := _OUTPUT.fullmatch(line):
                record.outputs[read["name"]] = read["value"]
        outputs.unlink(missing_ok=True)
        log = self.redactor.text(said)[-LOG_KEPT:]
        conclusion = "success" if code == 0 else "failure"
        if code:
            log += f"\nProcess completed with exit code {code}."
        return CommandRecord(command.name, number, conclusion, log, round(time.monotonic() - began, 2))  # type: ignore[arg-type]


def _base(environ: Mapping[str, str]) -> str:
    """What a pull request is compared with: the target branch as the forge names it; here the last commit."""
    branch = environ.get("GITHUB_BASE_REF") or environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
    return f"origin/{branch}" if branch else "HEAD"


def trigger_of(environ: Mapping[str, str], environment: str) -> Trigger:
    """Why this run happens: the forge's word, else a manual run."""
    event = environ.get("GITHUB_EVENT_NAME", "workflow_dispatch")
    known = event if event in {"push", "pull_request", "workflow_dispatch", "schedule"} else "workflow_dispatch"
    return Trigger(known, environ.get("GITHUB_REF_NAME", "main"), environment)  # type: ignore[arg-type]
