"""Reads the whole chain and says what somebody did to it: edited, deleted, cut, reordered, forged."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from automation.ledger.archive import read_archive
from automation.ledger.entry import GENESIS, Entry, link
from automation.ledger.store import Ledger, checkpoint_message
from automation.signing.trust import Signers

SHOWN: Final = 50


@dataclass
class Verdict:
    """What was found; `problems` are (code, sentence), those beyond 50 are counted only.

    Codes: chain-edited, -deleted, -reordered, -truncated; checkpoint-*, anchor-*, archive-*.
    """

    entries: int = 0
    checkpoints: int = 0
    archived: int = 0
    anchored: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    more: int = 0
    unchecked: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems

    def add(self, code: str, sentence: str) -> None:
        if len(self.problems) < SHOWN:
            self.problems.append((code, sentence))
        else:
            self.more += 1

    def record(self) -> dict[str, Any]:
        listed = [{"code": code, "sentence": sentence} for code, sentence in self.problems]
        return {**self.__dict__, "problems": listed, "ok": self.ok}


class _Chain:
    """Walks entries in order and remembers every hash that checkpoints and anchors may ask for."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.seq, self.prev = 0, GENESIS
        self.hashes: dict[int, str] = {0: GENESIS}
        self.unread = 0  # entries up to here stand in archives that are not here

    def take(self, entry: Entry) -> None:
        if entry.seq != self.seq + 1:
            gap = f"{self.seq + 1}" if entry.seq == self.seq + 2 else f"{self.seq + 1} to {entry.seq - 1}"
            self.verdict.add("chain-deleted", f"entry {gap} is gone")
        elif entry.prev != self.prev:
            code = "chain-reordered" if self._moved(entry) else "chain-edited"
            self.verdict.add(code, f"entry {entry.seq} does not follow entry {self.seq} as it is now")
        if link(entry.seq, entry.at, entry.body, entry.prev) != entry.hash:
            moved = self._moved(entry)
            self.verdict.add(
                "chain-reordered" if moved else "chain-edited",
                f"entry {entry.seq} of {entry.at} is not what was written"
                + (": its text was made for another place" if moved else ""),
            )
        self.seq, self.prev = entry.seq, entry.hash
        self.hashes[entry.seq] = entry.hash

    def _moved(self, entry: Entry) -> bool:
        """Whether the entry is whole, only at another number: swapped rows keep their hashes."""
        near = range(max(1, entry.seq - 3), entry.seq + 4)
        return any(link(seq, entry.at, entry.body, entry.prev) == entry.hash for seq in near if seq != entry.seq)


def _checkpoint(chain: _Chain, signers: Signers, row: tuple[Any, ...], where: str) -> bool:
    seq, head, at, name, short, lattice = row
    key = signers.keys.get(str(name))
    if key is None:
        chain.verdict.add(
            "checkpoint-unknown-key", f"{where} at entry {seq} is signed by key {name}, which nobody knows"
        )
        return False
    if broken := key.verify(checkpoint_message(int(seq), str(head), str(at)), str(short), str(lattice)):
        chain.verdict.add(
            "checkpoint-forged", f"{where} at entry {seq}: the {' and '.join(broken)} signature does not hold"
        )
        return False
    found = chain.hashes.get(int(seq))
    if found is None and int(seq) <= chain.unread:
        return True
    if found is None:
        chain.verdict.add("chain-truncated", f"{where} saw entry {seq}; the ledger ends at {chain.seq}")
        return False
    if found != head:
        chain.verdict.add("checkpoint-mismatch", f"{where} saw another entry {seq}: the chain was rewritten")
        return False
    return True


def _anchor(chain: _Chain, signers: Signers, path: Path) -> None:
    last = 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            said = json.loads(line)
            seq, head = int(said["seq"]), str(said["hash"])
        except (ValueError, KeyError, TypeError):
            chain.verdict.add("anchor-damaged", f"line {number} of the anchor {path} cannot be read")
            continue
        chain.verdict.anchored += 1
        if "ed25519" in said:
            row = (seq, head, said["at"], said["key_id"], said["ed25519"], said["ml_dsa_65"])
            _checkpoint(chain, signers, row, "the anchor's checkpoint")
        elif seq not in chain.hashes and seq > chain.unread:
            chain.verdict.add("chain-truncated", f"the anchor saw entry {seq}; the ledger ends at {chain.seq}")
        elif chain.hashes.get(seq, head) != head:
            chain.verdict.add("anchor-mismatch", f"the anchor saw another entry {seq}: the chain was rewritten")
        last = max(last, seq)
    if last < chain.seq:
        chain.verdict.add(
            "anchor-behind", f"the anchor ends at entry {last}, the ledger at {chain.seq}: lines are missing"
        )


def _archives(ledger: Ledger, base: sqlite3.Connection, chain: _Chain) -> None:
    signed = {(row[0], row[1]) for row in base.execute("SELECT seq, hash FROM checkpoints")}
    for seq, head, name, sha256, _ in base.execute("SELECT seq, hash, archive, sha256, at FROM base ORDER BY seq"):
        if (seq, head) not in signed:  # the checkpoint's signatures are judged with all others
            chain.verdict.add("archive-unsigned", f"nobody signed that archive {name} ends at entry {seq}")
        path = ledger.path.parent / Path(name).name
        if not path.exists():
            chain.verdict.unchecked.append(f"archive {name} (to entry {seq}) is not here: its entries were not read")
            chain.unread = int(seq)
        else:
            entries, found = read_archive(path)
            if found != sha256:
                chain.verdict.add("archive-edited", f"archive {name} is not the file that was written")
            for entry in entries:
                chain.take(entry)
                chain.verdict.archived += 1
            if (chain.seq, chain.prev) != (seq, head):
                chain.verdict.add(
                    "archive-mismatch", f"archive {name} ends at {chain.seq}, the ledger goes on after {seq}"
                )
        chain.seq, chain.prev = int(seq), str(head)
        chain.hashes[int(seq)] = str(head)


def verify(ledger: Ledger, signers: Signers) -> Verdict:
    """Read everything; the verdict names what is wrong and what could not be checked."""
    verdict = Verdict()
    chain = _Chain(verdict)
    with ledger.open() as base:
        _archives(ledger, base, chain)
        rows = base.execute("SELECT seq, at, body, prev, hash FROM entries ORDER BY seq")
        for row in rows:
            chain.take(Entry(*row))
            verdict.entries += 1
        for row in base.execute("SELECT seq, hash, at, key_id, ed25519, ml_dsa_65 FROM checkpoints ORDER BY seq"):
            verdict.checkpoints += _checkpoint(chain, signers, row, "a checkpoint")
    if not verdict.checkpoints:
        verdict.unchecked.append("no signed checkpoint: `ledger checkpoint --key KEY`")
    if ledger.anchor is None or not ledger.anchor.exists():
        verdict.unchecked.append("no anchor outside the ledger: a cut after the last checkpoint cannot be seen")
        if ledger.anchor is not None and chain.seq:
            verdict.add("anchor-missing", f"the anchor {ledger.anchor} is gone")
    else:
        _anchor(chain, signers, ledger.anchor)
    return verdict
