"""The team's ledger on a real PostgreSQL: the same promises, kept by the database, and tampering is found."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from automation.exits import Ending
from automation.ledger.archive import archive
from automation.ledger.hand import ledger_of
from automation.ledger.postgres import PostgresLedger, spelled
from automation.ledger.verify import verify
from automation.signing import keys
from automation.signing.trust import Signers

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEYS = keys.generate("ledger", NOW - timedelta(days=1), roles=("ledger",))
SIGNERS = Signers({KEYS.public.key_id: KEYS.public})
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
OWNER = "postgres" if os.getuid() == 0 else None  # a database server refuses to run as root


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of its own on a socket in a private folder; it ends with these tests."""
    if not PROGRAMS:
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if OWNER:
        shutil.chown(folder, OWNER)

    def run(name: str, *words: str) -> None:
        command = [str(PROGRAMS[0] / name), *words]
        subprocess.run(command, check=True, capture_output=True, user=OWNER, cwd=folder, timeout=120)

    data = str(folder / "data")
    try:
        run("initdb", "-D", data, "-U", "ledger", "-A", "trust", "-N", "--no-instructions")
        flags = f"-k {folder} -c listen_addresses= -c fsync=off"
        run("pg_ctl", "-D", data, "-o", flags, "-l", str(folder / "log"), "-w", "start")
        try:
            yield f"postgresql://ledger@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def ledger(server: str, tmp_path: Path) -> Iterator[PostgresLedger]:
    made = PostgresLedger(server, tmp_path, tmp_path / "outside" / "anchor.jsonl")
    for number in range(12):
        made.append(NOW + timedelta(minutes=number), "up", who=f"person-{number % 3}", stack="dev", outcome="ok")
        if number == 5:
            made.checkpoint(KEYS, NOW + timedelta(minutes=number))
    yield made
    with psycopg.connect(server, autocommit=True) as base:
        base.execute("DROP TABLE entries, checkpoints, base, subjects")


def test_an_honest_ledger(ledger: PostgresLedger) -> None:
    verdict = verify(ledger, SIGNERS)
    assert verdict.ok, verdict.problems
    assert (verdict.entries, verdict.checkpoints, verdict.anchored) == (12, 1, 13)
    assert [ledger.person(one) for one in ledger.entries(10)] == ["person-1", "person-2"]
    before = ledger.mark()
    ledger.append(NOW, "up", who="ada")
    assert ledger.mark() != before


@pytest.mark.parametrize(
    "statement", ["UPDATE entries SET body = '{}'", "DELETE FROM entries WHERE seq = 3", "TRUNCATE entries"]
)
def test_the_database_refuses_changes(ledger: PostgresLedger, statement: str) -> None:
    with ledger.open() as base, pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        base.execute(statement)


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ('UPDATE entries SET body = \'{"who":"eve"}\' WHERE seq = 5', "chain-edited"),
        ("DELETE FROM entries WHERE seq = 5", "chain-deleted"),
        ("DELETE FROM entries WHERE seq > 8", "chain-truncated"),
        ("UPDATE checkpoints SET hash = repeat('0', 64)", "checkpoint-forged"),
    ],
)
def test_what_an_owner_does_is_found(ledger: PostgresLedger, statement: str, code: str) -> None:
    with ledger.open() as base:
        base.execute("ALTER TABLE entries DISABLE TRIGGER ALL")
        base.execute(statement)
    assert code in {found for found, _ in verify(ledger, SIGNERS).problems}


def test_many_writers_make_one_chain(ledger: PostgresLedger, server: str, tmp_path: Path) -> None:
    def write(number: int) -> None:
        other = PostgresLedger(server, tmp_path / f"machine-{number}", ledger.anchor)  # a lock file of its own
        for _ in range(5):
            other.append(NOW, "up", who=f"writer-{number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert sum(1 for _ in ledger.entries()) == 32
    assert not {code for code, _ in verify(ledger, SIGNERS).problems} - {"anchor-behind", "anchor-mismatch"}


def test_archive_and_forgetting(ledger: PostgresLedger) -> None:
    made = archive(ledger, NOW + timedelta(minutes=4), NOW + timedelta(days=1), KEYS)
    assert made is not None
    verdict = verify(ledger, SIGNERS)
    assert verdict.ok, verdict.problems
    assert verdict.archived == 4
    ledger.forget("person-1", NOW + timedelta(days=2))
    assert "person-1" not in {ledger.person(one) for one in ledger.entries()}
    assert verify(ledger, SIGNERS).ok
    with ledger.open() as base, pytest.raises(psycopg.errors.RaiseException):
        base.execute("DELETE FROM entries")  # the archive run has switched the refusal on again


def test_addresses(tmp_path: Path) -> None:
    for url in ("postgresql://u:hunter2@h/d", "postgresql://u@h/d?password=hunter2"):
        with pytest.raises(Ending) as caught:
            PostgresLedger(url, tmp_path)
        assert caught.value.code == 2
        assert "hunter2" not in str(caught.value)
    with pytest.raises(Ending) as caught:
        ledger_of(
            tmp_path, {"ECOSYSTEM_LEDGER": f"postgresql://u@/d?host={tmp_path}", "ECOSYSTEM_STATE": str(tmp_path)}
        )
    assert caught.value.reason == "ledger"
    assert spelled("INSERT OR REPLACE INTO checkpoints VALUES (?,?,?,?,?,?)").count("%s") == 6
