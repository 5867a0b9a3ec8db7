"""The mesh: strict, closed, and open for exactly the calls that are written down; numbers as they are emitted."""

from __future__ import annotations

from typing import Any

import pytest

from components.kubernetes.permits import Request, may
from tests.components.kubernetes.services.built import ALL, build, objects, releases
from tests.components.mock_cloud import Cloud

GATEWAY = "cluster.local/ns/istio-system/sa/gateway-istio"
APP = "cluster.local/ns/platform/sa/gateway"
STRANGER = "cluster.local/ns/platform/sa/stranger"
WAYPOINT = "cluster.local/ns/platform/sa/waypoint"


def asked(service: str, principal: str, method: str = "GET", path: str = "/", port: int = 8080) -> Request:
    return Request(
        principal=principal,
        namespace="platform",
        service=service,
        labels={"app": service},
        port=port,
        method=method,
        path=path,
    )


CASES = [
    (asked("gateway", GATEWAY), True),
    (asked("gateway", GATEWAY, "DELETE", "/anything"), True),
    (asked("gateway", GATEWAY, port=9090), False),
    (asked("gateway", APP), False),
    (asked("gateway", ""), False),
    (asked("agent", APP, "POST", "/v1/run"), True),
    (asked("agent", APP, "POST", "/v1/"), True),
    (asked("agent", APP, "GET", "/v1/run"), False),
    (asked("agent", APP, "POST", "/v2/run"), False),
    (asked("agent", APP, "POST", "/v1"), False),
    (asked("agent", APP, "POST", "/v1/run", port=9090), False),
    (asked("agent", STRANGER, "POST", "/v1/run"), False),
    (asked("agent", GATEWAY, "POST", "/v1/run"), False),
    (asked("agent", "other.domain/ns/platform/sa/gateway", "POST", "/v1/run"), False),
    (asked("other", APP), False),
]


@pytest.mark.parametrize("mode", ["ambient", "sidecar"])
def test_who_may_call_whom(cloud: Cloud, mode: str) -> None:
    build(cloud, {**ALL, "mesh": {**ALL["mesh"], "mode": mode}})
    policies = objects(cloud, "AuthorizationPolicy")
    for request, allowed in CASES:
        verdict = may(request, policies, WAYPOINT if mode == "ambient" else "")
        assert verdict.allowed is allowed, (request, verdict.reason)


def test_nobody_goes_around_the_waypoint(cloud: Cloud) -> None:
    """A pod that talks to another pod's address directly meets the node proxy alone: it is refused."""
    policies = objects(build(cloud, ALL), "AuthorizationPolicy")
    assert not may(asked("agent", APP, "POST", "/v1/run"), policies).allowed
    assert may(asked("agent", WAYPOINT), policies).allowed


def test_every_meshed_namespace_denies_by_default(cloud: Cloud) -> None:
    build(cloud, ALL)
    closed = {
        each["metadata"]["namespace"]
        for each in objects(cloud, "AuthorizationPolicy")
        if each.get("spec") in ({}, None)
    }
    meshed = {
        each["metadata"]["name"]
        for each in objects(cloud, "Namespace")
        if each["metadata"]["labels"].get("istio.io/dataplane-mode") == "ambient"
    }
    assert closed - {"chaos-mesh", "falco"} == meshed  # those that stay out are closed all the same
    assert {"platform", "cert-manager", "external-secrets", "monitoring"} <= meshed


def test_packets_reach_the_waypoint_and_from_there_the_pods(cloud: Cloud) -> None:
    """A call through a waypoint is two connections: the network, closed by default, lets both pass, in both ends."""
    build(cloud, ALL)
    held = {
        (each["metadata"]["namespace"], each["metadata"]["name"]): each["spec"]
        for each in objects(cloud, "NetworkPolicy")
    }

    def leads(place: tuple[str, str], side: str, way: str, label: str) -> bool:
        return any(
            label in ((peer.get("podSelector") or {}).get("matchLabels") or {}).values()
            and 15008 in {port["port"] for port in rule["ports"]}
            for rule in held[place][side]
            for peer in rule[way]
        )

    assert leads(("istio-system", "from-gateway"), "egress", "to", "waypoint")
    assert leads(("platform", "to-waypoint"), "ingress", "from", "gateway")
    assert leads(("platform", "from-waypoint"), "egress", "to", "agent")
    assert leads(("platform", "to-agent"), "ingress", "from", "waypoint")


def test_two_permissions_of_one_pair_are_one_policy(cloud: Cloud) -> None:
    """Another caller, and another method of the same: no two resources of one name, and each as narrow as written."""
    calls = [
        *ALL["mesh"]["calls"],
        {"caller": "platform/gateway", "target": "platform/agent", "methods": ["GET"], "paths": ["/v1/status"]},
        {"caller": "platform/other", "target": "platform/agent", "methods": ["GET"]},
    ]
    policies = objects(build(cloud, {**ALL, "mesh": {"calls": calls}}), "AuthorizationPolicy")
    names = [(each["metadata"]["namespace"], each["metadata"]["name"]) for each in policies]
    assert len(names) == len(set(names))
    for method, path, allowed in [("POST", "/v1/run", True), ("GET", "/v1/status", True), ("POST", "/v1/status", True),
                                  ("GET", "/v1/run", False)]:  # fmt: skip
        assert may(asked("agent", APP, method, path), policies, WAYPOINT).allowed is allowed, (method, path)
    assert not may(asked("agent", STRANGER), policies, WAYPOINT).allowed
    assert may(asked("agent", "cluster.local/ns/platform/sa/other"), policies, WAYPOINT).allowed


