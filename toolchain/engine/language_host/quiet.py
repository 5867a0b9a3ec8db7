"""A program's standard error: passed on as it comes, until a program that is being stopped starts to complain."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time

STDERR = 2
PIECE = 65536
POLL_SECONDS = 0.05
HEAD = b"Traceback (most recent call last):"
INTERRUPTED = b"KeyboardInterrupt"
DOUBT_SECONDS = 1.0  # a stop signal reaches the whole group: the program may hear it first


class QuietStderr:
    """A pipe to our own standard error that can be muted.

    A traceback is passed on whole. One that ends with KeyboardInterrupt waits a moment: if it was a stop signal, we
    hear of it too, and nobody wants to read it.
    """

    def __init__(self) -> None:
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self._lock = threading.Lock()
        self._muted = False
        self._closed = False
        self._held = b""
        self._doubt_ends: float | None = None
        self._over, self._end = os.pipe()
        self._pump: threading.Thread | None = None

    def follow(self) -> None:
        """Pass on what comes, from now on. The child holds the other end."""
        os.close(self.write_end)
        self._pump = threading.Thread(target=self._pass_on, daemon=True)
        self._pump.start()

    def mute(self) -> None:
        """Pass on what has been said up to now, and nothing after; what was closed meanwhile has said it all."""
        with self._lock:
            if not self._closed:
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
        while self._doubt_ends is not None and not self._muted and time.monotonic() < self._doubt_ends:
            time.sleep(POLL_SECONDS)  # without the lock: whoever mutes us ends the doubt
        with self._lock:
            self._closed = True
            self._write(self._held)
            os.close(self._read_end)
            os.close(self._over)

    def _pass_on(self) -> None:
        while True:
            doubt = self._doubt_ends
            patience = None if doubt is None else max(0.0, doubt - time.monotonic())
            ready, _, _ = select.select([self._read_end, self._over], [], [], patience)
            if self._over in ready:
                return
            with self._lock:
                if not ready:
                    self._write(self._held)  # nobody stopped us: it is the program's own
                    self._held, self._doubt_ends = b"", None
                elif self._drain():
                    return

    def _drain(self) -> bool:
        """Take everything that is there now; True at the end of the stream."""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self._read_end, PIECE):
                self._take(piece)
            return True
        return False

    def _take(self, piece: bytes) -> None:
        said = self._held + piece
        self._held = b""
        while self._doubt_ends is None:
            start = said.find(HEAD)
            if start > 0 and said[start - 1 : start] != b"\n":
                start = -1
            if start < 0:
                self._write(said)
                return
            self._write(said[:start])
            end = _end_of_traceback(said, start)
            if end is None:
                said = said[start:]
                break
            if said[start:end].rpartition(b"\n")[2].startswith(INTERRUPTED):
                self._doubt_ends = time.monotonic() + DOUBT_SECONDS
                said = said[start:]
                break
            self._write(said[start:end])
            said = said[end:]
        self._held = said

    def _write(self, piece: bytes) -> None:
        if self._muted:
            return
        with contextlib.suppress(OSError):  # nobody listens any more
            while piece:
                piece = piece[os.write(STDERR, piece) :]


def _end_of_traceback(said: bytes, start: int) -> int | None:
    """Return where a traceback's last line ends, the first that is not indented; None when it is yet to come."""
    line = said.find(b"\n", start) + 1
    while line > 0:
        end = said.find(b"\n", line)
        if end < 0:
            return None
        if said[line : line + 1] not in b" \n":
            return end
        line = end + 1
    return None
