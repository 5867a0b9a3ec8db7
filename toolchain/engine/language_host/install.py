"""Installing what a project needs, with the output streamed as it comes."""

from __future__ import annotations

import contextlib
import os
import pty
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import options
from .failure import HostError
from .interpreter import Interpreter, ambient, venv_folder
from .processes import Processes, ending, kill
from .streams import Stream, pieces

KEPT_STDERR = 4000  # characters of a failed step that the error repeats


def install(
    request: Any, context: Any, processes: Processes, outer: Mapping[str, str]
) -> Iterator[tuple[Stream, bytes]]:
    """Yield what the steps say; raises `HostError` with step, command, exit status and the end of its stderr."""
    chosen = options.read(request.info)
    folder = Path(request.info.program_directory or request.directory or os.curdir)
    venv = venv_folder(chosen, "venv" if request.is_plugin else "")
    requirements = folder / "requirements.txt"
    yield _line("Installing dependencies...")
    python = Interpreter(ambient(outer), None)
    steps = []
    if venv is not None:
        made = Interpreter(str(venv / "bin" / "python"), venv)
        steps.append(("Creating virtual environment", python, ["-m", "venv", str(venv)]))
        upgrade = ["-m", "pip", "install", "--upgrade", "pip", "setuptools", "wheel"]
        steps.append(("Updating pip, setuptools, and wheel in virtual environment", made, upgrade))
        python = made
    if requirements.is_file():
        steps.append((f"Installing {requirements}", python, ["-m", "pip", "install", "-r", str(requirements)]))
    for title, interpreter, arguments in steps:
        yield _line(f"{title}...")
        env = interpreter.environment(outer)
        command = [interpreter.command, *arguments]
        run = _on_terminal if request.is_terminal else _piped
        yield from run(title, command, folder, env, context, processes)
    yield _line("Finished installing dependencies")


def _line(text: str) -> tuple[Stream, bytes]:
    return "stdout", f"{text}\n".encode()


def _piped(  # noqa: PLR0913, PLR0917 - each one is a fact of a process
    title: str, command: list[str], folder: Path, env: Mapping[str, str], context: Any, processes: Processes
) -> Iterator[tuple[Stream, bytes]]:
    process = processes.start(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    context.add_callback(lambda: kill(process))
    out, err = process.stdout, process.stderr
    if out is None or err is None:
        raise AssertionError("a step is always started with both pipes")
    complaint = b""
    with out, err:
        for stream, piece in pieces(process, {out.fileno(): "stdout", err.fileno(): "stderr"}):
            if stream == "stderr":
                complaint = (complaint + piece)[-KEPT_STDERR:]
            yield stream, piece
    _check(title, command, process, complaint)


def _on_terminal(  # noqa: PLR0913, PLR0917 - each one is a fact of a process
    title: str, command: list[str], folder: Path, env: Mapping[str, str], context: Any, processes: Processes
) -> Iterator[tuple[Stream, bytes]]:
    ours, theirs = pty.openpty()
    try:
        try:
            process = processes.start(command, cwd=folder, env=env, stdout=theirs, stderr=theirs)
        finally:
            os.close(theirs)
        context.add_callback(lambda: kill(process))
        said = b""
        for stream, piece in pieces(process, {ours: "stdout"}):
            said = (said + piece)[-KEPT_STDERR:]
            yield stream, piece
    finally:
        with contextlib.suppress(OSError):
            os.close(ours)
    _check(title, command, process, said)


def _check(title: str, command: list[str], process: subprocess.Popen[bytes], complaint: bytes) -> None:
    code = process.wait()
    if code:
        text = complaint.decode(errors="replace").strip()
        raise HostError(f"{title} failed: `{shlex.join(command)}` {ending(code)}" + (f":\n{text}" if text else ""))
