"""Plain `pulumi`, without the wrapper: the stand-in clouds are attached by hand, as the README shows."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sandbox.server import Sandbox
from sandbox.state import list_left
from tests.loop.conftest import KEPT, ROOT
from toolchain.engine import locate

pytestmark = [pytest.mark.engine, pytest.mark.slow]

STACK = """
config:
  cloud-ecosystem:stack:
    environment: plain
    owner: platform-team
    cost_centre: "1000"
    data_classification: internal
    addresses: {block: 10.0.0.0/8}
    availability_target: 0.99
    budget: {monthly_usd: 900, receivers: [platform@example.org]}
    prices: {as_of: "2026-11-21"}
    clouds:
      gcp: {project: example-plain, regions: {europe-west1: {zones: 1}}}
    clusters:
      defaults: {version: "1.34"}
      pools:
        system: {purpose: system, min: 1, max: 3, slots: 1}
        general: {min: 1, max: 5, slots: 1}
    workloads: [{name: web, cpu: 250m, memory: 256Mi, replicas: 2, pools: [general]}]
    sizing: {quality: fast}
  pulumi:disable-default-providers: [aws, gcp, azure-native, cloudflare, kubernetes, pulumi-python]
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The project as somebody else checked it out: plain `pulumi stack init` may write into it."""
    place = tmp_path / "checkout"
    place.mkdir()
    for name in ("__main__.py", "stacks", "sizing", "components", "demand"):
        (place / name).symlink_to(ROOT / name)
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    assert project["runtime"]["options"]["virtualenv"] == ".venv"
    (place / ".venv").symlink_to(ROOT / ".venv")
    shutil.copy(ROOT / "Pulumi.yaml", place)
    (place / "Pulumi.plain.yaml").write_text(STACK)
    return place


@pytest.fixture
def pulumi(checkout: Path, tmp_path: Path) -> Iterator[tuple[Path, dict[str, str], Path]]:
    """The engine's path, an environment with the clouds attached, and the clouds' database."""
    with Sandbox(tmp_path / "clouds") as clouds:
        (tmp_path / "backend").mkdir()
        environment = {name: os.environ[name] for name in KEPT if name in os.environ} | {
            "PATH": f"{locate()}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": str(tmp_path / "home"),
            "PULUMI_BACKEND_URL": f"file://{tmp_path / 'backend'}",
            "PULUMI_CONFIG_PASSPHRASE": "plain",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DEBUG_PROVIDERS": clouds.debug_providers,
        }
        yield locate() / "pulumi", environment, clouds.database


def test_the_loop_turns_without_the_wrapper(checkout: Path, pulumi: tuple[Path, dict[str, str], Path]) -> None:
    binary, environment, database = pulumi

    def run(*words: str) -> str:
        done = subprocess.run(
            [str(binary), *words, "--non-interactive"],
            cwd=checkout,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        assert done.returncode == 0, f"pulumi {' '.join(words)}\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
        return done.stdout + done.stderr

    run("stack", "init", "plain")
    assert "to create" in run("preview", "-s", "plain", "--skip-plugin-pre-install")
    assert "created" in run("up", "-s", "plain", "--yes", "--skip-preview", "--skip-plugin-pre-install")
    again = run("preview", "-s", "plain", "--expect-no-changes", "--skip-plugin-pre-install")
    assert "unchanged" in again
    assert "Traceback" not in again
    run("refresh", "-s", "plain", "--yes", "--skip-preview", "--expect-no-changes", "--skip-plugin-pre-install")
    run("destroy", "-s", "plain", "--yes", "--skip-preview", "--skip-plugin-pre-install")
    left = {typ for typ, _, _ in list_left(database)}
    assert left <= {"gcp:kms/keyRing:KeyRing"}  # Google keeps key rings for ever
