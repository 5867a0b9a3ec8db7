"""Actions by full commit, from a lock that says how each commit is known; an unknown one is refused, not invented."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from automation.exits import Ending, Exit

FILE: Final = Path("config/actions.lock.json")
_SHA = re.compile(r"[0-9a-f]{40}")
_USES = re.compile(r"^\s*(?:-\s+)?uses:\s*(\S+?)@(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Pin:
    """One action at one commit; `state` is asked (of the forge), seen (elsewhere) or unresolved."""

    action: str
    version: str
    sha: str
    state: str

    @property
    def uses(self) -> str:
        """What stands behind `uses:`; an unresolved pin ends the run (exit 4)."""
        if self.state == "unresolved" or not _SHA.fullmatch(self.sha):
            raise Ending(
                Exit.REFUSED,
                "pin",
                f"{self.action} {self.version} has no known commit: resolve it in {FILE} with `pipelines pins --ask`",
            )
        return f"{self.action}@{self.sha}"


def load(project: Path) -> dict[str, Pin]:
    """Read the lock."""
    document: dict[str, Any] = json.loads((project / FILE).read_text(encoding="utf-8"))
    return {
        action: Pin(action, entry["version"], entry["sha"], entry["state"])
        for action, entry in document["actions"].items()
    }


def unresolved(project: Path) -> list[str]:
    """What the lock itself says is not resolved, images included."""
    document: dict[str, Any] = json.loads((project / FILE).read_text(encoding="utf-8"))
    entries = {**document["actions"], **document.get("images", {})}
    return sorted(name for name, entry in entries.items() if entry["state"] == "unresolved")


def problems(text: str, pins: dict[str, Pin], name: str) -> list[str]:
    """What is wrong with the pins of one workflow."""
    found = []
    for action, ref in _USES.findall(text):
        pin = pins.get(action)
        if not _SHA.fullmatch(ref):
            found.append(f"{name}: {action}@{ref} is not pinned by a full commit")
        elif pin is None:
            found.append(f"{name}: {action} is not in {FILE}")
        elif pin.sha != ref:
            found.append(f"{name}: {action}@{ref[:12]} is not the commit of {FILE}")
        elif pin.state == "unresolved":
            found.append(f"{name}: {action} is unresolved in {FILE}")
    return found


def ask(project: Path, seconds: float = 60) -> list[str]:
    """Ask the forge which commit each version is; writes `asked` where it agrees. Returns what differs."""
    path = project / FILE
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    differs = []
    for action, entry in document["actions"].items():
        version = entry["version"]
        asked = subprocess.run(  # noqa: S603 - git of the user's PATH, names from our own lock
            ["git", "ls-remote", f"https://github.com/{action}", f"refs/tags/{version}", f"refs/tags/{version}^{{}}"],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        shas = [line.split()[0] for line in asked.stdout.splitlines()]
        if asked.returncode or not shas:
            differs.append(f"{action} {version}: the forge did not answer")
        elif shas[-1] != entry["sha"]:
            differs.append(f"{action} {version} is {shas[-1]}, the lock says {entry['sha']}")
        else:
            entry["state"] = "asked"
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return differs
