"""Linkerd says of every call what Istio says: hand-labelled ones, and any that Hypothesis thinks of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.kubernetes import linkerd, linkerd_permits, permits
from components.kubernetes.flows import of_stack
from components.kubernetes.permissions import permissions
from components.kubernetes.permits import Request
from components.kubernetes.shapes import plain
from stacks.services.settings import Services
from stacks.services.table import TABLE
from tests.components.kubernetes.services.built import ALL
from tests.components.kubernetes.services.test_mesh import CASES

METHODS = ["GET", "POST", "DELETE"]
PATTERNS = ["/v1/*", "/v1/a/*", "/v1", "/v1/a", "/healthz", "/*"]
PATHS = ["/", "/v1", "/v1/", "/v1/a", "/v1/a/b", "/v1/ab", "/v2", "/healthz", "/healthz/x"]
CALLERS = ["platform/front", "platform/batch", "other/job"]


def wish(calls: list[dict[str, Any]], mode: str = "sidecar") -> Services:
    services = {**ALL, "mesh": {"calls": calls, "mode": mode}}
    return Services.model_validate_json(json.dumps(services))


def of_linkerd(services: Services) -> list[dict[str, Any]]:
    namespaces = ("platform", "other", *{TABLE[name].namespace for name, _ in services.on()})
    assert services.mesh is not None
    placed = linkerd.permissions(of_stack(services, ("platform", "other")), services.mesh.trust_domain, namespaces)
    return [
        {"apiVersion": each.what.API_VERSION, "kind": each.what.KIND, **plain(each.what)}
        | {"metadata": {"name": each.name, "namespace": each.namespace}}
        for each in placed
    ]


def of_istio(services: Services) -> list[dict[str, Any]]:
    assert services.mesh is not None
    made = permissions(of_stack(services, ("platform", "other")), services.mesh, ("platform", "other"))
    return [
        {"metadata": {"name": each.name, "namespace": each.namespace}, "spec": plain(each.policy)["spec"]}
        for each in made
    ]


def test_the_hand_labelled_calls() -> None:
    objects = of_linkerd(wish(ALL["mesh"]["calls"]))
    for request, allowed in CASES:
        verdict = linkerd_permits.may(request, objects)
        assert verdict.allowed is allowed, (request, verdict.reason)


calls = st.lists(
    st.fixed_dictionaries(
        {
            "caller": st.sampled_from(CALLERS),
            "target": st.just("platform/agent"),
            "methods": st.lists(st.sampled_from(METHODS), max_size=2, unique=True),
            "paths": st.lists(st.sampled_from(PATTERNS), max_size=2, unique=True),
        }
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=40, deadline=None)
@given(calls)
def test_both_meshes_agree_on_every_call(written: list[dict[str, Any]]) -> None:
    services = wish(written)
    istio, other = of_istio(services), of_linkerd(services)
    for caller in CALLERS:
        namespace, account = caller.split("/")
        for method in [*METHODS, "PUT"]:
            for path in PATHS:
                asked = Request(
                    principal=f"cluster.local/ns/{namespace}/sa/{account}",
                    namespace="platform",
                    service="agent",
                    labels={"app": "agent"},
                    port=8080,
                    method=method,
                    path=path,
                )
                expected, found = permits.may(asked, istio), linkerd_permits.may(asked, other)
                assert found.allowed == expected.allowed, (written, asked, expected.reason, found.reason)


@pytest.mark.parametrize("principal", ["", "cluster.local/ns/platform/sa/stranger", "elsewhere/ns/platform/sa/gateway"])
def test_nobody_unknown_gets_in(principal: str) -> None:
    objects = of_linkerd(wish(ALL["mesh"]["calls"]))
    for request, _ in CASES:
        stranger = Request(**{**request.__dict__, "principal": principal})
        assert not linkerd_permits.may(stranger, objects).allowed


def test_a_star_inside_a_segment_is_refused() -> None:
    with pytest.raises(ValueError, match="whole segments"):
        of_linkerd(wish([{"caller": "platform/front", "target": "platform/agent", "paths": ["/v1/a*"]}]))


def test_two_servers_of_one_port_are_an_error() -> None:
    objects = of_linkerd(wish(ALL["mesh"]["calls"]))
    server = next(each for each in objects if each["kind"] == "Server" and each["metadata"]["name"] == "agent-8080")
    twice = [*objects, {**server, "metadata": {**server["metadata"], "name": "again"}}]
    with pytest.raises(ValueError, match="one port of a pod has one Server"):
        linkerd_permits.may(CASES[5][0], twice)


def test_what_is_sent_is_what_linkerd_reads() -> None:
    objects = of_linkerd(wish(ALL["mesh"]["calls"]))
    kinds = {(each["apiVersion"], each["kind"]) for each in objects}
    assert kinds == {
        ("policy.linkerd.io/v1beta3", "Server"),
        ("policy.linkerd.io/v1beta3", "HTTPRoute"),
        ("policy.linkerd.io/v1alpha1", "MeshTLSAuthentication"),
        ("policy.linkerd.io/v1alpha1", "AuthorizationPolicy"),
    }
    names = [(each["kind"], each["metadata"]["namespace"], each["metadata"]["name"]) for each in objects]
    assert len(names) == len(set(names))
    server = next(each for each in objects if each["kind"] == "Server")
    assert set(server["spec"]) == {"podSelector", "port", "proxyProtocol", "accessPolicy"}
