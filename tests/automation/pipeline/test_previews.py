"""Opened, pushed, closed, crashed in any order: after a sweep nothing is left, and nothing else was touched."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from automation.pipeline.previews import Desk
from automation.pipeline.settings import Previews
from bench.previews import NOW, Account, leftovers


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
    assert leftovers(range(block * 50, block * 50 + 50), memory) == {}


def test_an_account_that_keeps_something_is_noticed(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The measure measures: with a removal that forgets a piece, sequences leave something over."""
    good = Account.remove

    def forgets(account: Account, name: str) -> None:
        good(account, name)
        account.base.execute("INSERT OR IGNORE INTO pieces VALUES (?, 'disk')", (name,))

    monkeypatch.setattr(Account, "remove", forgets)
    assert leftovers(range(20), memory)
