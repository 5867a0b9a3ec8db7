"""Blast radius: what depends, directly or not, on what a change updates, replaces or deletes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from automation.pullrequest.graph import Picture

SHOWN: Final = 4
"""Names of dependants in a row."""


def _followers(picture: Picture) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for urn, node in picture.nodes.items():
        for need in node.needs:
            found[need].append(urn)
    return found


def dependants(picture: Picture, changed: Iterable[str]) -> dict[str, set[str]]:
    """URN -> everything that depends on it. Each set is found once, as a number whose bits are resources."""
    order = {urn: number for number, urn in enumerate(picture.nodes)}
    names = list(order)
    followers = _followers(picture)
    known: dict[str, int] = {}
    wanted = [urn for urn in dict.fromkeys(changed) if urn in order or urn in followers]
    for start in wanted:
        stack = [start]
        open_ = {start}
        while stack:
            here = stack[-1]
            waiting = [urn for urn in followers.get(here, ()) if urn not in known and urn not in open_]
            if waiting:
                stack.append(waiting[0])
                open_.add(waiting[0])
                continue
            bits = 0
            for urn in followers.get(here, ()):
                bits |= known.get(urn, 0) | (1 << order[urn])
            known[here] = bits
            stack.pop()
            open_.discard(here)
    return {urn: {names[at] for at in _bits(known[urn])} for urn in wanted}


def _bits(number: int) -> Iterable[int]:
    text = bin(number)[:1:-1]
    at = text.find("1")
    while at >= 0:
        yield at
        at = text.find("1", at + 1)


def rows(picture: Picture, changed: Iterable[str]) -> list[dict[str, Any]]:
    """A row for each changed resource on which something depends, the widest first."""
    made = []
    for urn, found in dependants(picture, changed).items():
        custom = sorted(
            picture.nodes[one].name for one in found if not picture.nodes[one].type.startswith("pulumi:providers:")
        )
        if custom:
            more = f" and {len(custom) - SHOWN} more" if len(custom) > SHOWN else ""
            name = urn.rsplit("::", 1)[-1]
            made.append({"urn": urn, "name": name, "count": len(custom), "names": ", ".join(custom[:SHOWN]) + more})
    return sorted(made, key=lambda row: (-int(str(row["count"])), str(row["urn"])))
