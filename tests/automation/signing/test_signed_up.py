"""`plan`, `approve` and `up` on the real engine in a scratch git repository: as signed, or not at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
TINY = ROOT / "tests" / "engine" / "projects" / "tiny"
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "ENGINE")


@dataclass
class Team:
    """A checkout with a state directory and two people with keys."""

    project: Path
    folder: Path

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        state = {"ECOSYSTEM_STATE": str(self.folder / "state"), "PYTHONPATH": str(ROOT), "ECOSYSTEM_ACTOR": "ada"}
        return subprocess.run(
            [sys.executable, "-m", "automation", *words, "--project", str(self.project)],
            env={**kept, **state, **env},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def git(self, *words: str) -> None:
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *words], cwd=self.project, check=True, capture_output=True)

    def key(self, name: str) -> str:
        return str(self.folder / f"{name}.key")

    def draw(self, **env: str) -> Path:
        file = self.folder / "plan.json"
        ran = self.run(
            "plan", "small", "--key", self.key("ada"), "--out", str(file), "--offline", "--no-policies", **env
        )
        assert ran.returncode == 0, ran.stderr
        return file

    def up(self, file: Path | None, *words: str, **env: str) -> tuple[int, dict[str, Any]]:
        plan = ["--plan", str(file)] if file else []
        ran = self.run("up", "small", *plan, "--offline", "--no-policies", "--json", "--approvals", "1", *words, **env)
        assert ran.stdout, ran.stderr
        return ran.returncode, json.loads(ran.stdout)

    def codes(self, file: Path | None, *words: str, **env: str) -> list[str]:
        code, made = self.up(file, *words, **env)
        assert code == 4, made
        assert "up_steps" not in made
        return [one["code"] for one in made["refusals"]]


@pytest.fixture
def team(tmp_path: Path) -> Team:
    project = tmp_path / "tiny"
    shutil.copytree(TINY, project, ignore=shutil.ignore_patterns("__pycache__"))
    (project / ".gitignore").write_text("__pycache__/\n")
    made = Team(project, tmp_path)
    made.git("init", "-q")
    for name in ("ada", "grace"):
        ran = subprocess.run(
            [sys.executable, "-m", "automation", "keys", "generate", "--owner", name, "--out", made.key(name)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        (tmp_path / f"{name}.pub").write_text(ran.stdout)
        assert made.run("keys", "trust", str(tmp_path / f"{name}.pub")).returncode == 0
    made.git("add", "-A")
    made.git("commit", "-q", "-m", "first")
    return made


@pytest.mark.engine
@pytest.mark.slow
def test_from_plan_to_platform(team: Team) -> None:
    file = team.draw()
    assert team.codes(file) == ["plan-approver"]
    assert team.run("approve", str(file), "--key", team.key("ada")).returncode == 4
    assert team.run("approve", str(file), "--key", team.key("grace")).returncode == 0

    # what was signed is all that may happen
    found = team.codes(file, ECOSYSTEM_TINY_GROUPS="1")
    assert "plan-step-extra" in found
    assert "plan-engine" in found

    document = json.loads(file.read_text())
    document["payload"]["steps"] = document["payload"]["steps"][:-1]
    bad = team.folder / "bad.json"
    bad.write_text(json.dumps(document))
    assert team.codes(bad) == ["plan-signature", "plan-signature"]

    code, made = team.up(file)
    assert code == 0, made
    assert made["up_steps"]["create"] == 6
    assert len(made["plan"]["signers"]) == 2

    # the same plan again: the state is another one
    assert team.codes(file) == ["plan-state"]

    # a commit since
    second = team.draw(ECOSYSTEM_TINY_GROUPS="1")
    assert team.run("approve", str(second), "--key", team.key("grace")).returncode == 0
    (team.project / "notes.md").write_text("x")
    assert team.codes(second, ECOSYSTEM_TINY_GROUPS="1") == ["plan-dirty"]
    team.git("add", "-A")
    team.git("commit", "-q", "-m", "second")
    assert team.codes(second, ECOSYSTEM_TINY_GROUPS="1") == ["plan-commit"]
    team.git("reset", "-q", "--hard", "HEAD~1")
    missing = team.codes(second)
    assert "plan-step-missing" in missing

    # break glass is part of what was signed
    assert team.codes(second, "--break-glass", "fire", ECOSYSTEM_TINY_GROUPS="1") == ["plan-break-glass"]

    shown = json.loads(team.run("ledger", "show", "--last", "99", "--json").stdout)
    assert [row["outcome"] for row in shown if row["action"] == "up"].count("ok") == 1
    (glass,) = [row for row in shown if row["action"] == "break-glass"]
    assert glass["break_glass"] == {"label": "break-glass", "reason": "fire"}
    assert {row["who"] for row in shown} == {"ada", "grace"}
    assert team.run("ledger", "verify").returncode == 0


@pytest.mark.engine
def test_without_a_plan_where_one_is_needed(team: Team) -> None:
    (team.project / "config" / "delivery.yaml").write_text("plans: {required: always}\n")
    code, made = team.up(None)
    assert code == 4
    assert made["error"]["reason"] == "plan-missing"
    (team.project / "config" / "delivery.yaml").write_text("plans: {required: sometimes}\n")
    code, made = team.up(None)
    assert code == 2
    assert made["error"]["reason"] == "settings"
