"""Who may sign: public keys in one reviewed file, each new key of an owner endorsed by the one before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from automation.exits import Ending, Exit
from automation.signing import canonical
from automation.signing.keys import PrivateKeys, PublicKeys, key_id, moment, stamp

FORMAT: Final = "ecosystem-signers/1"
FILE: Final = Path("config/signers.json")
NOTE: Final = (
    "Who may sign plans, releases and the ledger. Each person: `python -m automation keys generate --owner NAME --out "
    "FILE > NAME.pub`, keeps FILE, and adds NAME.pub with `keys trust NAME.pub` in a reviewed change. A new pair of "
    "the same person: `keys rotate`. Nobody is in here until somebody was added."
)


@dataclass(frozen=True)
class Rotation:
    """The old key's word for the new one."""

    old: str
    new: str
    at: str
    ed25519: str
    ml_dsa_65: str

    def record(self) -> dict[str, str]:
        return dict(self.__dict__)


def _message(old: str, new: PublicKeys, at: str) -> bytes:
    record = new.record() | {"retired_at": None}  # its own retirement comes later and does not undo this word
    return b"ecosystem-rotation/1\n" + canonical.dumps({"old": old, "new": record, "at": at}).encode()


@dataclass
class Signers:
    """The public keys that count, and how they followed each other."""

    keys: dict[str, PublicKeys] = field(default_factory=dict)
    rotations: list[Rotation] = field(default_factory=list)

    def add(self, key: PublicKeys) -> None:
        """Trust a first key of somebody: a reviewed change of the file."""
        self.keys[key.key_id] = key

    def rotate(self, old: PrivateKeys, new: PublicKeys, at: datetime) -> None:
        """Retire `old` and trust `new` by the old one's word; both must belong to the same owner (else exit 2)."""
        known = self.keys.get(old.public.key_id)
        if known is None or not known.usable(at):
            raise Ending(
                Exit.WRONG_INPUT, "key", f"key {old.public.key_id} of {old.owner} is not in force: add a key by review"
            )
        if new.owner != old.owner or set(new.roles) - set(known.roles):
            raise Ending(
                Exit.WRONG_INPUT, "key", "a rotation keeps owner and roles: a new right is given by review, not rotated"
            )
        when = stamp(at)
        self.rotations.append(Rotation(known.key_id, new.key_id, when, *old.sign(_message(known.key_id, new, when))))
        self.keys[known.key_id] = replace(known, retired_at=when)
        self.keys[new.key_id] = new

    def problems(self) -> list[str]:
        """What is wrong with the file itself; [] when it can be trusted as far as it was reviewed."""
        import base64  # noqa: PLC0415

        found = []
        for name, key in self.keys.items():
            try:
                made = key_id(base64.b64decode(key.ed25519), base64.b64decode(key.ml_dsa_65))
                moment(key.valid_from), moment(key.valid_until)
            except ValueError:
                made = ""
            if name != key.key_id or made != key.key_id:
                found.append(f"key {name} of {key.owner}: its name does not belong to its two public keys")
        for step in self.rotations:
            old, new = self.keys.get(step.old), self.keys.get(step.new)
            if old is None or new is None:
                found.append(f"rotation {step.old} -> {step.new}: one of them is not in the file")
            elif broken := old.verify(_message(step.old, new, step.at), step.ed25519, step.ml_dsa_65):
                found.append(f"rotation {step.old} -> {step.new}: {' and '.join(broken)} do not hold")
        return found

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        document = {
            "format": FORMAT,
            "note": NOTE,
            "keys": [key.record() for key in self.keys.values()],
            "rotations": [step.record() for step in self.rotations],
        }
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def key_of(record: Mapping[str, Any]) -> PublicKeys:
    """Read one public half. Raises KeyError or TypeError on another form."""
    return PublicKeys(**{**record, "roles": tuple(record["roles"])})


def _parsed(text: str) -> Signers:
    document = canonical.loads(text)
    if document["format"] != FORMAT:
        raise ValueError(f"format is not {FORMAT}")
    listed = [key_of(record) for record in document["keys"]]
    signers = Signers({key.key_id: key for key in listed}, [Rotation(**step) for step in document["rotations"]])
    if len(signers.keys) != len(listed):
        raise ValueError("a key stands twice")
    return signers


def load(path: Path) -> Signers:
    """Read the signers; an absent file trusts nobody; a damaged or forged one is wrong input (exit 2)."""
    if not path.exists():
        return Signers()
    try:
        signers = _parsed(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise Ending(Exit.WRONG_INPUT, "signers", f"{path} is no list of signers: {problem}") from None
    if found := signers.problems():
        raise Ending(Exit.WRONG_INPUT, "signers", f"{path} was tampered with", tuple(found))
    return signers
