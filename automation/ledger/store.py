"""The ledger's file: SQLite that refuses to change or delete rows, names under keys that can be shredded.

What SQLite cannot refuse (another program on the file) the chain, the signed checkpoints and the anchor show.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from filelock import FileLock

from automation.exits import Ending, Exit
from automation.ledger.entry import GENESIS, Entry, link
from automation.signing import canonical
from automation.signing.keys import PrivateKeys, stamp

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS entries (
  seq INTEGER PRIMARY KEY, at TEXT NOT NULL, body TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS checkpoints (
  seq INTEGER PRIMARY KEY, hash TEXT NOT NULL, at TEXT NOT NULL, key_id TEXT NOT NULL,
  ed25519 TEXT NOT NULL, ml_dsa_65 TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS base (
  seq INTEGER NOT NULL, hash TEXT NOT NULL, archive TEXT NOT NULL, sha256 TEXT NOT NULL, at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS subjects (pseudonym TEXT PRIMARY KEY, name_hash TEXT UNIQUE NOT NULL, key BLOB);
CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE UPDATE ON entries
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: entries do not change'); END;
CREATE TRIGGER IF NOT EXISTS entries_last BEFORE DELETE ON entries
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: entries are archived, not deleted'); END;
"""
WAIT_SECONDS: Final = 30.0


def checkpoint_message(seq: int, head: str, at: str) -> bytes:
    """What a checkpoint's signatures cover."""
    return f"ecosystem-checkpoint/1\n{seq}\n{head}\n{at}".encode()


