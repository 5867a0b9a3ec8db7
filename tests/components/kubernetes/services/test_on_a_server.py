"""Every object of every service, made on a real API server with the definitions of the charts, and removed again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from sandbox.kubernetes.api_server import ApiServers
from sandbox.kubernetes.releases import RELEASE
from sandbox.state import Database, count_left
from tests.components.kubernetes.services import planted as planted_here
from tests.components.kubernetes.services.built import ALL, build, needs_shared
from tests.components.mock_cloud import Cloud
from tests.sandbox.kubernetes.port import Port
from tests.sandbox.kubernetes.served import served
from tests.toolchain.plane import control_plane
from toolchain.cluster import ControlPlane

__all__ = ["control_plane"]
pytestmark = [pytest.mark.cluster, needs_shared]

MISTAKES: list[tuple[str, tuple[str | int, ...], Any]] = [
    ("PeerAuthentication", ("spec", "mtls", "mode"), "STRICKT"),
    ("AuthorizationPolicy", ("spec", "action"), "PERMIT"),
    ("DestinationRule", ("spec", "trafficPolicy", "outlierDetection", "maxEjectionPercent"), "half"),
    ("VirtualService", ("spec", "http", 0, "retries", "attempts"), "three"),
    ("Gateway", ("spec", "listeners", 0, "port"), 70000),
    ("Gateway", ("spec", "listeners", 0, "protocol"), "not a protocol"),
    ("Certificate", ("spec", "issuerRef"), None),
    ("ClusterIssuer", ("spec", "ca"), "authority"),
    ("ClusterSecretStore", ("spec", "provider", "aws", "service"), "S3"),
    ("ExternalSecret", ("spec", "target", "creationPolicy"), "Sometimes"),
    ("PodMonitor", ("spec", "podMetricsEndpoints", 0, "interval"), "half a minute"),
    ("ServiceMonitor", ("spec", "selector"), None),
    ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "for"), "soon"),
    ("Schedule", ("spec", "concurrencyPolicy"), "Maybe"),
    ("NetworkPolicy", ("spec", "policyTypes"), ["Sideways"]),
    ("ResourceQuota", ("spec", "hard", "pods"), "many"),
]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(tmp_path / "clouds.sqlite")
    yield found
    found.close()


@pytest.fixture
def port(control_plane: ControlPlane, tmp_path: Path, database: Database) -> Iterator[Port]:
    with served(ApiServers(tmp_path, database), database) as address:
        found = Port(address, {"kubeconfig": control_plane.kubeconfig.read_text(encoding="utf-8")}, "default")
        yield found
        found.close()


def whole(value: Any) -> Any:
    """Numbers as the engine sends them: what is whole is an integer."""
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def planted(inputs: dict[str, Any], path: tuple[str | int, ...], wrong: Any) -> dict[str, Any]:
    """The same object with one mistake."""
    changed = whole(inputs)
    place = changed
    for step in path[:-1]:
        place = place[step]
    if wrong is None:
        del place[path[-1]]
    else:
        place[path[-1]] = wrong
    changed["metadata"]["name"] = "planted"
    return changed


def test_everything_is_accepted_mistakes_are_not_and_nothing_is_left(
    port: Port, cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.kubernetes.live.LiveCluster.pauses", (0.5, 1, 2, 4))
    wished = [each for each in build(cloud, ALL).asked if each.typ.startswith("kubernetes:")]
    order = {"Namespace": 0, "CustomResourceDefinition": 1, "Release": 2}
    wished.sort(key=lambda each: order.get(each.typ.rpartition(":")[2], 3))
    made = [port.create(each.typ, each.name, whole(each.inputs)) for each in wished]
    assert sum(each.typ == RELEASE for each in wished) >= 10
    assert len(made) > 150

    for kind, path, wrong in [*MISTAKES, *planted_here.MISTAKES]:
        fitting = next(each for each in wished if each.typ.endswith(f":{kind}") and has(each.inputs, path))
        with pytest.raises(grpc.RpcError):
            port.dry(fitting.typ, "planted", planted(fitting.inputs, path, wrong))

    for one in reversed(made):
        port.remove(one)
    assert count_left(tmp_path / "clouds.sqlite") == 0


def has(value: Any, path: tuple[str | int, ...]) -> bool:
    """Whether an object has something at a path."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True
