"""One entry and how it hangs on the one before."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from automation.signing import canonical

GENESIS: Final = "0" * 64


@dataclass(frozen=True)
class Entry:
    """What happened; `who` is a pseudonym, its name is kept apart and can be forgotten."""

    seq: int
    at: str
    body: str  # canonical JSON: who, action, stack, commit, plan, outcome, ...
    prev: str
    hash: str

    @property
    def content(self) -> dict[str, Any]:
        read: dict[str, Any] = canonical.loads(self.body)
        return read


def link(seq: int, at: str, body: str, prev: str) -> str:
    """Hash of an entry: its place, its time, its text and the entry before."""
    return hashlib.sha256(f"{seq}\n{at}\n{prev}\n{body}".encode()).hexdigest()
