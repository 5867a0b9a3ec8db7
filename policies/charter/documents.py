"""AWS policy documents: statements as lists, whoever wrote them as text or as a map."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from typing import Any, Final

from charter.network import is_world
from charter.rule import Found, Open, apart
from charter.values import UNKNOWN, Undetermined, hazy

EVERYTHING: Final = re.compile(r"^([*?]*\*[*?]*|arn:[^:]*:\*[:*/]*|arn:[^:]*:[^:*]+:\*?:\*?:\*+(/\*+)?)$")
"""Resources that are all there are, or all of a service: `*`, `arn:aws:*`, `arn:aws:s3:::*`, `arn:aws:s3:::*/*`."""
ANY_REQUEST: Final = frozenset(
    {"aws:securetransport", "aws:currenttime", "aws:epochtime", "aws:useragent", "aws:referer", "aws:requestedregion"}
)
"""Keys that say how, when or where a request is made; whoever makes it can meet them."""
WHO: Final = frozenset(
    {
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:userid",
        "aws:username",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourceip",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourcevpcarn",
        "kms:calleraccount",
        "kms:grantoperations",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "sts:externalid",
    }
)
"""Keys that bind a public statement to somebody.

Source: docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html, 2026-11.
"""


NAMES: Final = {
    name.lower(): name
    for name in ("Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition")
}


KNOWN: Final = frozenset({*NAMES.values(), "Sid"})


def _positive(operator: str) -> bool:
    """Say whether only what is named passes: neither a negation nor a test that an empty list passes."""
    return "not" not in operator and not operator.startswith("forallvalues:") and operator != "null"


def _anybody(value: str) -> bool:
    return set(value) <= {"*", "?"} or is_world(value) or value.startswith("arn:*") or ":*:*" in value


@dataclass(frozen=True)
class Statement:
    """One statement of a document, in one shape."""

    path: str
    body: dict[str, Any]
    known: bool = False
    """Whether it stood in a text, of which no part can be told by an update only."""

    @property
    def allows(self) -> bool:
        """Say whether it allows; anything else denies or means nothing."""
        return str(self._told("Effect")).lower() == "allow"

    @property
    def denies(self) -> bool:
        """Say whether it denies."""
        return str(self._told("Effect")).lower() == "deny"

    def _told(self, name: str) -> Any:
        """Return an element; raise `Undetermined` when it, or a part of it, is not known yet."""
        self.sure(name)
        return self.body.get(name)

    def sure(self, name: str) -> None:
        """Raise `Undetermined` when an element, or a part of it, is not known yet."""
        found = None if self.known else self.body.get(name)
        if found is UNKNOWN or (isinstance(found, list | dict) and hazy(found)):
            raise Undetermined(f"{self.path}.{name}")

    @cached_property
    def actions(self) -> list[str]:
        """Return the actions that are known, in lower case: AWS does not tell them apart by case."""
        return [str(each).lower() for each in several(self.body.get("Action")) if each is not UNKNOWN]

    @property
    def resources(self) -> list[str]:
        """Return the resources; `NotResource` is nearly everything and reads as `*`."""
        if self.body.get("NotResource") is not None:
            return ["*"]
        return [str(each) for each in several(self.body.get("Resource"))]

    @cached_property
    def on_everything(self) -> bool:
        """Say whether it is about every resource; a document that hangs on a resource names none."""
        if any(EVERYTHING.match(each) for each in self.resources):
            return True
        self.sure("Resource")
        return False

    def on_every(self, kind: str) -> bool:
        """Say whether it is about every resource, or every one of a kind of IAM's: `role`, `policy`."""
        return self.on_everything or any(
            re.match(rf"^arn:[^:]*:iam::[^:]*:({kind}/)?\*+$", each) for each in self.resources
        )

    @cached_property
    def condition(self) -> dict[str, Any]:
        """Return the condition: operator, then key, then values."""
        found = self._told("Condition")
        return found if isinstance(found, dict) else {}

    @property
    def condition_keys(self) -> set[str]:
        """Return the keys that conditions test, in lower case."""
        return {str(key).lower() for tests in self.condition.values() if isinstance(tests, dict) for key in tests}

    @property
    def narrowed(self) -> bool:
        """Say whether a condition leaves less than all; how and when a request comes narrows nothing."""
        return any(
            key not in ANY_REQUEST and not all(set(value) <= {"*"} for value in values)
            for operator, key, values in self._tests
            if not operator.startswith(("null", "foranyvalue:null"))
        )

    @property
    def bound(self) -> bool:
        """Say whether a condition names who may come although the principal is `*`: an account, a network, a source."""
        return any(
            key in WHO and values and not any(_anybody(value) for value in values)
            for operator, key, values in self._tests
            if _positive(operator)
        )

    def pinned(self, *endings: str) -> set[str]:
        """Return which of these endings some tested key has, when only what is named passes the test."""
        return {
            ending
            for operator, key, _ in self._tests
            for ending in endings
            if _positive(operator) and not operator.endswith("ifexists") and key.endswith(ending)
        }

    def tests(self, operator: str, key: str) -> list[str]:
        """Return the values that an operator tests a key against, in lower case, `...IfExists` counted too."""
        return [
            value.lower()
            for told, name, values in self._tests
            if told.removesuffix("ifexists") == operator and name == key
            for value in values
        ]

    @cached_property
    def _tests(self) -> list[tuple[str, str, list[str]]]:
        """Return each test as operator and key in lower case, and the values as texts."""
        return [
            (str(operator).lower(), str(key).lower(), [str(each) for each in several(values)])
            for operator, tests in self.condition.items()
            if isinstance(tests, dict)
            for key, values in tests.items()
        ]

    @property
    def principals(self) -> list[str]:
        """Return every principal as text, `*` included; `NotPrincipal` with Allow is nearly everybody."""
        if self.body.get("NotPrincipal") is not None and self.allows:
            return ["*"]
        principal = self.body.get("Principal")
        held = principal.values() if isinstance(principal, dict) else [principal]
        found = [str(each) for value in held for each in several(value) if each is not UNKNOWN]
        if "*" not in found:
            self.sure("Principal")
        return found

    def by_kind(self, kind: str) -> list[str]:
        """Return the principals of one kind: AWS, Service, Federated."""
        principal = self._told("Principal")
        return [str(each) for each in several(principal.get(kind))] if isinstance(principal, dict) else []

    def may(self, action: str) -> bool:
        """Say whether its actions hold one, wildcards counted; `NotAction` holds what it does not name."""
        wanted = action.lower()
        if self.body.get("NotAction") is not None:
            return not any(_fits(wanted, str(each).lower()) for each in several(self._told("NotAction")))
        if any(_fits(wanted, each) for each in self.actions):
            return True
        self.sure("Action")
        return False


