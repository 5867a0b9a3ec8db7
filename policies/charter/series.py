"""Which series an expression of Prometheus asks for."""

from __future__ import annotations

import re
from typing import Final

QUOTED: Final = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`")
GROUPED: Final = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", re.IGNORECASE)
SELECTED: Final = re.compile(r"\{[^}]*\}")
RANGED: Final = re.compile(r"\[[^\]]*\]|\boffset\s+-?\w+|@\s*\S+")
WORD: Final = re.compile(r"(?<![\w:.])[A-Za-z_:][\w:]*(?!\s*\(|[\w:])")
WORDS: Final = frozenset(
    [
        *("and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right"),
        *("bool", "offset", "inf", "nan", "start", "end", "atan2"),
    ]
)


def series(expression: str) -> set[str]:
    """Return the names of the series; those that only a matcher of `__name__` names are left out."""
    text = QUOTED.sub('""', expression)
    for part in (SELECTED, GROUPED, RANGED):
        text = part.sub(" ", text)
    return {word for word in WORD.findall(text) if word.lower() not in WORDS}
