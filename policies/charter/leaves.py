"""One look at all leaves of a resource, for the rules that ask every leaf."""

from __future__ import annotations

import re
from typing import Any, Final

from charter.secrets import secret_name

SECRET, PLACEHOLDER = 1, 2
"""Marks: a text whose key announces a secret; a placeholder where an id belongs."""
ID_NAMES: Final = re.compile(r"(Id|Ids|ID|IDs|Arn|arn|project|Name|selfLink|Uri|URI)$")
PLACEHOLDERS: Final = frozenset(
    [
        "null",
        "none",
        "dummy",
        "todo",
        "tbd",
        "changeme",
        "change-me",
        "placeholder",
        "xxx",
        "foo",
        "bar",
        "fixme",
        "example",
        "undefined",
        "nil",
        "00000000-0000-0000-0000-000000000000",
        "000000000000",
        "your-project-id",
        "my-project",
    ]
)
LONGEST: Final = 64
"""Characters beyond which a text is no placeholder, however it is padded."""
MOST: Final = 65_536
"""Keys that are remembered."""
_KINDS: Final[dict[str, int]] = {}


def placeholder(text: str) -> bool:
    """Say whether a text only stands for something that is still to be written."""
    return len(text) <= LONGEST and text.strip().lower() in PLACEHOLDERS


def _kind(key: str) -> int:
    """Return which marks a text below a key may have; remembered, as keys repeat."""
    name = str(key).rpartition(".")[2].partition("[")[0]
    kind = (SECRET if secret_name(name) else 0) | (PLACEHOLDER if ID_NAMES.search(name) else 0)
    if len(_KINDS) < MOST:
        _KINDS[key] = kind
    return kind


def marks(value: Any, key: str = "") -> int:
    """Return the marks of all texts in a value; nothing is told of where: who finds a mark looks again."""
    found = 0
    kind = type(value)
    if kind is dict:
        for name, item in value.items():
            inner = type(item)
            if inner is str:
                if item and (told := _KINDS[name] if name in _KINDS else _kind(name)):
                    found |= told & SECRET
                    if told & PLACEHOLDER and len(item) <= LONGEST and item.strip().lower() in PLACEHOLDERS:
                        found |= PLACEHOLDER
            elif inner is dict or inner is list:
                found |= marks(item, name)
    elif kind is list:
        for item in value:
            found |= marks({key: item} if type(item) is str else item, key)
    return found
