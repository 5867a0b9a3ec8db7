"""What looks like a secret: by its name, or by how random it is. Nothing here ever returns the value."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache
from typing import Final

ENDINGS: Final = ("password", "passwd", "passphrase")
"""What a word ends in that announces a secret although it is written together: `PGPASSWORD`."""
HARMLESS: Final = re.compile(
    r"^(true|false|yes|no|on|off|none|\d{1,3}|\$\(.*\)|\$\{[\w.:-]+\}|\{\{[\s\S]*\}\}|/[\w./-]+|file:.*"
    r"|arn:aws[\w-]*:\S+|projects/[\w-]+/secrets/\S+|https://[\w.-]+\.vault\.[\w.]+/(secrets|keys)/\S+)?$",
    re.IGNORECASE,
)
"""Values that are no secret whatever they are called: switches, references, paths, names of what a store keeps."""
REFERENCE: Final = re.compile(
    r"(^|\.)existing\w*$|(^|\.)[a-z]\w*ExistingSecret$"
    r"|\w*(Secret|Key)Ref(\.\w+)?$|^spec\.(externalSecretSpec\.)?data\[\d+\]\.(match\.)?secretKey$"
    r"|^values\.githubConfigSecret$|^values\.\w+\.cloudIntegrationSecret$"
    r"|^values\.(.*\.)?(tls|caCerts?|ca|pull|adminToken)Secret$|^values\.(.*\.)?csvAccessCredentials$"
    r"|^values\.(.*\.)?\w+(Token|License|Password)\.secretKey$"
)
"""Keys under which charts and custom resources say by name where a secret stands.

Source: the charts' conventions and external-secrets.io/latest/api/externalsecret, 2026-11.
"""
WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
SECRET_WORDS: Final = frozenset(
    [
        "pass",
        "passwd",
        "password",
        "passphrase",
        "pwd",
        "secret",
        "token",
        "credential",
        "credentials",
        "dsn",
        "apikey",
        "accesskey",
        "privatekey",
        "secretkey",
        "authkey",
        "connectionstring",
        "encryptionkey",
        "signingkey",
        "masterkey",
        "accountkey",
        "sharedkey",
        "secretstring",
        "secretbinary",
        "secretdata",
    ]
)
"""What the last word of a name, or its last two written together, must be for the name to announce a secret."""
FORMS: Final = tuple(
    re.compile(form)
    for form in (
        r"AKIA[0-9A-Z]{16}",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
        r"gh[pousr]_[A-Za-z0-9]{36}",
        r"xox[abps]-[A-Za-z0-9-]{10,}",
        r"sk-[A-Za-z0-9_-]{20,}",
        r"AIza[0-9A-Za-z_-]{35}",
        r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.",
        r"[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@$]+@",
    )
)
"""Forms that issuers give their keys (github.com/gitleaks/gitleaks, rules of 2026-10)."""
NEEDLES: Final = ("AKIA", "PRIVATE KEY-----", "gh", "xox", "sk-", "AIza", "eyJ", "://")
"""What a text must hold for the form at the same place: most hold none, which is told without a search for forms."""
NEEDED: Final = tuple(zip(NEEDLES, FORMS, strict=True))
LONG: Final = 20
BITS: Final = 4.2
"""Bits per character above which a long word of letters and digits is taken for random."""
WORD: Final = re.compile(r"^[A-Za-z0-9+/_=-]+$")


@lru_cache(maxsize=8192)
def secret_name(name: str) -> bool:
    """Say whether a name announces a secret value, and not where one is found: `DB_PASSWORD`, not `passwordFile`."""
    words = [word.lower() for word in WORDS.findall(name)]
    return bool(words) and (
        words[-1] in SECRET_WORDS or "".join(words[-2:]) in SECRET_WORDS or words[-1].endswith(ENDINGS)
    )


def refers(path: str) -> bool:
    """Say whether a path names where a secret is kept, and not the secret: `existingSecret`, `remoteRef.secretKey`."""
    return REFERENCE.search(path) is not None


def harmless(value: str) -> bool:
    """Say whether a value can be no secret, whatever its name announces."""
    return HARMLESS.match(value) is not None


@lru_cache(maxsize=65536)
def secret_path(path: str) -> bool:
    """Say whether the last name of a path announces a secret value."""
    return secret_name(path.rpartition(".")[2].partition("[")[0])


def secret_value(value: str) -> bool:
    """Say whether a text has the form of a key or is too random for a word."""
    if formed(value):
        return True
    if len(value) < LONG or not WORD.match(value) or value.startswith("sha256") or _hexadecimal(value):
        return False
    mixed = any(c.isdigit() for c in value) and any(c.islower() for c in value) and any(c.isupper() for c in value)
    return mixed and entropy(value) >= BITS


def formed(text: str) -> bool:
    """Say whether a text holds something in the form that issuers give their keys."""
    for needle, form in NEEDED:  # noqa: SIM110  asked of every text of every pod; a generator would cost as much again
        if needle in text and form.search(text):
            return True
    return False


def entropy(text: str) -> float:
    """Return the bits per character of a text."""
    counts = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values()) if text else 0.0


def _hexadecimal(text: str) -> bool:
    return all(c in "0123456789abcdefABCDEF-" for c in text)
