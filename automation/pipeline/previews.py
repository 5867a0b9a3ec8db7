"""Environments of pull requests: made, updated, expired; whatever crashes in between, the next sweep leaves nothing.

Written down before anything is made and forgotten only after everything is gone: a crash leaves a line, no orphan.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal, Protocol

from automation.gate import Refusal
from automation.pipeline.settings import Previews
from automation.signing.keys import moment, stamp

State = Literal["making", "ready", "removing"]
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS previews (
  number INTEGER PRIMARY KEY, owner TEXT NOT NULL, commit_ TEXT NOT NULL, state TEXT NOT NULL, expires TEXT NOT NULL
)"""


class Clouds(Protocol):
    """What makes and removes an environment; both may be called again after a crash and do what is left."""

    def make(self, name: str, commit: str) -> float:
        """Make or update it; returns its cost in USD a month."""

    def remove(self, name: str) -> None:
        """Remove whatever there is of it."""

    def names(self) -> set[str]:
        """What exists in the clouds, by the tag of its environment."""


@dataclass(frozen=True)
class Preview:
    """One environment."""

    number: int
    owner: str
    commit: str
    state: State
    expires: datetime

    @property
    def name(self) -> str:
        return name_of(self.number)


def name_of(number: int) -> str:
    """An environment's name: made from the number alone, never from a branch that somebody named."""
    return f"pr-{number}"


class Desk:
    """The list of previews of one project."""

    def __init__(self, path: Path, clouds: Clouds, rules: Previews) -> None:
        self.path, self.clouds, self.rules = path, clouds, rules

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=30)) as base, base:
            base.execute(SCHEMA)
            yield base

    def all(self) -> list[Preview]:
        """Every environment that may exist."""
        with self._open() as base:
            rows = base.execute(
                "SELECT number, owner, commit_, state, expires FROM previews ORDER BY number"
            ).fetchall()
        return [
            Preview(number, owner, commit, state, moment(expires)) for number, owner, commit, state, expires in rows
        ]

    def push(self, number: int, owner: str, commit: str, at: datetime) -> list[Refusal]:
        """Make or update the environment of a pull request; refusals say why there is none (and none is left)."""
        others = [one for one in self.all() if one.number != number]
        if len(others) >= self.rules.at_once_max:
            limit = self.rules.at_once_max
            return [Refusal("preview-count", f"{limit} previews are there, previews.at_once_max is {limit}: close one")]
        expires = stamp(at + timedelta(hours=self.rules.ttl_hours))
        with self._open() as base:
            base.execute(
                "INSERT OR REPLACE INTO previews VALUES (?,?,?,?,?)", (number, owner, commit, "making", expires)
            )
        cost = self.clouds.make(name_of(number), commit)
        if cost > self.rules.budget_monthly_usd:
            self.close(number)
            cap = self.rules.budget_monthly_usd
            sentence = f"{cost:,.2f} USD a month is above previews.budget_monthly_usd = {cap:,.2f}: it was removed"
            return [Refusal("preview-budget", sentence)]
        with self._open() as base:
            base.execute("UPDATE previews SET state = 'ready' WHERE number = ?", (number,))
        return []

    def close(self, number: int) -> None:
        """Remove the environment; does nothing where there is none."""
        with self._open() as base:
            base.execute("UPDATE previews SET state = 'removing' WHERE number = ?", (number,))
        self.clouds.remove(name_of(number))
        with self._open() as base:
            base.execute("DELETE FROM previews WHERE number = ?", (number,))

    def sweep(self, open_numbers: set[int], at: datetime) -> list[str]:
        """Remove what expired, what was closed meanwhile, what a crash left, and what nobody wrote down."""
        removed = []
        for one in self.all():
            if one.number not in open_numbers or at >= one.expires or one.state == "removing":
                self.close(one.number)
                removed.append(one.name)
        known = {one.name for one in self.all()}
        for name in sorted(self.clouds.names() - known):
            if re.fullmatch(r"pr-\d+", name):  # never anything that is not a preview
                self.clouds.remove(name)
                removed.append(name)
        return removed
