"""A signed document: a payload, and signatures that cover it together with who signs, as what and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from automation.exits import Ending, Exit
from automation.gate import Refusal
from automation.signing import canonical
from automation.signing.keys import PrivateKeys, moment, stamp
from automation.signing.trust import Signers

FORMAT: Final = "ecosystem-signed/1"
SIGNATURE_KEYS: Final = frozenset({"key_id", "owner", "role", "at", "ed25519", "ml_dsa_65"})
Role = Literal["author", "approver"]


@dataclass(frozen=True)
class Signature:
    """Two signatures of one signer over payload and circumstances."""

    key_id: str
    owner: str
    role: str
    at: str
    ed25519: str
    ml_dsa_65: str


@dataclass(frozen=True)
class Signed:
    """A payload with its signatures."""

    payload_type: str
    payload: dict[str, Any]
    signatures: tuple[Signature, ...] = ()

    def message(self, key_id: str, owner: str, role: str, at: str) -> bytes:
        """What one signature covers."""
        said = {
            "payload_type": self.payload_type,
            "payload": self.payload,
            "key_id": key_id,
            "owner": owner,
            "role": role,
            "at": at,
        }
        return f"{FORMAT}\n{canonical.dumps(said)}".encode()

    def signed_by(self, keys: PrivateKeys, role: Role, at: datetime) -> Signed:
        """The document with one more signature."""
        name, when = keys.public.key_id, stamp(at)
        both = keys.sign(self.message(name, keys.owner, role, when))
        return Signed(
            self.payload_type, self.payload, (*self.signatures, Signature(name, keys.owner, role, when, *both))
        )

    def text(self) -> str:
        document = {
            "format": FORMAT,
            "payload_type": self.payload_type,
            "payload": self.payload,
            "signatures": [dict(signature.__dict__) for signature in self.signatures],
        }
        return canonical.dumps(document) + "\n"

    def refusals(self, signers: Signers) -> list[Refusal]:
        """What is wrong with the signatures themselves: unknown, retired, of a role not held, broken, doubled."""
        found = []
        seen: set[tuple[str, str]] = set()
        for signature in self.signatures:
            found += _judge(self, signature, signers)
            if (signature.key_id, signature.role) in seen:
                found.append(
                    Refusal("plan-signature", f"{signature.owner} signed twice as {signature.role}: once only")
                )
            seen.add((signature.key_id, signature.role))
        return found


def _judge(signed: Signed, signature: Signature, signers: Signers) -> list[Refusal]:
    key = signers.keys.get(signature.key_id)
    if key is None:
        return [
            Refusal(
                "plan-signer-unknown",
                f"key {signature.key_id} ({signature.owner}) is not in config/signers.json: add it by review",
            )
        ]
    message = signed.message(signature.key_id, signature.owner, signature.role, signature.at)
    broken = key.verify(message, signature.ed25519, signature.ml_dsa_65)
    if broken:
        return [
            Refusal(
                "plan-signature",
                f"the {' and '.join(broken)} signature of {signature.owner} does not hold: the document is not what "
                "was signed; both kinds must hold",
            )
        ]
    if signature.owner != key.owner or signature.role not in key.roles:
        return [
            Refusal("plan-signature", f"key {key.key_id} belongs to {key.owner} and may sign as {', '.join(key.roles)}")
        ]
    try:
        usable = key.usable(moment(signature.at))
    except ValueError:
        usable = False
    if not usable:
        return [
            Refusal(
                "plan-key-retired", f"key {key.key_id} of {key.owner} was not in force at {signature.at}: sign anew"
            )
        ]
    return []


def _parsed(text: str) -> Signed:
    document = canonical.loads(text)
    if set(document) != {"format", "payload_type", "payload", "signatures"} or document["format"] != FORMAT:
        raise ValueError(f"not of the form {FORMAT}")
    if not (isinstance(document["payload"], dict) and isinstance(document["payload_type"], str)):
        raise ValueError("payload is no mapping")  # noqa: TRY004 - wrong input, not a wrong call
    signatures = []
    for entry in document["signatures"]:
        if set(entry) != SIGNATURE_KEYS or not all(isinstance(value, str) for value in entry.values()):
            raise ValueError("a signature has other parts than it should")
        signatures.append(Signature(**entry))
    canonical.dumps(document).encode()  # lone surrogates can be read and not written
    return Signed(document["payload_type"], document["payload"], tuple(signatures))


def read(path: Path) -> Signed:
    """Read a signed document; wrong input (exit 2) when it has another form, a key too many included."""
    try:
        return _parsed(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise Ending(
            Exit.WRONG_INPUT,
            "plan",
            f"{path}: not a signed document ({problem}); make one with `plan STACK --out FILE`",
        ) from None
