"""The guard's real hands: run again, propose a fix in a checkout of its own, roll back, tell people."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from automation.guard.classify import Cause
from automation.guard.heal import Hands
from automation.pipeline.record import RunRecord

if TYPE_CHECKING:
    from rich.console import Console

SECONDS: Final = 600
FIXERS: Final[tuple[tuple[str, ...], ...]] = (
    ("ruff", "check", "--fix", "--quiet", "--exit-zero", "."),
    ("ruff", "format", "--quiet", "."),
)
RESOLVE: Final = ("uv", "pip", "compile", "--quiet", "--generate-hashes", "--python-version", "3.11")
LOCKED: Final = ("requirements.in", "requirements.txt")


@dataclass
class Bench:
    """Where the guard works: a project, the run that failed, and what it may do with real clouds."""

    project: Path
    failed: RunRecord
    console: Console
    records: Path
    real: bool = False
    sleep: Callable[[float], object] = time.sleep

    def hands(self) -> Hands:
        """All hands; what cannot be done here answers so, and the guard escalates."""
        return Hands(self.rerun, self.rollback, self.escalate, self.sleep, self.propose)

    def rerun(self, patch: str | None) -> RunRecord:
        """The same stages again; a patch is tried in a checkout of its own, never in the user's."""
        from automation.pipeline.run import Asked, run  # noqa: PLC0415

        stages = tuple(dict.fromkeys(job.name for job in self.failed.jobs if not job.skipped))
        environment = self.failed.environment or "dev"
        asked = Asked(self.failed.name, stages, environment, self.records.resolve(), real=self.real)
        with ExitStack() as exits:
            folder = self.project if patch is None else self._checkout(exits)
            if patch is not None:
                _git(folder, "apply", "--whitespace=nowarn", "-", given=patch)
            return run(folder, asked, lambda line: self.console.print(line, markup=False, highlight=False))

    def rollback(self) -> bool:
        """Bring the environment back to what was applied before; says whether it worked."""
        from automation.exits import Ending  # noqa: PLC0415
        from automation.pipeline.rollback import roll_back  # noqa: PLC0415
        from automation.session import Options  # noqa: PLC0415

        options = Options(self.project, offline=not self.real, real=self.real)
        try:
            made = roll_back(self.failed.environment or "dev", options, self.console)
        except Ending as ending:
            self.console.print(str(ending), markup=False, highlight=False)
            return False
        return not made["refused"]

    def escalate(self, found: list[Cause], why: str) -> object:
        """One alert: a deployment's where a canary failed, else a build's."""
        from automation.notify.send import from_environment  # noqa: PLC0415

        kind = "deploy_failure" if any(cause.kind == "canary" for cause in found) else "build_failure"
        evidence = "; ".join(f"{cause.job}: {cause.step}: {cause.evidence}" for cause in found[:5])
        return from_environment(os.environ).alert(kind, f"{self.failed.name} {self.failed.id}", f"{why}. {evidence}")

    def propose(self, cause: Cause) -> str | None:
        """A patch for what a tool can mend: the linter's own fixes, a lock that resolves; else nothing."""
        with ExitStack() as exits:
            folder = self._checkout(exits)
            if cause.kind == "lint":
                for words in FIXERS:
                    beside = Path(sys.executable).parent / words[0]
                    subprocess.run([str(beside), *words[1:]], cwd=folder, check=False, timeout=SECONDS)  # noqa: S603
            elif cause.kind == "dependency-conflict":
                program = shutil.which(RESOLVE[0])
                if program is None:
                    return None
                words = (program, *RESOLVE[1:], LOCKED[0], "-o", LOCKED[1])
                subprocess.run(words, cwd=folder, check=False, timeout=SECONDS, capture_output=True)  # noqa: S603
            else:
                return None
            return _git(folder, "diff", "--no-color", "--no-ext-diff") or None

    def _checkout(self, exits: ExitStack) -> Path:
        from automation.pullrequest.gather import checkout  # noqa: PLC0415

        folder = exits.enter_context(checkout(self.project, self.failed.head_sha or "HEAD"))
        for name in (".venv", ".toolchain"):
            if (self.project / name).is_dir() and not (folder / name).exists():
                (folder / name).symlink_to((self.project / name).resolve())
        return folder


def _git(folder: Path, *words: str, given: str | None = None) -> str:
    ran = subprocess.run(  # noqa: S603 - a list of words, no shell
        ["git", *words],  # noqa: S607 - git of the user's PATH
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    if ran.returncode:
        from automation.exits import Ending, Exit  # noqa: PLC0415

        raise Ending(Exit.FAILED, "patch", f"git {words[0]} failed: {ran.stderr.strip()[:300]}")
    return ran.stdout
