"""The backend without a server: objects live in the stage's database."""

from __future__ import annotations

import json

import grpc
import pytest

from tests.sandbox.kubernetes.conftest import LOCAL
from tests.sandbox.kubernetes.objects import CONFIG_MAP, DEFINITION, NAMESPACE, QUOTA, SECRET, definition, named
from tests.sandbox.kubernetes.port import Port


def test_an_object_lives_changes_and_goes(schema_port: Port) -> None:
    made = schema_port.create(CONFIG_MAP, "m", named("m", data={"a": "b"}))
    assert made.id == "default/m"
    assert made.outputs["__inputs"] == made.inputs
    assert made.outputs["__fieldManager"].startswith("pulumi-kubernetes-")
    changed = schema_port.change(made, named("m", data={"a": "c"}))
    assert changed.outputs["metadata"]["uid"] == made.outputs["metadata"]["uid"]
    seen = schema_port.refresh(changed)
    assert seen is not None
    assert seen.inputs == changed.inputs
    schema_port.remove(changed)
    assert schema_port.refresh(changed) is None
    schema_port.remove(changed)


def test_a_preview_makes_nothing_and_shows_no_status(schema_port: Port) -> None:
    shown = schema_port.dry(NAMESPACE, "n", named("n"))
    assert "status" not in shown
    assert shown["metadata"]["uid"]
    made = schema_port.create(NAMESPACE, "n", named("n"))
    assert made.outputs["status"] == {"phase": "Active"}


def test_a_namespace_must_exist_and_takes_its_objects_along(schema_port: Port) -> None:
    inside = {"metadata": {"name": "m", "namespace": "n"}}
    assert schema_port.dry(CONFIG_MAP, "m", inside)["metadata"] == inside["metadata"]
    with pytest.raises(grpc.RpcError, match='namespaces "n" not found'):
        schema_port.create(CONFIG_MAP, "m", inside)
    outer = schema_port.create(NAMESPACE, "n", named("n"))
    made = schema_port.create(CONFIG_MAP, "m", inside)
    schema_port.remove(outer)
    assert schema_port.refresh(made) is None


def test_a_second_one_of_a_name_is_refused(schema_port: Port) -> None:
    schema_port.create(CONFIG_MAP, "first", named("taken"))
    with pytest.raises(grpc.RpcError, match=r"already exists.*import"):
        schema_port.create(CONFIG_MAP, "second", named("taken"))
    assert schema_port.dry(CONFIG_MAP, "second", named("taken"))["metadata"] == {"name": "taken"}


def test_custom_resources_are_taken_on_trust(schema_port: Port) -> None:
    free = schema_port.create(
        "kubernetes:cert-manager.io/v1:Certificate", "c", named("c", spec={"any": [1, {"x": None}]})
    )
    assert free.id == "default/c"
    wide = schema_port.create("kubernetes:cert-manager.io/v1:ClusterIssuer", "i", named("i", spec={}))
    assert wide.id == "i"
    constraint = schema_port.create("kubernetes:constraints.gatekeeper.sh/v1beta1:K8sAny", "k", named("k"))
    assert constraint.id == "k"


def test_a_definition_tells_where_its_kind_lives_and_takes_its_objects_along(schema_port: Port) -> None:
    owner = schema_port.create(DEFINITION, "d", definition("example.org", "Wide", "Cluster"))
    made = schema_port.create("kubernetes:example.org/v1:Wide", "w", named("w", spec={"size": 1}))
    assert made.id == "w"
    schema_port.remove(owner)
    assert schema_port.refresh(made) is None


def test_a_patch_adds_to_what_others_made(schema_port: Port) -> None:
    schema_port.create(CONFIG_MAP, "m", named("m", data={"a": "b"}))
    patch = schema_port.create(f"{CONFIG_MAP}Patch", "p", named("m", data={"ours": "x"}))
    assert patch.outputs["data"] == {"a": "b", "ours": "x"}
    schema_port.remove(patch)
    assert schema_port.imported(CONFIG_MAP, "m", "default/m")[1]["data"] == {"a": "b", "ours": "x"}


def test_a_quota_has_its_status_and_secrets_their_form(schema_port: Port) -> None:
    quota = schema_port.create(QUOTA, "q", named("q", spec={"hard": {"pods": "5"}}))
    assert quota.outputs["status"] == {"hard": {"pods": "5"}}
    secret = schema_port.create(SECRET, "s", named("s", stringData={"k": "v"}))
    assert secret.outputs["data"] == {"k": "dg=="}


def test_an_address_that_no_cloud_gave_out_is_unreachable(schema_port: Port) -> None:
    config = json.loads(LOCAL)
    config["clusters"][0]["cluster"]["server"] = "https://nowhere.example.org"
    lost = schema_port.sibling(kubeconfig=json.dumps(config))
    assert lost.dry(CONFIG_MAP, "m", named("m"))["metadata"] == {"name": "m"}
    with pytest.raises(grpc.RpcError, match=r"unreachable.*no such host"):
        lost.create(CONFIG_MAP, "m", named("m"))
    lost.close()


def test_a_kubeconfig_that_does_not_parse_fails_the_provider(schema_port: Port) -> None:
    with pytest.raises(AssertionError, match="kubeconfig"):
        schema_port.sibling(kubeconfig="{")
