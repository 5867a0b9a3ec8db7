"""Resources that stand beside the one that they are about: which of several answers a question."""

from __future__ import annotations

from collections.abc import Callable

from charter.documents import Malformed
from charter.rule import Open, Resource
from charter.values import Reader, Undetermined


def judged(resource: Resource, judge: Callable[[Reader], bool], path: str) -> bool | Open:
    """Answer a question about one side-car; what it cannot tell yet is left open at the resource."""
    try:
        return judge(resource.reader)
    except Undetermined as unknown:
        return Open(unknown.path or path, resource.urn)
    except Malformed:
        return False


def some(resources: list[Resource], judge: Callable[[Reader], bool], path: str) -> bool | Open:
    """Say whether one of several side-cars answers yes; open when none does but one may."""
    answers = [judged(each, judge, path) for each in resources]
    if any(answer is True for answer in answers):
        return True
    return next((answer for answer in answers if isinstance(answer, Open)), False)
