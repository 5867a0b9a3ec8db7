"""The state file of a file backend: read before a run, named when it is broken, restored by one command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from automation.exits import Ending, Exit


def path_of(backend: Path, project: str, stack: str) -> Path:
    return backend / ".pulumi" / "stacks" / project / f"{stack}.json"


def _problem(path: Path) -> str | None:  # noqa: PLR0911 - a flat list of cases
    """Why this file is no state, in a few words; None when it is one."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return f"cannot be read ({type(error).__name__})"
    if not text.strip():
        return "is empty"
    try:
        document = json.loads(text)
    except ValueError as error:
        return f"is cut or not JSON ({error})"
    if not isinstance(document, dict) or "checkpoint" not in document:
        return "is JSON but no state of the engine (no `checkpoint`)"
    resources = ((document["checkpoint"] or {}).get("latest") or {}).get("resources") or []
    known: set[str] = set()
    for resource in resources:
        urn, parent = resource.get("urn"), resource.get("parent")
        if not resource.get("delete") and urn in known:
            return f"names {urn} twice"
        if parent and parent not in known:
            return f"has {urn} below {parent}, which it does not hold"
        known.add(urn)
    return None


def check(backend: Path, project: str, stack: str, command: str = "restore") -> None:
    """Refuse to run on a broken state file (exit 1); an absent one is a stack not yet deployed."""
    path = path_of(backend, project, stack)
    if not path.exists():
        return
    problem = _problem(path)
    if problem:
        raise Ending(
            Exit.FAILED,
            "state",
            f"the state file {path} {problem}: nothing was run",
            (f"restore the newest good copy with: python -m automation {command} {stack}",),
        )


def mend_sidecars(backend: Path, project: str, stack: str) -> list[Path]:
    """Remove broken `.attrs` files: an engine killed while it writes one leaves it empty, and then reads no state.

    They hold content type and checksum of the file beside them (gocloud.dev/blob/fileblob) and are not needed. The
    caller makes sure that no run is under way.
    """
    mended = []
    for sidecar in path_of(backend, project, stack).parent.glob(f"{stack}.json*.attrs"):
        try:
            json.loads(sidecar.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            sidecar.unlink(missing_ok=True)
            mended.append(sidecar)
    return mended


def copies(backend: Path, project: str, stack: str) -> list[Path]:
    """Good copies, newest first: the engine's own `.bak` and its backups."""
    path = path_of(backend, project, stack)
    folder = backend / ".pulumi" / "backups" / project / stack
    found = [path.with_name(path.name + ".bak"), *folder.glob("*.json")]
    good = [copy for copy in found if copy.is_file() and _problem(copy) is None]
    return sorted(good, key=lambda copy: copy.stat().st_mtime, reverse=True)


def restore(backend: Path, project: str, stack: str) -> tuple[Path, Path]:
    """Put the newest good copy in place of the state; the broken one stays beside it. Returns (copy, broken)."""
    path = path_of(backend, project, stack)
    good = copies(backend, project, stack)
    if not good:
        raise Ending(
            Exit.FAILED,
            "state",
            f"no good copy of {path} was found",
            ("adopt what exists with `pulumi import`, or start again: nothing was changed",),
        )
    broken = path.with_name(path.name + ".broken")
    if path.exists():
        shutil.copy2(path, broken)
    part = path.with_name(path.name + ".part")
    shutil.copy2(good[0], part)
    part.replace(path)
    return good[0], broken
