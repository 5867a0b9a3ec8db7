"""Every look-up that is served, by token."""

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


def answer(  # noqa: PLR0913, PLR0917 - the parts belong together
    token: str,
    args: dict[str, Any],
    connection: Connection,
    database: Database,
    now: str,
    numbers: dict[str, str],
) -> dict[str, Any] | None:
    """Answer a look-up, or return None when nobody does."""
    from sandbox.invokes import aws, azure, gcp  # noqa: F401, PLC0415 - they register themselves

    found = ANSWERS.get(token)
    return None if found is None else found(Question(args, connection, database, now, numbers))
