"""Queries of rules, dashboards and triggers: every figure that they ask for is exported by something."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.kubernetes.references.by_key import missing
from components.kubernetes.references.standing import Standing
from components.kubernetes.references.things import Dangling, Path, Thing, at

GROUPING: Final = r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)"
STRINGS: Final = re.compile(r"""'[^']*'|"[^"]*\"""")
NOISE: Final = re.compile(r"\{[^}]*\}|\[[^]]*\]|" + GROUPING + r"|\boffset \w+")
WORD: Final = re.compile(r"[a-zA-Z_:][\w:]*(?!\s*[\w:(])")
KEYWORDS: Final = frozenset({"and", "or", "unless", "bool", "inf", "nan", "Inf", "NaN"})


def figures(query: str) -> set[str]:
    """Return the names that a query asks for: what is left without strings, labels, windows, functions, numbers."""
    return set(WORD.findall(NOISE.sub(" ", STRINGS.sub(" ", query)))) - KEYWORDS


PLACES: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "ScaledObject": (("spec", "triggers"), ("metadata", "query")),
    "AnalysisTemplate": (("spec", "metrics"), ("provider", "prometheus", "query")),
}
"""Where a kind lists what it asks, and where the query stands in each."""


def of(thing: Thing) -> Iterator[tuple[Path, str]]:
    """Yield the queries of an object and where they stand."""
    if thing.kind == "PrometheusRule":
        for group, each in enumerate(thing.items("spec", "groups")):
            for place, rule in enumerate(at(each, "rules") or ()):
                if isinstance(expr := at(rule, "expr"), str):
                    yield ("spec", "groups", group, "rules", place, "expr"), expr
    elif thing.kind == "ConfigMap":
        yield from _boards(thing)
    elif thing.kind in PLACES:
        listed, inside = PLACES[thing.kind]
        for place, each in enumerate(thing.items(*listed)):
            if isinstance(query := at(each, *inside), str):
                yield (*listed, place, *inside), query


def _boards(thing: Thing) -> Iterator[tuple[Path, str]]:
    for key, words in (thing.at("data") or {}).items():
        if not (isinstance(words, str) and '"panels"' in words):
            continue
        try:
            board: Any = json.loads(words)
        except ValueError:
            continue
        for place, panel in enumerate(at(board, "panels") or ()):
            for number, each in enumerate(at(panel, "targets") or ()):
                if isinstance(expr := at(each, "expr"), str):
                    yield ("data", key, "panels", place, "targets", number, "expr"), expr


def recorded(there: Standing) -> set[str]:
    """Return the names that rules themselves record."""
    return {
        str(name)
        for thing in there.things
        if thing.kind == "PrometheusRule"
        for group in thing.items("spec", "groups")
        for rule in at(group, "rules") or ()
        if (name := at(rule, "record"))
    }


def check(thing: Thing, there: Standing) -> Iterator[Dangling]:
    """Yield the figures that nothing exports; nothing where it is not known what is exported."""
    series = there.known.series
    if series is None:
        return
    for path, query in of(thing):
        for name in sorted(figures(query) - series - recorded(there)):
            yield missing(thing, path, "the figure", name, series, "ask for one that something exports")
