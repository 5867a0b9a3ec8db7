"""A language host started as the engine starts it: leader of its own group, a pipe on its standard input."""

import os
import signal
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
import psutil
from google.protobuf import struct_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from toolchain.engine.location import EngineNotFoundError
from toolchain.engine.recipe import recipe

PROJECT_VENV = Path(sys.prefix)
LARGE = 400 * 1024 * 1024


def programs() -> Path:
    engine = recipe()
    if not engine.built():
        raise EngineNotFoundError("The engine is not built: run `python3.11 -m toolchain.engine build`.")
    return engine.current / "bin"


def group(leader: int) -> list[psutil.Process]:
    """Every living process of a process group."""
    members = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.Error):
            if os.getpgid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process)
    return members


def empty_venv(folder: Path) -> Path:
    """A virtual environment with nothing in it, made in 0.1 s."""
    venv.create(folder, with_pip=False, symlinks=True)
    return folder


def program_info(root: Path, **options: Any) -> language_pb2.ProgramInfo:
    said = struct_pb2.Struct()
    said.update(options)
    return language_pb2.ProgramInfo(
        root_directory=str(root), program_directory=str(root), entry_point=".", options=said
    )


class Hosted:
    """One host and a client of it. `leave` ends it as the engine does and returns everything it said."""

    def __init__(self, *arguments: str, executor: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        flags = ["-use-executor", str(executor)] if executor else []
        self.process = subprocess.Popen(
            [str(programs() / "pulumi-language-python"), *flags, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
            env={**os.environ, **(env or {})},
        )
        self.port = int(self._line())
        options = [("grpc.max_send_message_length", LARGE), ("grpc.max_receive_message_length", LARGE)]
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}", options=options)
        self.stub = language_pb2_grpc.LanguageRuntimeStub(self.channel)
        self._said: tuple[str, str] | None = None

    def _line(self) -> bytes:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def line(self) -> str:
        """Return the next line of standard output, a program's among them."""
        return self._line().decode(errors="replace").rstrip("\n")

    def leave(self, number: signal.Signals = signal.SIGINT) -> tuple[str, str]:
        if self._said is None:
            self.channel.close()
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            held, self.process.stdin = self.process.stdin, None  # closing it would mean that the engine died
            out, err = self.process.communicate(timeout=20)
            if held is not None:
                held.close()
            self._said = out.decode(errors="replace"), err.decode(errors="replace")
        return self._said

    def run(self, root: Path, **fields: Any) -> language_pb2.RunResponse:
        fields = {"info": program_info(root, virtualenv=str(PROJECT_VENV)), "pwd": str(root), "parallel": 4, **fields}
        return self.stub.Run(language_pb2.RunRequest(project="tiny", stack="dev", monitor_address="m:1", **fields))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            _, said = self.leave()
        finally:
            left = group(self.process.pid)
            for process in left:
                process.kill()
        if kind is None:
            assert left == []
            assert "Traceback" not in said, said


def texts(stream: Iterator[Any]) -> tuple[bytes, bytes, list[int]]:
    """Gather a stream of RunPlugin or InstallDependencies."""
    out, err, codes = b"", b"", []
    for response in stream:
        out += response.stdout
        err += response.stderr
        if "exitcode" in response.DESCRIPTOR.fields_by_name and response.WhichOneof("output") == "exitcode":
            codes.append(response.exitcode)
    return out, err, codes
