"""Retention: old entries move into a compressed file beside the ledger; the chain goes on from where they end."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from datetime import datetime
from pathlib import Path

from automation.ledger.entry import Entry
from automation.ledger.store import Ledger
from automation.signing.keys import PrivateKeys, stamp


def read_archive(path: Path) -> tuple[list[Entry], str]:
    """Entries of an archive and the hash of its file; an unreadable one has none."""
    raw = path.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    try:
        lines = gzip.decompress(raw).decode().splitlines()
        return [Entry(**json.loads(line)) for line in lines], digest
    except (OSError, EOFError, ValueError, TypeError):
        return [], digest


def archive(ledger: Ledger, older_than: datetime, at: datetime, keys: PrivateKeys) -> Path | None:
    """Move entries before that time into a file, and sign where it ends: an unsigned end is a forged one.

    Returns the archive, or nothing when no entry is that old. A crash leaves the ledger as it was.
    """
    with ledger.alone(), ledger.open() as base:
        row = base.execute(
            "SELECT max(seq) FROM entries WHERE seq < (SELECT coalesce(min(seq), (SELECT max(seq) + 1 FROM entries))"
            " FROM entries WHERE at >= ?)",
            (stamp(older_than),),
        ).fetchone()
        last = row[0]
        if last is None:
            return None
        rows = base.execute(
            "SELECT seq, at, body, prev, hash FROM entries WHERE seq <= ? ORDER BY seq", (last,)
        ).fetchall()
        made = _write(ledger, rows)
        ledger.sign(base, (int(last), str(rows[-1][4])), keys, at)
        digest = hashlib.sha256(made.read_bytes()).hexdigest()
        ledger.drop_archived(base, (int(last), str(rows[-1][4]), made.name, digest, stamp(at)))
    ledger.append(at, "archive", archive=made.name, entries=len(rows), outcome="ok")
    return made


def _write(ledger: Ledger, rows: list[tuple[int, str, str, str, str]]) -> Path:
    text = "".join(json.dumps(dict(Entry(*row).__dict__)) + "\n" for row in rows)
    path = ledger.path.parent / f"{ledger.path.stem}-{rows[0][0]:08d}-{rows[-1][0]:08d}.jsonl.gz"
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(gzip.compress(text.encode(), mtime=0))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    path.chmod(0o440)
    return path
