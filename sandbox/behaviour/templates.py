"""Values invented for a thing: always the same for the same URN and generation."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.paths import first

_FIELD = re.compile(r"\{([^{}]+)\}")
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass
class Seed:
    """What the values of one thing grow from, and the facts that its templates may name."""

    urn: str
    generation: int
    facts: dict[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)

    def digest(self, salt: str = "") -> bytes:
        """Return 32 bytes that look random and never change."""
        return hashlib.sha256(f"{self.urn}#{self.generation}#{salt}".encode()).digest()

    def hex(self, length: int, salt: str = "") -> str:
        """Return so many hexadecimal digits."""
        return self.digest(salt).hex()[:length]

    def number(self, low: int, high: int, salt: str = "") -> int:
        """Return a number from low to high."""
        return low + int.from_bytes(self.digest(salt)[:8]) % (high - low + 1)

    def uuid(self, salt: str = "") -> str:
        """Return a version 4 UUID."""
        return str(uuid.UUID(bytes=self.digest(salt)[:16], version=4))

    def base36(self, length: int, salt: str = "") -> str:
        """Return so many lower-case letters and digits."""
        return "".join(_BASE36[byte % 36] for byte in self.digest(salt)[:length])

    def fill(self, template: Any) -> Any:
        """Fill a template, also inside lists and maps.

        `{hex:17}`, `{digits:21}`, `{base36:10}`, `{uuid}` or `{uuid:salt}`, `{ip}`, `{certificate}`, a fact
        (`{account}`, `{region}`, `{id}`, `{name}`, ...), or the path of an input or output (`{vpcConfig.vpcId}`).
        A template that is one field alone keeps the type of its value. A path that leads
        nowhere becomes the empty string.
        """
        if isinstance(template, dict):
            return {key: self.fill(item) for key, item in template.items()}
        if isinstance(template, list | tuple):
            return [self.fill(item) for item in template]
        if not isinstance(template, str):
            return template
        whole = _FIELD.fullmatch(template)
        if whole:
            return self._value(whole.group(1))
        return _FIELD.sub(lambda found: str(self._value(found.group(1)) or ""), template)

    def _value(self, name: str) -> Any:  # noqa: C901, PLR0911 - a case per kind of field
        kind, _, argument = name.partition(":")
        if kind == "hex":
            length, _, salt = argument.partition(":")
            return self.hex(int(length), salt)
        if kind == "digits":
            return str(self.number(10 ** (int(argument) - 1), 10 ** int(argument) - 1, name))
        if kind == "base36":
            return self.base36(int(argument), name)
        if kind == "upper36":
            return self.base36(int(argument), name).upper()
        if kind == "uuid":
            return self.uuid(argument)
        if kind == "ip":
            return f"203.0.{self.number(112, 115, name)}.{self.number(1, 254, name + 'b')}"
        if kind == "private":
            return f"10.{self.number(0, 255, name)}.{self.number(0, 255, name + 'b')}.{self.number(4, 250, name + 'c')}"
        if kind == "certificate":
            from sandbox.certificates import authority  # noqa: PLC0415 - cryptography is dear, clusters are few

            return authority(f"{self.urn}#{self.generation}")
        if kind == "last":
            return str(self._value(argument) or "").rstrip("/").rpartition("/")[2]
        if kind == "lower":
            return str(self._value(argument) or "").lower()
        if name in self.facts:
            return self.facts[name]
        found = first(self.inputs, name)
        return first(self.outputs, name) if found is None else found
