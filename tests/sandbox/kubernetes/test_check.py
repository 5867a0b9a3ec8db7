"""What Check adds and refuses, whichever backend stands behind the port."""

from __future__ import annotations

import base64

import pytest

from sandbox.kubernetes.quantities import canonical_quantity
from tests.sandbox.kubernetes.objects import (
    CONFIG_MAP,
    DEFINITION,
    DEPLOYMENT,
    QUOTA,
    SECRET,
    definition,
    deployment,
    named,
)
from tests.sandbox.kubernetes.port import Port

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def test_a_name_comes_from_the_seed_and_is_kept(schema_port: Port) -> None:
    first, _ = schema_port.check(CONFIG_MAP, "settings", {})
    again, _ = schema_port.check(CONFIG_MAP, "settings", {})
    kept, _ = schema_port.check(CONFIG_MAP, "settings", {"data": {"a": "b"}}, first)
    assert first["metadata"] == again["metadata"] == kept["metadata"]
    assert first["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    assert (first["apiVersion"], first["kind"]) == ("v1", "ConfigMap")
    given, _ = schema_port.check(CONFIG_MAP, "settings", named("given"), first)
    assert given["metadata"] == {"name": "given"}


def test_a_secrets_strings_become_data(schema_port: Port) -> None:
    both = named("s", stringData={"a": "new", "b": "x"}, data={"a": "b2xk"})
    checked, _ = schema_port.check(SECRET, "s", both)
    assert checked["data"] == {"a": base64.b64encode(b"new").decode(), "b": base64.b64encode(b"x").decode()}
    later, _ = schema_port.check(SECRET, "s", named("s", stringData=UNKNOWN))
    assert later["stringData"] == UNKNOWN


def test_what_the_server_owns_is_dropped(schema_port: Port) -> None:
    owned = {"uid": "u", "resourceVersion": "1", "generation": 2, "creationTimestamp": "2026-11-21T00:00:00Z"}
    checked, _ = schema_port.check(CONFIG_MAP, "m", {"metadata": {"name": "m", "labels": {"a": "b"}, **owned}})
    assert checked["metadata"] == {"name": "m", "labels": {"a": "b"}}


@pytest.mark.parametrize(
    ("token", "inputs", "words"),
    [
        ("kubernetes:core/v1:ConfigMapList", {"items": []}, "declare each object of the list"),
        ("kubernetes:core/v1:ConfigMapPatch", {"data": {}}, "must name the object that it patches"),
        (CONFIG_MAP, {"metadata": {"generateName": "x-"}}, "generateName"),
        ("kubernetes:core/v1:ConfgMap", {}, "did you mean kubernetes:core/v1:ConfigMap"),
        ("kubernetes:helm.sh/v4:Chart", {"chart": "x"}, "not available offline"),
    ],
)
def test_what_cannot_be_served_is_refused_with_a_sentence(
    schema_port: Port, token: str, inputs: dict[str, object], words: str
) -> None:
    _, (failure,) = schema_port.check(token, "x", inputs)
    assert words in failure


@pytest.mark.parametrize(
    ("token", "inputs", "path"),
    [
        (DEPLOYMENT, deployment("d", replica=3), "spec.replica"),
        (DEPLOYMENT, deployment("d", replicas="many"), "spec.replicas"),
        (QUOTA, named("q", spec={"hards": {"pods": "5"}}), "spec.hards"),
    ],
)
def test_without_a_server_the_schema_judges(
    schema_port: Port, token: str, inputs: dict[str, object], path: str
) -> None:
    _, failures = schema_port.check(token, "x", inputs)
    assert any(failure.startswith(path) for failure in failures), failures


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1000m", "1"), ("0.5", "500m"), (0.5, "500m"), (2, "2"), ("1500m", "1500m"), ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"), ("0.5Gi", "512Mi"), ("2000", "2k"), ("0", "0"), ("200Gi", "200Gi"), ("a few", "a few"),
        (True, True),
    ],
)  # fmt: skip
def test_quantities_have_the_servers_form(text: object, canonical: object) -> None:
    assert canonical_quantity(text) == canonical


def test_quantities_stand_only_where_the_kind_has_them(schema_port: Port) -> None:
    quota, _ = schema_port.check(QUOTA, "q", named("q", spec={"hard": {"requests.cpu": "1000m"}}))
    assert quota["spec"]["hard"] == {"requests.cpu": "1"}
    settings, _ = schema_port.check(CONFIG_MAP, "m", named("m", data={"limits": "1000m"}))
    assert settings["data"] == {"limits": "1000m"}
    schema = {"type": "object", "properties": {"limits": {"default": {"hops": 1}}}}
    inputs = definition("example.org", "Thing")
    inputs["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = schema
    checked, _ = schema_port.check(DEFINITION, "things", inputs)
    assert checked["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == schema


@pytest.mark.parametrize(
    ("option", "words"),
    [({"enableServerSideApply": "false"}, "client-side apply"), ({"renderYamlToDirectory": "x"}, "rendering to files")],
)
def test_options_that_are_not_served_are_refused(schema_port: Port, option: dict[str, str], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        schema_port.sibling(**option)
