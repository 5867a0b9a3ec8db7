"""Run a Pulumi program as the language host does, against the stand-in engine, and measure its process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import yaml

PROJECT: Final = Path(__file__).parents[1]
HERE: Final = Path(__file__).parent
SHIM: Final = "pulumi-language-python-exec"
PARALLEL: Final = 8
"""The engine's default on two cores: four times the cores."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One process of a program: what it used and what it asked the engine for."""

    cpu: float  # seconds, user and system
    wall: float  # seconds
    peak: float  # MB, largest resident set
    code: int
    counted: Mapping[str, Any] = field(default_factory=dict)
    modules: frozenset[str] = frozenset()
    said: str = ""

    @property
    def registrations(self) -> int:
        """Resources that were registered, the root stack included."""
        return int(self.counted["registrations"])

    def checked(self) -> Self:
        """Return the run, or raise RuntimeError with the program's words when it failed."""
        if self.code:
            raise RuntimeError(f"the program ended with {self.code}: {self.counted.get('errors')} {self.said[-2000:]}")
        return self


class Engine:
    """The stand-in engine's process, for many runs one after the other."""

    def __enter__(self) -> Self:
        """Start. Raises EngineNotFoundError when no engine was built."""
        self.shim = shim()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.monitor"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT,
        )  # fmt: skip
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Stop: the process ends with its input."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):  # it ended before
                    stream.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _ask(self, question: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the stand-in engine ended with {self.process.wait()}: see its words above")
        return json.loads(line)

    def run(
        self,
        program: Path,
        config: Mapping[str, str] | None = None,
        *,
        latency: float = 0.0,
        record: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> Run:
        """Run `program` (a folder or file) once; `latency` in seconds per call."""
        port = self._ask({"latency": latency, "record": record})["port"]
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            listed, words = Path(folder, "modules"), Path(folder, "words")
            with words.open("wb") as said:
                started = time.perf_counter()
                process = subprocess.Popen(
                    command(self.shim, program, port), stdout=said, stderr=said, cwd=PROJECT,
                    env=_environment(listed, config or {}) | dict(environment or {}),
                )  # fmt: skip
                _, status, usage = os.wait4(process.pid, 0)
                wall = time.perf_counter() - started
                process.returncode = os.waitstatus_to_exitcode(status)
            modules = frozenset(listed.read_text().split()) if listed.exists() else frozenset()
            text = words.read_text(errors="replace")
        return Run(
            cpu=usage.ru_utime + usage.ru_stime,
            wall=wall,
            peak=usage.ru_maxrss / 1024,
            code=process.returncode,
            counted=self._ask(None),
            modules=modules,
            said=text,
        )


def _environment(modules: Path, config: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join((str(HERE / "hook"), str(PROJECT))),
        "BENCH_MODULES": str(modules),
        "PULUMI_CONFIG": json.dumps(dict(config)),
        "PULUMI_CONFIG_SECRET_KEYS": "[]",
        "GRPC_VERBOSITY": "NONE",
    }


def shim() -> Path:
    """Find the SDK's script that runs programs; one of an older build is the same, for it is the SDK's."""
    from toolchain.build import STORE  # noqa: PLC0415 - other rooms' building blocks load where they are used
    from toolchain.engine import EngineNotFoundError, locate  # noqa: PLC0415

    try:
        return locate() / SHIM
    except EngineNotFoundError:
        kept = STORE / "engine" / "current" / "bin" / SHIM
        if kept.is_file():
            return kept
        raise


def command(script: Path, program: Path, port: int) -> list[str]:
    """Return the command line by which the language host starts a program."""
    address = f"127.0.0.1:{port}"
    return [
        sys.executable, "-u", str(script),
        "--monitor", address, "--engine", address, "--project", "cloud-ecosystem", "--stack", "bench",
        "--pwd", str(PROJECT), "--root_directory", str(PROJECT), "--dry_run", "false", "--parallel", str(PARALLEL),
        "--organization", "organization", str(program),
    ]  # fmt: skip


def configuration(stack_file: Path) -> dict[str, str]:
    """Return a stack file's configuration as the engine hands it to a program."""
    config = yaml.safe_load(stack_file.read_text())["config"]
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
