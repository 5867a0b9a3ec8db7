"""The stage under the real engine: a small program through preview, up, drift, refresh, replacement and destroy."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.drift import plant
from sandbox.server import PROJECT, Sandbox
from sandbox.state import count_left
from toolchain.engine import locate

pytestmark = pytest.mark.engine

PROGRAM = """
import pulumi
import pulumi_aws as aws

config = pulumi.Config()
provider = aws.Provider("explicit", region="eu-west-1", allowed_account_ids=["123456789012"])
ours = pulumi.ResourceOptions(provider=provider)
ours = pulumi.ResourceOptions(provider=provider)
net = aws.ec2.Vpc("net", cidr_block="10.0.0.0/16", enable_dns_support=True, opts=ours)
group = aws.ec2.SecurityGroup("group", vpc_id=net.id, description=config.get("description") or "first", opts=ours)
hush = aws.kms.Key("hush", description=pulumi.Output.secret("canary-secret"), opts=ours)
ambient = aws.ec2.Vpc("ambient", cidr_block="10.1.0.0/16")
pulumi.export("arn", net.arn)
"""  # fmt: skip


class Stack:
    """A stack of its own folder, backend and stage."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder, self.sandbox = folder, sandbox
        self.work = folder / "work"
        self.work.mkdir()
        (folder / "backend").mkdir()
        runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": str(PROJECT / ".venv")}}
        (self.work / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "stage", "runtime": runtime}))
        (self.work / "__main__.py").write_text(PROGRAM)
        self("stack", "init", "test")
        self("config", "set", "aws:region", "us-east-1")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ, **self.sandbox.environment, "PULUMI_BACKEND_URL": f"file://{self.folder}/backend",
            "PULUMI_CONFIG_PASSPHRASE": "test", "PULUMI_HOME": str(self.folder / "home"),
            "PATH": f"{locate()}{os.pathsep}{os.environ['PATH']}",
        }  # fmt: skip
        command = ["pulumi", *words, "--non-interactive"]
        return subprocess.run(
            command, cwd=self.work, env=environment, capture_output=True, text=True, check=False, timeout=300
        )

    def __call__(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def state(self) -> dict[str, Any]:
        exported: dict[str, Any] = json.loads(self("stack", "export"))
        return {item["urn"].rpartition("::")[2]: item for item in exported["deployment"]["resources"]}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    running: list[Sandbox] = []

    def make(plan: dict[str, Any] | None = None) -> Stack:
        running.append(Sandbox(tmp_path / "clouds", plan).start())
        return Stack(tmp_path, running[-1])

    yield make
    for sandbox in running:
        sandbox.stop()


UP = ("up", "--yes", "--skip-preview", "--json")


def changes(text: str) -> dict[str, int]:
    """Read the counts of `--json` (one object, or the last event of a stream)."""
    for line in reversed(text.strip().splitlines()):
        if '"resourceChanges"' in line:
            return dict(json.loads(line)["summaryEvent"]["resourceChanges"])
    return dict(json.loads(text)["changeSummary"])


def test_a_life(stack: Callable[..., Stack]) -> None:
    made = stack()
    assert changes(made("preview", "--json"))["create"] == 6  # default providers are not counted
    assert count_left(made.sandbox.database) == 0
    made(*UP)
    state = made.state()
    providers = [item for item in state.values() if item["type"] == "pulumi:providers:aws"]
    assert [item["inputs"]["ecosystemSandbox"] for item in providers] == ["offline", "offline"]
    assert all(item["inputs"]["version"] for item in providers)
    assert "canary-secret" not in json.dumps(state)
    assert set(changes(made(*UP))) == {"same"}
    (planted,) = plant(made.sandbox.database, "aws:ec2/vpc:Vpc", state["net"]["id"])
    assert planted.path == "enableDnsSupport"
    assert changes(made("refresh", "--yes", "--skip-preview", "--json"))["update"] == 1
    assert changes(made(*UP))["update"] == 1
    before = state["group"]["id"]
    made("config", "set", "description", "second")
    assert changes(made(*UP))["replace"] == 1
    assert made.state()["group"]["id"] != before
    made("destroy", "--yes", "--skip-preview")
    assert count_left(made.sandbox.database) == 0


def test_created_but_not_live_is_in_the_state_and_heals(stack: Callable[..., Stack]) -> None:
    fault = {
        "do": "uninitialised",
        "times": 1,
        "match": {"type": "aws:ec2/vpc:Vpc", "urn": "*::net"},
        "message": "not live yet",
    }
    made = stack({"faults": [fault]})
    failed = made.run(*UP)
    assert failed.returncode != 0
    assert "not live yet" in failed.stdout + failed.stderr
    assert made.state()["net"]["id"].startswith("vpc-")
    made(*UP)
    assert count_left(made.sandbox.database) == 4


def test_a_wrong_account_is_refused_before_anything_is_made(stack: Callable[..., Stack]) -> None:
    made = stack({"accounts": {"aws": "999999999999"}})
    failed = made.run(*UP)
    assert failed.returncode != 0
    assert "AWS account ID not allowed: 999999999999" in failed.stdout + failed.stderr
