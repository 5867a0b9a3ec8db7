"""Scaling as it is emitted: numbers, who may ask whom, and how the published algorithms behave with them."""

from __future__ import annotations

import json

import pytest
from pulumi.runtime.mocks import MockResourceArgs

from stacks.model import Namespace
from stacks.services.quota import held
from stacks.services.settings import Services
from tests.components.kubernetes.services.built import ALL, WORKLOADS, build, objects, once, releases, spec
from tests.components.kubernetes.services.replay import Autoscaler, Breaker, tries
from tests.components.mock_cloud import Cloud

FEW = {
    name: ALL[name] for name in ("cert_manager", "external_secrets", "mesh", "monitoring", "scaling", "node_scaling")
}
ONCE: list[MockResourceArgs] = []


@pytest.fixture
def everything(cloud: Cloud) -> Cloud:
    """Scaling and what it stands on, on AWS, built once."""
    return once(ONCE, cloud, FEW)


def test_requests_cpu_and_memory_scale_a_workload_within_its_bounds(everything: Cloud) -> None:
    found = spec(everything, "ScaledObject", "gateway")
    assert (found["minReplicaCount"], found["maxReplicaCount"]) == (3, 100)
    cpu, memory, asked = found["triggers"]
    assert (cpu["type"], cpu["metricType"], cpu["metadata"]["value"]) == ("cpu", "Utilization", "70")
    assert (memory["type"], memory["metadata"]["value"]) == ("memory", "80")
    assert (asked["type"], asked["metricType"], asked["metadata"]["threshold"]) == ("prometheus", "AverageValue", "100")
    query = asked["metadata"]["query"]
    assert 'reporter="waypoint"' in query
    assert 'destination_service_name="gateway"' in query
    assert asked["metadata"]["serverAddress"].startswith("http://platform-prometheus.monitoring.svc")


def test_a_sidecar_counts_at_the_destination(cloud: Cloud) -> None:
    build(cloud, {**FEW, "mesh": {**ALL["mesh"], "mode": "sidecar"}})
    assert 'reporter="destination"' in spec(cloud, "ScaledObject", "gateway")["triggers"][2]["metadata"]["query"]


def test_without_requests_it_is_an_autoscaler_of_kubernetes_itself(everything: Cloud) -> None:
    found = spec(everything, "HorizontalPodAutoscaler", "agent")
    assert (found["minReplicas"], found["maxReplicas"]) == (3, 100)
    targets = {m["resource"]["name"]: m["resource"]["target"]["averageUtilization"] for m in found["metrics"]}
    assert targets == {"cpu": 70, "memory": 80}


def test_sizes_are_recommended_and_changed_only_where_nothing_else_scales(everything: Cloud) -> None:
    modes = {
        each["metadata"]["name"]: each["spec"]["updatePolicy"]["updateMode"]
        for each in objects(everything, "VerticalPodAutoscaler")
    }
    assert modes == {"gateway": "Off", "agent": "Off", "optimizer": "Recreate"}
    bounds = spec(everything, "VerticalPodAutoscaler", "gateway")["resourcePolicy"]["containerPolicies"][0]
    assert bounds["minAllowed"] == {"cpu": "100m", "memory": "128Mi"}
    assert bounds["maxAllowed"] == {"cpu": "2", "memory": "4Gi"}


def test_flags_of_the_node_autoscaler(everything: Cloud) -> None:
    values = releases(everything)["cluster-autoscaler"]["values"]
    flags = values["extraArgs"]
    assert (flags["scale-down-delay-after-add"], flags["scale-down-unneeded-time"]) == ("10m", "10m")
    assert flags["max-nodes-total"] == 100
    assert values["autoDiscovery"] == {"clusterName": "test-eu-west-1"}
    assert values["image"]["tag"].startswith("v1.34.")
    assert values["rbac"]["serviceAccount"]["annotations"]


@pytest.mark.parametrize(
    ("where", "charts"),
    [
        ("aws", {"keda", "metrics-server", "vertical-pod-autoscaler", "cluster-autoscaler"}),
        ("azure", {"keda", "vertical-pod-autoscaler"}),
        ("gcp", {"keda"}),
    ],
)
def test_what_a_cloud_brings_is_not_installed_again(cloud: Cloud, where: str, charts: set[str]) -> None:
    asked = {"keda", "metrics-server", "vertical-pod-autoscaler", "cluster-autoscaler"}
    found = releases(build(cloud, FEW, where))
    assert asked & set(found) == charts
    (ready,) = (each for each in objects(cloud, "ConfigMap") if each["metadata"]["name"] == "scaling-ready")
    assert asked & set(ready["data"]) == charts - {"cluster-autoscaler"}  # it says what is really there
    assert objects(cloud, "VerticalPodAutoscaler")
    assert ("node-scaling" in {each["metadata"]["name"] for each in objects(cloud, "Namespace")}) == (where == "aws")


