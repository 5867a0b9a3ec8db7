"""Eight failures, planted by really running what fails: each is named, and healed, proposed, rolled back, escalated."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from automation.guard.classify import Cause, causes
from automation.guard.heal import Hands, guard, pauses
from automation.guard.patch import objections
from automation.pipeline.model import Command, Pipeline, Stage, Triggers
from automation.pipeline.record import RunRecord
from automation.pipeline.runner import Runner
from automation.redact import Redactor

ROOT = Path(__file__).resolve().parents[3]
PYTEST = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", ".")


class Plant:
    """A project folder with one command; runs it with our recorder, as the pipeline would."""

    def __init__(self, folder: Path, words: tuple[str, ...], env: dict[str, str] | None = None) -> None:
        self.folder, self.words = folder, words
        self.env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}
        self.runs: list[RunRecord] = []
        self.escalated: list[str] = []
        self.rolled_back = 0
        self.slept: list[float] = []

    def run(self, patch: str | None = None) -> RunRecord:
        if patch:
            subprocess.run(["git", "apply", "--unsafe-paths", "-"], cwd=self.folder, input=patch, text=True, check=True)
        pipeline = Pipeline("planted", "p", Triggers(manual=True), (Stage("s", "s", (Command("c", self.words),)),))
        record = RunRecord(len(self.runs) + 1, "planted", "c" * 40, "main", "push", len(self.runs) + 1, "")
        runner = Runner(self.folder, self.folder / "build", lambda _: None, Redactor(), env=self.env)
        self.runs.append(runner.run(pipeline, ["s"], record))
        return record

    def hands(self, propose: Callable[[Cause], str | None] = lambda _: None) -> Hands:
        def rollback() -> bool:
            self.rolled_back += 1
            return True

        return Hands(self.run, rollback, lambda _, why: self.escalated.append(why), self.slept.append, propose)


def test_1_flaky_test(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "from pathlib import Path\n\ndef test_sometimes():\n    seen = Path('seen')\n    first = not seen.exists()\n"
        "    seen.write_text('x')\n    assert not first\n"
    )
    plant = Plant(tmp_path, (*PYTEST, "test_it.py"))
    failed = plant.run()
    assert causes(failed)[0].kind == "test"  # one failure alone proves no flakiness
    assert guard(failed, plant.hands()).ended == "escalated"
    passed = plant.run()
    assert causes(failed, [failed, passed])[0].kind == "flaky-test"
    (tmp_path / "seen").unlink()
    failed = plant.run()
    outcome = guard(failed, plant.hands(), [passed])
    assert outcome.ended == "healed"
    assert len(plant.slept) == 1


def test_2_registry_timeout(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    (tmp_path / "ask.py").write_text(
        "import sys, urllib.request\nfrom pathlib import Path\nasked = Path('asked')\n"
        "count = int(asked.read_text()) if asked.exists() else 0\nasked.write_text(str(count + 1))\n"
        f"if count < 2:\n    urllib.request.urlopen('http://127.0.0.1:{port}/v2/')\n"
    )
    plant = Plant(tmp_path, ("python", "ask.py"))
    failed = plant.run()
    assert causes(failed)[0].kind == "registry-timeout"
    outcome = guard(failed, plant.hands())
    assert outcome.ended == "healed"
    assert len(plant.slept) == 2
    (tmp_path / "asked").write_text("-9")
    assert guard(plant.run(), plant.hands()).ended == "escalated"  # it never comes back
    assert "3 retries did not help" in plant.escalated[-1]


def wheel(folder: Path, name: str, version: str, *requires: str) -> None:
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        meta = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        file.writestr(f"{info}/METADATA", meta + "".join(f"Requires-Dist: {one}\n" for one in requires))
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")


def test_3_dependency_conflict(tmp_path: Path) -> None:
    wheel(tmp_path, "front", "1.0", "base<2")
    wheel(tmp_path, "front", "2.0", "base>=2")
    wheel(tmp_path, "base", "1.0")
    wheel(tmp_path, "base", "2.0")
    lock = tmp_path / "requirements.txt"
    lock.write_text("front==1.0\nbase==2.0\n")
    pip = ("python", "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-index", "--find-links", ".")
    plant = Plant(tmp_path, (*pip, "-r", "requirements.txt"), {"PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    failed = plant.run()
    assert causes(failed)[0].kind == "dependency-conflict", failed.jobs[0].steps[0].log
    fix = "--- a/requirements.txt\n+++ b/requirements.txt\n@@ -1,2 +1,2 @@\n-front==1.0\n+front==2.0\n base==2.0\n"
    outcome = guard(failed, plant.hands(lambda _: fix))
    assert outcome.ended == "proposed", outcome.tried
    assert outcome.proposal is not None
    assert (outcome.proposal.failing_run, outcome.proposal.passing_run) == (1, 2)
    lock.write_text("front==1.0\nbase==2.0\n")
    bad = "--- a/requirements.txt\n+++ b/requirements.txt\n@@ -1,2 +1,2 @@\n-front==1.0\n+front==3.0\n base==2.0\n"
    assert guard(failed, plant.hands(lambda _: bad)).ended == "escalated"  # no proof, no proposal


def test_4_lint(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("import os\n\nprint('x')\n")
    plant = Plant(tmp_path, ("python", "-m", "ruff", "check", "--isolated", "--no-cache", "module.py"))
    failed = plant.run()
    assert causes(failed)[0].kind == "lint"

    def propose(_: Cause) -> str:
        fixed = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--fix", "--diff", "module.py"]
        ran = subprocess.run(fixed, cwd=tmp_path, capture_output=True, text=True, check=False)
        return ran.stdout.replace("--- module.py", "--- a/module.py").replace("+++ module.py", "+++ b/module.py")

    assert guard(failed, plant.hands(propose)).ended == "proposed"
    assert (tmp_path / "module.py").read_text().strip() == "print('x')"


def test_5_broken_stack_file(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  cloud-ecosystem:stack: {environment: dev}\n")
    words = ("python", "-m", "automation", "preview", "dev", "--offline", "--project", str(tmp_path))
    plant = Plant(tmp_path, words)
    failed = plant.run()
    assert causes(failed)[0].kind == "stack-file", failed.jobs[0].steps[0].log
    assert guard(failed, plant.hands()).ended == "escalated"
    assert plant.slept == []


def test_6_failed_migration_of_state(tmp_path: Path) -> None:
    stacks = tmp_path / "backend/.pulumi/stacks/cloud-ecosystem"
    stacks.mkdir(parents=True)
    (stacks / "dev.json").write_text('{"version": 3, "checkpoint": {"latest": {"resour')
    code = (
        "from pathlib import Path\nfrom automation import statefile\nfrom automation.exits import Ending\n"
        "try:\n    statefile.check(Path('backend'), 'cloud-ecosystem', 'dev')\n"
        "except Ending as ending:\n    print(ending)\n    raise SystemExit(1)\n"
    )
    plant = Plant(tmp_path, ("python", "-c", code))
    failed = plant.run()
    assert causes(failed)[0].kind == "state-migration", failed.jobs[0].steps[0].log
    assert guard(failed, plant.hands()).ended == "escalated"


def test_7_disk_full(tmp_path: Path) -> None:
    plant = Plant(tmp_path, ("python", "-c", "f = open('/dev/full', 'w'); f.write('x' * 99999); f.flush()"))
    failed = plant.run()
    assert causes(failed)[0].kind == "disk-full"
    assert guard(failed, plant.hands()).ended == "escalated"
    assert plant.slept == []  # a full disk is not retried


def test_8_failing_canary(tmp_path: Path) -> None:
    rows = [{"percent": 10, "requests": 100, "errors": 50, "latency_p95_ms": 10.0}] * 5
    (tmp_path / "series.json").write_text(json.dumps({"gcp": rows}))
    words = ("python", "-m", "automation.pipeline.steps", "canary", "--metrics", str(tmp_path / "series.json"))
    plant = Plant(tmp_path, words)
    failed = plant.run()
    assert causes(failed)[0].kind == "canary", failed.jobs[0].steps[0].log
    outcome = guard(failed, plant.hands())
    assert outcome.ended == "rolled-back"
    assert plant.rolled_back == 1
    assert plant.escalated  # somebody is told although it was healed


def test_what_nobody_knows_is_escalated(tmp_path: Path) -> None:
    plant = Plant(tmp_path, ("python", "-c", "raise SystemExit(7)"))
    failed = plant.run()
    assert causes(failed)[0].kind == "unknown"
    assert guard(failed, plant.hands()).ended == "escalated"
    assert plant.slept == []


def test_a_degraded_run_is_not_green(tmp_path: Path) -> None:
    plant = Plant(tmp_path, ("python", "-c", "pass"))
    record = plant.run()
    assert guard(record, plant.hands()).ended == "nothing to do"
    record.jobs[0].steps[0].conclusion = "neutral"
    record.jobs[0].steps[0].missing = "k6 is not installed here"
    assert guard(record, plant.hands()).ended == "escalated"
    assert "k6" in plant.escalated[-1]


@pytest.mark.parametrize(
    ("file", "line", "removed"),
    [
        ("tests/test_it.py", "@pytest.mark.skip(reason='flaky')", ""),
        ("tests/test_it.py", "@pytest.mark.xfail", ""),
        ("tests/test_it.py", "", "    assert total == 3"),
        ("pyproject.toml", 'addopts = "--deselect tests/test_it.py"', ""),
        ("pyproject.toml", 'addopts = "--ignore=tests/slow"', ""),
        (".github/workflows/x.yml", "    continue-on-error: true", ""),
        (".github/workflows/x.yml", "    run: make test || true", ""),
        (".gitlab-ci.yml", "  allow_failure: true", ""),
        ("module.py", "import os  # noqa: F401", ""),
        ("module.py", "x = 1  # type: ignore", ""),
        ("Makefile", "python -m automation up prod --no-policies", ""),
        ("Makefile", "pip install --trusted-host x y", "pip install --require-hashes -r requirements.txt"),
    ],
)
def test_skipping_is_a_refused_fix(file: str, line: str, removed: str, tmp_path: Path) -> None:
    body = (f"-{removed}\n" if removed else "") + (f"+{line}\n" if line else "")
    patch = f"--- a/{file}\n+++ b/{file}\n@@ -1 +1 @@\n{body}"
    assert objections(patch), patch
    (tmp_path / "module.py").write_text("import os\n")
    plant = Plant(tmp_path, ("python", "-m", "ruff", "check", "--isolated", "--no-cache", "module.py"))
    outcome = guard(plant.run(), plant.hands(lambda _: patch))
    assert outcome.ended == "escalated"
    assert any("refused" in line for line in outcome.tried)
    assert len(plant.runs) == 1  # it was not even tried


def test_an_honest_fix_has_no_objections() -> None:
    assert objections("--- a/module.py\n+++ b/module.py\n@@ -1 +1 @@\n-import os\n+import sys\n") == []
    assert (
        objections("--- a/tests/test_a.py\n+++ b/tests/test_a.py\n@@ -1 +1,2 @@\n-assert f() == 2\n+assert f() == 3\n")
        == []
    )


def test_pauses_grow_and_spread() -> None:
    many = [pauses(seed) for seed in range(200)]
    assert all(0 < pause <= 61 for row in many for pause in row)
    means = [sum(row[number] for row in many) / 200 for number in range(3)]
    assert means == sorted(means)
    assert len({row[0] for row in many}) > 190
    assert pauses(1) == pauses(1)
