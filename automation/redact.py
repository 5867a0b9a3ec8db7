"""Secrets leave no stream: literal values and the forms in which they travel are masked."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

MASK: Final = "[secret]"
SHORTEST: Final = 4
"""Characters; a shorter value would mask ordinary text everywhere (a warning belongs to who sets it)."""

SECRET_VARIABLES: Final = (
    "PULUMI_CONFIG_PASSPHRASE",
    "PULUMI_ACCESS_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "GOOGLE_CREDENTIALS",
    "GOOGLE_OAUTH_ACCESS_TOKEN",
    "ARM_CLIENT_SECRET",
    "AZURE_CLIENT_SECRET",
    "CLOUDFLARE_API_TOKEN",
    "CLOUDFLARE_API_KEY",
)


def _base64_forms(value: bytes) -> Iterable[str]:
    """Base64 of the value alone and inside a longer text: three alignments, edges cut that neighbours change."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(value).decode().rstrip("=")
        for shift in (1, 2):
            inner = encode(b"\0" * shift + value).decode().rstrip("=")
            first = -(-shift * 8 // 6)
            last = (shift + len(value)) * 8 // 6
            yield inner[first:last]
        yield encode(value).decode()[: len(value) * 8 // 6]


def forms(value: str) -> set[str]:
    """Every form of a secret that is masked: literal, each line of it, JSON-escaped (twice), URL-quoted, base64."""
    found: set[str] = set()
    for literal in {value, value.strip(), *(line for line in value.splitlines() if len(line) > 2 * SHORTEST)}:
        once = json.dumps(literal)[1:-1]
        found |= {literal, once, json.dumps(once)[1:-1], json.dumps(literal, ensure_ascii=False)[1:-1]}
        found |= {quote(literal, safe=""), repr(literal)[1:-1]}
        # Go's JSON writer also escapes these three (https://pkg.go.dev/encoding/json#Marshal, 2026-11-21)
        found.add(once.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
        found |= {form for form in _base64_forms(literal.encode()) if len(form) >= 2 * SHORTEST}
    return {form for form in found if len(form) >= SHORTEST}


class Redactor:
    """Masks what it was told is secret; told more at any time."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Take more secrets, as plain values."""
        for secret in secrets:
            self._forms |= forms(secret)
        ordered = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """The text with every known secret masked."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def value(self, value: Any) -> Any:
        """A JSON-like value with every string in it masked, keys too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value


def of_environment(environ: Mapping[str, str]) -> list[str]:
    """The secrets that the environment holds by well-known names."""
    return [environ[name] for name in SECRET_VARIABLES if environ.get(name)]
