"""A state that exists already: a new minor version of Kubernetes, protection, and something taken in by import."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.loop.conftest import ROOT
from tests.loop.test_plain import STACK, checkout, pulumi  # noqa: F401  fixtures

pytestmark = [pytest.mark.engine, pytest.mark.slow]

Attached = tuple[Path, dict[str, str], Path]


class Hand:
    """Plain `pulumi` in a checkout of its own."""

    def __init__(self, place: Path, attached: Attached) -> None:
        self.place = place
        self.binary, self.environment, self.database = attached

    def run(self, *words: str, fails: bool = False) -> str:
        done = subprocess.run(
            [str(self.binary), *words, "-s", "plain", "--non-interactive"],
            cwd=self.place,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        told = done.stdout + done.stderr
        assert bool(done.returncode) is fails, f"pulumi {' '.join(words)}\n{told[-4000:]}"
        return told

    def wish(self, **changes: str) -> None:
        text = STACK
        for change in changes.values():
            old, new = change.split(" -> ")
            assert old in text, old
            text = text.replace(old, new)
        salt = [
            line for line in (self.place / "Pulumi.plain.yaml").read_text().splitlines() if "encryptionsalt" in line
        ]
        (self.place / "Pulumi.plain.yaml").write_text("\n".join([*salt, text]))

    def rename_nodes_subnet(self, *, alias: bool) -> None:
        """Change the program, in this checkout: the subnet of the nodes has another logical name."""
        components = self.place / "components"
        original = components.resolve() if components.is_symlink() else ROOT / "components"
        if components.is_symlink():
            components.unlink()
            shutil.copytree(original, components, ignore=shutil.ignore_patterns("__pycache__"))
        text = (original / "gcp" / "network.py").read_text()
        found = re.search(r'gcp\.compute\.Subnetwork\(\n +f"\{name\}-nodes",.*?opts=self\._child,', text, re.DOTALL)
        assert found, "the subnet of the nodes is not where this test looks for it"
        renamed = found[0].replace('f"{name}-nodes"', 'f"{name}-workers"')
        if alias:
            kept = 'pulumi.ResourceOptions(aliases=[pulumi.Alias(name=f"{name}-nodes")])'
            renamed = renamed.replace("opts=self._child", f"opts=pulumi.ResourceOptions.merge(self._child, {kept})")
        (components / "gcp" / "network.py").write_text(text.replace(found[0], renamed))

    def steps(self) -> dict[str, int]:
        done = subprocess.run(
            [str(self.binary), "preview", "-s", "plain", "--json", "--non-interactive", "--skip-plugin-pre-install"],
            cwd=self.place,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=900,
        )
        found: dict[str, int] = json.loads(done.stdout)["changeSummary"]
        return found

    def up(self) -> str:
        return self.run("up", "--yes", "--skip-preview", "--skip-plugin-pre-install")

    def urn(self, ending: str) -> str:
        state = json.loads(self.run("stack", "export"))
        return next(str(r["urn"]) for r in state["deployment"]["resources"] if r["urn"].endswith(ending))

    def resource(self, urn: str) -> dict[str, object]:
        state = json.loads(self.run("stack", "export"))
        found: dict[str, object] = next(r for r in state["deployment"]["resources"] if r["urn"] == urn)
        return found


@pytest.fixture
def hand(checkout: Path, pulumi: Attached) -> Hand:  # noqa: F811
    made = Hand(checkout, pulumi)
    subprocess.run(
        [str(made.binary), "stack", "init", "plain", "--non-interactive"],
        cwd=checkout,
        env=made.environment,
        check=True,
        capture_output=True,
        timeout=60,
    )
    return made


def test_a_deployed_stack_moves_on(hand: Hand) -> None:
    hand.up()

    # one minor version up: updates only, nothing is replaced, and then nothing is left to do
    newer = 'version: "1.34" -> version: "1.35"'
    hand.wish(version=newer)
    steps = hand.steps()
    assert set(steps) <= {"same", "update"}, steps
    assert steps["update"] >= 1
    hand.up()
    assert set(hand.steps()) == {"same"}

    # something that is in the cloud and not in the state is taken in, and the program has nothing to change about it
    urn = hand.urn("kubernetes:core/v1:ServiceAccount::gcp-europe-west1-platform-workload")
    known = hand.resource(urn)
    hand.run("state", "delete", urn, "--yes", "--force")
    provider = hand.urn("pulumi:providers:kubernetes::gcp-europe-west1-kubernetes")
    parent = hand.urn("ecosystem:kubernetes:ClusterBase::gcp-europe-west1")
    hand.run(
        "import", "kubernetes:core/v1:ServiceAccount", "gcp-europe-west1-platform-workload", str(known["id"]), "--yes",
        "--skip-preview",
        "--generate-code=false", "--protect=false", "--provider", f"cluster={provider}", "--parent", f"base={parent}",
    )  # fmt: skip
    assert hand.resource(urn)["id"] == known["id"]
    assert set(hand.steps()) == {"same"}

    # a resource that everything stands on gets another name in the program: its alias keeps it, and the cluster with it
    subnet = hand.resource(hand.urn("gcp:compute/subnetwork:Subnetwork::gcp-europe-west1-nodes"))
    hand.rename_nodes_subnet(alias=False)
    unwanted = hand.steps()
    assert {"create", "delete"} <= set(unwanted) or "replace" in unwanted, "without the alias it would be made anew"
    hand.rename_nodes_subnet(alias=True)
    assert set(hand.steps()) == {"same"}
    hand.up()
    assert hand.resource(hand.urn("gcp:compute/subnetwork:Subnetwork::gcp-europe-west1-workers"))["id"] == subnet["id"]
    assert set(hand.steps()) == {"same"}

    # protection: what holds data is refused by the engine
    hand.wish(version=newer, protect="availability_target: 0.99 -> availability_target: 0.99\n    protect: true")
    hand.up()
    assert "protected" in hand.run("destroy", "--yes", "--skip-preview", fails=True)
