"""What happens now, on stderr: a live line on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console

from automation.events import Collected
from automation.redact import Redactor

QUIET_SECONDS: Final = 15.0


class Progress:
    """Counts steps of the phase that runs."""

    def __init__(self, console: Console, redactor: Redactor) -> None:
        self.console = console
        self.redactor = redactor
        self.phase = ""
        self._status = console.status("") if console.is_terminal else None
        self._last = 0.0

    @contextmanager
    def during(self, phase: str) -> Iterator[None]:
        """Show one phase while it runs."""
        self.phase, self._last = phase, time.monotonic()
        if self._status is None:
            self.console.print(f"{phase} ...", markup=False, highlight=False)
            yield
            return
        self._status.update(f"{phase} ...")
        with self._status:
            yield

    def step(self, _event: dict[str, Any], collected: Collected) -> None:
        """One event came."""
        now = time.monotonic()
        if self._status is None and now - self._last < QUIET_SECONDS:
            return
        if self._status is not None and now - self._last < 0.1:  # noqa: PLR2004 - ten pictures a second
            return
        self._last = now
        line = f"{self.phase}: {len(collected.done)} of {len(collected.steps)} steps done"
        flying = next(iter(list(collected.in_flight.values())[-1:]), None)
        if flying is not None:
            line += f", {flying.op} {flying.type} {flying.name}"
        if collected.failed:
            line += f", {len(collected.failed)} failed"
        line = self.redactor.text(line)
        if self._status is None:
            self.console.print(line, markup=False, highlight=False)
        else:
            self._status.update(line.replace("[", "\\["))
