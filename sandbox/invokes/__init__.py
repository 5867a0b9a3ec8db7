"""The look-ups that a program makes, answered offline."""

from __future__ import annotations

from typing import Any

from sandbox.connection import Connection
from sandbox.invokes import aws, azure, gcp  # noqa: F401 - they register themselves
from sandbox.invokes.table import ANSWERS, Question
from sandbox.state import Database


def answer(  # noqa: PLR0913, PLR0917 - the parts belong together
    token: str,
    args: dict[str, Any],
    connection: Connection,
    database: Database,
    now: str,
    numbers: dict[str, str],
) -> dict[str, Any] | None:
    """Answer a look-up, or return None when nobody does."""
    found = ANSWERS.get(token)
    return None if found is None else found(Question(args, connection, database, now, numbers))
