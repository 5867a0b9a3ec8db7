"""When the host ends and how: quietly, and with everything it started."""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading
from collections.abc import Callable
from typing import Any

from .processes import Processes, end_group, kill_group

STDIN = 0
HEALTH_SECONDS = 300.0
HEALTH_METHOD = "/grpc.health.v1.Health/Check"


class Ending:
    """Waits for the engine's stop signal, for its death, or for its ill health."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._hush: Callable[[], None] = lambda: None
        self._by_engine = False

    def listen(self) -> None:
        """Take the signals: SIGINT is the engine's way to say that all is over."""
        signal.signal(signal.SIGINT, lambda _number, _frame: self._end(0))
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _frame: self._die(number))

    def watch(self, engine: str, hush: Callable[[], None]) -> None:
        """Watch the engine: it holds our standard input, and answers health checks. `hush` silences the programs."""
        self._hush = hush
        self._by_engine = _is_pipe(STDIN)
        if self._by_engine:
            threading.Thread(target=self._end_with_stdin, daemon=True).start()
        if engine:
            threading.Thread(target=self._end_with_health, args=(engine,), daemon=True).start()

    def wait(self, server: Any) -> None:
        """Serve for ever; the signal handlers end the process."""
        server.wait_for_termination()

    def _end_with_stdin(self) -> None:
        while os.read(STDIN, 4096):
            pass
        self._engine_is_gone()

    def _end_with_health(self, engine: str) -> None:
        import grpc  # noqa: PLC0415 - loaded by whoever serves

        pause = threading.Event()
        while not pause.wait(HEALTH_SECONDS):
            with grpc.insecure_channel(engine) as channel:
                try:
                    channel.unary_unary(HEALTH_METHOD, None, None)(b"", timeout=30)
                except grpc.RpcError as error:
                    if error.code() != grpc.StatusCode.UNIMPLEMENTED:
                        self._engine_is_gone()

    def _engine_is_gone(self) -> None:
        """Leave nothing: nobody will tell us, or anything we started, to stop."""
        self._processes.end_all()
        if self._by_engine:
            kill_group()
        os._exit(1)

    def _end(self, code: int) -> None:
        self._clear()
        os._exit(code)

    def _die(self, number: int) -> None:
        self._clear()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _clear(self) -> None:
        self._hush()
        self._processes.end_all()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        if self._by_engine:
            end_group()


def _is_pipe(descriptor: int) -> bool:
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
