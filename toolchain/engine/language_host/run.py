"""Running the program of a project: once per command, until it ends or is cancelled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import options
from .failure import HostError
from .interpreter import Interpreter, find
from .processes import Processes, ending, kill, send
from .quiet import QuietStderr

SHOWN_TO_USER = 32  # the SDK's shim: the user has seen a message, add none
GRACE_SECONDS = 2.0


@dataclass(frozen=True)
class Outcome:
    """How a program ended: all well when both are empty."""

    error: str = ""
    bail: bool = False


@dataclass
class Programs:
    """The programs of this host. After `cancel` none is started any more."""

    processes: Processes
    shim: str
    outer: Mapping[str, str]
    tracing: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _running: dict[subprocess.Popen[bytes], QuietStderr] = field(default_factory=dict)
    _cancelled: bool = False

    def run(self, request: Any, engine: str) -> Outcome:
        """Run the program to its end; raises `HostError` for wrong options only."""
        chosen = options.read(request.info)
        if request.attach_debugger:
            raise HostError("this language host attaches no debugger: run without --attach-debugger")
        try:
            python = find(chosen, self.outer)
        except HostError as error:
            return Outcome(error=str(error))
        env = {**python.environment(self.outer), **configuration(request)}
        if chosen.typechecker and not self._types_hold(python, chosen):
            return Outcome(error=f"{chosen.typechecker} found wrong types in {chosen.program}, see above")
        command = [python.command, "-u", self.shim, *arguments(request, engine, self.tracing)]
        try:
            return self._run(command, env)
        except HostError as error:
            return Outcome(error=str(error))

    def cancel(self) -> None:
        """Interrupt what runs, and kill it after a short grace. Answers at once."""
        with self._lock:
            self._cancelled = True
            running = dict(self._running)
        for process, stderr in running.items():
            stderr.mute()  # or the shim's KeyboardInterrupt would stand among the user's messages
            send(process, signal.SIGINT)
            timer = threading.Timer(GRACE_SECONDS, kill, [process])
            timer.daemon = True
            timer.start()

    def hush(self) -> None:
        """Let what still runs say no more: the host is stopping and kills it."""
        for stderr in list(self._running.values()):
            stderr.hush()

    def _run(self, command: list[str], env: Mapping[str, str]) -> Outcome:
        with self._lock:
            if self._cancelled:
                return Outcome(error="the run was cancelled before the program started")
            stderr = QuietStderr()
            try:
                process = self.processes.start(command, env=env, stderr=stderr.write_end)
            except HostError:
                stderr.close()
                raise
            self._running[process] = stderr
        stderr.follow()
        code = process.wait()
        stderr.close()
        with self._lock:
            del self._running[process]
            cancelled = self._cancelled
        if code == 0:
            return Outcome()
        if code == SHOWN_TO_USER or cancelled:
            return Outcome(bail=True)
        return Outcome(error=f"the program {ending(code)}")

    def _types_hold(self, python: Interpreter, chosen: options.Options) -> bool:
        env, checker = python.environment(self.outer), chosen.typechecker
        quiet = self.processes.start(
            [python.command, "-m", checker, "--version"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if quiet.wait():
            raise HostError(
                f"the typechecker {checker} is not installed in the project's Python: add it to requirements.txt and "
                f"run `{python.command} -m pip install {checker}`"
            )
        return self.processes.start([python.command, "-m", checker, str(chosen.program)], env=env).wait() == 0


def configuration(request: Any) -> dict[str, str]:
    """Return the variables that carry the configuration. It holds secrets in plain text: never argv, never a log."""
    variables = {"PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys))}
    if request.config:
        variables["PULUMI_CONFIG"] = json.dumps(dict(request.config))
    return variables


def arguments(request: Any, engine: str, tracing: str) -> list[str]:
    """Return the arguments of the SDK's shim; empty values are left out."""
    values = {
        "monitor": request.monitor_address,
        "engine": engine,
        "project": request.project,
        "root_directory": request.info.root_directory,
        "stack": request.stack,
        "pwd": request.pwd,
        "dry_run": "true" if request.dryRun else "false",
        "parallel": str(request.parallel),
        "tracing": tracing,
        "organization": request.organization,
    }
    named = [part for name, value in values.items() if value for part in (f"--{name}", value)]
    return [*named, request.info.entry_point or request.program or os.curdir, *request.args]
