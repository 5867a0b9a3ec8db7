"""A pack that hangs says so and ends: the engine itself would wait for ever."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Final
from weakref import WeakSet

LONGEST: Final = 120.0
"""Seconds that one judgement may take; a stack of 1,000 resources takes less than three."""
LOOKS: Final = 20
"""How often within that time somebody looks."""
HUNG: Final = 70
"""Exit code of a pack that ended itself."""


class Watch:
    """Looks at how long the judgement at hand takes, from the one thread of the process that looks for all watches."""

    _all: ClassVar[WeakSet[Watch]] = WeakSet()
    _guard: ClassVar[threading.Lock] = threading.Lock()
    _looking: ClassVar[bool] = False

    def __init__(self, longest: float = LONGEST) -> None:
        self.longest = longest
        self._since = 0.0
        self._about = ""
        with self._guard:
            self._all.add(self)

    @contextmanager
    def over(self, about: str) -> Iterator[None]:
        """Watch one judgement; `about` names what is judged."""
        if not Watch._looking:
            Watch._looking = True
            threading.Thread(target=_look, daemon=True).start()
        self._about, self._since = about, time.monotonic()
        try:
            yield
        finally:
            self._since = 0.0

    def end_if_hung(self) -> None:
        """End the process when the judgement at hand takes too long."""
        since = self._since
        if since and time.monotonic() - since > self.longest:
            sys.stderr.write(
                f"the policy pack hung for {self.longest:g} s while judging {self._about}: nothing is judged\n"
            )
            sys.stderr.flush()
            os._exit(HUNG)

    @classmethod
    def all(cls) -> list[Watch]:
        """Every watch that somebody still holds."""
        with cls._guard:
            return list(cls._all)


def _look() -> None:
    pause = 0.0
    while True:
        time.sleep(pause)
        watches = Watch.all()
        for each in watches:
            each.end_if_hung()
        pause = min((each.longest for each in watches), default=LONGEST) / LOOKS
