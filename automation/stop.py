"""A signal to us becomes one signal to the engine, which finishes what is in flight and frees its lock."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Children:
    """The engine processes of this run, and whether somebody asked to stop.

    Children live in a session of their own, so a Ctrl-C in the terminal reaches them once, through us: a second
    interrupt makes the engine leave at once and lose what is in flight.
    """

    def __init__(self) -> None:
        self._living: set[subprocess.Popen[str]] = set()
        self._guard = threading.RLock()  # re-entrant: the signal handler may interrupt its holder
        self.stopped_by: signal.Signals | None = None

    def add(self, child: subprocess.Popen[str]) -> None:
        with self._guard:
            self._living.add(child)
        if self.stopped_by is not None:
            child.send_signal(signal.SIGINT)

    def remove(self, child: subprocess.Popen[str]) -> None:
        with self._guard:
            self._living.discard(child)

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """Send one signal to every engine process that still runs."""
        with self._guard:
            living = list(self._living)
        for child in living:
            if child.poll() is None:
                child.send_signal(number)

    def stop(self, number: int) -> None:
        """Somebody wants us to end: the first time the engine finishes its steps, the second time it leaves at once."""
        again = self.stopped_by is not None
        self.stopped_by = signal.Signals(number)
        self.interrupt(signal.SIGTERM if again else signal.SIGINT)


CHILDREN: Final = Children()


@contextmanager
def signals_reach_the_engine(children: Children = CHILDREN) -> Iterator[Children]:
    """While inside, SIGINT, SIGTERM and SIGHUP go to the engine; we wait for it and leave with exit 1."""
    if threading.current_thread() is not threading.main_thread():
        yield children  # only the main thread may install handlers; who runs us elsewhere owns the signals
        return

    def handle(number: int, _frame: FrameType | None) -> None:
        children.stop(number)

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield children
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
