"""`python -m automation law FILE`: findings of an exported state, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from charter.example_states import state

from tests.policies.test_offline import PUBLIC, one

PROJECT = Path(__file__).parents[2]


def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "automation", "law", *words],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **more},
    )


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    file = tmp_path / "bad.json"
    file.write_text(json.dumps(state(one("aws:iam/policy:Policy", PUBLIC))))
    return file


def written(folder: Path, name: str, content: Any) -> str:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(file)


def test_a_mandatory_finding_ends_with_4_and_says_everything(bad: Path) -> None:
    done = run(str(bad), "--json")
    assert done.returncode == 4, done.stderr
    made = json.loads(done.stdout)
    (found,) = [each for each in made["findings"] if each["rule"] == "AWS-IAM-01"]
    assert found["urn"].endswith("::it")
    assert found["path"].startswith("policy")
    assert found["severity"] == "critical"
    assert "CIS AWS 7.0 2.14" in found["controls"]
    assert found["remediation"]
    assert made["mandatory"] >= 1
    told = run(str(bad))
    assert told.returncode == 4
    assert "AWS-IAM-01 policy" in told.stdout


def test_a_good_state_ends_with_0(tmp_path: Path) -> None:
    done = run(written(tmp_path, "good.json", state()), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["findings"] == []


@pytest.mark.parametrize(
    ("content", "hint"),
    [("{", "JSON"), ({"version": 9, "deployment": {}}, "version"), ({}, "pulumi stack export"), ([], "stack export")],
)
def test_what_is_no_state_is_refused(tmp_path: Path, content: Any, hint: str) -> None:
    done = run(written(tmp_path, "wrong.json", content), "--json")
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert hint in error["sentence"]
    assert "wrong.json" in error["sentence"]


def test_facts_that_are_not_known_are_refused(tmp_path: Path, bad: Path) -> None:
    done = run(str(bad), "--config", written(tmp_path, "facts.json", {"prodution": True}))
    assert done.returncode == 2
    assert "prodution" in done.stderr
    unknown_rule = {
        "rule": "AWS-NO-99",
        "urn": "*",
        "owner": "a",
        "reason": "b",
        "ticket": "c",
        "expires": "2026-12-01",
    }
    done = run(str(bad), "--config", written(tmp_path, "facts.json", {"waivers": [unknown_rule]}))
    assert done.returncode == 2
    assert "waivers[0].rule" in done.stderr
    assert run(str(bad), "--config", str(tmp_path / "none.json")).returncode == 2
    assert run(str(bad), "--stack", "nowhere").returncode == 2


def test_facts_of_a_stack_file(tmp_path: Path) -> None:
    file = written(tmp_path, "s.json", state(one("aws:iam/role:Role", {"assumeRolePolicy": "{}"})))
    found = json.loads(run(file, "--stack", "prod", "--json").stdout)["findings"]
    assert "AWS-IAM-05" in {each["rule"] for each in found}, "the ceiling of a role is asked in production only"
    found = json.loads(run(file, "--stack", "dev", "--json").stdout)["findings"]
    assert "AWS-IAM-05" not in {each["rule"] for each in found}


KILLED = "import os; print('{\"findings\": [', flush=True); os.kill(os.getpid(), 9)"


@pytest.mark.parametrize(
    "broken", ["raise SystemExit(0)", "print('{}')", "raise SystemExit(7)", "print('{\"findings\": []}')", KILLED]
)
def test_a_pack_without_a_verdict_fails_the_run(tmp_path: Path, bad: Path, broken: str) -> None:
    project = tmp_path / "project"
    (project / "policies" / "charter").mkdir(parents=True)
    for file in ("Pulumi.yaml",):
        shutil.copy(PROJECT / file, project)
    done = run(str(bad), "--project", str(project))
    assert done.returncode == 1
    assert "policy pack is missing" in done.stderr
    (project / "policies" / "charter" / "offline.py").write_text(broken)
    done = run(str(bad), "--project", str(project))
    assert done.returncode == 1
    assert "nothing is judged" in done.stderr
