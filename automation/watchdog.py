"""A run that makes no progress ends, and says what it waited for (exit 3)."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

WITNESS: Final = Path(__file__).parent / "witness"
WITNESS_VARIABLE: Final = "ECOSYSTEM_WITNESS"
PATIENCE_SECONDS: Final = 300.0
"""Silence allowed while no cloud works for us: only the program, the sizing and the policies do."""
PATIENCE_IN_FLIGHT_SECONDS: Final = 3900.0
"""Silence allowed while a cloud works: the longest timeout of a component (60 minutes) and a little."""
GRACE_SECONDS: Final = 10.0


@dataclass
class Watchdog:
    """Fed by every event; bites when silence lasts longer than its patience."""

    patience: float = PATIENCE_SECONDS
    patience_in_flight: float = PATIENCE_IN_FLIGHT_SECONDS
    waited_for: tuple[str, ...] | None = None  # set when it bit
    _last: float = field(default_factory=time.monotonic)

    def feed(self) -> None:
        """Progress was made."""
        self._last = time.monotonic()

    def silence(self) -> float:
        return time.monotonic() - self._last


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def pending_in_program(pid: int, answer: Path, patience: float = 3.0) -> list[str]:
    """Ask the program below the engine `pid` which resources wait to be registered; [] when nobody answers."""
    asked: list[Path] = []
    for process in _descendants(pid):
        try:
            words = process.cmdline()  # the host names the shim too, and a SIGUSR1 would end it
            if "--monitor" in words and any("pulumi-language-python-exec" in word for word in words):
                process.send_signal(signal.SIGUSR1)
                asked.append(answer.with_name(f"{answer.name}.{process.pid}"))
        except psutil.Error:
            continue
    end = time.monotonic() + patience
    while asked and time.monotonic() < end and not all(path.exists() for path in asked):
        time.sleep(0.05)
    lines = {line for path in asked if path.exists() for line in path.read_text(encoding="utf-8").splitlines()}
    for path in asked:
        path.unlink(missing_ok=True)
    return sorted(lines)


def end_tree(pid: int, grace: float = GRACE_SECONDS) -> None:
    """End an engine and everything below it: first politely, so that it saves its state and frees its lock."""
    try:
        top = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return
    family = [top, *_descendants(pid)]
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            top.send_signal(number)
        except psutil.NoSuchProcess:
            break
        if not psutil.wait_procs([top], timeout=grace)[1]:
            break
    for process in [*family, *_descendants(pid)]:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


@contextmanager
def watching(
    dog: Watchdog, engine_pid: Callable[[], int | None], in_flight: Callable[[], list[str]], answer: Path
) -> Iterator[Watchdog]:
    """Watch one operation from a thread of its own."""
    done = threading.Event()

    def guard() -> None:
        while not done.wait(min(1.0, dog.patience / 4)):
            waiting = in_flight()
            if dog.silence() <= (dog.patience_in_flight if waiting else dog.patience):
                continue
            pid = engine_pid()
            if pid is None:
                continue
            dog.waited_for = tuple(waiting or pending_in_program(pid, answer))
            end_tree(pid)
            return

    thread = threading.Thread(target=guard, name="watchdog", daemon=True)
    dog.feed()
    thread.start()
    try:
        yield dog
    finally:
        done.set()
        thread.join(timeout=4 * GRACE_SECONDS)


def environment(answer: Path, environ: dict[str, str]) -> dict[str, str]:
    """What the program needs to answer the watchdog's question."""
    path = os.pathsep.join(filter(None, (str(WITNESS), environ.get("PYTHONPATH"))))
    return {"PYTHONPATH": path, WITNESS_VARIABLE: str(answer)}
