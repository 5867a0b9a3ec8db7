"""Wrong input ends with 2 before the engine's SDK is imported, and says everything in one report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from automation.exits import MEANING, Exit

ROOT = Path(__file__).resolve().parents[2]
GOOD = (ROOT / "Pulumi.dev.yaml").read_text()


def _run(project: Path, *words: str, code: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "automation"]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    env = {**kept, "PYTHONPATH": str(ROOT), "ECOSYSTEM_STATE": str(project / "state")}
    return subprocess.run(
        [*command, *words, "--project", str(project)],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: cloud-ecosystem\nruntime: {name: python}\n")
    return tmp_path


def test_all_problems_of_a_file_in_one_report(project: Path) -> None:
    wrong = GOOD.replace("monthly_usd: 2500", "monthly_usd: -1").replace("owner: platform-team", "ownr: platform-team")
    (project / "Pulumi.dev.yaml").write_text(wrong)
    ran = _run(project, "preview", "dev", "--offline", "--json")
    assert ran.returncode == Exit.WRONG_INPUT
    said = json.loads(ran.stdout)["error"]
    assert said["reason"] == "stack-file"
    for word in ("ownr", "owner", "monthly_usd"):
        assert word in said["sentence"]
    assert not (project / "state").exists(), "nothing was started"


def test_no_engine_and_no_cloud_sdk_is_imported(project: Path) -> None:
    (project / "Pulumi.dev.yaml").write_text(GOOD.replace("owner: platform-team", "ownr: platform-team"))
    code = (
        "import sys, atexit\n"
        "def tell():\n"
        "    heavy = sorted({m.split('.')[0] for m in sys.modules} & {'pulumi','pulumi_aws','pulumi_gcp','grpc',"
        "'qiskit','pulumi_azure_native','pulumi_kubernetes','pulumi_cloudflare','numpy','sandbox','highspy'})\n"
        "    print('HEAVY', heavy, file=sys.stderr)\n"
        "atexit.register(tell)\n"
        "from automation.cli import main\n"
        "main()\n"
    )
    ran = _run(project, "up", "dev", "--offline", code=code)
    assert ran.returncode == Exit.WRONG_INPUT
    assert "HEAVY []" in ran.stderr


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("preview", "nowhere", "--offline"), "Pulumi.nowhere.yaml does not exist"),
        (("preview", "x" * 300, "--offline"), "is no name of a stack"),
        (("preview", "../dev", "--offline"), "is no name of a stack"),
        (("preview", "dev", "--offline", "--real"), "exclude each other"),
        (("preview", "dev", "--offline", "--demand", "/no/such.csv"), "such.csv"),
        (("preview", "dev", "--offline", "--faults", "/no/such.yaml"), "such.yaml: cannot be read"),
        (("preview", "dev", "--real", "--faults", "/no/such.yaml"), "--faults is for stand-in clouds"),
        (("preview", "dev", "--offline", "--markdown", "/no/such/folder/report.md"), "/no/such/folder is no folder"),
        (("preview", "dev", "--offline", "--save-plan", "/"), "is a folder"),
        (("up", "dev", "--offline", "--parallel", "0"), "parallel"),
        (("preview", "dev", "--unknown"), "unknown"),
    ],
)
def test_wrong_options_and_files(project: Path, words: tuple[str, ...], hint: str) -> None:
    (project / "Pulumi.dev.yaml").write_text(GOOD)
    ran = _run(project, *words)
    assert ran.returncode == Exit.WRONG_INPUT
    assert hint in ran.stdout + ran.stderr


def test_a_missing_passphrase_is_wrong_input(project: Path) -> None:
    (project / "Pulumi.dev.yaml").write_text(
        GOOD + "  cloud-ecosystem:token: {secure: v1:a:b}\nencryptionsalt: v1:x:y\n"
    )
    ran = _run(project, "preview", "dev", "--real", "--json")
    assert ran.returncode == Exit.WRONG_INPUT
    assert json.loads(ran.stdout)["error"]["reason"] == "passphrase"


def test_the_table_of_exit_codes_is_whole_and_in_the_readme() -> None:
    assert set(MEANING) == set(Exit)
    assert [int(code) for code in Exit] == [0, 1, 2, 3, 4, 5]
    readme = (ROOT / "README.md").read_text()
    for code in Exit:
        assert f"| {int(code)} |" in readme
