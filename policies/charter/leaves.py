"""One look at all leaves of a resource, for the rules that ask every leaf."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from charter.secrets import secret_name

SECRET, PLACEHOLDER, POD, MAYBE_IMAGE, STATUS, STEPS = 1, 2, 4, 8, 16, 32
"""Marks: a text whose key announces a secret; a placeholder where an id belongs; what may be the spec of a pod; what
may name an image; a status; what may be the steps of a workflow."""
KEYS: Final = {"containers": POD, "templates": STEPS, "status": STATUS, "image": MAYBE_IMAGE, "repository": MAYBE_IMAGE}
"""Keys that are a mark whatever stands below them."""
ID_NAMES: Final = re.compile(r"(Id|Ids|ID|IDs|Arn|arn|project|Name|selfLink|Uri|URI)$|^(sub)?network$")
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
PREFIXES: Final = ("vpc-", "subnet-", "sg-", "eni-", "rtb-", "igw-", "ami-", "i-", "vol-", "snap-", "dummy-", "fake-")
"""What ids of AWS begin with; a quick look before the slower one."""
STANDS_FOR: Final = re.compile(
    r"^((vpc|subnet|sg|eni|rtb|igw|ami|i|vol|snap)-(x{4,}|0+|0?1234567\w*|dummy|fake|test|todo|changeme|placeholder|example|your.*)"
    r"|(dummy|fake)-(\d+|id|vpc|subnet|arn|key))$"
)
"""Ids of the right form with nothing in them, or with what examples of AWS hold."""
LONGEST: Final = 64
"""Characters beyond which a text is no placeholder, however it is padded."""
MOST: Final = 65_536
"""Keys that are remembered."""


PLAIN: Final[set[str]] = set()
"""Keys that announce nothing; remembered, as keys repeat."""


def placeholder(text: str) -> bool:
    """Say whether a text only stands for something that is still to be written."""
    if len(text) > LONGEST:
        return False
    word = text.strip().lower()
    return word in PLACEHOLDERS or (word.startswith(PREFIXES) and STANDS_FOR.match(word) is not None)


def marks(value: Any) -> int:
    """Return the marks of all leaves of a value; nothing is told of where: who finds a mark looks again."""
    return _of_map(value if type(value) is dict else {"": value})


def _of_map(value: dict[Any, Any]) -> int:
    """Return the marks of a map: nearly all have only keys that announce nothing, which is told by one comparison."""
    found = 0 if value.keys() <= PLAIN else marks_of_names(value)
    for item in value.values():
        kind = type(item)
        if kind is dict:
            found |= _of_map(item)
        elif kind is list:
            for inner in item:
                kind = type(inner)
                if kind is dict:
                    found |= _of_map(inner)
                elif kind is list:
                    found |= _of_map({"": inner})
    return found


def marks_of_names(value: dict[Any, Any]) -> int:
    """Return the marks of what stands right below the keys of a map, lists in lists included."""
    found = 0
    for name, item in value.items():
        told = _announced(name)
        if not told:
            if len(PLAIN) < MOST:
                PLAIN.add(name)
            continue
        waiting = [item]
        while waiting:
            one = waiting.pop()
            if type(one) is list:
                waiting += one
            elif type(one) is str and one:
                found |= told if told & PLACEHOLDER and placeholder(one) else told & ~PLACEHOLDER
        found |= KEYS.get(name, 0)
    return found


@lru_cache(maxsize=MOST)
def _announced(key: Any) -> int:
    """Return which marks what stands below a key may have."""
    last = str(key).rpartition(".")[2]
    name = last.partition("[")[0]
    told = SECRET if secret_name(name) or secret_name(last) else 0
    if ID_NAMES.search(name):
        told |= PLACEHOLDER
    return told | KEYS.get(key, 0)
