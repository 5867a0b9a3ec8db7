"""The policy pack, asked in a process of its own: it imports no other room, and what it cannot bear ends it alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

PATIENCE: Final = 300
"""Seconds after which a pack that says nothing is ended: 10,000 resources take less than 20."""


def ask(pack: Path, module: str, words: Iterable[str]) -> subprocess.CompletedProcess[str]:
    """Run a module of the pack in this folder; raises `subprocess.TimeoutExpired` when it hangs."""
    return subprocess.run(  # noqa: S603 - our own pack by our own interpreter
        [sys.executable, "-m", module, *words],
        cwd=pack,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
    )
