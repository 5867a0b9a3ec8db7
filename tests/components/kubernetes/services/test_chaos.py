"""Experiments: bounded, one at a time, and ended by a health check that the mesh and the network let through."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.kubernetes.experiments import experiment
from components.kubernetes.permits import Request, may
from components.kubernetes.shapes import plain
from stacks.services.experiments import Asked, Chaos, asked
from tests.components.kubernetes.services.built import ALL, SHARED, build, named, needs_shared, objects, releases, tool
from tests.components.mock_cloud import Cloud

CONTROLLER = "cluster.local/ns/chaos-mesh/sa/chaos-controller-manager"
WAYPOINT = "cluster.local/ns/platform/sa/waypoint"
KINDS = {
    "pod-kill": ("podChaos", {}),
    "network-delay": ("networkChaos", {}),
    "network-loss": ("networkChaos", {}),
    "cpu-stress": ("stressChaos", {}),
    "memory-stress": ("stressChaos", {}),
    "io-delay": ("ioChaos", {"volume": "/data"}),
    "dns-error": ("dnsChaos", {"hosts": ["payments.example.org", "shop.*"]}),
}
"""Where each experiment stands in a workflow's template, and what it needs in the stack file."""


def schedules(cloud: Cloud, **changes: Any) -> list[dict[str, Any]]:
    found = objects(build(cloud, {**ALL, "chaos": {**ALL["chaos"], **changes}}), "Schedule")
    return [each for each in found if each["apiVersion"].startswith("chaos-mesh.org/")]


