"""`ecosystem lock`: fill in the digests of charts.lock from the registries of charts and images, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automation.chart_registry import Registry, UnfitError, UnreachableError
from automation.exits import Ending, Exit
from stacks.problems import did_you_mean
from stacks.services.lock import FILE, UNRESOLVED, Locked, LockedImage, charts, images


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
        pictures = document.get("images", {})
        named = [(LockedImage(name=name, **entry), entry) for name, entry in pictures.items()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise Ending(Exit.WRONG_INPUT, "lock", f"{file.name}: cannot be read ({problem})") from None
    for name in names:
        if name not in {**document["charts"], **pictures}:
            known = {**document["charts"], **pictures}
            hint = did_you_mean(name, known, "write an entry as the others are, then run this again")
            raise Ending(Exit.WRONG_INPUT, "lock", f"{file.name}: has no chart {name}; {hint}")
    every: list[tuple[Locked | LockedImage, dict[str, Any]]] = [*locked, *named]
    wanted = [each for each in every if not names or each[0].name in names]
    results = list(_resolved(wanted, registry or Registry()))
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
    every: list[Locked | LockedImage] = [each for versions in charts(file).values() for each in versions]
    open_ = [each.name for each in (*every, *images(file).values()) if not each.resolved]
    known = f"{len(open_)} are unresolved: {', '.join(open_)}" if open_ else "all are resolved already"
    return f"digests come from the registries of the charts, which offline means not to ask; in {file.name} {known}"


def _resolved(entries: list[tuple[Locked | LockedImage, dict[str, Any]]], registry: Registry) -> Iterator[Result]:
    unreachable: dict[str, str] = {}
    for locked, entry in entries:
        if isinstance(locked, LockedImage):
            home, version = locked.image.partition("/")[0], locked.image.rpartition(":")[2]
        else:
            home, version = (locked.oci or locked.repository).split("/")[2], locked.version
        if home in unreachable:
            yield Result(locked.name, version, "failed", unreachable[home])
            continue
        try:
            found = registry.image(locked.image) if isinstance(locked, LockedImage) else registry.digest(locked)
        except UnreachableError as problem:
            unreachable[home] = str(problem)
            yield Result(locked.name, version, "failed", str(problem))
            continue
        except UnfitError as problem:
            yield Result(locked.name, version, "failed", str(problem))
            continue
        if locked.digest not in (UNRESOLVED, found):
            yield Result(locked.name, version, "moved", f"locked as {locked.digest}, is {found} now")
            continue
        entry["digest"] = found
        yield Result(locked.name, version, "kept" if locked.resolved else "done", found)
