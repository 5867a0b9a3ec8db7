"""A pack that hangs says so and ends: the engine itself would wait for ever."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

LONGEST: Final = 120.0
"""Seconds that one judgement may take; a stack of 1,000 resources takes less than three."""
LOOKS: Final = 20
"""How often within that time somebody looks."""
HUNG: Final = 70
"""Exit code of a pack that ended itself."""


class Watch:
    """Looks at how long the judgement at hand takes, from a thread of its own that starts with the first one."""

    def __init__(self, longest: float = LONGEST) -> None:
        self._longest = longest
        self._since = 0.0
        self._about = ""
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, about: str) -> Iterator[None]:
        """Watch one judgement; `about` names what is judged."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._look, daemon=True)
            self._thread.start()
        self._about, self._since = about, time.monotonic()
        try:
            yield
        finally:
            self._since = 0.0

    def _look(self) -> None:
        while True:
            time.sleep(self._longest / LOOKS)
            since = self._since
            if since and time.monotonic() - since > self._longest:
                sys.stderr.write(
                    f"the policy pack hung for {self._longest:g} s while judging {self._about}: nothing is judged\n"
                )
                sys.stderr.flush()
                os._exit(HUNG)
