"""Whatever somebody does to the ledger's file is found; what the ledger itself does is not."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from automation.exits import Ending
from automation.ledger.archive import archive
from automation.ledger.entry import link
from automation.ledger.measures import measures
from automation.ledger.store import Ledger
from automation.ledger.verify import verify
from automation.signing import keys
from automation.signing.trust import Signers

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEYS = keys.generate("ledger", NOW - timedelta(days=1), roles=("ledger",))
SIGNERS = Signers({KEYS.public.key_id: KEYS.public})


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger(tmp_path / "ledger.sqlite", tmp_path / "outside" / "anchor.jsonl")
    for number in range(20):
        made.append(
            NOW + timedelta(minutes=number), "up", who=f"person-{number % 3}", stack="dev", outcome="ok", n=number
        )
        if number == 9:
            made.checkpoint(KEYS, NOW + timedelta(minutes=number))
    return made


def tamper(ledger: Ledger, *statements: str) -> None:
    with closing(sqlite3.connect(ledger.path)) as base:
        base.execute("DROP TRIGGER entries_stay")
        base.execute("DROP TRIGGER entries_last")
        for statement in statements:
            base.execute(statement)
        base.commit()


def codes(ledger: Ledger) -> set[str]:
    return {code for code, _ in verify(ledger, SIGNERS).problems}


def test_an_honest_ledger(ledger: Ledger) -> None:
    verdict = verify(ledger, SIGNERS)
    assert verdict.ok
    assert (verdict.entries, verdict.checkpoints, verdict.anchored) == (20, 1, 21)
    assert verdict.unchecked == []


def test_the_file_refuses_changes(ledger: Ledger) -> None:
    with ledger.open() as base:
        for statement in ("UPDATE entries SET body = '{}'", "DELETE FROM entries WHERE seq = 3"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                base.execute(statement)
        with pytest.raises(sqlite3.IntegrityError):
            base.execute("INSERT INTO entries VALUES (3, 'x', '{}', '', '')")


@pytest.mark.parametrize("column", ["at", "body", "prev", "hash"])
def test_edits(ledger: Ledger, column: str) -> None:
    tamper(ledger, f"UPDATE entries SET {column} = '2026-01-01T00:00:00Z' WHERE seq = 5")
    assert "chain-edited" in codes(ledger)


@pytest.mark.parametrize("seq", [1, 7, 15])
def test_deletions(ledger: Ledger, seq: int) -> None:
    tamper(ledger, f"DELETE FROM entries WHERE seq = {seq}")
    assert "chain-deleted" in codes(ledger)


def test_deletion_with_renumbering(ledger: Ledger) -> None:
    tamper(
        ledger,
        "DELETE FROM entries WHERE seq = 5",
        *(f"UPDATE entries SET seq={n} WHERE seq={n + 1}" for n in range(5, 20)),
    )
    assert codes(ledger) & {"chain-reordered", "chain-edited"}


def test_reordering(ledger: Ledger) -> None:
    tamper(
        ledger,
        "UPDATE entries SET seq = 99 WHERE seq = 5",
        "UPDATE entries SET seq = 5 WHERE seq = 6",
        "UPDATE entries SET seq = 6 WHERE seq = 99",
    )
    assert "chain-reordered" in codes(ledger)


@pytest.mark.parametrize("kept", [19, 10, 9, 0])
def test_truncation(ledger: Ledger, kept: int) -> None:
    tamper(ledger, f"DELETE FROM entries WHERE seq > {kept}")
    assert "chain-truncated" in codes(ledger)


def test_truncation_of_everything_with_its_checkpoints(ledger: Ledger) -> None:
    tamper(ledger, "DELETE FROM entries", "DELETE FROM checkpoints")
    assert "chain-truncated" in codes(ledger)


def test_a_chain_rewritten_whole(ledger: Ledger) -> None:
    """Somebody who computes all hashes anew is met by the checkpoint and by the anchor."""
    rows = list(ledger.entries())
    prev, statements = "0" * 64, []
    for entry in rows:
        body = entry.body.replace('"n":4', '"n":5')
        made = link(entry.seq, entry.at, body, prev)
        statements.append(f"UPDATE entries SET body='{body}', prev='{prev}', hash='{made}' WHERE seq={entry.seq}")
        prev = made
    tamper(ledger, *statements)
    assert codes(ledger) == {"checkpoint-mismatch", "anchor-mismatch"}


@pytest.mark.parametrize("column", ["ed25519", "ml_dsa_65", "hash", "at", "seq"])
def test_a_forged_checkpoint(ledger: Ledger, column: str) -> None:
    value = "9" if column == "seq" else f"'{'0' * 64}'"
    tamper(ledger, f"UPDATE checkpoints SET {column} = {value}")
    assert "checkpoint-forged" in codes(ledger)


def test_a_checkpoint_by_a_stranger(ledger: Ledger) -> None:
    ledger.checkpoint(keys.generate("mallory", NOW), NOW)
    assert "checkpoint-unknown-key" in codes(ledger)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda lines: lines[:-1], "anchor-behind"),
        (lambda lines: [*lines[:3], "not json", *lines[4:]], "anchor-damaged"),
        (lambda lines: [line.replace('"seq": 7', '"seq": 8') for line in lines], "anchor-mismatch"),
        (lambda _: [], "anchor-behind"),
    ],
)
def test_a_changed_anchor(ledger: Ledger, change: Callable[[list[str]], list[str]], code: str) -> None:
    assert ledger.anchor is not None
    lines = ledger.anchor.read_text().splitlines()
    ledger.anchor.write_text("".join(f"{line}\n" for line in change(lines)))
    assert code in codes(ledger)


def test_a_lost_anchor(ledger: Ledger) -> None:
    assert ledger.anchor is not None
    ledger.anchor.unlink()
    assert codes(ledger) == {"anchor-missing"}


def test_a_person_is_forgotten_and_the_chain_holds(ledger: Ledger) -> None:
    entries = list(ledger.entries())
    assert ledger.person(entries[1]) == "person-1"
    assert b"person-1" not in ledger.path.read_bytes()
    pseudonym = ledger.forget("person-1", NOW + timedelta(hours=1))
    assert ledger.person(entries[1]) == pseudonym
    assert ledger.person(entries[2]) == "person-2"
    assert verify(ledger, SIGNERS).ok
    with pytest.raises(Ending, match="nobody of this name"):
        ledger.forget("person-1", NOW)
    ledger.append(NOW + timedelta(hours=2), "up", who="person-1", outcome="ok")
    assert [*ledger.entries()][-1].content["who"] != pseudonym  # a new person, as far as anybody can tell


def test_archives(ledger: Ledger) -> None:
    made = archive(ledger, NOW + timedelta(minutes=10), NOW + timedelta(days=1), KEYS)
    assert made is not None
    verdict = verify(ledger, SIGNERS)
    assert verdict.ok, verdict.problems
    assert (verdict.archived, verdict.entries, verdict.checkpoints) == (10, 11, 1)
    again = archive(ledger, NOW + timedelta(days=2), NOW + timedelta(days=2), KEYS)
    assert again is not None
    assert verify(ledger, SIGNERS).archived == 21
    assert archive(ledger, NOW, NOW, KEYS) is None
    made.chmod(0o600)
    made.write_bytes(made.read_bytes()[:-20])
    assert "archive-edited" in codes(ledger)
    made.unlink()
    verdict = verify(ledger, SIGNERS)
    assert verdict.ok
    assert any(made.name in line for line in verdict.unchecked)


def test_a_forged_archive_hides_nothing(ledger: Ledger) -> None:
    """Who deletes old entries and pretends that they were archived elsewhere has no signature for it."""
    head = list(ledger.entries())[4].hash
    gone = f"INSERT INTO base VALUES (5, '{head}', 'gone.jsonl.gz', 'x', '2026-11-21T12:00:00Z')"
    tamper(ledger, "DELETE FROM entries WHERE seq <= 5", gone)
    assert codes(ledger) == {"archive-unsigned"}


def test_two_writers_share_one_chain(ledger: Ledger) -> None:
    other = Ledger(ledger.path, ledger.anchor)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: (ledger, other)[n % 2].append(NOW, "up", outcome="ok", n=n), range(20)))
    verdict = verify(ledger, SIGNERS)
    assert verdict.ok, verdict.problems
    assert verdict.entries == 40


def test_a_failed_append_leaves_nothing(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        ledger.append_all([(NOW, {"action": "up"}), (NOW, {"action": "up", "cost": float("nan")})])
    assert len(list(ledger.entries())) == 20
    assert verify(ledger, SIGNERS).ok


def test_figures_come_from_runs(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l.sqlite")
    hour = timedelta(hours=1)
    for at, action, facts in (
        (NOW, "up", {"stack": "a", "outcome": "ok", "seconds": 10}),
        (NOW + hour, "up", {"stack": "a", "outcome": "failed", "seconds": 5}),
        (NOW + 2 * hour, "up", {"stack": "a", "outcome": "failed", "seconds": 5}),
        (NOW + 3 * hour, "up", {"stack": "b", "outcome": "ok", "seconds": 30}),
        (NOW + 4 * hour, "up", {"stack": "a", "outcome": "ok", "seconds": 20}),
        (NOW + 4 * hour, "up", {"stack": "a", "outcome": "refused"}),
        (NOW + 5 * hour, "pipeline", {"outcome": "degraded", "seconds": 4}),
        (NOW + 6 * hour, "pipeline", {"outcome": "ok", "seconds": 8}),
    ):
        ledger.append(at, action, **facts)
    made = measures(ledger.entries())
    assert made["deploy_seconds_median"] == {"value": 20, "unit": "s", "runs": 3}
    assert made["deploy_success_rate"] == {"value": 0.6, "unit": "share", "runs": 5}
    assert made["time_to_repair_mean"] == {"value": 3 * 3600, "unit": "s", "runs": 1}
    assert made["deploys_per_day"] == {"value": 12, "unit": "1/day", "runs": 3}
    assert made["build_seconds_median"] == {"value": 8, "unit": "s", "runs": 1}
    assert made["refused"]["value"] == made["degraded"]["value"] == 1
    assert measures([])["deploy_success_rate"] == {"value": None, "unit": "share", "runs": 0}


@pytest.mark.slow
def test_a_hundred_thousand_entries(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "big.sqlite", tmp_path / "anchor.jsonl")
    ledger.append_all((NOW, {"action": "up", "stack": "prod", "outcome": "ok", "n": n}) for n in range(100_000))
    ledger.checkpoint(KEYS, NOW)
    verdict = verify(ledger, SIGNERS)
    assert verdict.ok
    assert verdict.entries == 100_000
    assert json.loads(json.dumps(verdict.record()))["ok"]
