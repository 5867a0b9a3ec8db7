"""The guard and the alerts as commands: they read records, propose with the tools' own fixes, and tell people."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from automation.exits import Ending
from automation.guard.classify import Cause
from automation.guard.hands import Bench
from automation.guard.health import flaky, health, load
from automation.pipeline.record import CommandRecord, RunRecord, StageRecord

ROOT = Path(__file__).resolve().parents[3]


def run_record(number: int, conclusion: str = "failure", log: str = "x", commit: str = "c" * 40) -> RunRecord:
    step = CommandRecord("unit", 1, conclusion, log, float(number))  # type: ignore[arg-type]
    made = RunRecord(number, "ultimate-pipeline", commit, "main", "push", 1, f"2026-11-21T12:00:{number:02}Z", "dev")
    made.jobs.append(StageRecord(1, "tests", [step]))
    return made


def automation(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "automation", *words], cwd=ROOT, text=True, capture_output=True, check=False,
        env={**kept, "ECOSYSTEM_STATE": str(folder / "state"), "ECOSYSTEM_ACTOR": "ada"},
    )  # fmt: skip


def test_look_and_health(tmp_path: Path) -> None:
    run_record(1, "success").save(tmp_path)
    run_record(2, log="FAILED tests/test_a.py::test_b - assert 1 == 2").save(tmp_path)
    ran = automation(tmp_path, "guard", "look", str(tmp_path), "--json")
    assert ran.returncode == 1
    assert [one["kind"] for row in json.loads(ran.stdout) for one in row["causes"]] == ["flaky-test"]
    ran = automation(tmp_path, "guard", "health", str(tmp_path), "--json")
    (row,) = json.loads(ran.stdout)["pipelines"]
    assert (row["runs"], row["passed"], row["failed"], row["failures_in_a_row"]) == (2, 1, 1, 1)
    assert json.loads(ran.stdout)["flaky"] == ["ultimate-pipeline: tests: unit"]
    (tmp_path / "ultimate-pipeline-2-1.json").unlink()
    assert automation(tmp_path, "guard", "look", str(tmp_path)).returncode == 0


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "x"}', '{"name": "x", "jobs": 7}'])
def test_no_record(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(Ending) as caught:
        load([tmp_path])
    assert caught.value.code == 2


def test_a_record_of_the_forge_is_read_alike(tmp_path: Path) -> None:
    step: dict[str, Any] = {"name": "unit", "number": 1, "status": "completed", "conclusion": "cancelled"}
    job = {"id": 7, "name": "tests", "conclusion": "cancelled", "steps": [step]}
    (tmp_path / "x.json").write_text(
        json.dumps({"id": 9, "name": "ci", "head_sha": "a", "jobs": [job], "run_attempt": 2})
    )
    (read,) = load([tmp_path / "x.json"])
    assert read.conclusion == "failure"
    assert health([read])[0]["kinds"] == {"unknown": 1}
    assert flaky([run_record(1, commit=""), run_record(2, "success", commit="")]) == []


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    (made / "pyproject.toml").write_text('[tool.ruff.lint]\nselect = ["F"]\n')
    (made / "module.py").write_text("import os\n\nprint('x')\n")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "first")):
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *words], cwd=made, check=True, capture_output=True)
    return made


def cause(kind: str) -> Cause:
    return Cause(kind, "propose-patch", "static-analysis", "lint", "module.py:1:8: F401")  # type: ignore[arg-type]


def test_a_fix_is_proposed_in_a_checkout_of_its_own(project: Path) -> None:
    failed = run_record(1, commit="")
    bench = Bench(project, failed, Console(file=io.StringIO()), project / "build")
    before = (project / "module.py").read_text()
    patch = bench.propose(cause("lint"))
    assert patch is not None
    assert "-import os" in patch
    assert (project / "module.py").read_text() == before
    assert not subprocess.run(["git", "status", "--short"], cwd=project, capture_output=True, check=True).stdout
    assert bench.propose(cause("unknown")) is None
    subprocess.run(["git", "apply", "-"], cwd=project, input=patch, text=True, check=True)
    assert "import os" not in (project / "module.py").read_text()


def test_a_rollback_that_cannot_be_is_no_success(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOSYSTEM_STATE", str(project.parent / "state"))
    bench = Bench(project, run_record(1), Console(file=io.StringIO()), project / "build")
    assert bench.rollback() is False  # the ledger knows nothing that was applied


def test_act_escalates_what_nobody_knows(tmp_path: Path) -> None:
    path = run_record(3, log="something else").save(tmp_path)
    ran = automation(tmp_path, "guard", "act", str(path), "--json")
    assert ran.returncode == 1, ran.stderr
    made = json.loads(ran.stdout)
    assert made["ended"] == "escalated"
    assert made["causes"][0]["kind"] == "unknown"
    listed = json.loads(automation(tmp_path, "alerts", "list", "--json").stdout)
    assert [(row["kind"], row["acknowledged"]) for row in listed] == [("build_failure", None)]
    shown = json.loads(automation(tmp_path, "ledger", "show", "--json").stdout)
    assert (shown[-1]["action"], shown[-1]["ended"], shown[-1]["outcome"]) == ("guard", "escalated", "failed")

    key = listed[0]["key"]
    assert automation(tmp_path, "alerts", "acknowledge", key).returncode == 0
    assert automation(tmp_path, "alerts", "acknowledge", key).returncode == 2
    assert automation(tmp_path, "alerts", "escalate").stdout == "0 escalated\n"
    assert automation(tmp_path, "alerts", "send", "party", "x", "y").returncode == 2


def test_watch_needs_a_series(tmp_path: Path) -> None:
    (tmp_path / "series.json").write_text("[]")
    ran = automation(tmp_path, "guard", "watch", "dev", "--offline", "--metrics", str(tmp_path / "series.json"))
    assert ran.returncode == 2
    good = ROOT / "automation" / "story" / "series" / "good.json"
    ran = automation(tmp_path, "guard", "watch", "dev", "--offline", "--metrics", str(good), "--json")
    assert ran.returncode == 0, ran.stderr
    bad = ROOT / "automation" / "story" / "series" / "bad.json"
    ran = automation(tmp_path, "guard", "watch", "dev", "--offline", "--metrics", str(bad))
    assert ran.returncode == 2  # there is no way back here: nothing was ever applied
    kinds = {row["kind"]: row["subject"] for row in json.loads(automation(tmp_path, "alerts", "list", "--json").stdout)}
    assert set(kinds) == {"deploy_success", "deploy_failure"}
