"""One control plane for all tests of the port; every test has a namespace and a provider instance of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.kubernetes.api_server import ApiServers
from sandbox.kubernetes.schema_only import SchemaOnly
from sandbox.state import Database
from tests.sandbox.kubernetes.port import Port
from tests.sandbox.kubernetes.served import served
from tests.toolchain.plane import control_plane
from toolchain.cluster import ControlPlane

__all__ = ["control_plane"]

LOCAL = json.dumps(
    {
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    found = Database(tmp_path_factory.mktemp("state") / "clouds.sqlite")
    yield found
    found.close()


@pytest.fixture(scope="module")
def address(database: Database, control_plane: ControlPlane) -> Iterator[str]:
    with served(ApiServers(database.path.parent, database), database) as found:
        yield found


@pytest.fixture(scope="module")
def kubeconfig(control_plane: ControlPlane) -> str:
    return control_plane.kubeconfig.read_text(encoding="utf-8")


@pytest.fixture
def namespace(request: pytest.FixtureRequest, control_plane: ControlPlane) -> Iterator[str]:
    digits = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:6]
    name = f"{request.node.originalname[5:].replace('_', '-')[:50]}-{digits}"
    control_plane.kubectl("create", "namespace", name)
    yield name
    control_plane.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def port(address: str, kubeconfig: str, request: pytest.FixtureRequest) -> Iterator[Port]:
    """A provider instance whose default namespace is the test's own."""
    name = request.getfixturevalue("namespace")
    config = json.loads(kubeconfig)
    config["contexts"][0]["context"]["namespace"] = name
    found = Port(address, {"kubeconfig": json.dumps(config)}, name)
    yield found
    found.close()


@pytest.fixture
def schema_port(tmp_path: Path) -> Iterator[Port]:
    """The same port with the backend that needs no server."""
    database = Database(tmp_path / "clouds.sqlite")
    with served(SchemaOnly(database, "2026-11-21T00:00:00Z"), database) as address:
        found = Port(address, {"kubeconfig": LOCAL}, "default")
        yield found
        found.close()
    database.close()


def live(plane: ControlPlane, kind: str, name: str, namespace: str = "") -> dict[str, Any]:
    """Read an object past the port."""
    words = ["get", kind, name, "--output=json", "--show-managed-fields"]
    return dict(json.loads(plane.kubectl(*words, *([f"--namespace={namespace}"] if namespace else []))))
