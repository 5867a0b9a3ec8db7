"""The command line as a user runs it on this project's own stacks, with a state folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SHARED", "CI", "ENGINE", "PYTHONPYCACHEPREFIX", "ECOSYSTEM_PLANS")


@dataclass(frozen=True)
class CommandLine:
    """`python -m automation`, away from the user's own backend and credentials."""

    state: Path

    def environment(self, **more: str) -> dict[str, str]:
        """Only what a run needs: no credential and no backend of whoever runs the tests."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return {**kept, "ECOSYSTEM_STATE": str(self.state), **more}

    def run(self, *words: str, timeout: float = 2300) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "automation", *words],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def object(self, *words: str, code: int = 0) -> dict[str, Any]:
        """Run one command with --json and return its object."""
        ran = self.run(*words, "--json")
        assert ran.returncode == code, f"exit {ran.returncode}\n{ran.stdout[-3000:]}\n{ran.stderr[-6000:]}"
        found: dict[str, Any] = json.loads(ran.stdout)
        return found


@pytest.fixture(scope="session")
def hands(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """One state folder for the whole session: what one test brought up, the next one may look at."""
    return CommandLine(tmp_path_factory.mktemp("state"))
