"""The ground of every cluster, applied to a real API server through the kubernetes port."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from sandbox.kubernetes.api_server import ApiServers
from sandbox.state import Database
from stacks.model import Namespace
from tests.components.kubernetes.ground import base
from tests.components.mock_cloud import Cloud
from tests.sandbox.kubernetes.objects import POD, SERVICE, named, pod
from tests.sandbox.kubernetes.port import Port
from tests.sandbox.kubernetes.served import served
from tests.toolchain.plane import control_plane
from toolchain.cluster import ControlPlane

__all__ = ["control_plane"]
pytestmark = pytest.mark.cluster

RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@pytest.fixture
def port(control_plane: ControlPlane, tmp_path: Any) -> Iterator[Port]:
    database = Database(tmp_path / "clouds.sqlite")
    with served(ApiServers(tmp_path, database), database) as address:
        found = Port(address, {"kubeconfig": control_plane.kubeconfig.read_text(encoding="utf-8")}, "default")
        yield found
        found.close()
    database.close()


@pytest.fixture
def ground(port: Port, cloud: Cloud) -> Iterator[str]:
    """Everything the component declares, made in its order; nothing is refused."""
    wished = base(cloud, version="1.36", tenant=Namespace(pods=2))
    made = [
        port.create(asked.typ, asked.name, asked.inputs)
        for asked in wished.asked
        if asked.typ.startswith("kubernetes:")
    ]
    assert len(made) == 6
    yield "tenant"
    for one in reversed(made):
        port.remove(one)


def inside(name: str, namespace: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, "annotations": {"pulumi.com/skipAwait": "true"}}, **more}


def test_the_namespace_holds_what_it_promises(port: Port, ground: str, control_plane: ControlPlane) -> None:
    for security in ({"privileged": True}, {"runAsUser": 0}, {}):
        with pytest.raises(grpc.RpcError, match="violates PodSecurity"):
            port.create(POD, "bad", inside("bad", ground, spec=pod(**security)))

    for name in ("one", "two"):
        made = port.create(POD, name, inside(name, ground, spec=pod(**RESTRICTED)))
        (container,) = made.outputs["spec"]["containers"]
        assert container["resources"]["limits"]["cpu"] == "500m"  # the limit range filled it in
        assert container["resources"]["requests"]["memory"] == "128Mi"
    with pytest.raises(grpc.RpcError, match=r"exceeded quota: tenant.*pods=2"):
        port.create(POD, "three", inside("three", ground, spec=pod(**RESTRICTED)))

    spec = {"type": "LoadBalancer", "ports": [{"port": 80}]}
    for number in range(5):
        port.create(SERVICE, f"open-{number}", inside(f"open-{number}", ground, spec=spec))
    with pytest.raises(grpc.RpcError, match=r"exceeded quota: tenant.*services.loadbalancers=5"):
        port.create(SERVICE, "open-6", inside("open-6", ground, spec=spec))

    policies = control_plane.kubectl("get", "networkpolicies", f"--namespace={ground}", "--output=name").split()
    assert {name.rpartition("/")[2] for name in policies} == {"default-deny", "allow-dns"}


def test_a_misspelt_property_is_refused_in_preview(port: Port, cloud: Cloud) -> None:
    wished = base(cloud)
    (limits,) = (asked for asked in wished.asked if asked.typ == "kubernetes:core/v1:LimitRange")
    planted = {**limits.inputs, "metadata": {"name": "planted", "namespace": "default"}}
    assert port.dry(limits.typ, "planted", planted)["spec"]
    planted["spec"] = {"limits": [{**limits.inputs["spec"]["limits"][0], "defaultRequests": {"cpu": "1"}}]}
    with pytest.raises(grpc.RpcError, match=r'unknown field "spec\.limits\[0\]\.defaultRequests"'):
        port.dry(limits.typ, "planted", planted)


def test_nothing_changes_when_nothing_changed(port: Port, cloud: Cloud) -> None:
    for asked in base(cloud, version="1.36", calm=Namespace()).asked:
        if asked.typ.startswith("kubernetes:"):
            made = port.create(asked.typ, asked.name, asked.inputs)
            seen = port.refresh(made)
            assert seen is not None
            assert seen.inputs == made.inputs, asked.name
            assert not port.planned(made, asked.inputs).detailedDiff, asked.name
            assert not port.planned(seen, asked.inputs).detailedDiff, asked.name
    port.remove(port.create("kubernetes:core/v1:ConfigMap", "m", named("m")))
