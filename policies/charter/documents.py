"""AWS policy documents: statements as lists, whoever wrote them as text or as a map."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from charter.values import UNKNOWN, Undetermined


def statements(document: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield path and statement; a document that is not known yet raises `Undetermined`."""
    if document is UNKNOWN:
        raise Undetermined(path)
    if isinstance(document, str):
        document = json.loads(document)
    found = (document or {}).get("Statement", [])
    for index, statement in enumerate(found if isinstance(found, list) else [found]):
        yield f"{path}.Statement[{index}]", statement


def several(value: Any) -> list[Any]:
    """Return a list for what may be one or many."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def principals(statement: dict[str, Any]) -> list[str]:
    """Return every principal of a statement as text, `*` included."""
    principal = statement.get("Principal")
    if isinstance(principal, dict):
        return [str(each) for value in principal.values() for each in several(value)]
    return [str(each) for each in several(principal)]
