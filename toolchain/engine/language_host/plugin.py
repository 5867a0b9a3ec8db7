"""Running a plug-in or a policy pack, with everything it says streamed in order."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import options
from .failure import HostError
from .interpreter import Interpreter, find
from .policy_proxy import PolicyProxy
from .processes import Processes, ending, kill
from .protocol import language_pb2
from .streams import Stream, pieces

PACK = "analyzer"
BUILD_FILES = ("pyproject.toml", "setup.py")
PACK_FAILED = 1


def run_plugin(
    request: Any, context: Any, processes: Processes, outer: Mapping[str, str]
) -> Iterator[language_pb2.RunPluginResponse]:
    """Yield what the plug-in says and its exit code if that is not 0; raises `HostError` before it starts."""
    chosen = options.read(request.info)
    folder = Path(request.info.program_directory or request.program)
    pack = request.kind == PACK
    what = f"the policy pack {request.name or folder.name} ({folder})" if pack else f"the plug-in {folder}"
    try:
        python = find(chosen, outer, "" if pack else "venv")
    except HostError as error:
        raise HostError(f"{what} cannot start: {error}") from None
    env = environment(request, python, outer)
    if pack:
        command = [python.command, "-u", "-m", "pulumi.policy", *request.args, str(folder)]
        yield from _run_pack(what, command, folder, env, context, processes)
        return
    command = [python.command, "-u", *_entry(folder, request.name), *request.args]
    process = _start(command, Path(request.pwd or os.curdir), env, context, processes)
    for stream, piece in _said(process):
        yield _response(stream, piece)
    yield from _ended(process)


def environment(request: Any, python: Interpreter, outer: Mapping[str, str]) -> dict[str, str]:
    """Return the plug-in's environment: what the engine asks for wins, the virtual environment stays named."""
    asked = dict(entry.partition("=")[::2] for entry in request.env)
    inner = {**python.environment(outer), **asked}
    if python.venv is not None:
        inner["VIRTUAL_ENV"] = str(python.venv)
        inner.pop("PYTHONHOME", None)
    return inner


def _run_pack(  # noqa: PLR0913, PLR0917 - each one is a fact of a process
    what: str, command: list[str], folder: Path, env: Mapping[str, str], context: Any, processes: Processes
) -> Iterator[language_pb2.RunPluginResponse]:
    with PolicyProxy(what) as proxy:
        if not context.add_callback(proxy.give_up):
            return
        yield _response("stdout", f"{proxy.port}\n".encode())
        if not proxy.wait_for_configuration():
            return
        try:
            process = _start(command, folder, {**env, **proxy.configuration()}, context, processes)
            yield from _follow_pack(what, process, proxy)
        except HostError as error:
            proxy.fail(str(error))
            yield _response("stderr", f"{error}\n".encode())
            yield language_pb2.RunPluginResponse(exitcode=PACK_FAILED)


def _follow_pack(
    what: str, process: subprocess.Popen[bytes], proxy: PolicyProxy
) -> Iterator[language_pb2.RunPluginResponse]:
    head: bytes | None = b""
    for stream, piece in _said(process):
        if stream == "stdout" and head is not None:
            line, newline, rest = (head + piece).partition(b"\n")
            if not newline:
                head = line
                continue
            head = None
            if not line.strip().isdigit():
                kill(process)
                raise HostError(
                    f"{what} printed {line.decode(errors='replace')!r} before its port: a pack must not print first"
                )
            proxy.attach(int(line))
            if rest:
                yield _response("stdout", rest)
        else:
            yield _response(stream, piece)
    code = process.wait()
    if head is not None:
        proxy.fail(f"{what} {ending(code)} before it could be asked, see its messages")
    else:
        proxy.lost(f"{what} {ending(code)}")
    yield from _ended(process)


def _start(
    command: list[str], folder: Path, env: Mapping[str, str], context: Any, processes: Processes
) -> subprocess.Popen[bytes]:
    process = processes.start(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if not context.add_callback(lambda: kill(process)):
        kill(process)
    return process


def _said(process: subprocess.Popen[bytes]) -> Iterator[tuple[Stream, bytes]]:
    out, err = process.stdout, process.stderr
    if out is None or err is None:
        raise AssertionError("a plug-in is always started with both pipes")
    with out, err:
        yield from pieces(process, {out.fileno(): "stdout", err.fileno(): "stderr"})


def _response(stream: Stream, piece: bytes) -> language_pb2.RunPluginResponse:
    if stream == "stdout":
        return language_pb2.RunPluginResponse(stdout=piece)
    return language_pb2.RunPluginResponse(stderr=piece)


def _ended(process: subprocess.Popen[bytes]) -> Iterator[language_pb2.RunPluginResponse]:
    code = process.wait()
    if code:
        yield language_pb2.RunPluginResponse(exitcode=code)


def _entry(folder: Path, name: str) -> list[str]:
    if not (folder / "__main__.py").exists() and any((folder / build).is_file() for build in BUILD_FILES):
        return ["-m", "pulumi.run.plugin", name or folder.name]
    return [str(folder)]