class Malformed(ValueError):  # noqa: N818  named for what the document is
    """A document that is no JSON object; only its path is told, never its text."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Any:
    """Read a document once: several rules ask, and many resources have the same; nobody changes what was read."""
    return json.loads(text)


def json_object(text: Any) -> dict[str, Any] | None:
    """Return the object that a text holds as JSON, None when it holds none; read once, and nobody changes it."""
    try:
        made = _parsed(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return made if isinstance(made, dict) else None


def json_list(text: Any) -> list[Any]:
    """Return the list that a text holds as JSON, an empty one when it holds none; nobody changes it."""
    try:
        made = _parsed(text) if isinstance(text, str) else text
    except ValueError:
        return []
    return made if isinstance(made, list) else []


def _fits(wanted: str, pattern: str) -> bool:
    """Say whether an action fits a pattern: most have no wildcard, or one at the end."""
    bare = pattern.removesuffix("*")
    if "*" in bare or "?" in bare or "[" in bare:
        return fnmatchcase(wanted, pattern)
    return wanted.startswith(bare) if bare is not pattern else wanted == pattern


def statements(document: Any, path: str) -> Iterator[Statement]:
    """Yield the statements, known ones first; a document or statement that is not known yet raises `Undetermined`."""
    if document is UNKNOWN:
        raise Undetermined(path)
    known = isinstance(document, str)
    if known:
        try:
            document = _parsed(document)
        except ValueError:
            raise Malformed(path) from None
    if document is None:
        return
    if not isinstance(document, dict):
        raise Malformed(path)
    found = document.get("Statement", _other_case(document))
    if found is UNKNOWN:
        raise Undetermined(f"{path}.Statement")
    yield from _each(found if isinstance(found, list) else [found], path, known=known)


def _each(found: list[Any], path: str, *, known: bool) -> Iterator[Statement]:
    unclear = ""
    for index, statement in enumerate(found):
        where = f"{path}.Statement[{index}]"
        if statement is UNKNOWN:
            unclear = unclear or where
        elif isinstance(statement, dict):
            yield Statement(where, _spelt(statement), known=known)
    if unclear:
        raise Undetermined(unclear)


def each_statement(found: Iterator[Statement], judge: Callable[[Statement], Iterable[Found]]) -> Iterator[Found]:
    """Judge each statement on its own: an unknown in one leaves it open and hides nothing in the others."""
    try:
        for statement in found:
            yield from apart(judge(statement))
    except Undetermined as unknown:
        yield Open(unknown.path)


def _other_case(document: dict[str, Any]) -> Any:
    return next((held for key, held in document.items() if str(key).lower() == "statement"), [])


def _spelt(statement: dict[str, Any]) -> dict[str, Any]:
    """Return a statement with its elements spelt as AWS does; some programs write them small, or all in capitals."""
    if statement.keys() <= KNOWN:
        return statement
    return {NAMES.get(str(key).lower(), key): value for key, value in statement.items()}


def several(value: Any) -> list[Any]:
    """Return a list for what may be one or many."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
