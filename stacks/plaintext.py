"""Finds secrets written in plain text, by the name of their key and by their form, and never shows one."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from stacks.tree import Path

SECRET_KEY: Final = re.compile(
    r"passw(or)?d|passphrase|secret|token|credential|api[_-]?key|access[_-]?key|private[_-]?key|account[_-]?key"
    r"|shared[_-]?key|signing[_-]?key|encryption[_-]?key$|connection[_-]?string|kubeconfig|webhook[_-]?url|^pat$|^pwd$",
    re.IGNORECASE,
)
"""Names of keys whose value is a secret."""

KNOWN_FORMS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY"),
        ("an AWS access key id", r"\b(AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
        ("a Google API key", r"\bAIza[0-9A-Za-z_-]{35}"),
        ("a Google OAuth token", r"\bya29\.[0-9A-Za-z_-]{20,}"),
        ("an Azure storage key", r"\b(AccountKey|SharedAccessKey)=[A-Za-z0-9+/=]{20,}"),
        ("an Azure shared access signature", r"[?&]sig=[A-Za-z0-9%+/=]{20,}"),
        ("an Entra client secret", r"\b[A-Za-z0-9_~.-]{3}8Q~[A-Za-z0-9_~.-]{31,34}"),
        ("a GitHub token", r"\b(gh[pousr]_[0-9A-Za-z]{30,}|github_pat_[0-9A-Za-z_]{30,})"),
        ("a GitLab token", r"\bgl(pat|dt|rt|soat)-[0-9A-Za-z_-]{20,}"),
        ("a Slack token", r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}"),
        ("a Slack webhook", r"hooks\.slack\.com/services/\w+"),
        ("a Telegram bot token", r"\b\d{8,10}:[A-Za-z0-9_-]{35}\b"),
        ("a Pulumi access token", r"\bpul-[0-9a-f]{40}\b"),
        ("a Vault token", r"\bhv[sbr]\.[0-9A-Za-z_-]{20,}"),
        ("an age key", r"AGE-SECRET-KEY-1[0-9A-Z]{20,}"),
        ("an API key", r"\b(sk|rk|pk)[-_](live|test|proj|ant)?[-_]?[0-9A-Za-z_-]{24,}"),
        ("a SendGrid key", r"\bSG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}"),
        ("a JSON web token", r"\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}"),
        ("a password in an address", r"\b[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@]+@"),
        ("an assigned password", r"(?i)\b(password|passwd|pwd|secret|token)\s*[=:]\s*\S{4,}"),
    )
)
"""Published forms of credentials, as their issuers document them."""

_DENSE: Final = re.compile(r"[A-Za-z0-9+/_=~-]{24,}")
_WORD: Final = re.compile(r"[^\s`\"',;()]{16,}")
_RESOURCE: Final = re.compile(
    r"/?(?:projects|organizations|folders|billingAccounts|subscriptions|providers)(?:/[^/\s]+)+"
)
"""Names of resources of Google Cloud and Azure: paths of words, each part of which is judged by itself."""
_HEX: Final = re.compile(r"[0-9a-fA-F]{32,}")
DENSE_BITS: Final = 4.0
"""Bits per character of a random base64 text of 24 characters are about 4.3; words and paths stay below 4."""
LONGEST_SHOWN: Final = 60


def secret_form(text: str) -> str | None:
    """Say what kind of secret a text looks like, or None."""
    for name, form in KNOWN_FORMS:
        if form.search(text):
            return name
    if _RESOURCE.fullmatch(text):
        return next(filter(None, map(secret_form, text.strip("/").split("/"))), None)
    if _HEX.fullmatch(text) and _bits(text) > 3:  # noqa: PLR2004 - hexadecimal has at most 4
        return "random key material"
    dense = _DENSE.fullmatch(text) and any(c.isupper() for c in text) and any(c.islower() for c in text)
    if dense and any(c.isdigit() for c in text) and _bits(text) >= DENSE_BITS:
        return "random key material"
    return None


def mask(text: str) -> str:
    """Return the text, unless it looks like a secret."""
    return "***" if secret_form(text) else text


def printable(text: str) -> str:
    """Return the text on one line, with every word masked that looks like a secret: names in a file may be anything."""
    line = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return _WORD.sub(lambda word: mask(word[0]), line)


def shown(path: Path, value: Any) -> str:
    """Return a value for a message: short, on one line, and masked when it or its key is secret-like."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if any(isinstance(step, str) and SECRET_KEY.search(step) for step in path):
        return "a value that is not shown"
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
    if secret_form(text):
        return "a value that is not shown"
    short = text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "..."
    return json.dumps(short, ensure_ascii=False) if isinstance(value, str) else short


def find_secrets(data: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Path and kind of each secret in plain text; the value is never part of the answer."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            here = (*path, key)
            if secret_form(key):
                yield here, f"a key that looks like {secret_form(key)}"
            if SECRET_KEY.search(key) and _scalars(value):
                yield here, "a secret by the name of its key"
            else:
                yield from find_secrets(value, here)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from find_secrets(value, (*path, index))
    elif isinstance(data, str) and (form := secret_form(data)):
        yield path, form


def _scalars(value: Any) -> bool:
    """Whether a value is text or a number, or a list of them: a mapping is only a name for more keys."""
    if isinstance(value, list):
        return any(_scalars(item) for item in value)
    return isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""


def _bits(text: str) -> float:
    """Shannon entropy per character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
