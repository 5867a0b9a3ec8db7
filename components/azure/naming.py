"""Names that Azure wants unique in the world, and short."""

from __future__ import annotations

from base64 import b32encode
from hashlib import sha256
from typing import Final

import pulumi

LONGEST: Final = 24
"""Vaults and storage accounts (https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules)."""


def scramble(text: str, letters: int) -> str:
    """Return that many lower-case letters and digits, the same for the same text."""
    return b32encode(sha256(text.encode()).digest()).decode().lower()[:letters]


def unique(prefix: str, *parts: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return `prefix` and what the parts come to, 24 characters in all; the prefix starts with a letter."""
    return pulumi.Output.all(*parts).apply(
        lambda known: f"{prefix}{scramble('/'.join(known), LONGEST - len(prefix))}",
    )
