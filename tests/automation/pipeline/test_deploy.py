"""One command from a clone to a verified deployment; what stops it says at which part, with that part's code."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from automation.exits import Ending, Exit
from automation.pipeline.deploy import Asked, run
from automation.session import Options
from automation.signing import keys

ROOT = Path(__file__).resolve().parents[3]
TINY = ROOT / "tests" / "engine" / "projects" / "tiny"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "tiny"
    shutil.copytree(TINY, made, ignore=shutil.ignore_patterns("__pycache__"))
    (made / "policies").mkdir()
    (made / "policies" / "PulumiPolicy.yaml").write_text("runtime: python\n")  # doctor asks; these runs are unjudged
    (made / ".gitignore").write_text("__pycache__/\n")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "first")):
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *words], cwd=made, check=True, capture_output=True)
    monkeypatch.setenv("ECOSYSTEM_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return made


def asked(project: Path, key: Path | None = None) -> Asked:
    options = Options(project, offline=True, policies=False)
    return Asked("small", options, key, project.parent / "plan.json")


@pytest.mark.engine
@pytest.mark.slow
def test_from_a_clone_to_a_verified_deployment(project: Path) -> None:
    console, said = Console(file=io.StringIO()), list[str]()
    keys.generate("ada", datetime.now(UTC)).save(project.parent / "ada.key")

    (project / "config").mkdir()
    frozen = "gates: {freezes: [{begin: 2020-01-01T00:00:00Z, end: 2999-01-01T00:00:00Z, reason: holidays}]}\n"
    (project / "config" / "delivery.yaml").write_text(frozen)
    made, code = run(asked(project), console, said.append)
    assert code == Exit.REFUSED  # also without a signed plan
    assert [one["code"] for one in made["refusals"]] == ["freeze"]
    (project / "config" / "delivery.yaml").unlink()

    made, code = run(asked(project, project.parent / "ada.key"), console, said.append)
    assert code == Exit.REFUSED  # nobody trusts this key yet
    assert {one["code"].split("-")[0] for one in made["refusals"]} == {"plan"}
    assert json.loads((project.parent / "plan.json").read_text())["payload"]["author"] == "ada"
    assert "no longer holds" in made["parts"][-1]["said"]
    (project.parent / "plan.json").unlink()

    made, code = run(asked(project), console, said.append)
    assert code == Exit.OK
    assert [one["part"] for one in made["parts"]] == ["doctor", "gates", "up", "verify"]
    assert made["parts"][-1]["said"] == "0 resources drift, 0 changes are left"


def test_what_is_missing_stops_it_before_anything_starts(project: Path) -> None:
    shutil.rmtree(project / "policies")
    with pytest.raises(Ending) as caught:
        run(asked(project), Console(file=io.StringIO()), lambda _: None)
    assert caught.value.reason == "doctor"
    assert any("policies/PulumiPolicy.yaml" in line for line in caught.value.details)
    assert not (project.parent / "state").exists()
