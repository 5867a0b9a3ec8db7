"""Refresh, import, waiting and delete against the real API server."""

from __future__ import annotations

import json

import grpc
import pytest

from sandbox.state import Database, list_left
from tests.sandbox.kubernetes.conftest import live
from tests.sandbox.kubernetes.objects import CONFIG_MAP, DEPLOYMENT, NAMESPACE, QUOTA, SECRET, deployment, named
from tests.sandbox.kubernetes.port import Port, half
from toolchain.cluster import ControlPlane

pytestmark = pytest.mark.cluster


def test_drift_in_a_field_of_the_program_is_found_and_put_back(
    port: Port, control_plane: ControlPlane, namespace: str
) -> None:
    wish = named("m", data={"a": "b"})
    made = port.create(CONFIG_MAP, "m", wish)
    assert port.refresh(made) is not None
    control_plane.kubectl(
        "patch", "configmap", "m", f"--namespace={namespace}", "--patch", '{"data": {"a": "drifted"}}'
    )
    control_plane.kubectl("label", "configmap", "m", f"--namespace={namespace}", "foreign=yes")

    seen = port.refresh(made)

    assert seen is not None
    assert seen.inputs == {**made.inputs, "data": {"a": "drifted"}}  # no trace of the foreign label
    assert seen.outputs["metadata"]["labels"] == {"foreign": "yes"}
    planned = port.planned(seen, wish)
    assert list(planned.detailedDiff) == ["data.a"]
    assert not port.planned(made, wish).detailedDiff


def test_what_is_gone_is_read_as_gone(port: Port, control_plane: ControlPlane, namespace: str) -> None:
    made = port.create(CONFIG_MAP, "m", named("m"))
    control_plane.kubectl("delete", "configmap", "m", f"--namespace={namespace}")
    assert port.refresh(made) is None
    assert port.imported("kubernetes:gone.example.org/v1:Thing", "x", f"{namespace}/x")[0] == ""
    port.remove(made)  # a 404 is success


def test_an_import_takes_the_live_object_as_inputs(port: Port, control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("create", "configmap", "theirs", "--from-literal=a=b", f"--namespace={namespace}")
    id_, inputs, outputs = port.imported(CONFIG_MAP, "adopted", "theirs")
    assert id_ == f"{namespace}/theirs"
    assert inputs == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "theirs", "namespace": namespace},
        "data": {"a": "b"},
    }
    assert outputs["metadata"]["uid"]


def test_a_secret_stays_secret_when_read(port: Port) -> None:
    made = port.create(SECRET, "s", named("s", stringData={"k": "v"}))
    seen = port.refresh(made)
    assert seen is not None
    assert seen.inputs == made.inputs


def test_a_quota_is_waited_for(port: Port) -> None:
    made = port.create(QUOTA, "q", named("q", spec={"hard": {"pods": "5", "requests.cpu": "1000m"}}))
    assert made.inputs["spec"]["hard"]["requests.cpu"] == "1"
    assert made.outputs["status"]["hard"] == {"pods": "5", "requests.cpu": "1"}
    assert not port.planned(made, named("q", spec={"hard": {"pods": "5", "requests.cpu": "1"}})).detailedDiff


def test_a_workload_that_never_lives_is_half_a_failure(port: Port) -> None:
    inputs = deployment("d")
    inputs["metadata"]["annotations"] = {"pulumi.com/timeoutSeconds": "1"}
    with pytest.raises(grpc.RpcError, match="timed out waiting to be Ready") as error:
        port.create(DEPLOYMENT, "d", inputs)
    failed = half(error.value)
    assert failed.id == f"{port.namespace}/d"
    assert "__fieldManager" in failed.properties.fields
    assert failed.inputs.fields["kind"].string_value == "Deployment"

    inputs["metadata"]["annotations"] = {}
    with pytest.raises(grpc.RpcError, match="timed out waiting to be Ready"):
        port.create(DEPLOYMENT, "e", {**inputs, "metadata": {"name": "e"}}, timeout=0.5)  # custom timeout


def test_a_delete_is_in_the_foreground_and_waits(port: Port, control_plane: ControlPlane, namespace: str) -> None:
    made = port.create(CONFIG_MAP, "owner", named("owner"))
    reference = {
        "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": made.outputs["metadata"]["uid"],
        "blockOwnerDeletion": True,
    }  # fmt: skip
    owned = {"metadata": {"name": "owned", "ownerReferences": [reference]}}
    port.create(CONFIG_MAP, "owned", owned)

    port.remove(made)

    left = control_plane.kubectl("get", "configmaps", f"--namespace={namespace}", "--output=name").split()
    assert left == ["configmap/kube-root-ca.crt"]


def test_a_delete_that_does_not_end_says_what_holds_it(port: Port, control_plane: ControlPlane, namespace: str) -> None:
    made = port.create(CONFIG_MAP, "held", {"metadata": {"name": "held", "finalizers": ["example.org/hold"]}})
    with pytest.raises(grpc.RpcError, match=r"not deleted in time.*example\.org/hold"):
        port.remove(made, timeout=0.5)
    control_plane.kubectl(
        "patch",
        "configmap",
        "held",
        f"--namespace={namespace}",
        "--type=merge",
        '--patch={"metadata":{"finalizers":[]}}',
    )
    port.remove(made)


def test_what_is_left_is_counted_without_the_servers_own(port: Port, database: Database) -> None:
    before = len(list_left(database.path))
    outer = port.create(NAMESPACE, "n", named("counted-left"))
    port.create(CONFIG_MAP, "m", {"metadata": {"name": "m", "namespace": "counted-left"}})
    assert len(list_left(database.path)) == before + 2
    port.remove(outer)
    assert len(list_left(database.path)) == before


def test_hidden_outputs_survive_json(port: Port, control_plane: ControlPlane, namespace: str) -> None:
    made = port.create(DEPLOYMENT, "d", deployment("d"))
    found = live(control_plane, "deployment", "d", namespace)
    assert json.loads(json.dumps(made.outputs))["spec"] == found["spec"]