def one(cloud: Cloud, kind: str, name: str) -> dict[str, Any]:
    (found,) = (each for each in objects(cloud, kind) if each["metadata"]["name"] == name)
    return found


def test_the_numbers_of_calls(cloud: Cloud) -> None:
    build(cloud, ALL)
    policy = one(cloud, "DestinationRule", "agent")["spec"]["trafficPolicy"]
    assert policy["tls"] == {"mode": "ISTIO_MUTUAL"}
    assert policy["connectionPool"]["tcp"]["maxConnections"] == 100
    http = policy["connectionPool"]["http"]
    assert (http["http1MaxPendingRequests"], http["maxRequestsPerConnection"]) == (50, 10)
    outlier = policy["outlierDetection"]
    assert (outlier["consecutive5xxErrors"], outlier["baseEjectionTime"], outlier["maxEjectionPercent"]) == (
        5,
        "30s",
        50,
    )
    retried = one(cloud, "VirtualService", "agent")["spec"]["http"][0]
    assert (retried["retries"]["attempts"], retried["retries"]["perTryTimeout"]) == (3, "2s")


def test_the_mesh_is_strict_and_the_way_in_speaks_tls(cloud: Cloud) -> None:
    build(cloud, ALL)
    assert one(cloud, "PeerAuthentication", "default")["spec"] == {"mtls": {"mode": "STRICT"}}
    (listener,) = one(cloud, "Gateway", "gateway")["spec"]["listeners"]
    assert (listener["protocol"], listener["tls"]["mode"]) == ("HTTPS", "Terminate")
    values = releases(cloud)["istiod"]["values"]
    assert values["meshConfig"]["meshMTLS"]["minProtocolVersion"] == "TLSV1_2"
    assert values["meshConfig"]["outboundTrafficPolicy"]["mode"] == "REGISTRY_ONLY"


def test_sidecars_need_no_node_proxy_and_no_waypoint(cloud: Cloud) -> None:
    build(cloud, {**ALL, "mesh": {**ALL["mesh"], "mode": "sidecar"}})
    assert "ztunnel" not in releases(cloud)
    assert [each["metadata"]["name"] for each in objects(cloud, "Gateway")] == ["gateway"]
    labels = [each["metadata"]["labels"] for each in objects(cloud, "Namespace")]
    assert any(each.get("istio-injection") == "enabled" for each in labels)


def test_the_cluster_of_google_is_told_to_the_mesh(cloud: Cloud) -> None:
    named = {**ALL["dns"], "zones": {"gcp": "example-org"}}
    values = releases(build(cloud, {**ALL, "dns": named}, "gcp"))["istiod"]["values"]
    assert values["global"]["platform"] == "gke"


def policy(action: str, rules: list[dict[str, Any]], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": action.lower(), "namespace": "n"}, "spec": {"action": action, "rules": rules, **spec}}


CALL = Request(
    principal="d/ns/n/sa/a", namespace="n", service="s", labels={"app": "s"}, port=80, method="GET", path="/x/y"
)
FROM_A = {"from": [{"source": {"principals": ["d/ns/n/sa/a"]}}]}
TO_GET = {"to": [{"operation": {"methods": ["GET"], "paths": ["/x/*"]}}]}


@pytest.mark.parametrize(
    ("policies", "allowed"),
    [
        ([], True),
        ([policy("ALLOW", [])], False),
        ([policy("ALLOW", [{}])], True),
        ([policy("ALLOW", [{**FROM_A, **TO_GET}])], True),
        ([policy("ALLOW", [{**FROM_A, **TO_GET}]), policy("DENY", [FROM_A])], False),
        ([policy("ALLOW", [{**FROM_A, "to": [{"operation": {"methods": ["POST"]}}]}])], False),
        ([policy("ALLOW", [FROM_A, {"to": [{"operation": {"methods": ["POST"]}}]}])], True),
        ([policy("ALLOW", [{"from": [{"source": {"notPrincipals": ["d/ns/n/sa/a"]}}]}])], False),
        ([policy("ALLOW", [{"from": [{"source": {"principals": ["*"]}}]}])], True),
        ([policy("ALLOW", [{"from": [{"source": {"principals": ["*/sa/a"]}}]}])], True),
        ([policy("ALLOW", [{"from": [{"source": {"namespaces": ["m"]}}]}])], False),
        ([policy("ALLOW", [{"from": [{"source": {"serviceAccounts": ["n/a"]}}]}])], True),
        ([policy("ALLOW", [{"to": [{"operation": {"notPaths": ["/x/*"]}}]}])], False),
        ([policy("ALLOW", [], selector={"matchLabels": {"app": "other"}})], True),
        ([policy("DENY", [TO_GET])], False),
    ],
)
def test_the_evaluator_judges_as_the_mesh_does(policies: list[dict[str, Any]], *, allowed: bool) -> None:
    assert may(CALL, policies).allowed is allowed


def test_the_evaluator_does_not_guess() -> None:
    for unknown in (
        policy("CUSTOM", [{}]),
        policy("ALLOW", [{"when": [{"key": "x", "values": ["y"]}]}]),
        policy("ALLOW", [{"to": [{"operation": {"hosts": ["x"]}}]}]),
        policy("ALLOW", [{"to": [{"operation": {"paths": ["/{*}"]}}]}]),
    ):
        with pytest.raises(ValueError, match=r"not judged|not known"):
            may(CALL, [unknown])
