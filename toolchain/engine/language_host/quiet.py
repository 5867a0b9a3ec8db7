"""A program's standard error: passed on byte by byte, until a cancelled program starts to complain."""

from __future__ import annotations

import contextlib
import os
import select
import threading

STDERR = 2
PIECE = 65536


class QuietStderr:
    """A pipe to our own standard error that can be muted."""

    def __init__(self) -> None:
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self._lock = threading.Lock()
        self._muted = False
        self._over, self._end = os.pipe()
        self._pump: threading.Thread | None = None

    def follow(self) -> None:
        """Pass on what comes, from now on. The child holds the other end."""
        os.close(self.write_end)
        self._pump = threading.Thread(target=self._pass_on, daemon=True)
        self._pump.start()

    def mute(self) -> None:
        """Pass on what has been said up to now, and nothing after."""
        with self._lock:
            self._drain()
            self._muted = True

    def hush(self) -> None:
        """Pass on nothing more; safe in a signal handler."""
        self._muted = True

    def close(self) -> None:
        """Pass on what is left and stop, even if a grandchild still holds the pipe."""
        os.close(self._end)
        if self._pump is None:
            os.close(self.write_end)
        else:
            self._pump.join()
        with self._lock:
            self._drain()
            os.close(self._read_end)
            os.close(self._over)

    def _pass_on(self) -> None:
        while True:
            ready, _, _ = select.select([self._read_end, self._over], [], [])
            if self._over in ready:
                return
            with self._lock:
                if self._drain():
                    return

    def _drain(self) -> bool:
        """Pass on everything that is there now; True at the end of the stream."""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self._read_end, PIECE):
                if not self._muted:
                    _write_all(piece)
            return True
        return False


def _write_all(piece: bytes) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        while piece:
            piece = piece[os.write(STDERR, piece) :]
