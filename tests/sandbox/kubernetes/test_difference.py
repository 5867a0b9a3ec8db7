"""The replacement table, delete-before-replace and the paths of a diff."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.kubernetes.difference import difference, property_path
from sandbox.kubernetes.kinds import POD_KEEPS, REPLACES
from sandbox.kubernetes.options import Options
from sandbox.wire import show
from tests.sandbox.kubernetes.objects import CONFIG_MAP, DEPLOYMENT, deployment, named
from tests.sandbox.kubernetes.port import Port

API = {
    "Deployment": "apps/v1", "DaemonSet": "apps/v1", "StatefulSet": "apps/v1", "Job": "batch/v1", "Service": "v1",
    "ResourceQuota": "v1", "RoleBinding": "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/v1", "StorageClass": "storage.k8s.io/v1",
    "PersistentVolumeClaim": "v1", "PersistentVolume": "v1", "Pod": "v1", "Secret": "v1", "ConfigMap": "v1",
}  # fmt: skip


def whole(kind: str, path: str, value: Any, api: str = "", **meta: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"apiVersion": api or API[kind], "kind": kind, "metadata": {"name": "x", **meta}}
    place = found
    *parents, last = path.split(".")
    for part in parents:
        place = place.setdefault(part, {})
    place[last] = value
    return found


ROWS = [(kind, path) for kind, paths in REPLACES.items() for path in paths] + [
    *((kind, path) for kind in API for path in ("metadata.name", "metadata.namespace")),
    ("Secret", "type"), ("Secret", "data"), ("Secret", "stringData"), ("ConfigMap", "data"),
    ("ConfigMap", "binaryData"),
    ("Pod", "spec.containers"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "path"), ROWS)
def test_a_path_of_the_table_replaces(kind: str, path: str) -> None:
    found = difference(whole(kind, path, "old"), whole(kind, path, "new"), (), Options())
    assert {show(path) for path in found.replaces} == {path}


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Deployment", "spec.replicas"), ("Service", "spec.ports"), ("ResourceQuota", "spec.hard"), ("Pod", "spec"),
        ("Secret", "metadata.labels"), ("Role", "rules"), ("Job", "spec.backoffLimit"),
    ],
)  # fmt: skip
def test_anything_else_is_an_update(kind: str, path: str) -> None:
    api = API.get(kind, "rbac.authorization.k8s.io/v1")
    if kind == "Pod":
        old, new = ({"tolerations": [{"key": key}], "activeDeadlineSeconds": key} for key in ("a", "b"))
        before, after = whole("Pod", "spec", old), whole("Pod", "spec", new)
        assert POD_KEEPS == ("spec.tolerations", "spec.activeDeadlineSeconds")
    else:
        before, after = whole(kind, path, {"a": "b"}, api), whole(kind, path, {"a": "c"}, api)
    found = difference(before, after, (), Options())
    assert found.changes
    assert not found.replaces
    assert not found.delete_first


@pytest.mark.parametrize("kind", ["Service", "Job", "Secret", "Pod"])
def test_of_custom_resources_only_the_place_replaces(kind: str) -> None:
    """A Service of Knative is not a Service."""
    api = "serving.example.dev/v1"
    before = {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": "x"},
        "data": {"a": "b"},
        "spec": {"clusterIP": "a"},
    }
    after = {"apiVersion": api, "kind": kind, "metadata": {"name": "x"}, "data": {"a": "c"}, "spec": {"clusterIP": "b"}}
    assert not difference(before, after, (), Options()).replaces
    moved = {**after, "metadata": {"name": "y"}}
    assert {show(path) for path in difference(before, moved, (), Options()).replaces} == {"metadata.name"}


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
def test_mutable_options(kind: str) -> None:
    mutable = Options(secrets_mutable=True, maps_mutable=True)
    before, after = whole(kind, "data", {"a": "b"}), whole(kind, "data", {"a": "c"})
    assert not difference(before, after, (), mutable).replaces
    assert difference(before, {**after, "immutable": True}, (), mutable).replaces
    assert difference({**before, "immutable": True}, after, (), mutable).replaces


def test_a_name_given_by_the_user_is_deleted_first() -> None:
    before, after = whole("ConfigMap", "data", {"a": "b"}), whole("ConfigMap", "data", {"a": "c"})
    assert difference(before, after, (), Options()).delete_first
    notes = {"annotations": {"pulumi.com/autonamed": "true"}}
    before, after = (whole("ConfigMap", "data", {"a": value}, **notes) for value in "bc")
    assert not difference(before, after, (), Options()).delete_first
    renamed = whole("ConfigMap", "data", {"a": "c"})
    renamed["metadata"]["name"] = "y"
    assert not difference(whole("ConfigMap", "data", {"a": "b"}), renamed, (), Options()).delete_first


@pytest.mark.parametrize(
    "path", ["spec.hard.pods", "spec.template.spec.containers[0].image", 'metadata.annotations["pulumi.com/skipAwait"]']
)
def test_paths_are_read_as_they_are_written(path: str) -> None:
    assert show(property_path(path)) == path


def test_the_wire_carries_paths(schema_port: Port) -> None:
    made = schema_port.create(DEPLOYMENT, "d", deployment("d"))
    wish = deployment("d", "example.org/app:2")
    wish["metadata"]["annotations"] = {"pulumi.com/skipAwait": "false"}
    found = schema_port.planned(made, wish)
    assert set(found.detailedDiff) == {
        "spec.template.spec.containers[0].image",
        'metadata.annotations["pulumi.com/skipAwait"]',
    }
    assert found.hasDetailedDiff
    assert not found.replaces


def test_a_replacement_names_its_paths(schema_port: Port) -> None:
    made = schema_port.create(CONFIG_MAP, "m", named("m", data={"a": "b"}))
    found = schema_port.planned(made, named("m", data={"a": "c"}))
    assert list(found.replaces) == ["data.a"]
    assert found.deleteBeforeReplace
    mutable = schema_port.sibling(enableConfigMapMutable="true")
    assert not mutable.planned(made, named("m", data={"a": "c"})).replaces
    mutable.close()
