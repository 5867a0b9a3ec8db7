"""Helm releases at the port: the record, what a chart defines, another revision, and nothing left."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import grpc
import pytest

from sandbox.kubernetes.chart_definitions import BRINGS
from sandbox.kubernetes.releases import RELEASE
from tests.sandbox.kubernetes.objects import NAMESPACE, named
from tests.sandbox.kubernetes.port import Port

SHARED = Path(os.environ.get("SHARED", "../shared"))
ISSUER = "kubernetes:cert-manager.io/v1:ClusterIssuer"
needs_shared = pytest.mark.skipif(
    not (SHARED / "crds").exists() and os.environ.get("CI") != "true", reason=f"{SHARED}/crds is not there"
)


def release(namespace: str, **changes: Any) -> dict[str, Any]:
    values = {"crds": {"enabled": True}, **changes.pop("values", {})}
    return {
        "chart": "oci://quay.io/jetstack/charts/cert-manager",
        "version": "v1.21.1",
        "name": "cert-manager",
        "namespace": namespace,
        "values": values,
        **changes,
    }


def test_a_release_lives_is_upgraded_and_goes(schema_port: Port) -> None:
    schema_port.create(NAMESPACE, "r1", named("r1"))
    made = schema_port.create(RELEASE, "cert-manager", release("r1"))
    assert made.id == "r1/cert-manager"
    assert made.outputs["status"]["revision"] == 1
    changed = schema_port.change(made, release("r1", values={"replicaCount": 2}))
    assert changed.outputs["status"]["revision"] == 2
    seen = schema_port.refresh(changed)
    assert seen is not None
    assert seen.inputs == changed.inputs
    schema_port.remove(changed)
    assert schema_port.refresh(changed) is None
    schema_port.remove(changed)


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ({"version": "1.0.0"}, "chart"),
        ({"chart": "x", "name": "n" * 54}, "limit of 53"),
        ({"chart": "oci://x/y", "repositoryOpts": {"repo": "https://x"}}, "no repository of its own"),
        ({"chart": "x", "vallues": {}}, "vallues"),
    ],
)
def test_what_helm_would_refuse_is_refused(schema_port: Port, inputs: dict[str, Any], text: str) -> None:
    _, failures = schema_port.check(RELEASE, "x", inputs)
    assert any(text in f"{failure}" for failure in failures), failures


def test_a_release_needs_its_namespace(schema_port: Port) -> None:
    with pytest.raises(grpc.RpcError, match=r"failed to install.*not found"):
        schema_port.create(RELEASE, "x", release("nowhere"))


@needs_shared
def test_every_folder_of_definitions_is_there() -> None:
    assert {folder for folder, _, _ in BRINGS.values()} <= {path.name for path in (SHARED / "crds").iterdir()}


@needs_shared
@pytest.mark.cluster
def test_a_real_server_serves_what_the_chart_defines_until_it_goes(port: Port, namespace: str) -> None:
    issuer = {"metadata": {"name": "own"}, "spec": {"selfSigned": {}}}
    made = port.create(RELEASE, "cert-manager", release(namespace))
    kept = port.create(ISSUER, "own", issuer)
    with pytest.raises(grpc.RpcError, match=r"spec\.acme\.server"):
        port.create(
            ISSUER, "wrong", {"metadata": {"name": "wrong"}, "spec": {"acme": {"privateKeySecretRef": {"name": "x"}}}}
        )
    port.remove(made)
    assert port.refresh(kept) is None
    assert port.refresh(made) is None


@needs_shared
@pytest.mark.cluster
def test_without_its_switch_a_chart_defines_nothing(
    port: Port, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.kubernetes.live.LiveCluster.pauses", ())
    made = port.create(RELEASE, "cert-manager", release(namespace, values={"crds": {"enabled": False}}))
    with pytest.raises(grpc.RpcError, match="required CRDs"):
        port.create(ISSUER, "own", {"metadata": {"name": "own"}, "spec": {"selfSigned": {}}})
    port.remove(made)
