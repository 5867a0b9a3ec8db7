"""Random lives of pull requests (opened, pushed, closed, swept, crashed) in an account that can die at any step."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from automation.pipeline.previews import Desk
from automation.pipeline.settings import Previews

NOW: Final = datetime(2026, 11, 21, tzinfo=UTC)
PIECES: Final = ("network", "cluster", "objects")
OTHERS: Final = frozenset({"prod"})


class CrashError(Exception):
    """The machine that ran the step is gone."""


class Account:
    """A cloud account in a file: pieces come and go one by one, and the machine may die between any two of them."""

    def __init__(self, path: Path) -> None:
        self.base = sqlite3.connect(path, isolation_level=None)
        self.base.execute("PRAGMA synchronous=OFF")
        self.base.execute("CREATE TABLE IF NOT EXISTS pieces (env TEXT, piece TEXT, PRIMARY KEY (env, piece))")
        self.base.execute("INSERT OR IGNORE INTO pieces VALUES ('prod', 'cluster')")
        self.left_before_crash: int | None = None
        self.cost = 100.0

    def close(self) -> None:
        """Let the file go."""
        self.base.close()

    def _step(self) -> None:
        if self.left_before_crash is not None:
            self.left_before_crash -= 1
            if self.left_before_crash < 0:
                self.left_before_crash = None
                raise CrashError

    def make(self, name: str, commit: str) -> float:
        """Piece by piece, as the desk asks."""
        del commit
        for piece in PIECES:
            self._step()
            self.base.execute("INSERT OR IGNORE INTO pieces VALUES (?, ?)", (name, piece))
        self._step()
        return self.cost

    def remove(self, name: str) -> None:
        """Piece by piece, last made first."""
        for piece in reversed(PIECES):
            self._step()
            self.base.execute("DELETE FROM pieces WHERE env = ? AND piece = ?", (name, piece))
        self._step()

    def names(self) -> set[str]:
        """Every environment that has a piece."""
        return {row[0] for row in self.base.execute("SELECT DISTINCT env FROM pieces")}


def life(seed: int, folder: Path, account: Account) -> set[str]:
    """One random sequence; at its end every pull request is closed and one sweep runs. Returns what is left over."""
    chance = random.Random(seed)
    desk = Desk(folder / f"desk-{seed}.sqlite", account, Previews(at_once_max=3))
    at, is_open = NOW, set[int]()
    for _ in range(chance.randint(3, 14)):
        number = chance.randint(1, 4)
        at += timedelta(hours=chance.randint(0, 30))
        account.left_before_crash = chance.randint(0, 9) if chance.random() < 0.4 else None
        account.cost = 500.0 if chance.random() < 0.1 else 100.0
        try:
            match chance.choice(("push", "push", "close", "sweep")):
                case "push":
                    is_open.add(number)
                    desk.push(number, "ada", f"{at}", at)
                case "close":
                    is_open.discard(number)
                    desk.close(number)
                case _:
                    desk.sweep(is_open, at)
        except CrashError:
            desk = Desk(desk.path, account, desk.rules)  # a new process
        account.left_before_crash = None
    desk.sweep(set(), at)
    return (account.names() - OTHERS) | {one.name for one in desk.all()} | (OTHERS - account.names())


def leftovers(seeds: range, folder: Path) -> dict[int, set[str]]:
    """Seed -> what was left over, for the sequences that left anything."""
    with closing(Account(folder / "clouds.sqlite")) as account:
        return {seed: left for seed in seeds if (left := life(seed, folder, account))}
