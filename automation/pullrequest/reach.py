"""What becomes reachable from where, told by the law's solver in a process of its own."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from automation.pack import PATIENCE, ask
from automation.pullrequest.graph import Picture


def compare(before: Picture, after: Picture, project: Path) -> dict[str, Any]:
    """The law's answer; `problem` says why there is none, so that a report never shows silence as safety."""
    pack = project / "policies"
    if not (pack / "charter" / "reachable.py").is_file():
        return {"problem": "the policy pack of this checkout has no solver for it"}
    with tempfile.TemporaryDirectory(prefix="ecosystem-reach-") as name:
        files = []
        for moment, picture in (("before", before), ("after", after)):
            files.append(Path(name) / f"{moment}.json")
            files[-1].write_text(json.dumps(picture.document()), encoding="utf-8")
        try:
            asked = ask(pack, "charter.reachable", map(str, files))
        except subprocess.TimeoutExpired:
            return {"problem": f"the law's solver hung for {PATIENCE} s"}
    try:
        made: dict[str, Any] = json.loads(asked.stdout) if asked.returncode == 0 else {}
    except ValueError:
        made = {}
    return made if "new" in made else {"problem": f"the law's solver ended with {asked.returncode} and no answer"}
