"""The stack's lock of a file backend: name its holder; free it only when it is our own and its engine is dead.

`pulumi cancel` frees all locks and stops nothing: it is never used here.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import psutil

CLOCK_SLACK_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Lock:
    """One lock file as the engine writes it (pulumi pkg/backend/diy/lock.go, 3.259.0)."""

    path: Path
    pid: int
    user: str
    host: str
    time: str

    def __str__(self) -> str:
        return f"{self.user}@{self.host} (process {self.pid}) since {self.time}: {self.path}"

    def holder_lives(self) -> bool:
        """Whether the process that wrote it still runs here; a reused process id is told by its start time."""
        if self.host != socket.gethostname():
            return True  # not ours to judge
        try:
            started = psutil.Process(self.pid).create_time()
        except psutil.NoSuchProcess:
            return False
        try:
            written = datetime.fromisoformat(self.time).timestamp()
        except ValueError:
            return True
        return started <= written + CLOCK_SLACK_SECONDS


def backend_directory(url: str) -> Path | None:
    """The directory of a file backend; None for any other kind, whose locks we can neither read nor free."""
    if not url.startswith("file://"):
        return None
    return Path(url.removeprefix("file://").split("?")[0]).expanduser()


def held(backend: Path, project: str, stack: str) -> list[Lock]:
    """The locks on one stack."""
    folder = backend / ".pulumi" / "locks" / "organization" / project / stack
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            found.append(Lock(path, int(said["pid"]), said["username"], said["hostname"], said["timestamp"]))
        except (OSError, ValueError, KeyError):
            found.append(Lock(path, -1, "unknown", "unknown", "unknown (the lock file cannot be read)"))
    return found


def free_own_dead(locks: Iterable[Lock], engines: Iterable[int]) -> tuple[list[Lock], list[Lock]]:
    """Delete the lock files of dead engines that our own journal names; returns (freed, kept)."""
    ours = set(engines)
    freed, kept = [], []
    for lock in locks:
        if lock.host == socket.gethostname() and lock.pid in ours and not lock.holder_lives():
            lock.path.unlink(missing_ok=True)
            freed.append(lock)
        else:
            kept.append(lock)
    return freed, kept
