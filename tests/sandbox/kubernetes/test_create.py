"""Create and its preview against the real API server."""

from __future__ import annotations

import base64
import json

import grpc
import pytest

from tests.sandbox.kubernetes.conftest import live
from tests.sandbox.kubernetes.objects import (
    CONFIG_MAP,
    DEPLOYMENT,
    NAMESPACE,
    POD,
    QUOTA,
    SECRET,
    deployment,
    named,
    pod,
)
from tests.sandbox.kubernetes.port import Port
from toolchain.cluster import ControlPlane

pytestmark = pytest.mark.cluster


def test_a_create_is_a_plain_post_with_hidden_outputs(port: Port, control_plane: ControlPlane, namespace: str) -> None:
    made = port.create(CONFIG_MAP, "settings", {"data": {"a": "b"}})

    name = made.inputs["metadata"]["name"]
    assert made.id == f"{namespace}/{name}"
    assert name.startswith("settings-")
    assert len(name) == len("settings-") + 8
    assert made.inputs["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    assert "namespace" not in made.inputs["metadata"]
    (field,) = live(control_plane, "configmap", name, namespace)["metadata"]["managedFields"]
    assert (field["manager"], field["operation"]) == ("pulumi-kubernetes", "Update")
    assert made.outputs["__inputs"] == made.inputs
    assert made.outputs["__initialApiVersion"] == "v1"
    assert made.outputs["__fieldManager"].startswith("pulumi-kubernetes-")
    assert made.outputs["metadata"]["uid"]
    assert not any(key.startswith("__") for key in made.inputs)


def test_a_secret_is_encoded(port: Port, control_plane: ControlPlane, namespace: str) -> None:
    made = port.create(SECRET, "s", named("s", stringData={"password": "x y"}))

    assert made.inputs["data"] == {"password": base64.b64encode(b"x y").decode()}
    assert "stringData" not in made.inputs
    assert live(control_plane, "secret", "s", namespace)["data"] == made.inputs["data"]


def test_cluster_scoped_ids_are_names(port: Port) -> None:
    made = port.create(NAMESPACE, "scoped", {})
    assert made.id == made.inputs["metadata"]["name"]
    port.remove(made)


def test_a_preview_shows_the_servers_defaults_and_makes_nothing(
    port: Port, control_plane: ControlPlane, namespace: str
) -> None:
    shown = port.dry(DEPLOYMENT, "d", deployment("d"))

    assert shown["spec"]["replicas"] == 1
    assert "status" not in shown
    assert shown["metadata"]["uid"]
    assert control_plane.kubectl("get", "deployments", f"--namespace={namespace}", "--output=name") == ""


def test_a_preview_passes_over_what_is_not_there_yet(port: Port) -> None:
    inputs = {"metadata": {"name": "x", "namespace": "not-yet"}, "data": {"a": "b"}}
    assert "uid" not in port.dry(CONFIG_MAP, "x", inputs)["metadata"]
    assert "uid" not in port.dry("kubernetes:not.yet/v1:Thing", "x", named("x"))["metadata"]
    assert "uid" not in port.dry(CONFIG_MAP, "x", named("kube-root-ca.crt", data={"a": "b"}))["metadata"]


def test_a_preview_passes_over_what_is_forbidden(port: Port, control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    assert "uid" not in port.dry(POD, "p", named("p", spec=pod(privileged=True)))["metadata"]
    with pytest.raises(grpc.RpcError, match="violates PodSecurity"):
        port.create(POD, "p", named("p", spec=pod(privileged=True)))


def test_unknown_inputs_are_not_judged(port: Port) -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    assert port.dry(CONFIG_MAP, "x", named("not a name", data=unknown))["data"] == unknown


@pytest.mark.parametrize(
    ("token", "inputs", "words"),
    [
        (CONFIG_MAP, named("Not_a_name"), "metadata.name"),
        (DEPLOYMENT, deployment("d", replicas="many"), "replicas"),
        (DEPLOYMENT, deployment("d", replica=3), 'unknown field "spec.replica"'),
        (QUOTA, named("q", spec={"hard": {"pods": "a few"}}), "quantities must match"),
    ],
)
def test_schema_errors_stop_preview_and_up(port: Port, token: str, inputs: dict[str, object], words: str) -> None:
    for attempt in (port.dry, port.create):
        with pytest.raises(grpc.RpcError, match="was not successfully created") as error:
            attempt(token, "wrong", inputs)
        assert words in error.value.details()
        assert error.value.code() is grpc.StatusCode.UNKNOWN


def test_what_exists_is_refused_with_hints(port: Port) -> None:
    port.create(CONFIG_MAP, "first", named("taken"))
    with pytest.raises(grpc.RpcError, match=r"already exists.*alias.*import.*upsertExistingObjects"):
        port.create(CONFIG_MAP, "second", named("taken"))
    upserting = port.sibling(upsertExistingObjects="true")
    made = upserting.create(CONFIG_MAP, "second", named("taken", data={"a": "b"}))
    upserting.close()
    assert made.outputs["data"] == {"a": "b"}


def test_unreachable_passes_a_preview_and_fails_the_rest(port: Port, kubeconfig: str, address: str) -> None:
    config = json.loads(kubeconfig)
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    lost = Port(address, {"kubeconfig": json.dumps(config)}, "default")
    made = port.create(CONFIG_MAP, "kept", {})

    assert lost.dry(CONFIG_MAP, "x", named("x"))["metadata"] == {"name": "x"}
    with pytest.raises(grpc.RpcError, match="unreachable"):
        lost.create(CONFIG_MAP, "x", named("x"))
    with pytest.raises(grpc.RpcError, match="unreachable"):
        lost.change(made, {"data": {"a": "b"}})
    for attempt in (lost.refresh, lost.remove):
        with pytest.raises(grpc.RpcError, match=r"unreachable.*PULUMI_K8S_DELETE_UNREACHABLE"):
            attempt(made)
    lost.close()
    dropping = lost.sibling(deleteUnreachable="true", skipUpdateUnreachable="true")
    assert dropping.refresh(made) is None
    dropping.remove(made)
    assert "data" not in dropping.change(made, {"data": {"a": "b"}}).outputs
    dropping.close()


def test_the_providers_namespace_goes_into_the_inputs(port: Port, namespace: str) -> None:
    other = port.sibling(namespace=namespace)
    assert other.check(CONFIG_MAP, "x", {})[0]["metadata"]["namespace"] == namespace
    assert "namespace" not in other.check(NAMESPACE, "x", {})[0]["metadata"]
    other.close()