def template(schedule: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (each for each in schedule["spec"]["workflow"]["templates"] if each["name"] == name)
    return found


def test_three_targets_every_six_hours_never_two_at_once(cloud: Cloud) -> None:
    found = schedules(cloud)
    assert {each["spec"]["schedule"] for each in found} == {"0 */6 * * *", "20 */6 * * *", "40 */6 * * *"}
    assert {each["spec"]["concurrencyPolicy"] for each in found} == {"Forbid"}
    assert {each["spec"]["type"] for each in found} == {"Workflow"}


def test_an_experiment_hits_one_pod_of_one_workload(cloud: Cloud) -> None:
    for schedule in schedules(cloud):
        fault = template(schedule, "fault")
        (what,) = (fault[key] for key in ("podChaos", "networkChaos", "stressChaos") if key in fault)
        assert what["mode"] == "one"
        assert what["selector"]["namespaces"] == ["platform"]
        assert set(what["selector"]["labelSelectors"]) == {"app"}


def test_a_health_check_runs_beside_it_and_ends_it(cloud: Cloud) -> None:
    for schedule in schedules(cloud, duration_seconds=90):
        whole, check = template(schedule, "whole"), template(schedule, "check")
        assert (whole["templateType"], whole["children"], whole["deadline"]) == ("Parallel", ["check", "fault"], "90s")
        assert check["abortWithStatusCheck"] is True
        assert check["statusCheck"]["mode"] == "Continuous"
        assert check["statusCheck"]["http"]["url"] == "http://gateway.platform.svc:8080/healthz"


def test_only_namespaces_with_targets_can_be_hit(cloud: Cloud) -> None:
    build(cloud, ALL)
    marked = {
        each["metadata"]["name"]
        for each in objects(cloud, "Namespace")
        if (each["metadata"].get("annotations") or {}).get("chaos-mesh.org/inject") == "enabled"
    }
    assert marked == {"platform"}
    values = releases(cloud)["chaos-mesh"]["values"]
    assert values["controllerManager"]["enableFilterNamespace"] is True
    assert values["dashboard"]["securityMode"] is True
    assert values["dashboard"]["service"] == {"type": "ClusterIP"}
    assert (values["chaosDaemon"]["runtime"], values["chaosDaemon"]["socketPath"]) == (
        "containerd",
        "/run/containerd/containerd.sock",
    )


@pytest.mark.parametrize("hours", [1, 12])
def test_the_hours_are_those_of_the_stack_file(cloud: Cloud, hours: int) -> None:
    assert all(f" */{hours} " in each["spec"]["schedule"] for each in schedules(cloud, hours=hours))


def test_the_permission_is_written_where_the_law_reads_it(cloud: Cloud) -> None:
    given = {"expires": "2026-12-15", "approver": "lead@example.org", "ticket": "OPS-12"}
    for schedule in schedules(cloud, **given):
        assert schedule["metadata"]["annotations"] == {
            "ecosystem.dev/expires-at": "2026-12-15",
            "ecosystem.dev/approver": "lead@example.org",
            "ecosystem.dev/ticket": "OPS-12",
        }


def test_a_permission_that_nobody_gave_is_not_written(cloud: Cloud) -> None:
    assert not any(schedule["metadata"].get("annotations") for schedule in schedules(cloud))


def wished(kind: str) -> Chaos:
    target = {"namespace": "platform", "workload": "gateway", "experiment": kind, **KINDS[kind][1]}
    return Chaos.model_validate_json(json.dumps({**ALL["chaos"], "targets": [target]}))


@needs_shared
@pytest.mark.parametrize("kind", KINDS)
def test_every_experiment_fits_its_definition_and_hits_one_pod(kind: str) -> None:
    wish = wished(kind)
    made = plain(experiment(wish, wish.targets[0]))
    document = {"apiVersion": "chaos-mesh.org/v1alpha1", "kind": "Schedule", "metadata": {"name": "x"}, **made}
    catalogue = tool("check_crds").Catalogue(str(SHARED / "crds"), [document])
    assert list(catalogue.check(json.loads(json.dumps(document)))) == []
    fault = template(document, "fault")
    what = fault[KINDS[kind][0]]
    assert fault["templateType"].lower() == KINDS[kind][0].lower()
    assert (what["mode"], what["selector"]) == (
        "one",
        {"namespaces": ["platform"], "labelSelectors": {"app": "gateway"}},
    )
    assert fault["deadline"] == "60s"


def test_what_an_experiment_is_told_reaches_it() -> None:
    slow = template(plain(experiment(wished("io-delay"), wished("io-delay").targets[0])), "fault")["ioChaos"]
    assert (slow["volumePath"], slow["action"]) == ("/data", "latency")
    lost = template(plain(experiment(wished("dns-error"), wished("dns-error").targets[0])), "fault")["dnsChaos"]
    assert (lost["patterns"], lost["action"]) == (["payments.example.org", "shop.*"], "error")


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://gateway.platform.svc:8080/healthz", Asked("gateway", "platform", 8080, "/healthz")),
        ("http://gateway.platform.svc.cluster.local/healthz?deep=1", Asked("gateway", "platform", 80, "/healthz")),
        ("https://gateway.platform.svc", Asked("gateway", "platform", 443, "/")),
        ("https://staging.example.org/healthz", None),
        ("http://gateway.platform.svc.example.org/", None),
        (None, None),
    ],
)
def test_a_service_of_the_cluster_is_known_by_its_name(url: str | None, found: Asked | None) -> None:
    assert asked(url) == found


def question(principal: str, port: int = 8080, service: str = "gateway", **more: str) -> Request:
    labels = {"app": service}
    return Request(principal=principal, namespace="platform", service=service, labels=labels, port=port, **more)


@pytest.mark.parametrize("mode", ["ambient", "sidecar"])
def test_the_mesh_lets_the_controller_ask_after_health_and_nothing_else(cloud: Cloud, mode: str) -> None:
    """The controller's own proxy knows no waypoint: the target's node, or its proxy, judges it."""
    build(cloud, {**ALL, "mesh": {**ALL["mesh"], "mode": mode}})
    policies = objects(cloud, "AuthorizationPolicy")
    assert may(question(CONTROLLER, path="/healthz"), policies).allowed
    assert not may(question(""), policies).allowed, "plain text"
    assert not may(question(CONTROLLER, port=9090, path="/healthz"), policies).allowed
    assert not may(question(CONTROLLER, service="agent", path="/healthz"), policies).allowed
    assert not may(question("cluster.local/ns/chaos-mesh/sa/chaos-daemon", path="/healthz"), policies).allowed
    if mode == "sidecar":  # a node's proxy sees neither method nor path
        assert not may(question(CONTROLLER, path="/admin"), policies).allowed
        assert not may(question(CONTROLLER, path="/healthz", method="POST"), policies).allowed


