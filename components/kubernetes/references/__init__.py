"""References between objects: every name leads to something that is there, every selector holds for some pod."""

from __future__ import annotations

from collections.abc import Iterable

from components.kubernetes.references import by_key, by_kind, queries, selecting
from components.kubernetes.references.standing import Known, index
from components.kubernetes.references.things import Dangling, Thing, of_inputs, of_object

CONSTRAINTS = "constraints.gatekeeper.sh"


def check(things: Iterable[Thing], known: Known | None = None) -> list[Dangling]:
    """Return every reference that leads nowhere among the objects of one cluster, in order."""
    there = index(things, known or Known())
    found: set[Dangling] = set()
    for thing in there.things:
        found.update(by_key.check(thing, there))
        found.update(by_kind.check(thing, there))
        found.update(selecting.check(thing, there))
        found.update(queries.check(thing, there))
        if thing.group == CONSTRAINTS:
            found.update(by_kind.constraint(thing, there))
    return sorted(found)


__all__ = ["Dangling", "Known", "Thing", "check", "of_inputs", "of_object"]
