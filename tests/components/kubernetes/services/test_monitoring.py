"""Figures and alerts: numbers as they are emitted, every query's metric exported, every alert heard."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.kubernetes.exported import EXPORTED
from components.kubernetes.flows import PROMETHEUS, Pods, of_stack
from components.kubernetes.objectives import BURNS
from components.kubernetes.references.queries import figures
from stacks.services.settings import Services
from stacks.services.table import TABLE
from tests.components.kubernetes.services.built import ALL, build, objects, releases
from tests.components.mock_cloud import Cloud


def test_the_names_of_a_query_are_found() -> None:
    query = 'sum by (le) (rate(a_total{x="b_total"}[5m])) / on (node) group_left () max(c:d) offset 5m > 3 or up == 0'
    assert figures(query) == {"a_total", "c:d", "up"}


def rules(cloud: Cloud) -> dict[str, dict[str, Any]]:
    (found,) = objects(cloud, "PrometheusRule")
    return {rule.get("alert") or rule["record"]: rule for group in found["spec"]["groups"] for rule in group["rules"]}


def test_the_alerts_have_the_promised_numbers(cloud: Cloud) -> None:
    found = rules(build(cloud, ALL))
    down = found["TargetDown"]
    assert (down["expr"], down["for"], down["labels"]["severity"]) == ("up == 0", "1m", "critical")
    slow = found["SlowRequests"]
    assert slow["expr"].startswith("histogram_quantile(0.95, sum by (le,")
    assert "rate(istio_request_duration_milliseconds_bucket[5m])" in slow["expr"]
    assert slow["expr"].endswith("> 200")
    assert (slow["for"], slow["labels"]["severity"]) == ("5m", "warning")


def test_the_budget_burns_at_the_promised_availability(cloud: Cloud) -> None:
    found = rules(build(cloud, ALL))
    fast = found["ErrorBudgetBurns1h"]
    assert fast["expr"] == (
        "platform:request_errors:ratio_rate1h > 0.0144 and platform:request_errors:ratio_rate5m > 0.0144"
    )
    for burn in BURNS:
        for window in (burn.short, burn.long):
            assert f"platform:request_errors:ratio_rate{window}" in found


def test_every_query_asks_for_something_that_is_exported(cloud: Cloud) -> None:
    found = rules(build(cloud, ALL))
    boards = [json.loads(text) for each in objects(cloud, "ConfigMap") for text in each["data"].values() if "{" in text]
    queries = [rule["expr"] for rule in found.values()]
    queries += [
        target["expr"] for each in boards for panel in each.get("panels", ()) for target in panel.get("targets", ())
    ]
    assert len(queries) > len(found) > 20
    known = {name for name in found if ":" in name}.union(*(EXPORTED[name] for name in EXPORTED if name in ALL))
    for query in queries:
        asked = figures(query)
        assert asked, query
        assert asked <= known, (query, asked - known)
    asks = {flow.target.namespace for flow in of_stack(Services.model_validate_json(json.dumps(ALL)), ("platform",))
            if flow.source == PROMETHEUS and isinstance(flow.target, Pods)}  # fmt: skip
    for service in set(EXPORTED) & set(ALL) - {"monitoring", "falco", "mesh"}:
        assert TABLE[service].namespace in asks, service


def test_without_a_mesh_nothing_asks_for_its_figures(cloud: Cloud) -> None:
    build(cloud, {key: value for key, value in ALL.items() if key != "mesh"})
    assert "istio" not in json.dumps([*objects(cloud, "PrometheusRule"), *objects(cloud, "ConfigMap")])


def test_everything_is_asked_every_thirty_seconds(cloud: Cloud) -> None:
    build(cloud, ALL)
    spec = releases(cloud)["monitoring"]["values"]["prometheus"]["prometheusSpec"]
    assert spec["scrapeInterval"] == "30s"
    for monitor in (*objects(cloud, "PodMonitor"), *objects(cloud, "ServiceMonitor")):
        for endpoint in monitor["spec"].get("podMetricsEndpoints") or monitor["spec"]["endpoints"]:
            assert endpoint["interval"] == "30s"


def test_what_prometheus_asks_it_may_reach(cloud: Cloud) -> None:
    """Every monitor has its network policy and its permission, because all three come from one flow."""
    build(cloud, ALL)
    services = Services.model_validate_json(json.dumps(ALL))
    for flow in of_stack(services, ("platform",)):
        if flow.source == PROMETHEUS and isinstance(flow.target, Pods) and flow.target.namespace != "kube-system":
            ports = [
                port["port"]
                for policy in objects(cloud, "NetworkPolicy")
                if policy["metadata"]["namespace"] == flow.target.namespace
                and policy["spec"]["podSelector"].get("matchLabels") == dict(flow.target.labels)
                for rule in policy["spec"].get("ingress") or ()
                for port in rule["ports"]
            ]
            assert set(flow.ports) <= set(map(int, ports)), flow


@pytest.mark.parametrize(
    ("receiver", "key", "secret"),
    [
        ("oncall", "email_configs", "auth_password_file"),
        ("chat", "telegram_configs", "bot_token_file"),
        ("hook", "webhook_configs", "http_config"),
    ],
)
def test_receivers_read_their_secret_from_a_file(cloud: Cloud, receiver: str, key: str, secret: str) -> None:
    build(cloud, ALL)
    values = releases(cloud)["monitoring"]["values"]["alertmanager"]
    held = {each["name"]: each for each in values["config"]["receivers"]}
    assert "/etc/alertmanager/secrets/alert-receivers/" in json.dumps(held[receiver][key][0][secret])
    assert values["alertmanagerSpec"]["secrets"] == ["alert-receivers"]
    (mounted,) = (each for each in objects(cloud, "ExternalSecret") if each["metadata"]["name"] == "alert-receivers")
    assert {each["secretKey"] for each in mounted["spec"]["data"]} == {"chat", "hook", "smtp"}


def test_critical_alerts_reach_every_receiver_that_wants_them(cloud: Cloud) -> None:
    build(cloud, ALL)
    route = releases(cloud)["monitoring"]["values"]["alertmanager"]["config"]["route"]
    heard = {(each["receiver"], each["matchers"][0]) for each in route["routes"] if each["continue"]}
    assert ("oncall", 'severity = "critical"') in heard
    assert ("oncall", 'severity = "warning"') not in heard
    assert ("chat", 'severity = "warning"') in heard


def test_no_secret_stands_in_the_values(cloud: Cloud) -> None:
    build(cloud, ALL)
    assert objects(cloud, "Secret") == []
    grafana = releases(cloud)["monitoring"]["values"]["grafana"]
    assert "adminPassword" not in grafana
    assert grafana["admin"]["existingSecret"] == "grafana-admin"


def test_an_external_secret_is_fresh_within_the_hour(cloud: Cloud) -> None:
    found = objects(build(cloud, {**ALL, "external_secrets": {"refresh_minutes": 15}}), "ExternalSecret")
    assert {each["spec"]["refreshInterval"] for each in found} == {"15m"}
