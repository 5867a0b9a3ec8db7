"""What is wrong in a checkout is found, file by file; what could not be looked at is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from automation.exits import Ending
from automation.integrity import configuration, secrets, structure
from automation.integrity.configuration import judge
from automation.signing import envelope, keys

ROOT = Path(__file__).resolve().parents[3]
HASH = "0" * 64


def test_this_checkout_is_whole() -> None:
    assert structure.structure(ROOT).problems == []
    assert structure.locks(ROOT).problems == []
    assert structure.honesty(ROOT).problems == []
    assert secrets.credentials(ROOT / "config/credentials.yaml").problems == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"a==1 \\\n    --hash=sha256:{HASH}\nb==2\n", "b has no hash"),
        (f"a>=1 \\\n    --hash=sha256:{HASH}\n", "not pinned"),
        (f"--index-url https://example.org/simple\na==1 \\\n    --hash=sha256:{HASH}\n", "where packages come from"),
        (f"a==1 \\\n    --hash=md5:{HASH}\n", "a has no hash"),
        ("a @ https://example.org/a.whl\n", "not pinned"),
    ],
)
def test_locks(tmp_path: Path, line: str, found: str) -> None:
    (tmp_path / "requirements.txt").write_text(line)
    assert any(found in problem for problem in structure.locks(tmp_path).problems)


def test_what_is_asked_for_is_locked(tmp_path: Path) -> None:
    (tmp_path / "requirements.in").write_text("# why\nNumpy\nsci_py>=1\n")
    (tmp_path / "requirements.txt").write_text(f"numpy==2 \\\n    --hash=sha256:{HASH}\n")
    (tmp_path / "toolchain/x").mkdir(parents=True)
    (tmp_path / "toolchain/x/go.mod").write_text("module x\n")
    found = structure.locks(tmp_path).problems
    assert any("sci_py is not in requirements.txt" in problem for problem in found)
    assert not any("Numpy" in problem for problem in found)
    assert any("go.sum" in problem for problem in found)


@pytest.mark.parametrize(
    "code",
    [
        "import unittest.mock",
        "from unittest import mock",
        "def f():\n    from unittest.mock import Mock",
        "import moto",
        "from sandbox.server import Sandbox",
        "from tests.components.mock_cloud import Cloud",
        "from charter.mocked import judged",
        "import charter.mocked",
        "import importlib\nimportlib.import_module('unittest.mock')",
        "__import__('sandbox.state')",
        "from stacks import fake_loader",
        "import aws_stubs",
        "def broken(:",
    ],
)
def test_production_code_imports_no_stand_in(tmp_path: Path, code: str) -> None:
    (tmp_path / "components").mkdir()
    (tmp_path / "components/network.py").write_text(code + "\n")
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox/cloud.py").write_text("import unittest.mock\n")  # not production
    (problem,) = structure.honesty(tmp_path).problems
    assert problem.startswith("components/network.py")


def test_honest_code(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/a.py").write_text(
        "import json\nfrom stacks.model import Stack  # no mock here\nx = 'unittest.mock'\n"
    )
    assert structure.honesty(tmp_path).problems == []


@pytest.mark.parametrize(
    "text",
    [
        "credentials:\n  aws: {kind: env, reference: AKIA" + "ABCDEFGHIJKLMNOP}\n",
        "credentials:\n  aws: {kind: env, reference: hunter2}\n",
        "credentials:\n  aws: {kind: vault, reference: hunter2, value: hunter2}\n",
        "credentials:\n  aws: {value: hunter2}\n",
        "credentials:\n  aws: hunter2\n",
        "aws: hunter2\n",
        "credentials:\n  gh: {kind: file, reference: ghp_" + "a" * 36 + "}\n",
        "credentials: [hunter2\n",
    ],
)
def test_a_raw_key_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    file = tmp_path / "credentials.yaml"
    file.write_text(text)
    problems = secrets.credentials(file).problems
    assert problems
    assert "hunter2" not in " ".join(problems)
    assert "ABCDEFGHIJKLMNOP" not in " ".join(problems)
    assert judge(file, tmp_path).problems == problems


def test_secrets_in_the_tree(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    token = "ghp_" + "Ab1" * 12
    (tmp_path / ".gitignore").write_text("ignored.txt\n")
    (tmp_path / "ignored.txt").write_text(token)
    (tmp_path / "notes.md").write_text(f"one\n\nuse {token} here\n")
    (tmp_path / "it's a name\n.md").write_text("-----BEGIN RSA PRIVATE KEY-----\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/x.py").write_text(token)
    found = secrets.tree(tmp_path)
    assert len(found.problems) == 2
    assert any(problem.startswith("notes.md:3: a GitHub token") for problem in found.problems)
    assert token not in " ".join(found.problems)
    assert "1 examples" in found.unchecked[0]


def test_a_private_key_file_of_ours_is_found(tmp_path: Path) -> None:
    keys.generate("ada", datetime.now(UTC)).save(tmp_path / "key.json")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    assert len(secrets.tree(tmp_path).problems) == 1


def test_other_files_are_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: 1\n")
    for name in ("x.yaml", "nothing.yaml"):
        with pytest.raises(Ending) as caught:
            judge(tmp_path / name, tmp_path)
        assert caught.value.code == 2
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    assert judge(tmp_path / "Pulumi.dev.yaml", tmp_path).problems


def test_the_report_is_dated_signed_and_honest(tmp_path: Path) -> None:
    own = keys.generate("ada", datetime.now(UTC))
    own.save(tmp_path / "ada.key")
    out = tmp_path / "report.json"
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "automation", "verify-config-integrity", "config/credentials.yaml"),
            *("--out", str(out), "--key", str(tmp_path / "ada.key")),
        ],
        cwd=ROOT,
        env={**os.environ, "ECOSYSTEM_STATE": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    signed = envelope.read(out)
    assert (
        own.public.verify(
            signed.message(own.public.key_id, "ada", "author", signed.signatures[0].at),
            signed.signatures[0].ed25519,
            signed.signatures[0].ml_dsa_65,
        )
        == []
    )
    assert json.loads(out.read_text())["payload"]["ok"] is True


def test_a_decision_about_drift_has_an_end(tmp_path: Path) -> None:
    file = tmp_path / "config" / "drift.yaml"
    file.parent.mkdir()
    entry = "{{stack: dev, urn: 'urn:pulumi:dev::p::t::n', until: {}, reason: a test}}"
    file.write_text(f"ignored: [{entry.format('2999-01-01')}]\n")
    assert configuration.judge(file, tmp_path).problems == []
    file.write_text(f"ignored: [{entry.format('2020-01-01')}]\n")
    assert "its time was over" in configuration.judge(file, tmp_path).problems[0]
    file.write_text("ignored: [{}]\n")
    assert configuration.judge(file, tmp_path).problems