@pytest.mark.parametrize("mode", ["ambient", "sidecar"])
def test_the_controller_has_an_identity_and_the_api_server_reaches_its_webhook(cloud: Cloud, mode: str) -> None:
    build(cloud, {**ALL, "mesh": {**ALL["mesh"], "mode": mode}})
    labels = named(cloud, "Namespace", "chaos-mesh")["metadata"]["labels"]
    assert labels["istio-injection"] == "enabled"
    assert labels.get("istio.io/dataplane-mode") == ("none" if mode == "ambient" else None)
    values = releases(cloud)["chaos-mesh"]["values"]
    notes = values["controllerManager"]["podAnnotations"]
    assert notes["sidecar.istio.io/inject"] == "true"
    assert notes["traffic.sidecar.istio.io/excludeInboundPorts"] == "10250"
    for part in ("chaosDaemon", "dashboard"):
        assert values[part]["podAnnotations"] == {"sidecar.istio.io/inject": "false"}


def test_without_a_mesh_nobody_has_a_proxy(cloud: Cloud) -> None:
    names = ("cert_manager", "external_secrets", "monitoring", "chaos")
    values = releases(build(cloud, {name: ALL[name] for name in names}))["chaos-mesh"]["values"]
    assert values["controllerManager"]["podAnnotations"] == {}
    assert "podAnnotations" not in values["chaosDaemon"]
    assert "istio-injection" not in named(cloud, "Namespace", "chaos-mesh")["metadata"]["labels"]


def exits(cloud: Cloud, namespace: str, name: str) -> list[tuple[str, list[int]]]:
    """Where pods of a selection may go: labels of the target, and ports."""
    (policy,) = (
        each
        for each in objects(cloud, "NetworkPolicy")
        if (each["metadata"]["namespace"], each["metadata"]["name"]) == (namespace, name)
    )
    return [
        ("-".join((peer.get("podSelector") or {}).get("matchLabels", {}).values()), [p["port"] for p in rule["ports"]])
        for rule in policy["spec"]["egress"]
        for peer in rule["to"]
    ]


def test_the_network_lets_the_question_pass(cloud: Cloud) -> None:
    build(cloud, ALL)
    assert ("gateway", [8080, 15008]) in exits(cloud, "chaos-mesh", "from-controller-manager")
    assert ("istiod", [15012, 15008]) in exits(cloud, "chaos-mesh", "from-controller-manager")
    entries = [
        (peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"], port["port"])
        for each in objects(cloud, "NetworkPolicy")
        if (each["metadata"]["namespace"], each["metadata"]["name"]) == ("platform", "to-gateway")
        for rule in each["spec"]["ingress"]
        for peer in rule["from"]
        for port in rule["ports"]
    ]
    assert ("chaos-mesh", 8080) in entries


def test_names_are_asked_of_the_experiments_own_server(cloud: Cloud) -> None:
    names = ("cert_manager", "external_secrets", "monitoring")
    chaos = {"targets": [{"namespace": "platform", "workload": "gateway", "experiment": "dns-error",
                          "hosts": ["a.example.org"]}], "abort_url": "https://example.org/healthz"}  # fmt: skip
    build(cloud, {**{name: ALL[name] for name in names}, "chaos": chaos})
    values = releases(cloud)["chaos-mesh"]["values"]
    assert (values["dnsServer"]["create"], values["dnsServer"]["replicas"]) == (True, 2)
    assert ("chaos-dns-server", [53]) in exits(cloud, "platform", "from-gateway")
    (policy,) = (each for each in objects(cloud, "NetworkPolicy") if each["metadata"]["name"] == "from-gateway")
    assert policy["spec"]["egress"][0]["ports"] == [{"port": 53, "protocol": "UDP"}]
    if SHARED.exists():
        assert list(tool("check_values").Chart("chaos-mesh", str(SHARED / "charts")).check(values)) == []


def test_experiments_stand_only_where_their_workload_runs(cloud: Cloud) -> None:
    elsewhere = {"namespace": "platform", "workload": "elsewhere", "experiment": "pod-kill"}
    found = schedules(cloud, targets=[*ALL["chaos"]["targets"], elsewhere])
    assert len(found) == 3
