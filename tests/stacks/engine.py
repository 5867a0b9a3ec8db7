"""A work directory in which the real engine reads a stack file, away from the tracked ones."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.stacks.corpus import PROJECT
from toolchain.engine import locate

PROGRAM = "from stacks.load import from_config\n\nstack = from_config()\nprint(stack.model_dump_json())\n"


class Engine:
    """Runs `pulumi` for one stack named `test`, on a backend of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "program").mkdir()
        (folder / "state").mkdir()
        (folder / "program" / "__main__.py").write_text(PROGRAM)
        (folder / "Pulumi.yaml").write_text(
            f"name: cloud-ecosystem\nmain: {folder / 'program'}\n"
            f"runtime: {{name: python, options: {{toolchain: pip, virtualenv: {PROJECT / '.venv'}}}}}\n"
        )
        self.environment = {
            **os.environ,
            "PATH": f"{locate()}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(PROJECT),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        self.run("stack", "init", "test")

    def run(self, *arguments: str, code: int = 0) -> str:
        """Return what the engine prints; the exit code must be as given."""
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def describe(self, text: str) -> None:
        """Make this text the stack's file."""
        (self.folder / "Pulumi.test.yaml").write_text(text)
