"""The real engine, the port and a real API server: a whole life of a cluster's ground."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import Sandbox
from toolchain.cluster import ControlPlane
from toolchain.engine import locate

pytestmark = [pytest.mark.cluster, pytest.mark.engine, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(__file__).parent / "program"


@dataclass
class Run:
    """The engine's command line with a backend and a stage of its own."""

    home: Path
    sandbox: Sandbox
    variables: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, ok: bool = True, **more: str) -> str:
        path = f"{locate()}{os.pathsep}{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
        environment = {
            "PATH": path, "HOME": str(self.home), "PULUMI_HOME": str(self.home / "pulumi"), "PYTHONPATH": str(ROOT),
            "PULUMI_BACKEND_URL": f"file://{self.home}", "PULUMI_CONFIG_PASSPHRASE": "only for this test",
            **self.sandbox.environment, **self.variables, **more,
        }  # fmt: skip
        done = subprocess.run(
            ["pulumi", *words, "--non-interactive", "--cwd", str(self.home / "program")],
            env=environment, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert (done.returncode == 0) is ok, done.stdout + done.stderr
        return done.stdout + done.stderr

    def steps(self, *words: str, **more: str) -> dict[str, int]:
        """Preview, and count the steps."""
        found = json.loads(self("preview", "--json", "--suppress-progress", *words, **more).partition("\nerror")[0])
        return dict(found["changeSummary"])

    def state(self) -> dict[str, Any]:
        """Export the state."""
        return dict(json.loads(self("stack", "export"))["deployment"])


@pytest.fixture
def run(tmp_path: Path, control_plane: ControlPlane) -> Iterator[Run]:
    (tmp_path / "program").mkdir()
    project = (PROGRAM / "Pulumi.yaml").read_text(encoding="utf-8")
    (tmp_path / "program" / "Pulumi.yaml").write_text(f"{project}main: {PROGRAM}\n", encoding="utf-8")
    with Sandbox(tmp_path / "stage", clusters="api-server") as sandbox:
        found = Run(tmp_path, sandbox, {"GROUND_KUBECONFIG": control_plane.kubeconfig.read_text(encoding="utf-8")})
        found("stack", "init", "test")
        yield found


def test_a_ground_lives(run: Run, control_plane: ControlPlane) -> None:
    planned = run.steps()
    run("up", "--yes", "--skip-preview")
    assert run.steps() == {"same": planned["create"]}
    assert "canary-4711" not in json.dumps(run.state())

    drift = ("--field-manager=kubectl", "--type=merge", '--patch={"spec":{"hard":{"pods":"7"}}}')
    control_plane.kubectl("patch", "quota", "tenant", "--namespace=ground", *drift)
    assert run.steps("--refresh")["update"] == 1
    run("refresh", "--yes", "--skip-preview")
    assert run.steps()["update"] == 1
    run("up", "--yes", "--skip-preview", GROUND_PODS="40")
    found = control_plane.kubectl("get", "quota", "tenant", "--namespace=ground", "--output=jsonpath={.spec.hard.pods}")
    assert found == "40"

    text = run("up", "--yes", "--skip-preview", ok=False, GROUND_PODS="40", GROUND_WRONG="Not_a_name")
    assert "was not successfully created" in text
    assert not run.state().get("pending_operations")
    assert "was not successfully created" in run("preview", ok=False, GROUND_PODS="40", GROUND_WRONG="Not_a_name")

    run("destroy", "--yes", "--skip-preview")
    assert run.sandbox.left() == 0
    assert "namespace/ground" not in control_plane.kubectl("get", "namespaces", "--output=name").split()
