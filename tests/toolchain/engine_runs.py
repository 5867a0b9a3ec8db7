"""Tiny projects run by the real engine, with a backend and a home of their own."""

import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.toolchain.hosted import programs

PROJECT_YAML = """
name: tiny
runtime: {{name: python, options: {options}}}
"""
PYTHON = f"{{toolchain: pip, virtualenv: '{sys.prefix}'}}"


@dataclass
class Project:
    """One project with a stack `dev`; every process of its runs carries a mark in its environment."""

    folder: Path
    mark: str = field(default_factory=lambda: f"run-{uuid.uuid4().hex}")

    def __post_init__(self) -> None:
        self.home = self.folder.parent
        for name in ("backend", "home", self.folder.name):
            (self.home / name).mkdir(exist_ok=True)
        self.options()
        self.program("pass")
        self.pulumi("stack", "init", "dev")

    def options(self, text: str = PYTHON) -> None:
        (self.folder / "Pulumi.yaml").write_text(PROJECT_YAML.format(options=text))

    def program(self, body: str) -> None:
        (self.folder / "__main__.py").write_text(body)

    def pack(self, body: str, options: str = PYTHON) -> Path:
        folder = self.home / "pack"
        folder.mkdir(exist_ok=True)
        (folder / "PulumiPolicy.yaml").write_text(f"runtime: {{name: python, options: {options}}}\n")
        (folder / "__main__.py").write_text(body)
        return folder

    @property
    def environment(self) -> dict[str, str]:
        outer = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "PYTHON"))}
        return {
            **outer,
            "PATH": f"{programs()}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_BACKEND_URL": f"file://{self.home / 'backend'}",
            "PULUMI_HOME": str(self.home / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "tiny",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "TINY_MARK": self.mark,
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    def pulumi(self, *arguments: str, code: int = 0) -> str:
        """Run a command to its end; it must end with this exit code, leave no process and show no traceback of ours."""
        with self.start(*arguments) as process:
            said, _ = process.communicate(timeout=120)
        self.check(said)
        assert process.returncode == code, said
        return said

    def interrupted(self, *arguments: str, marker: Path, times: int = 1) -> tuple[int, str]:
        """Run a command, interrupt it once the program has made the marker file, return exit code and output."""
        with self.start(*arguments) as process:
            self.await_file(marker)
            for _ in range(times):
                process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=60)
        self.check(said)
        return process.returncode, said

    def check(self, said: str) -> None:
        assert self.left() == []
        for ours in ("language_host/", "KeyboardInterrupt"):
            assert ours not in said, said

    @staticmethod
    def await_file(path: Path) -> None:
        end = time.monotonic() + 60
        while not path.exists():
            assert time.monotonic() < end, f"{path} was never made"
            time.sleep(0.05)

    def marked(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("TINY_MARK") == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def left(self, seconds: float = 5.0) -> list[psutil.Process]:
        """Return what still lives when that long has passed."""
        end = time.monotonic() + seconds
        while (alive := self.marked()) and time.monotonic() < end:
            time.sleep(0.05)
        return alive
