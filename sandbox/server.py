"""Start and stop the stand-in clouds from another process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from sandbox.state import count_left

PROJECT = Path(__file__).parents[1]


class SandboxFailed(RuntimeError):  # noqa: N818 - it says what is the case
    """The server process ended before it served; the message is what it said."""


class Sandbox:
    """A server process for the length of a `with` block; its state outlives it."""

    def __init__(
        self,
        state_dir: Path,
        faults: Path | dict[str, Any] | None = None,
        clusters: Literal["schema", "api-server"] = "schema",
    ) -> None:
        """Keep state under `state_dir`; `faults` is a plan's file or its content."""
        self.state_dir = state_dir.absolute()
        self.database = self.state_dir / "clouds.sqlite"
        self.faults = faults
        self.clusters = clusters
        self.debug_providers = ""
        self.process: subprocess.Popen[str] | None = None

    @property
    def endpoints(self) -> dict[str, str]:
        """Address of each package's port."""
        pairs = (item.rpartition(":") for item in self.debug_providers.split(",") if item)
        return {package: f"127.0.0.1:{port}" for package, _, port in pairs}

    @property
    def environment(self) -> dict[str, str]:
        """Variables that attach an engine to this stage."""
        return {
            "PULUMI_DEBUG_PROVIDERS": self.debug_providers,
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def start(self) -> Self:
        """Start the process and wait for its ports. Raises SandboxFailed with its words."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "sandbox", "serve", "--state", str(self.state_dir)]
        command += ["--clusters", self.clusters]
        if isinstance(self.faults, dict):
            path = self.state_dir / "faults.json"
            path.write_text(json.dumps(self.faults), encoding="utf-8")
            command += ["--faults", str(path)]
        elif self.faults is not None:
            command += ["--faults", str(Path(self.faults).absolute())]
        log = (self.state_dir / "server.log").open("a", encoding="utf-8")
        with log:
            self.process = subprocess.Popen(  # noqa: S603 - our own module
                [*command, "--follow", str(os.getpid())], stdout=subprocess.PIPE, stderr=log, text=True, cwd=PROJECT,
                env={**os.environ, "PYTHONPATH": str(PROJECT)}, start_new_session=True,
            )  # fmt: skip
        assert self.process.stdout is not None  # noqa: S101 - a pipe was asked for
        line = self.process.stdout.readline().strip()
        if not line.startswith("PULUMI_DEBUG_PROVIDERS="):
            code = self.process.wait()
            words = (self.state_dir / "server.log").read_text(encoding="utf-8").strip()[-2000:]
            raise SandboxFailed(f"the sandbox ended with code {code}: {words}")
        self.debug_providers = line.partition("=")[2]
        return self

    def stop(self) -> None:
        """End the process; its state stays."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None

    def left(self) -> int:
        """Count what still exists."""
        return count_left(self.database)

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()
