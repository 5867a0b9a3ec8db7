"""Opened, pushed, closed, crashed in any order: after a sweep nothing is left, and nothing else was touched."""

from __future__ import annotations

import os
import random
import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from automation.pipeline.previews import Desk
from automation.pipeline.settings import Previews

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PIECES = ("network", "cluster", "objects")


class CrashError(Exception):
    pass


class Account:
    """A cloud account in a file: pieces come and go one by one, and the machine may die between any two of them."""

    def __init__(self, path: Path) -> None:
        self.base = sqlite3.connect(path, isolation_level=None)
        self.base.execute("PRAGMA synchronous=OFF")
        self.base.execute("CREATE TABLE IF NOT EXISTS pieces (env TEXT, piece TEXT, PRIMARY KEY (env, piece))")
        self.base.execute("INSERT OR IGNORE INTO pieces VALUES ('prod', 'cluster')")
        self.left_before_crash: int | None = None
        self.cost = 100.0

    def _step(self) -> None:
        if self.left_before_crash is not None:
            self.left_before_crash -= 1
            if self.left_before_crash < 0:
                self.left_before_crash = None
                raise CrashError

    def make(self, name: str, commit: str) -> float:
        del commit
        for piece in PIECES:
            self._step()
            self.base.execute("INSERT OR IGNORE INTO pieces VALUES (?, ?)", (name, piece))
        self._step()
        return self.cost

    def remove(self, name: str) -> None:
        for piece in reversed(PIECES):
            self._step()
            self.base.execute("DELETE FROM pieces WHERE env = ? AND piece = ?", (name, piece))
        self._step()

    def names(self) -> set[str]:
        return {row[0] for row in self.base.execute("SELECT DISTINCT env FROM pieces")}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the machine has one: thousands of small transactions."""
    parent = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=parent if os.access(parent, os.W_OK) else tmp_path) as name:
        yield Path(name)


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path / "clouds.sqlite")


def test_a_life(tmp_path: Path, account: Account) -> None:
    desk = Desk(tmp_path / "desk.sqlite", account, Previews(ttl_hours=10, at_once_max=2))
    assert desk.push(1, "ada", "a", NOW) == []
    assert desk.push(1, "ada", "b", NOW + timedelta(hours=5)) == []
    assert desk.push(2, "grace", "c", NOW) == []
    assert [one.code for one in desk.push(3, "ada", "d", NOW)] == ["preview-count"]
    assert account.names() == {"prod", "pr-1", "pr-2"}
    assert desk.sweep({1, 2}, NOW + timedelta(hours=10)) == ["pr-2"]  # a push prolongs
    desk.close(1)
    desk.close(1)
    assert account.names() == {"prod"}


def test_too_dear(tmp_path: Path, account: Account) -> None:
    desk = Desk(tmp_path / "desk.sqlite", account, Previews(budget_monthly_usd=99))
    assert [one.code for one in desk.push(1, "ada", "a", NOW)] == ["preview-budget"]
    assert account.names() == {"prod"}
    assert desk.all() == []


def test_a_lost_list_is_no_lost_environment(tmp_path: Path, account: Account) -> None:
    Desk(tmp_path / "desk.sqlite", account, Previews()).push(7, "ada", "a", NOW)
    fresh = Desk(tmp_path / "other.sqlite", account, Previews())
    assert fresh.sweep({7}, NOW) == ["pr-7"]
    assert account.names() == {"prod"}


@pytest.mark.parametrize("block", range(10))
def test_random_sequences_leave_nothing(block: int, memory: Path) -> None:
    """Ten blocks of fifty sequences; each ends with every pull request closed and one sweep that does not crash."""
    account = Account(memory / "clouds.sqlite")
    for seed in range(block * 50, block * 50 + 50):
        chance = random.Random(seed)
        desk = Desk(memory / f"desk-{seed}.sqlite", account, Previews(at_once_max=3))
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
            written = {one.name for one in desk.all()}
            assert account.names() - {"prod"} <= written | {"pr-1", "pr-2", "pr-3", "pr-4"}
        desk.sweep(set(), at)
        assert account.names() == {"prod"}, seed
        assert desk.all() == []
