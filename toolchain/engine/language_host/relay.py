"""Bytes passed on between the engine and whoever answers for a policy pack, without looking at them.

Two calls are made for each resource, one after the other: a proxy that takes each one in and makes it again costs more
than most rules. A connection goes as a whole to the port that is right when it is opened.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from .wire import LOOPBACK

PIECE = 1 << 18  # bytes
CONNECT_SECONDS = 5
GO_AWAY = bytes((0, 0, 8, 7, 0, 0, 0, 0, 0)) + bytes(8)
"""HTTP/2: no call of yours was processed here (last stream 0, no error), so a client makes each one anew elsewhere
(https://www.rfc-editor.org/rfc/rfc9113#section-6.8). What a pack that died left unanswered is answered by the proxy."""


class Relay:
    """A port of ours, passed on to `front`, then to `direct` when one is set; when that hung up, to `otherwise`."""

    def __init__(self, front: int, otherwise: Callable[[], int]) -> None:
        self.direct = 0
        self._front, self._otherwise = front, otherwise
        self._hung_up = False
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()  # a connection ends with one of its two ends

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        with near:
            direct = self.direct and not self._hung_up
            try:
                far = self._reach()
            except OSError:
                return
            with far:
                for end in (near, far):
                    end.settimeout(None)
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                asks = threading.Thread(target=_ask, args=(near, far), daemon=True)
                asks.start()
                _pass(far, near)
                self._hung_up = self._hung_up or bool(direct)  # first: the next connection may come at once
                with contextlib.suppress(OSError):
                    near.sendall(GO_AWAY)
                _hang_up(near, far)
                asks.join()

    def _reach(self) -> socket.socket:
        if not self._hung_up:
            with contextlib.suppress(OSError):
                return socket.create_connection((LOOPBACK, self.direct or self._front), CONNECT_SECONDS)
        return socket.create_connection((LOOPBACK, self._otherwise()), CONNECT_SECONDS)


def _ask(near: socket.socket, far: socket.socket) -> None:
    """Pass on what the engine asks; when it leaves, nobody waits for answers."""
    _pass(near, far)
    _hang_up(near, far)


def _pass(source: socket.socket, sink: socket.socket) -> None:
    """Pass on until the source has no more to say."""
    with contextlib.suppress(OSError):  # the other one hung up
        while piece := source.recv(PIECE):
            sink.sendall(piece)


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
