"""Key pairs of two kinds that only count together: Ed25519 for today, ML-DSA-65 (FIPS 204) for the day after it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey

from automation.exits import Ending, Exit

PRIVATE_FORMAT: Final = "ecosystem-private-keys/1"
LIFE: Final = timedelta(days=365)


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def stamp(moment: datetime) -> str:
    """A time as it stands in signed documents: UTC, seconds, `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """Read `stamp`'s form; raises ValueError on any other."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


@dataclass(frozen=True)
class PublicKeys:
    """What others need to check a signer; `retired_at` ends its right to sign, not the truth of what it signed."""

    key_id: str
    owner: str
    ed25519: str
    ml_dsa_65: str
    valid_from: str
    valid_until: str
    retired_at: str | None = None
    roles: tuple[str, ...] = ("author", "approver")

    def record(self) -> dict[str, Any]:
        return {**self.__dict__, "roles": list(self.roles)}

    def usable(self, at: datetime) -> bool:
        """Whether a signature made then counts."""
        end = min(moment(self.valid_until), moment(self.retired_at)) if self.retired_at else moment(self.valid_until)
        return moment(self.valid_from) <= at < end

    def verify(self, message: bytes, ed25519: str, ml_dsa_65: str) -> list[str]:
        """Names of the signatures that do not hold; [] when both do."""
        broken = []
        try:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(self.ed25519, validate=True))
            key.verify(base64.b64decode(ed25519, validate=True), message)
        except (InvalidSignature, ValueError):
            broken.append("Ed25519")
        try:
            lattice = MLDSA65PublicKey.from_public_bytes(base64.b64decode(self.ml_dsa_65, validate=True))
            lattice.verify(base64.b64decode(ml_dsa_65, validate=True), message)
        except (InvalidSignature, ValueError):
            broken.append("ML-DSA-65")
        return broken


def key_id(ed25519: bytes, ml_dsa_65: bytes) -> str:
    """Name of a pair: 16 hexadecimal digits over both public keys, so that neither can be exchanged alone."""
    return hashlib.sha256(ed25519 + ml_dsa_65).hexdigest()[:16]


@dataclass(frozen=True)
class PrivateKeys:
    """A signer. Never printed: its text names the public half only."""

    owner: str
    _ed25519: Ed25519PrivateKey
    _ml_dsa_65: MLDSA65PrivateKey
    valid_from: str
    valid_until: str
    roles: tuple[str, ...] = ("author", "approver")

    def __repr__(self) -> str:
        return f"PrivateKeys({self.owner}, {self.public.key_id})"

    @property
    def public(self) -> PublicKeys:
        short = self._ed25519.public_key().public_bytes_raw()
        lattice = self._ml_dsa_65.public_key().public_bytes_raw()
        return PublicKeys(
            key_id(short, lattice),
            self.owner,
            _encode(short),
            _encode(lattice),
            self.valid_from,
            self.valid_until,
            None,
            self.roles,
        )

    def sign(self, message: bytes) -> tuple[str, str]:
        """Both signatures, base64."""
        return _encode(self._ed25519.sign(message)), _encode(self._ml_dsa_65.sign(message))

    def save(self, path: Path) -> None:
        """Write the secret seeds, readable by the owner alone; an existing file is never overwritten."""
        text = json.dumps(
            {
                "format": PRIVATE_FORMAT,
                "owner": self.owner,
                "valid_from": self.valid_from,
                "valid_until": self.valid_until,
                "roles": list(self.roles),
                "ed25519": _encode(self._ed25519.private_bytes_raw()),
                "ml_dsa_65_seed": _encode(self._ml_dsa_65.private_bytes_raw()),
            },
            indent=1,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise Ending(
                Exit.WRONG_INPUT, "key", f"{path} exists: keys are rotated, never overwritten; give another name"
            ) from None
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")


def generate(
    owner: str, at: datetime, life: timedelta = LIFE, roles: tuple[str, ...] = ("author", "approver")
) -> PrivateKeys:
    """Make a fresh pair."""
    return PrivateKeys(
        owner, Ed25519PrivateKey.generate(), MLDSA65PrivateKey.generate(), stamp(at), stamp(at + life), roles
    )


def _parsed(document: Mapping[str, Any]) -> PrivateKeys:
    if document["format"] != PRIVATE_FORMAT:
        raise ValueError(f"format is not {PRIVATE_FORMAT}")
    return PrivateKeys(
        document["owner"],
        Ed25519PrivateKey.from_private_bytes(base64.b64decode(document["ed25519"])),
        MLDSA65PrivateKey.from_seed_bytes(base64.b64decode(document["ml_dsa_65_seed"])),
        document["valid_from"],
        document["valid_until"],
        tuple(document["roles"]),
    )


def load(path: Path) -> PrivateKeys:
    """Read a private key file; wrong input (exit 2) when it is none or others can read it."""
    try:
        if path.stat().st_mode & 0o077:
            raise Ending(Exit.WRONG_INPUT, "key", f"{path} can be read by others: chmod 600 {path}")
        return _parsed(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        kind = type(problem).__name__
        raise Ending(
            Exit.WRONG_INPUT, "key", f"{path} is no private key file ({kind}): make one with `keys generate`"
        ) from None
