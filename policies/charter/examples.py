"""Examples of rules: what is right, what is wrong, what is just right, and what cannot be told yet.

They stand in `charter/cases/*.yaml`; tests execute each through the engine's protocol, and the documentation shows
the first good and bad one. A case is the good graph with a few things changed.

    RULE:
      graph: {NAME: {type: TYPE, props: {...}, refs: {PROPERTY: [NAME]}, parent: NAME, provider: NAME, protect: true}}
      facts: {...}                        # facts beside the usual ones
      wrong: [{NAME.PATH: VALUE, at: PATH, on: NAME}]      # each must be found, at that path
      fine: [{NAME.PATH: VALUE}]          # each must not be found: the boundary
      unknown: [NAME.PATH]                # each made unknown must be left open, and nothing be found

`type` and `good` instead of `graph` stand for a single resource; its paths need no name. The value `~` removes.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import yaml
from charter.values import UNKNOWN

FOLDER: Final = Path(__file__).parent / "cases"
SINGLE: Final = "it"
SPECIAL: Final = frozenset({"at", "on", "facts"})


@dataclass(frozen=True)
class Case:
    """One graph to judge: resources by name, facts, and what must come of it."""

    rule: str
    label: str
    resources: Mapping[str, Mapping[str, Any]]
    facts: Mapping[str, Any] = field(default_factory=dict)
    finds: bool = False
    opens: bool = False
    at: str | None = None
    on: str | None = None


@cache
def written() -> dict[str, dict[str, Any]]:
    """Return what is written for each rule."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        read = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
        for rule, entry in (read or {}).items():
            if rule in found:
                raise ValueError(f"{path.name}: {rule} has examples elsewhere")
            found[rule] = entry
    return found


def cases(rule: str) -> Iterator[Case]:
    """Yield every case of a rule: good, wrong, fine, unknown."""
    entry = written()[rule]
    base = _graph(entry)
    facts = entry.get("facts", {})
    yield Case(rule, "good", base, facts)
    for kind, finds in (("wrong", True), ("fine", False)):
        for index, change in enumerate(entry.get(kind, [])):
            yield Case(
                rule,
                f"{kind}-{index}",
                changed(base, {key: value for key, value in change.items() if key not in SPECIAL}),
                {**facts, **change.get("facts", {})},
                finds=finds,
                at=change.get("at"),
                on=change.get("on"),
            )
    for path in entry.get("unknown", []):
        yield Case(rule, f"unknown-{path}", changed(base, {path: UNKNOWN}), facts, opens=True)


def _graph(entry: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    if "graph" in entry:
        return {name: dict(resource) for name, resource in entry["graph"].items()}
    return {SINGLE: {"type": entry["type"], "props": entry.get("good") or {}, **entry.get("options", {})}}


def changed(base: Mapping[str, Mapping[str, Any]], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a graph with values set at paths; None removes."""
    made: dict[str, Any] = copy.deepcopy(dict(base))
    for path, value in changes.items():
        single = list(made) == [SINGLE]
        name, rest = (SINGLE, path) if single else (path.partition(".")[0], path.partition(".")[2])
        if not single and not rest:
            if value is None:
                made.pop(name)
            else:
                made[name] = value
        elif rest.startswith("$"):
            made[name][rest[1:]] = value
        else:
            _put(made[name].setdefault("props", {}), _steps(rest), value)
    return made


def _steps(path: str) -> list[str | int]:
    """Split a path; a bar stands for a dot inside a key, a number is an index."""
    return [int(step) if step.isdigit() else step.replace("|", ".") for step in path.split(".")]


def _put(target: Any, steps: list[str | int], value: Any) -> None:
    for step, following in pairwise(steps):
        if isinstance(target, list):
            target = target[int(step)]
        else:
            target = target.setdefault(step, [] if isinstance(following, int) else {})
    last = steps[-1]
    if isinstance(target, list):
        index = int(last)
        if value is None:
            target.pop(index)
        elif index == len(target):
            target.append(value)
        else:
            target[index] = value
    elif value is None:
        target.pop(last, None)
    else:
        target[last] = value
