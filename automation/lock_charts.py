"""`ecosystem lock`: fill in the digests of charts.lock from the charts' registries; nothing else in it changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automation.chart_registry import Registry, UnfitError, UnreachableError
from automation.exits import Ending, Exit
from stacks.problems import did_you_mean
from stacks.services.lock import FILE, UNRESOLVED, Locked, charts


@dataclass(frozen=True)
class Result:
    """What became of one entry: `done` (digest), `kept` (was known and is the same), or `failed` with a sentence."""

    chart: str
    version: str
    state: str
    text: str


def fill(names: tuple[str, ...] = (), file: Path = FILE, registry: Registry | None = None) -> list[Result]:
    """Look up the digests of some charts, or of all, and write those that were found.

    Raises Ending: 2 for a name that the lock does not have or a lock that cannot be read, 4 for a digest that is not
    the one that was locked (the version was published anew), 1 when nothing could be reached.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        entries = [(name, entry) for name, versions in document["charts"].items() for entry in versions]
        locked = [(Locked(name=name, **entry), entry) for name, entry in entries]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise Ending(Exit.WRONG_INPUT, "lock", f"{file.name}: cannot be read ({problem})") from None
    for name in names:
        if name not in document["charts"]:
            hint = did_you_mean(name, document["charts"], "write an entry as the others are, then run this again")
            raise Ending(Exit.WRONG_INPUT, "lock", f"{file.name}: has no chart {name}; {hint}")
    results = list(_resolved([each for each in locked if not names or each[0].name in names], registry or Registry()))
    if moved := [each for each in results if each.state == "moved"]:
        lines = tuple(f"{each.chart} {each.version}: {each.text}" for each in moved)
        raise Ending(
            Exit.REFUSED,
            "moved",
            "charts were published anew under a version that is locked: nothing is written",
            lines,
        )
    if not any(each.state in {"done", "kept"} for each in results):
        lines = tuple(sorted({each.text for each in results}))
        raise Ending(
            Exit.FAILED,
            "offline",
            f"no registry gave a digest: {file.name} is as it was; run this where they answer",
            lines,
        )
    part = file.with_name(f"{file.name}.part")
    part.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(file)
    return results


def offline(file: Path = FILE) -> str:
    """Say why nothing can be filled in without a network, and how much is open."""
    open_ = [each.name for versions in charts(file).values() for each in versions if not each.resolved]
    known = f"{len(open_)} are unresolved: {', '.join(open_)}" if open_ else "all are resolved already"
    return f"digests come from the registries of the charts, which offline means not to ask; in {file.name} {known}"


def _resolved(entries: list[tuple[Locked, dict[str, Any]]], registry: Registry) -> Iterator[Result]:
    unreachable: dict[str, str] = {}
    for chart, entry in entries:
        home = (chart.oci or chart.repository).split("/")[2]
        if home in unreachable:
            yield Result(chart.name, chart.version, "failed", unreachable[home])
            continue
        try:
            found = registry.digest(chart)
        except UnreachableError as problem:
            unreachable[home] = str(problem)
            yield Result(chart.name, chart.version, "failed", str(problem))
            continue
        except UnfitError as problem:
            yield Result(chart.name, chart.version, "failed", str(problem))
            continue
        if chart.digest not in (UNRESOLVED, found):
            yield Result(chart.name, chart.version, "moved", f"locked as {chart.digest}, is {found} now")
            continue
        entry["digest"] = found
        yield Result(chart.name, chart.version, "kept" if chart.resolved else "done", found)