def test_nobody_speaks_to_the_operator_but_the_adapter_and_prometheus(everything: Cloud) -> None:
    (policy,) = (
        each["spec"]
        for each in objects(everything, "NetworkPolicy")
        if (each["metadata"]["namespace"], each["metadata"]["name"]) == ("scaling", "to-keda-operator")
    )
    ports = {port["port"] for rule in policy["ingress"] for port in rule["ports"]}
    assert ports == {9666, 8080, 15008}
    found = [
        each["spec"]["rules"][0]["from"][0]["source"]["principals"]
        for each in objects(everything, "AuthorizationPolicy")
        if each["metadata"]["namespace"] == "scaling"
        and each.get("spec", {}).get("selector") == {"matchLabels": {"app": "keda-operator"}}
    ]
    assert sorted(found) == [
        ["cluster.local/ns/monitoring/sa/prometheus"],
        ["cluster.local/ns/scaling/sa/keda-metrics-server"],
    ]


def test_the_adapter_stands_between_the_api_server_and_the_mesh(everything: Cloud) -> None:
    values = releases(everything)["keda"]["values"]
    assert values["podLabels"]["metricsAdapter"]["sidecar.istio.io/inject"] == "true"
    assert values["podAnnotations"]["metricsAdapter"] == {"traffic.sidecar.istio.io/excludeInboundPorts": "6443"}
    modes = {
        (each["metadata"]["namespace"], each["spec"]["mtls"]["mode"])
        for each in objects(everything, "PeerAuthentication")
    }
    assert modes == {("istio-system", "STRICT")}  # no port anywhere takes anything else


def test_quotas_hold_what_may_grow() -> None:
    scaling = Services.model_validate_json('{"scaling": {"workloads": {"gateway": {"namespace": "platform"}}}}')
    wish = held({"platform": Namespace(), "other": Namespace()}, scaling, WORKLOADS)
    assert wish["platform"].pods == 125
    assert wish["platform"].cpu_requests == "100"  # 125 pods of 500m are 62.5
    assert wish["other"] == Namespace()
    large = {"gateway": WORKLOADS["gateway"].model_copy(update={"cpu": "2", "memory": "4Gi"})}
    wish = held({"platform": Namespace()}, scaling, large)
    assert (wish["platform"].cpu_requests, wish["platform"].memory_requests) == ("250", "500Gi")
    assert (wish["platform"].cpu_limits, wish["platform"].memory_limits) == ("500", "1000Gi")


def test_quotas_hold_both_versions_of_what_is_rolled_out() -> None:
    rollouts = {"workloads": {"gateway": {"namespace": "platform"}, "agent": {"namespace": "platform"}}}
    scaling = {"workloads": {"gateway": {"namespace": "platform"}}}
    services = Services.model_validate_json(json.dumps({"scaling": scaling, "rollouts": rollouts}))
    assert held({"platform": Namespace()}, services, WORKLOADS)["platform"].pods == 2 * 100 + 2 * 3


def autoscaler(everything: Cloud, replicas: int) -> Autoscaler:
    return Autoscaler(spec(everything, "HorizontalPodAutoscaler", "agent"), replicas)


def test_a_rush_doubles_the_pods_every_quarter_of_a_minute(everything: Cloud) -> None:
    scaler = autoscaler(everything, 3)
    assert [scaler.look([5.0, 0.5]) for _ in range(6)] == [7, 14, 28, 56, 100, 100]


def test_a_tenth_more_changes_nothing(everything: Cloud) -> None:
    scaler = autoscaler(everything, 10)
    assert [scaler.look([ratio, 0.95]) for ratio in (1.05, 1.09, 0.91, 1.0)] == [10, 10, 10, 10]
    assert scaler.look([1.11, 0.5]) == 12


def test_a_pause_of_four_minutes_sends_nobody_home(everything: Cloud) -> None:
    scaler = autoscaler(everything, 40)
    scaler.look([1.0, 0.5])
    assert [scaler.look([0.1, 0.1]) for _ in range(16)] == [40] * 16
    assert scaler.look([1.0, 0.5]) == 40


def test_a_lull_sends_a_tenth_home_each_minute_down_to_the_minimum(everything: Cloud) -> None:
    scaler = autoscaler(everything, 40)
    course = [scaler.look([0.01, 0.01]) for _ in range(400)]
    assert course[:19] == [40] * 19  # five minutes in which more was wished for
    assert course[19] == 36
    assert min(course) == course[-1] == 3
    assert max(before - after for before, after in zip(course, course[4:], strict=False)) <= 4


def test_five_errors_in_a_row_put_a_pod_aside_but_never_more_than_half(everything: Cloud) -> None:
    outlier = spec(everything, "DestinationRule", "agent")["trafficPolicy"]["outlierDetection"]
    breaker = Breaker(outlier, hosts=4)
    for _ in range(4):
        breaker.answer(0, 0, good=False)
    breaker.answer(0, 0, good=True)
    assert not breaker.out(0, 0)
    for host in range(4):
        for _ in range(5):
            breaker.answer(host, 1, good=False)
    assert [breaker.out(host, 2) for host in range(4)] == [True, True, False, False]
    assert [breaker.out(0, at) for at in (30.9, 31.1)] == [True, False]
    for _ in range(5):
        breaker.answer(0, 40, good=False)
    assert [breaker.out(0, at) for at in (99, 101)] == [True, False]


def test_a_call_is_tried_four_times_and_ends_after_eight_seconds(everything: Cloud) -> None:
    route = spec(everything, "VirtualService", "agent")["http"][0]
    assert tries(route, 0.1) == (1, 0.1)
    assert tries(route, 60) == (4, 8.0)
