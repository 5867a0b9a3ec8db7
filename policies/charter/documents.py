"""AWS policy documents: statements as lists, whoever wrote them as text or as a map."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from charter.values import UNKNOWN, Undetermined


@dataclass(frozen=True)
class Statement:
    """One statement of a document, in one shape."""

    path: str
    body: dict[str, Any]

    @property
    def allows(self) -> bool:
        """Say whether it allows; anything else denies or means nothing."""
        return str(self.body.get("Effect", "")).lower() == "allow"

    @property
    def denies(self) -> bool:
        """Say whether it denies."""
        return str(self.body.get("Effect", "")).lower() == "deny"

    @property
    def actions(self) -> list[str]:
        """Return the actions, in lower case: AWS does not tell them apart by case."""
        return [str(each).lower() for each in several(self.body.get("Action"))]

    @property
    def resources(self) -> list[str]:
        """Return the resources; `NotResource` is nearly everything and reads as `*`."""
        if self.body.get("NotResource") is not None:
            return ["*"]
        return [str(each) for each in several(self.body.get("Resource"))]

    @property
    def on_everything(self) -> bool:
        """Say whether it is about every resource; a document that hangs on a resource names none."""
        return any(set(each) <= {"*"} or each == "arn:aws:*" for each in self.resources)

    @property
    def condition(self) -> dict[str, Any]:
        """Return the condition: operator, then key, then values."""
        found = self.body.get("Condition")
        return found if isinstance(found, dict) else {}

    @property
    def condition_keys(self) -> set[str]:
        """Return the keys that conditions test, in lower case."""
        return {str(key).lower() for tests in self.condition.values() if isinstance(tests, dict) for key in tests}

    @property
    def principals(self) -> list[str]:
        """Return every principal as text, `*` included; `NotPrincipal` with Allow is nearly everybody."""
        if self.body.get("NotPrincipal") is not None and self.allows:
            return ["*"]
        principal = self.body.get("Principal")
        if isinstance(principal, dict):
            return [str(each) for value in principal.values() for each in several(value)]
        return [str(each) for each in several(principal)]

    def by_kind(self, kind: str) -> list[str]:
        """Return the principals of one kind: AWS, Service, Federated."""
        principal = self.body.get("Principal")
        return [str(each) for each in several(principal.get(kind))] if isinstance(principal, dict) else []

    def may(self, action: str) -> bool:
        """Say whether its actions hold one, wildcards counted; `NotAction` holds what it does not name."""
        wanted = action.lower()
        if self.body.get("NotAction") is not None:
            return not any(fnmatchcase(wanted, str(each).lower()) for each in several(self.body["NotAction"]))
        return any(fnmatchcase(wanted, each) for each in self.actions)


class Malformed(ValueError):  # noqa: N818  named for what the document is
    """A document that is no JSON object; only its path is told, never its text."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def statements(document: Any, path: str) -> Iterator[Statement]:
    """Yield the statements; a document or statement that is not known yet raises `Undetermined`."""
    if document is UNKNOWN:
        raise Undetermined(path)
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            raise Malformed(path) from None
    if document is None:
        return
    if not isinstance(document, dict):
        raise Malformed(path)
    found = document.get("Statement", [])
    if found is UNKNOWN:
        raise Undetermined(f"{path}.Statement")
    for index, statement in enumerate(found if isinstance(found, list) else [found]):
        where = f"{path}.Statement[{index}]"
        if statement is UNKNOWN:
            raise Undetermined(where)
        if isinstance(statement, dict):
            yield Statement(where, statement)


def several(value: Any) -> list[Any]:
    """Return a list for what may be one or many."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
