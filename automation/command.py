"""The engine's command line as a child that we can see, signal and time."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Final

import psutil
from pulumi.automation import CommandResult, PulumiCommand
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from automation.stop import CHILDREN, Children

SESSION_GRACE_SECONDS: Final = 2.0


def _drain(stream: IO[str], take: Callable[[str], object] | None, lines: list[str]) -> None:
    """Read a stream to its end; a reader that fails would stop the engine when its pipe is full."""
    for line in stream:
        text = line.rstrip()
        lines.append(text)
        if take:
            take(text)


def end_session(pid: int) -> None:
    """End what an engine that was killed left behind: its hosts, packs and program share its session."""
    left = []
    for process in psutil.process_iter():
        try:
            if process.pid != pid and os.getsid(process.pid) == pid:
                process.terminate()
                left.append(process)
        except (OSError, psutil.Error):
            continue
    for process in psutil.wait_procs(left, timeout=SESSION_GRACE_SECONDS)[1]:
        process.kill()


class Command(PulumiCommand):
    """`pulumi` of one place, with exactly the environment given: nothing of ours leaks into an offline run."""

    def __init__(self, directory: Path, version: str, children: Children = CHILDREN) -> None:
        # Not super().__init__: it starts the engine once more to ask a version that the caller knows.
        self.command = str(directory / "pulumi")
        self.version = VersionInfo.parse(version)
        self.children = children
        self.on_start: Callable[[int], object] | None = None

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], object] | None = None,
        on_error: Callable[[str], object] | None = None,
    ) -> CommandResult:
        """Run one command; raises CommandError when it fails."""
        result = self.capture(args, cwd, additional_env, on_output, on_error)
        if result.code != 0:
            raise create_command_error(result)
        return result

    def capture(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], object] | None = None,
        on_error: Callable[[str], object] | None = None,
    ) -> CommandResult:
        """Run one command, whatever its exit code. The environment is `additional_env` alone."""
        env = {**additional_env, "PULUMI_AUTOMATION_API": "true"}
        out: list[str] = []
        err: list[str] = []
        with subprocess.Popen(  # noqa: S603 - our own engine, arguments as a list
            [self.command, "--non-interactive", *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=env,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # a terminal's Ctrl-C must reach it once, through stop.Children
        ) as child:
            self.children.add(child)
            if self.on_start:
                self.on_start(child.pid)
            readers = [
                threading.Thread(target=_drain, args=(child.stdout, on_output, out), daemon=True),
                threading.Thread(target=_drain, args=(child.stderr, on_error, err), daemon=True),
            ]
            for reader in readers:
                reader.start()
            try:
                code = child.wait()
            finally:
                self.children.remove(child)
            if code < 0:
                end_session(child.pid)
            for reader in readers:
                reader.join(timeout=5)  # a grandchild may hold the pipe of an engine that was killed
        return CommandResult(stdout="\n".join(out), stderr="\n".join(err), code=code)
