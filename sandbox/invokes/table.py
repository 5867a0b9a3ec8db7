"""The table of look-ups that are served, by token: answers register themselves in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.connection import Connection
from sandbox.state import Database


@dataclass(frozen=True)
class Question:
    """One look-up: its arguments, who asks, and what exists."""

    args: dict[str, Any]
    connection: Connection
    database: Database
    now: str
    numbers: dict[str, str]  # project -> number, as the fault plan says

    @property
    def region(self) -> str:
        """Region that is asked about."""
        return str(self.args.get("region") or self.connection.region)


Answer = Callable[[Question], dict[str, Any]]
ANSWERS: dict[str, Answer] = {}


def serves(*names: str) -> Callable[[Answer], Answer]:
    """Register a function as the answer to look-ups."""

    def register(function: Answer) -> Answer:
        for name in names:
            ANSWERS[name] = function
        return function

    return register
