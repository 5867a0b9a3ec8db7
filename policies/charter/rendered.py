"""What a chart renders, as evidence holds it: every object is judged as if the program had made it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

from charter.dispatch import Index
from charter.documents import Malformed
from charter.facts import Facts
from charter.lists import listed
from charter.rule import RULES, Finding, Found, Open, Resource
from charter.values import UNKNOWN, Undetermined, plain

JUDGED: Final = ("K8S-", "CH-01", "CH-20", "CH-21")
"""Rules over single objects of a cluster."""


@cache
def _index() -> Index:
    return Index(rule for rule in RULES.values() if rule.check and rule.id.startswith(JUDGED))


def objects_of(release: Resource, held: Sequence[Any]) -> Iterator[Resource]:
    """Yield the objects of a release as resources; those that name no namespace live in the release's."""
    namespace = release.reader.raw("namespace")
    for index, written in enumerate(held):
        if not isinstance(written, dict) or not isinstance(written.get("kind"), str):
            continue
        made = plain(written)
        metadata = made.get("metadata") if isinstance(made.get("metadata"), dict) else {}
        if (isinstance(namespace, str) or namespace is UNKNOWN) and "namespace" not in metadata:
            made["metadata"] = {**metadata, "namespace": namespace}
        kind = f"kubernetes:{written.get('apiVersion', 'v1')}:{written['kind']}"
        whole = Resource(urn=f"{release.urn}/{index}", type=kind, name=str(metadata.get("name", index)), props=made)
        yield from listed(whole)


def judged(release: Resource, held: Sequence[Any], facts: Facts) -> Iterator[Found]:
    """Yield what rules find in the objects, told at the chart; what they cannot decide stays open there."""
    for each in objects_of(release, held):
        for rule in _index().plan(each).rules:
            told = f"renders {each.kind} {each.name}, which breaks {rule.id}"
            try:
                for found in rule.check(each, facts) if rule.check else ():
                    if isinstance(found, Finding):
                        yield Finding("chart", f"{told} at {found.path or '(object)'}: {found.text}")
                    elif isinstance(found, Open):
                        yield Open("chart")
            except Undetermined:
                yield Open("chart")
            except Malformed as wrong:
                yield Finding("chart", f"{told} at {wrong.path}: is no JSON document")
