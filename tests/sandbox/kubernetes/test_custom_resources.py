"""Definitions of custom resources, and their objects, on the real API server."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml

from sandbox.kubernetes.live import LiveCluster
from tests.sandbox.kubernetes.objects import DEFINITION, definition, named
from tests.sandbox.kubernetes.port import Port
from toolchain.cluster import ControlPlane

pytestmark = pytest.mark.cluster
CRDS = Path(os.environ.get("SHARED", "../shared")) / "crds"


def test_a_definition_makes_its_kind_known(port: Port, namespace: str) -> None:
    token = "kubernetes:made.example.org/v1:Engine"
    owner = port.create(DEFINITION, "engines", definition("made.example.org", "Engine"))
    assert owner.id == "engines.made.example.org"

    made = port.create(token, "first", {"spec": {"size": 3}})
    assert made.id == f"{namespace}/{made.inputs['metadata']['name']}"
    assert port.change(made, {"spec": {"size": 4}}).outputs["spec"] == {"size": 4}

    for attempt in (port.dry, port.create):
        with pytest.raises(grpc.RpcError, match=r"was not successfully created.*spec\.mode.*fast"):
            attempt(token, "wrong", named("wrong", spec={"mode": "furious"}))
    dropped = port.create(token, "dropping", named("dropping", spec={"size": 1, "sise": 2}))
    assert dropped.outputs["spec"] == {"size": 1}

    wider = definition("made.example.org", "Engine")
    version = wider["spec"]["versions"][0]
    version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["mode"]["enum"].append("furious")
    port.change(owner, wider)
    assert port.dry(token, "wrong", named("right", spec={"mode": "furious"}))["spec"] == {"mode": "furious"}

    port.remove(owner)
    assert port.refresh(made) is None
    port.remove(made)


def test_a_kind_without_definition_passes_a_preview_and_fails_in_the_end(
    port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sum(LiveCluster.pauses) in range(60, 66)
    monkeypatch.setattr(LiveCluster, "pauses", (0.01, 0.01))
    token = "kubernetes:never.example.org/v1:Thing"
    assert port.dry(token, "t", named("t"))["metadata"] == {"name": "t"}
    with pytest.raises(grpc.RpcError, match=r"apiVersion for this resource does not exist.*CRDs") as error:
        port.create(token, "t", named("t"))
    assert "never.example.org/v1" in error.value.details()
    assert "urn:pulumi:" in error.value.details()


def test_a_definition_that_comes_late_is_waited_for(
    port: Port, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LiveCluster, "pauses", (0.2,) * 50)
    token = "kubernetes:late.example.org/v1:Guest"
    checked, _ = port.check(token, "g", named("g", spec={"size": 1}))
    other = port.sibling()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(port.create, token, "g", checked)
        other.create(DEFINITION, "guests", definition("late.example.org", "Guest"))
        assert coming.result(timeout=30).outputs["spec"] == {"size": 1}
    other.close()


@pytest.mark.slow
def test_every_definition_of_the_projects_is_accepted(port: Port) -> None:
    if not CRDS.is_dir() and os.environ.get("CI") != "true":
        pytest.skip(f"{CRDS} is not there: set SHARED")
    bodies = [
        body
        for path in sorted(CRDS.glob("**/*.yaml"))
        for body in yaml.load_all(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        if isinstance(body, dict) and body.get("kind") == "CustomResourceDefinition"
    ]

    def install(body: dict[str, Any]) -> bool:
        name = body["metadata"]["name"]
        return port.create(DEFINITION, name, {"metadata": body["metadata"], "spec": body["spec"]}).id == name

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(install, bodies)) == len(bodies) >= 154
