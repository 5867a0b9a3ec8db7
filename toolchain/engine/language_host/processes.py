"""The processes that the host starts: all in its own process group, none outlives it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from .failure import HostError


class Processes:
    """Every living child of the host."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alive: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def start(  # noqa: PLR0913 - each one is a fact of a process
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: str | Path | None = None,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a child; raises `HostError` when it cannot be started, without ever quoting its environment."""
        with self._lock:
            if self._closed:
                raise HostError("the language host is stopping")
            self._alive = {process for process in self._alive if process.poll() is None}
            try:
                process = subprocess.Popen(command, cwd=cwd, env=dict(env), stdin=stdin, stdout=stdout, stderr=stderr)
            except OSError as error:
                raise HostError(f"{command[0]} cannot be started: {_reason(error, env)}") from None
            self._alive.add(process)
            return process

    def end_all(self) -> None:
        """Kill every child and start no other."""
        with self._lock:
            self._closed = True
            alive = list(self._alive)
        for process in alive:
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill one child that may have ended already."""
    send(process, signal.SIGKILL)


def send(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to a child that may have ended already."""
    with contextlib.suppress(OSError):
        process.send_signal(number)


def ending(code: int) -> str:
    """Say how a process ended: its exit code, or the name of the signal that killed it."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def end_group() -> None:
    """Ask what is left of our own process group (children of children) to go; we stay. For the main thread only."""
    if os.getpgrp() == os.getpid():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with contextlib.suppress(OSError):
            os.killpg(0, signal.SIGTERM)


def kill_group() -> None:
    """Kill our own process group, ourselves included."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _reason(error: OSError, env: Mapping[str, Any]) -> str:
    import errno  # noqa: PLC0415 - a failing start only

    if error.errno == errno.E2BIG:
        longest = max(env, key=lambda name: len(str(env[name])))
        return (
            f"its environment is too large for the operating system; the longest variable is {longest} with "
            f"{len(str(env[longest]))} characters"
        )
    return f"{error.strerror}: {error.filename}" if error.filename else str(error.strerror)
