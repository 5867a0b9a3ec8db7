"""One control plane for all tests of the port; every test has a namespace and a provider instance of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.client import Client
from sandbox.faults import Plan
from sandbox.kubernetes.api_server import ApiServers
from sandbox.kubernetes.backend import Backend
from sandbox.kubernetes.provider import Kubernetes
from sandbox.kubernetes.schema_only import SchemaOnly
from sandbox.provider import Provider
from sandbox.schema.store import SchemaStore
from sandbox.stage import Stage
from sandbox.state import Database
from tests.sandbox.kubernetes.port import Port
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


@contextmanager
def served(backend: Backend, database: Database) -> Iterator[str]:
    """Serve the kubernetes port alone, and give its address."""
    behaviour = Kubernetes(backend, database, SchemaStore("kubernetes"))
    stage = Stage(Plan())
    stage.use(database)
    server = grpc.server(ThreadPoolExecutor(16))
    servicer = Provider("kubernetes", behaviour, Client("kubernetes", database, stage))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield address
    server.stop(grace=1).wait()
    backend.close()


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
