"""The ledger of a team in PostgreSQL: the same chain, checkpoints and pseudonyms; the database refuses changes too.

What an owner of the tables can still do (switch triggers off, as the archive run does) the chain, the signed
checkpoints and the anchor show, as with the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from automation.exits import Ending, Exit
from automation.ledger.store import WAIT_SECONDS, Ledger

if TYPE_CHECKING:
    import psycopg

SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS entries (
  seq BIGINT PRIMARY KEY, at TEXT NOT NULL, body TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS checkpoints (
  seq BIGINT PRIMARY KEY, hash TEXT NOT NULL, at TEXT NOT NULL, key_id TEXT NOT NULL,
  ed25519 TEXT NOT NULL, ml_dsa_65 TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS base (
  seq BIGINT NOT NULL, hash TEXT NOT NULL, archive TEXT NOT NULL, sha256 TEXT NOT NULL, at TEXT NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS subjects (pseudonym TEXT PRIMARY KEY, name_hash TEXT UNIQUE NOT NULL, key BYTEA)",
    """CREATE OR REPLACE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'the ledger is append-only: entries do not change and are not deleted'; END $$""",
    """CREATE OR REPLACE TRIGGER entries_stay BEFORE UPDATE OR DELETE ON entries
  FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only()""",
    """CREATE OR REPLACE TRIGGER entries_last BEFORE TRUNCATE ON entries
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()""",
)
MAKING: Final = 7_120_316_540_221
"""Number of the lock under which the tables are made once, and entries are written one after another."""


def spelled(statement: str) -> str:
    """A statement of the file's ledger as PostgreSQL takes it."""
    if statement.startswith("INSERT OR REPLACE INTO checkpoints"):
        names = ("hash", "at", "key_id", "ed25519", "ml_dsa_65")
        put = ", ".join(f"{name} = EXCLUDED.{name}" for name in names)
        statement = f"{statement.replace('INSERT OR REPLACE', 'INSERT')} ON CONFLICT (seq) DO UPDATE SET {put}"
    return statement.replace("?", "%s")


class Base:
    """A connection that takes the statements of the file's ledger."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection

    def execute(self, statement: str, values: Sequence[Any] = ()) -> psycopg.Cursor[Any]:
        """Run one statement; `BEGIN IMMEDIATE` also keeps every other writer out until the end."""
        if statement == "BEGIN IMMEDIATE":
            self.connection.execute("BEGIN")
            return self.connection.execute("SELECT pg_advisory_xact_lock(%s)", (MAKING,))
        if statement == "VACUUM":
            return self.connection.execute("VACUUM subjects")  # the old row with the key goes from its page
        return self.connection.execute(spelled(statement), values or None)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row."""
        with self.connection.cursor() as cursor:
            cursor.executemany(spelled(statement), list(rows))


class PostgresLedger(Ledger):
    """A ledger at an address such as postgresql://user@host/database; archives and lock lie in `folder`."""

    def __init__(self, url: str, folder: Path, anchor: Path | None = None) -> None:
        if urlsplit(url).password or re.search(r"[?&]password=", url):
            raise Ending(
                Exit.WRONG_INPUT, "ledger", "ECOSYSTEM_LEDGER holds a password: put it into the file of PGPASSFILE"
            )
        self.url = url
        self.path = folder / "ledger-postgres"
        self.anchor = anchor
        folder.mkdir(parents=True, exist_ok=True)
        with self.open() as base:
            base.execute("BEGIN")
            base.execute("SELECT pg_advisory_xact_lock(?)", (MAKING,))
            for statement in SCHEMA:
                base.execute(statement)
            base.execute("COMMIT")

    @contextmanager
    def open(self) -> Iterator[Any]:
        """A connection whose transactions are written by hand. Ends the run (exit 1) when nobody answers."""
        import psycopg  # noqa: PLC0415 - only ledgers of a team need it

        try:
            connection = psycopg.connect(self.url, autocommit=True, connect_timeout=int(WAIT_SECONDS))
        except psycopg.OperationalError as error:
            said = str(error).strip().splitlines()
            raise Ending(Exit.FAILED, "ledger", "the ledger's database does not answer", tuple(said[-2:])) from None
        with connection:
            connection.execute("SET client_min_messages = warning")
            yield Base(connection)

    def mark(self) -> str:
        """Changes with every entry."""
        with self.open() as base:
            return str(self.head(base))

    def drop_archived(self, base: Any, end: tuple[int, str, str, str, str]) -> None:
        """Take out what the archive holds, in one transaction; only the owner of the tables may."""
        base.execute("BEGIN IMMEDIATE")
        try:
            base.execute("ALTER TABLE entries DISABLE TRIGGER entries_stay")
            base.execute("DELETE FROM entries WHERE seq <= ?", (end[0],))
            base.execute("ALTER TABLE entries ENABLE TRIGGER entries_stay")
            base.execute("INSERT INTO base VALUES (?,?,?,?,?)", end)
        except BaseException:
            base.execute("ROLLBACK")
            raise
        base.execute("COMMIT")
