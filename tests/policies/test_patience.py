"""A pack that hangs ends itself, and a run that waited for it says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from charter.patience import HUNG

from automation.exits import Ending, Exit
from automation.policy import Pack, Verdicts
from automation.render import _findings
from automation.runs import _naming_the_pack

PACK = Path(__file__).parents[2] / "policies"
JUDGING = """
import time
from charter.patience import Watch
watch = Watch(longest={longest})
for _ in range(3):
    with watch.over("one"):
        time.sleep({takes})
print("done")
"""


@pytest.mark.parametrize(("longest", "takes", "code"), [(0.4, 60, HUNG), (30, 0.01, 0)])
def test_a_judgement_that_takes_too_long_ends_the_pack(longest: float, takes: float, code: int) -> None:
    program = JUDGING.format(longest=longest, takes=takes)
    done = subprocess.run([sys.executable, "-c", program], cwd=PACK, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert ("hung" in done.stderr) == (code == HUNG)
    assert ("done" in done.stdout) == (code == 0)


@pytest.mark.parametrize(("counted", "says"), [(None, "judged nothing"), ({"evaluated": 41}, "judged 41 pairs")])
def test_the_watchdog_names_a_pack_that_keeps_a_run_waiting(tmp_path: Path, counted: Any, says: str) -> None:
    counts = tmp_path / "counts.json"
    if counted is not None:
        counts.write_text(json.dumps(counted))
    session: Any = SimpleNamespace(pack=Pack(PACK, tmp_path / "config.json", counts))
    with pytest.raises(Ending) as caught, _naming_the_pack(session):
        raise Ending(Exit.WATCHDOG, "no-progress", "preview made no progress", ("a stack",))
    assert caught.value.details[0] == "a stack"
    assert says in caught.value.details[1]
    assert str(PACK) in caught.value.details[1]
    with pytest.raises(Ending) as caught, _naming_the_pack(session):
        raise Ending(Exit.FAILED, "engine", "something else", ("a stack",))
    assert caught.value.details == ("a stack",)


def test_a_report_prints_what_was_let_be() -> None:
    excused = {"rule": "K8S-POD-02", "urn": "urn:pulumi:prod::p::t::falco", "path": "spec.hostPID", "why": "watches"}
    made = Verdicts(judged=True, evaluated=9, excused=[excused]).record()
    _, _, rows = _findings({"policy": made})
    assert ("let be", "K8S-POD-02", "falco", "spec.hostPID", "watches") in rows
