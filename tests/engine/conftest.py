"""Runs of the command line on the real engine with the stand-in clouds, from outside, as a person would."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
TINY = Path(__file__).parent / "projects" / "tiny"
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SHARED", "CI", "ENGINE", "PYTHONPYCACHEPREFIX", "ECOSYSTEM_PLANS")


@dataclass
class Hands:
    """The command line with a state directory of its own."""

    state: Path
    project: Path = TINY
    stack: str = "small"
    env: dict[str, str] = field(default_factory=dict)

    def _environment(self, env: dict[str, str]) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return {**kept, "ECOSYSTEM_STATE": str(self.state), "PYTHONPATH": str(ROOT), **self.env, **env}

    def _command(self, words: tuple[str, ...]) -> list[str]:
        command, *rest = words
        unjudged = (
            ["--no-policies"] if command in {"preview", "up", "rehearse", "demand"} and "--judged" not in rest else []
        )
        rest = [word for word in rest if word != "--judged"]
        return [
            sys.executable,
            "-m",
            "automation",
            command,
            self.stack,
            *rest,
            "--project",
            str(self.project),
            *unjudged,
        ]

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return subprocess.run(
            self._command(words),
            env=self._environment(env),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        """Start one command."""
        return subprocess.Popen(
            self._command(words),
            env=self._environment(env),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def json(self, *words: str, code: int = 0, **env: str) -> dict[str, Any]:
        """Run one command with --json and return its object; its exit code must be `code`."""
        ran = self.run(*words, "--json", **env)
        assert ran.returncode == code, f"exit {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        read: dict[str, Any] = json.loads(ran.stdout)
        return read

    @property
    def place(self) -> Path:
        """The stack's offline folder."""
        found = [path.parent for path in self.state.glob("*/offline/*/backend")]
        assert len(found) == 1, found
        return found[0]

    @property
    def state_file(self) -> Path:
        return next(self.place.glob(f"backend/.pulumi/stacks/*/{self.stack}.json"))

    def resources(self) -> list[dict[str, Any]]:
        """What the state holds."""
        latest = json.loads(self.state_file.read_text())["checkpoint"].get("latest") or {}
        return list(latest.get("resources") or [])

    def pending(self) -> list[dict[str, Any]]:
        latest = json.loads(self.state_file.read_text())["checkpoint"].get("latest") or {}
        return list(latest.get("pending_operations") or [])

    def locks(self) -> list[Path]:
        return list(self.place.glob("backend/.pulumi/locks/**/*.json"))

    def things(self) -> list[tuple[str, str]]:
        """(type, urn) of everything in the stand-in clouds."""
        with closing(sqlite3.connect(self.place / "clouds" / "clouds.sqlite")) as connection:
            return [(t, u) for t, u in connection.execute("SELECT type, urn FROM things")]


def children(process: subprocess.Popen[str], word: str) -> list[psutil.Process]:
    """Processes below one, whose command line holds a word."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            if any(word in part for part in child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait for a condition; fails with its last value when it does not come."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"did not happen in {seconds} s: {condition}")


@pytest.fixture(scope="session")
def _brought_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    hands = Hands(tmp_path_factory.mktemp("deployed"))
    hands.json("up", "--offline")
    return hands.state


@pytest.fixture
def fresh(tmp_path: Path) -> Hands:
    """Nothing deployed."""
    return Hands(tmp_path / "state")


@pytest.fixture
def deployed(_brought_up: Path, tmp_path: Path) -> Hands:
    """The small stack, brought up offline once per test session; this test's own copy."""
    shutil.copytree(_brought_up, tmp_path / "state")
    return Hands(tmp_path / "state")


@pytest.fixture
def tiny_project(tmp_path: Path) -> Path:
    """A copy of the small project, to be changed."""
    project = tmp_path / "tiny"
    shutil.copytree(TINY, project)
    settings = (project / "Pulumi.yaml").read_text().replace("../../../../.venv", str(ROOT / ".venv"))
    (project / "Pulumi.yaml").write_text(settings)
    return project


@pytest.fixture(autouse=True)
def _no_orphans() -> Iterator[None]:
    """No process of a test outlives it by more than ten seconds."""
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    yield
    left = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
    _, alive = psutil.wait_procs(left, timeout=10)
    for child in alive:
        child.send_signal(signal.SIGKILL)
    assert not alive
