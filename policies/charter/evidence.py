"""The shapes of the evidence: a misspelt part would weaken a rule, one of another shape would be judged by half."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

MAPS: Final = frozenset({"budgets", "charts", "copies", "costs", "data", "images", "sinks"})
LISTS: Final = frozenset({"checks", "edges", "egress", "hosts", "runbooks", "series"})
NUMBERS: Final = frozenset({"monthly_usd"})
PAIR: Final = 2


def faults_of(evidence: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the evidence, each with its path."""
    for name, held in evidence.items():
        known = sorted(MAPS | LISTS | NUMBERS)
        if name in MAPS and not isinstance(held, Mapping):
            yield f"evidence.{name}: is no map of names"
        elif name in LISTS and not isinstance(held, list | tuple):
            yield f"evidence.{name}: is no list"
        elif name in NUMBERS and (isinstance(held, bool) or not isinstance(held, int | float) or held < 0):
            yield f"evidence.{name}: is no number of US dollars"
        elif name not in known:
            yield f"evidence.{name}: is not known; evidence holds {', '.join(known)}"
        elif name == "edges" and not all(isinstance(each, list | tuple) and len(each) == PAIR for each in held):
            yield "evidence.edges: holds something that is no pair of names, such as [internet, gateway]"


def fault_of_day(today: str) -> str:
    """Return what is wrong with the day of the run, nothing when it is one or none is given."""
    try:
        if today:
            date.fromisoformat(today)
    except ValueError:
        return "today: is no date; write it as 2026-12-31"
    return ""
