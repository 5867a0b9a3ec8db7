"""The intent journal: creates begun and creates acknowledged, so that an abnormal end leaves no unknown orphan.

Best effort by nature (events are asynchronous, a kill may lose the last line): the search by idempotency tag
completes it. One line of JSON each, flushed to the disk before the engine's next event is read.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automation.events import CREATES, Step


@dataclass(frozen=True)
class Intent:
    """A create that was begun; `id` is known when the cloud's answer was seen."""

    urn: str
    type: str
    run: str
    parent: str = ""
    provider: str = ""
    id: str = ""


@dataclass
class Past:
    """What earlier runs left open."""

    open: list[Intent] = field(default_factory=list)
    engines: dict[int, str] = field(default_factory=dict)  # process id -> run, of engines we started on this host
    ended: bool = True  # the last run wrote its end


class Journal:
    """Append-only; emptied by `settle` once state and clouds agree."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = secrets.token_hex(6)

    def _write(self, **entry: Any) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"run": self.run, **entry}) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def start(self, operation: str) -> None:
        self._write(event="start", operation=operation, host=socket.gethostname())

    def engine(self, pid: int) -> None:
        """An engine process of ours: its lock is ours to free once it is dead."""
        self._write(event="engine", pid=pid, host=socket.gethostname())

    def begun(self, step: Step) -> None:
        if step.op in CREATES and step.custom and not step.type.startswith("pulumi:"):
            self._write(event="begin", urn=step.urn, type=step.type, parent=step.parent, provider=step.provider)

    def acknowledged(self, step: Step) -> None:
        if step.op in CREATES and step.custom and not step.type.startswith("pulumi:"):
            self._write(event="done", urn=step.urn, id=step.id)

    def end(self, *, clean: bool) -> None:
        self._write(event="end", clean=clean)

    def past(self) -> Past:
        """Read what is open; a torn last line (killed while writing) is not an entry."""
        past = Past()
        open_: dict[str, Intent] = {}
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return past
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            event, run = entry.get("event"), entry.get("run", "")
            if event == "start":
                past.ended = False
            elif event == "engine" and entry.get("host") == socket.gethostname():
                past.engines[int(entry["pid"])] = run
            elif event == "begin":
                urn = entry["urn"]
                open_[urn] = Intent(urn, entry["type"], run, entry.get("parent", ""), entry.get("provider", ""))
            elif event == "done" and entry["urn"] in open_:
                begun = open_[entry["urn"]]
                open_[begun.urn] = Intent(begun.urn, begun.type, run, begun.parent, begun.provider, entry["id"])
            elif event == "end":
                past.ended = True
                if entry.get("clean"):
                    open_.clear()
        past.open = list(open_.values())
        return past

    def settle(self) -> None:
        """Nothing is open any more."""
        self.path.unlink(missing_ok=True)
