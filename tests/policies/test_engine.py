"""The pack in the real engine: a good program passes, a bad one is refused, a broken pack fails the run by name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sandbox.server import Sandbox
from toolchain.engine import locate

PROJECT = Path(__file__).parents[2]
PROGRAM = """
import pulumi
import pulumi_aws as aws

class Home(pulumi.ComponentResource):
    def __init__(self):
        super().__init__("ecosystem:index:Home", "home", {})
        provider = aws.Provider("aws", region="eu-west-1", allowed_account_ids=["123456789012"],
                                opts=pulumi.ResourceOptions(parent=self))
        tags = {"environment": "prod", "owner": "platform-team", "cost-centre": "1000",
                "data-classification": "internal", "charter-version": "v1", "managed-by": "pulumi"}
        inside = pulumi.ResourceOptions(parent=self, provider=provider)
        aws.ec2.SecurityGroup("group", tags=tags, ingress=[aws.ec2.SecurityGroupIngressArgs(
            protocol="tcp", from_port=22, to_port=22, cidr_blocks=["SOURCE"])], opts=inside)
        self.register_outputs({})

Home()
"""
FACTS = {
    "production": True,
    "sandbox": True,
    "accounts": {"aws": ["123456789012"]},
    "regions": {"aws": ["eu-west-1"]},
    "commit": "0" * 40,
}

DECODES = "def plain(value: Any) -> Any:"

pytestmark = pytest.mark.engine


class Run:
    """A small program, previewed by the real engine against the stand-in cloud."""

    def __init__(self, folder: Path, providers: str) -> None:
        self.folder = folder
        runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": str(PROJECT / ".venv")}}
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "law", "runtime": runtime}))
        (folder / "state").mkdir()
        self.environment = {
            **os.environ,
            "PATH": f"{locate()}:{os.environ['PATH']}",
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_DEBUG_PROVIDERS": providers,
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        self._pulumi("stack", "init", "prod", timeout=60)

    def _pulumi(self, *words: str, timeout: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", *words, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def preview(
        self, source: str, facts: dict[str, object], pack: Path = PROJECT / "policies", program: str = PROGRAM
    ) -> tuple[int, str]:
        (self.folder / "__main__.py").write_text(program.replace("SOURCE", source))
        config = self.folder / "config.json"
        config.write_text(json.dumps(dict.fromkeys(("charter-mandatory", "charter-remediate"), facts)))
        done = self._pulumi(
            "preview", "-s", "prod", "--policy-pack", str(pack), "--policy-pack-config", str(config), timeout=180
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    (tmp_path / "program").mkdir()
    with Sandbox(tmp_path / "clouds") as sandbox:
        yield Run(tmp_path / "program", sandbox.debug_providers)


def test_a_good_program_passes_and_is_counted(run: Run) -> None:
    counts = run.folder / "counts.json"
    code, told = run.preview("10.0.0.0/8", {**FACTS, "counts_file": str(counts)})
    assert code == 0, told
    assert json.loads(counts.read_text())["by_rule"]["AWS-NET-03"] == 1


def test_a_bad_program_is_refused_with_rule_path_and_what_is_allowed(run: Run) -> None:
    code, told = run.preview("0.0.0.0/0", FACTS)
    assert code != 0
    assert "AWS-NET-03 ingress[0].cidrBlocks[0]: 0.0.0.0/0 reaches ports 22-22" in told


def test_what_can_be_put_right_is_put_right_and_shown_where_the_facts_let_it(run: Run) -> None:
    program = PROGRAM.replace('"managed-by": "pulumi"', '"team": "a"')
    code, told = run.preview("10.0.0.0/8", FACTS, program=program)
    assert code != 0
    assert "CH-08 tags.managed-by" in told
    code, told = run.preview("10.0.0.0/8", {**FACTS, "remediate": True}, program=program)
    assert code == 0, told
    assert "charter-remediate" in told
    assert "remediate" in told.lower()


def test_the_mark_of_the_sandbox_is_refused_elsewhere(run: Run) -> None:
    code, told = run.preview("10.0.0.0/8", {**FACTS, "sandbox": False})
    assert code != 0
    assert "CH-05 ecosystemSandbox" in told


def test_a_misspelt_fact_fails_the_run(run: Run) -> None:
    code, told = run.preview("10.0.0.0/8", {**FACTS, "prodution": True})
    assert code != 0
    assert "prodution" in told


@pytest.mark.parametrize(
    "broken", ["raise RuntimeError('broken pack')", "import sys; sys.exit(3)", "import os; os.kill(os.getpid(), 9)"]
)
def test_a_pack_that_dies_fails_the_run(run: Run, tmp_path: Path, broken: str) -> None:
    pack = copied(tmp_path)
    (pack / "__main__.py").write_text(broken + "\n")
    code, told = run.preview("10.0.0.0/8", FACTS, pack)
    assert code != 0
    assert "polic" in told


def test_a_pack_that_dies_midway_fails_the_run(run: Run, tmp_path: Path) -> None:
    pack = copied(tmp_path)
    source = pack / "charter" / "judge.py"
    source.write_text(source.read_text().replace("self.recorded[resource.urn] = resource", "__import__('os')._exit(9)"))
    code, told = run.preview("10.0.0.0/8", FACTS, pack)
    assert code != 0, told


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("patience.py", "LONGEST: Final = 120.0", "LONGEST: Final = 2.0", "exit code 70"),
        (
            "values.py",
            "def plain(value: Any) -> Any:",
            "def plain(value: Any) -> Any:\n    raise OSError('undecodable')\n",
            "polic",
        ),
    ],
    ids=["hangs", "cannot decode"],
)
def test_a_pack_that_hangs_or_cannot_decode_fails_the_run_by_name(
    run: Run, tmp_path: Path, file: str, old: str, new: str, says: str
) -> None:
    pack = copied(tmp_path)
    source = pack / "charter" / file
    assert old in source.read_text()
    source.write_text(source.read_text().replace(old, new))
    if file == "patience.py":
        judge = pack / "charter" / "judge.py"
        recorded = "self.recorded[resource.urn] = resource"
        assert recorded in judge.read_text()
        judge.write_text(judge.read_text().replace(recorded, "__import__('time').sleep(600)"))
    code, told = run.preview("10.0.0.0/8", FACTS, pack)
    assert code != 0
    assert says in told
    assert "polic" in told


def copied(folder: Path) -> Path:
    pack = folder / "pack"
    shutil.copytree(PROJECT / "policies", pack, ignore=shutil.ignore_patterns("__pycache__"))
    file = pack / "PulumiPolicy.yaml"
    file.write_text(file.read_text().replace("../.venv", str(PROJECT / ".venv")))
    return pack


def test_the_pack_starts_fast_enough_to_be_asked() -> None:
    """No clock: what makes a start slow is loading an SDK, and the pack loads none."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); import charter.pack; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code, str(PROJECT / "policies")], capture_output=True, text=True, check=True
    ).stdout.split()
    packages = ("pulumi_aws", "pulumi_gcp", "pulumi_azure_native", "pulumi_kubernetes", "pulumi_cloudflare", "networkx")
    assert not set(loaded) & set(packages)
