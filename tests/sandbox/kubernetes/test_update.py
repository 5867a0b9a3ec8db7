"""Update and its preview against the real API server."""

from __future__ import annotations

import grpc
import pytest

from tests.sandbox.kubernetes.conftest import live
from tests.sandbox.kubernetes.objects import CONFIG_MAP, DEPLOYMENT, SERVICE, deployment, named
from tests.sandbox.kubernetes.port import Port, half
from toolchain.cluster import ControlPlane

pytestmark = pytest.mark.cluster


def test_an_update_hands_the_fields_over_and_applies(port: Port, control_plane: ControlPlane, namespace: str) -> None:
    made = port.create(CONFIG_MAP, "m", named("m", data={"a": "1", "dropped": "x"}))
    changed = port.change(made, named("m", data={"a": "2"}))

    found = live(control_plane, "configmap", "m", namespace)
    assert found["data"] == {"a": "2"}  # what the program dropped is gone
    (field,) = found["metadata"]["managedFields"]
    assert (field["manager"], field["operation"]) == (made.outputs["__fieldManager"], "Apply")
    assert changed.outputs["__fieldManager"] == made.outputs["__fieldManager"]
    assert changed.outputs["__initialApiVersion"] == "v1"


def test_a_preview_of_an_update_changes_nothing(port: Port, control_plane: ControlPlane, namespace: str) -> None:
    made = port.create(DEPLOYMENT, "d", deployment("d"))
    shown = port.change(made, deployment("d", replicas=3), preview=True)

    assert shown.outputs["spec"]["replicas"] == 3
    assert shown.outputs["metadata"]["generation"] == 2
    found = live(control_plane, "deployment", "d", namespace)
    assert found["spec"]["replicas"] == 1
    assert [field["manager"] for field in found["metadata"]["managedFields"]] == ["pulumi-kubernetes"]


def test_a_conflict_names_both_managers_and_the_path(port: Port, control_plane: ControlPlane, namespace: str) -> None:
    made = port.change(port.create(DEPLOYMENT, "d", deployment("d", replicas=2)), deployment("d", "app:2", replicas=2))
    control_plane.kubectl("scale", "deployment/d", "--replicas=5", f"--namespace={namespace}")

    wish = deployment("d", "app:3", replicas=2)
    for _ in range(2):  # until the field is released, ignored or forced
        with pytest.raises(grpc.RpcError) as error:
            port.change(made, wish)
        failed = half(error.value)
        (reason,) = failed.reasons
        for words in ("conflict detected", made.outputs["__fieldManager"], '"kubectl"', '"scale"', ".spec.replicas"):
            assert words in reason
        assert failed.id == made.id
    with pytest.raises(grpc.RpcError, match="conflict detected"):
        port.change(made, wish, preview=True)

    forced = {**wish, "metadata": {**wish["metadata"]}}
    forced["metadata"]["annotations"] = {**wish["metadata"]["annotations"], "pulumi.com/patchForce": "true"}
    assert port.change(made, forced).outputs["spec"]["replicas"] == 2


def test_before_the_first_update_a_preview_cannot_show_the_conflict(
    port: Port, control_plane: ControlPlane, namespace: str
) -> None:
    made = port.create(DEPLOYMENT, "d", deployment("d", replicas=2))
    control_plane.kubectl("scale", "deployment/d", "--replicas=5", f"--namespace={namespace}")
    assert port.change(made, deployment("d", replicas=3), preview=True).outputs["spec"]["replicas"] == 3
    with pytest.raises(grpc.RpcError, match="conflict detected"):
        port.change(made, deployment("d", replicas=3))


def test_ignored_fields_of_others_are_left_out(port: Port, control_plane: ControlPlane, namespace: str) -> None:
    made = port.create(DEPLOYMENT, "d", deployment("d", replicas=2))
    control_plane.kubectl("scale", "deployment/d", "--replicas=5", f"--namespace={namespace}")

    changed = port.change(made, deployment("d", "app:2", replicas=2), ignore=("spec.replicas",))

    assert changed.outputs["spec"]["replicas"] == 5
    assert changed.outputs["spec"]["template"]["spec"]["containers"][0]["image"] == "app:2"


def test_an_immutable_field_outside_the_table_fails_at_the_server(port: Port) -> None:
    inputs = named("s", spec={"ports": [{"port": 80}], "ipFamilies": ["IPv4"]})
    made = port.create(SERVICE, "s", inputs)
    wish = named("s", spec={"ports": [{"port": 80}], "ipFamilies": ["IPv6"]})
    assert not port.planned(made, wish).replaces
    with pytest.raises(grpc.RpcError, match="ipFamilies"):
        port.change(made, wish, preview=True)
    with pytest.raises(grpc.RpcError, match="failed to fully initialize or become live") as error:
        port.change(made, wish)
    assert half(error.value).reasons


def test_an_object_that_somebody_deleted_is_not_updated(
    port: Port, control_plane: ControlPlane, namespace: str
) -> None:
    made = port.create(CONFIG_MAP, "m", named("m"))
    control_plane.kubectl("delete", "configmap", "m", f"--namespace={namespace}")
    with pytest.raises(grpc.RpcError, match="somebody deleted it"):
        port.change(made, named("m", data={"a": "b"}))


def test_a_patch_adds_fields_and_gives_them_up(port: Port, control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("create", "configmap", "theirs", "--from-literal=a=b", f"--namespace={namespace}")
    made = port.create(f"{CONFIG_MAP}Patch", "p", named("theirs", data={"ours": "x"}))
    assert live(control_plane, "configmap", "theirs", namespace)["data"] == {"a": "b", "ours": "x"}
    with pytest.raises(grpc.RpcError, match="conflict"):
        port.create(f"{CONFIG_MAP}Patch", "q", named("theirs", data={"a": "c"}))

    port.remove(made)
    assert live(control_plane, "configmap", "theirs", namespace)["data"] == {"a": "b"}