class Ledger:
    """One ledger: append, read, checkpoint, forget a person. `anchor` is a file elsewhere that knows the head."""

    def __init__(self, path: Path, anchor: Path | None = None) -> None:
        self.path = path
        self.anchor = anchor
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.open() as base:
            base.executescript(SCHEMA)

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A connection whose transactions are written by hand; overwritten bytes are zeroed."""
        with closing(sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)) as base:
            base.execute("PRAGMA secure_delete=ON")
            base.execute("PRAGMA synchronous=FULL")
            yield base

    def alone(self) -> FileLock:
        """Nobody else writes meanwhile, in this process or another: the file itself is replaced when it is archived."""
        return FileLock(str(self.path.with_suffix(".lock")), timeout=WAIT_SECONDS)

    def head(self, base: sqlite3.Connection) -> tuple[int, str]:
        """Number and hash of the newest entry; of the archive's end when all were archived."""
        row = base.execute("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        row = row or base.execute("SELECT seq, hash FROM base ORDER BY seq DESC LIMIT 1").fetchone()
        return (int(row[0]), str(row[1])) if row else (0, GENESIS)

    def append(self, at: datetime, action: str, **facts: Any) -> Entry:
        """Write one entry; `who` (a name) is stored under the person's key. Returns the entry."""
        return self.append_all([(at, {"action": action, **facts})])[-1]

    def append_all(self, happened: Iterable[tuple[datetime, Mapping[str, Any]]]) -> list[Entry]:
        """Write several entries in one transaction, or none."""
        made: list[Entry] = []
        with self.alone(), self.open() as base:
            base.execute("BEGIN IMMEDIATE")
            try:
                seq, prev = self.head(base)
                for at, facts in happened:
                    seq += 1
                    body = canonical.dumps(self._sealed(base, seq, facts))
                    entry = Entry(seq, stamp(at), body, prev, link(seq, stamp(at), body, prev))
                    made.append(entry)
                    prev = entry.hash
                base.executemany(
                    "INSERT INTO entries VALUES (?, ?, ?, ?, ?)", [(e.seq, e.at, e.body, e.prev, e.hash) for e in made]
                )
            except BaseException:
                base.execute("ROLLBACK")
                raise
            base.execute("COMMIT")
            if made:
                self._anchor({"seq": made[-1].seq, "hash": made[-1].hash})
        return made

    def _sealed(self, base: sqlite3.Connection, seq: int, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The facts with the person's name replaced by a pseudonym and a text only its key opens."""
        name = facts.get("who")
        if not name:
            return dict(facts)
        mark = hashlib.sha256(str(name).encode()).hexdigest()
        row = base.execute("SELECT pseudonym, key FROM subjects WHERE name_hash = ?", (mark,)).fetchone()
        if row is None:
            row = (f"p-{secrets.token_hex(8)}", AESGCM.generate_key(256))
            base.execute("INSERT INTO subjects VALUES (?, ?, ?)", (row[0], mark, row[1]))
        nonce = os.urandom(12)
        sealed = nonce + AESGCM(row[1]).encrypt(nonce, str(name).encode(), f"{seq}".encode())
        return {**facts, "who": row[0], "who_sealed": base64.b64encode(sealed).decode()}

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """The entries that are not archived, in order."""
        with self.open() as base:
            for row in base.execute(
                "SELECT seq, at, body, prev, hash FROM entries WHERE seq > ? ORDER BY seq", (after,)
            ):
                yield Entry(*row)

    def person(self, entry: Entry) -> str:
        """The name behind an entry; the pseudonym alone once the person was forgotten."""
        content = entry.content
        pseudonym = str(content.get("who", ""))
        with self.open() as base:
            row = base.execute("SELECT key FROM subjects WHERE pseudonym = ?", (pseudonym,)).fetchone()
        if row is None or row[0] is None or "who_sealed" not in content:
            return pseudonym
        sealed = base64.b64decode(content["who_sealed"])
        try:
            return AESGCM(row[0]).decrypt(sealed[:12], sealed[12:], f"{entry.seq}".encode()).decode()
        except InvalidTag:
            return pseudonym

    def forget(self, name: str, at: datetime) -> str:
        """Shred a person's key: no name can be read any more, in archives neither; the chain stays as it is."""
        mark = hashlib.sha256(name.encode()).hexdigest()
        with self.alone(), self.open() as base:
            base.execute("BEGIN IMMEDIATE")
            row = base.execute("SELECT pseudonym FROM subjects WHERE name_hash = ?", (mark,)).fetchone()
            if row is None:
                base.execute("ROLLBACK")
                raise Ending(Exit.WRONG_INPUT, "ledger", "nobody of this name is in the ledger: check the spelling")
            forgotten = f"forgotten-{secrets.token_hex(8)}"
            base.execute("UPDATE subjects SET key = NULL, name_hash = ? WHERE pseudonym = ?", (forgotten, row[0]))
            base.execute("COMMIT")
            base.execute("VACUUM")
        self.append(at, "forget", subject=row[0], outcome="ok")
        return str(row[0])

    def checkpoint(self, keys: PrivateKeys, at: datetime) -> tuple[int, str]:
        """Sign the head with both kinds, and tell the anchor."""
        with self.alone(), self.open() as base:
            head = self.head(base)
            self.sign(base, head, keys, at)
        return head

    def sign(self, base: sqlite3.Connection, end: tuple[int, str], keys: PrivateKeys, at: datetime) -> None:
        """Write a checkpoint of that entry; the caller is alone."""
        when = stamp(at)
        short, lattice = keys.sign(checkpoint_message(*end, when))
        name = keys.public.key_id
        base.execute("INSERT OR REPLACE INTO checkpoints VALUES (?,?,?,?,?,?)", (*end, when, name, short, lattice))
        signed = {"at": when, "key_id": name, "ed25519": short, "ml_dsa_65": lattice}
        self._anchor({"seq": end[0], "hash": end[1], **signed})

    def mark(self) -> str:
        """Changes with every entry, without reading them."""
        files = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return "|".join(str(file.stat().st_mtime_ns) for file in files if file.exists())

    def drop_archived(self, base: sqlite3.Connection, end: tuple[int, str, str, str, str]) -> None:
        """Take out what the archive holds: the file is rebuilt beside itself and put in place in one step."""
        part = self.path.with_suffix(".rebuilt")
        part.unlink(missing_ok=True)
        with closing(sqlite3.connect(part, timeout=WAIT_SECONDS)) as fresh:
            fresh.executescript(SCHEMA)
            for table in ("checkpoints", "base", "subjects"):
                for row in base.execute(f"SELECT * FROM {table}"):  # noqa: S608 - three names of ours
                    fresh.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(row))})", row)  # noqa: S608
            for row in base.execute("SELECT * FROM entries WHERE seq > ?", (end[0],)):
                fresh.execute("INSERT INTO entries VALUES (?,?,?,?,?)", row)
            fresh.execute("INSERT INTO base VALUES (?,?,?,?,?)", end)
            fresh.commit()
        part.replace(self.path)

    def _anchor(self, said: Mapping[str, Any]) -> None:
        """One more line outside: who rewrites the ledger has to rewrite that place too."""
        if self.anchor is None:
            return
        self.anchor.parent.mkdir(parents=True, exist_ok=True)
        with self.anchor.open("a", encoding="utf-8") as file:
            file.write(json.dumps(said) + "\n")
            file.flush()
            os.fsync(file.fileno())
