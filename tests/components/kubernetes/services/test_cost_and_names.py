"""Cost by list, by contract and by bill; names in a zone of the cloud or of Cloudflare; and who may read secrets."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from stacks.services import lock
from tests.components.kubernetes.services.built import ALL, KYVERNO, build, objects, releases
from tests.components.mock_cloud import Cloud


@pytest.mark.parametrize("services", [ALL, KYVERNO], ids=["gatekeeper", "kyverno"])
def test_every_secret_is_in_a_namespace_that_may_read_the_store(cloud: Cloud, services: dict[str, Any]) -> None:
    build(cloud, services)
    (store,) = objects(cloud, "ClusterSecretStore")
    (condition,) = store["spec"]["conditions"]
    asked = {
        each["metadata"]["namespace"]
        for each in objects(cloud, "ExternalSecret")
        if each["spec"]["secretStoreRef"]["name"] == store["metadata"]["name"]
    }
    teller = "kubecost" if services is KYVERNO else "opencost"
    assert {"monitoring", teller} <= asked <= set(condition["namespaces"])
    assert ("external-dns" in condition["namespaces"]) is (services is KYVERNO)
    assert "kube-system" not in condition["namespaces"]


def test_own_prices_and_the_bill_reach_opencost(cloud: Cloud) -> None:
    values = releases(build(cloud, ALL))["opencost"]["values"]["opencost"]
    assert values["customPricing"]["enabled"] is True
    assert (values["customPricing"]["costModel"]["CPU"], values["customPricing"]["costModel"]["RAM"]) == (0.031, 0.004)
    assert (values["cloudIntegrationSecret"], values["cloudCost"]) == ("cloud-integration", {"enabled": True})
    (secret,) = (each for each in objects(cloud, "ExternalSecret") if each["metadata"]["namespace"] == "opencost")
    assert secret["spec"]["data"][0]["secretKey"] == "cloud-integration.json"


def test_without_them_the_list_of_the_cloud_is_asked(cloud: Cloud) -> None:
    build(cloud, {**{name: ALL[name] for name in ("cert_manager", "external_secrets", "monitoring")}, "cost": {}})
    values = releases(cloud)["opencost"]["values"]["opencost"]
    assert values["customPricing"] == {"enabled": False}
    assert values["cloudCost"] == {"enabled": False}
    assert "cloudIntegrationSecret" not in values


OTHER = {name: ALL[name] for name in ("cert_manager", "external_secrets", "mesh", "monitoring")}


def kubecost(cloud: Cloud, where: str = "aws", **wish: Any) -> dict[str, Any]:
    build(cloud, {**OTHER, "kubecost": {"licence_accepted": True, **wish}}, where)
    values: dict[str, Any] = releases(cloud)["kubecost"]["values"]
    return values


def test_kubecost_keeps_the_same_contract(cloud: Cloud) -> None:
    """Own prices, the bill and budgets, in its own words; the alert is the one of OpenCost."""
    values = kubecost(cloud, budgets={"platform": 900}, prices=ALL["cost"]["prices"], bill=True)
    priced = values["finopsagent"]["agent"]["kubecost"]["customPrices"]
    assert (priced["enabled"], priced["CPU"], priced["RAM"]) == (True, "0.031", "0.004")
    assert values["cloudCost"]["cloudIntegrationSecret"] == "cloud-integration"
    (budget,) = values["kubecostProductConfigs"]["budgets"]["budgetsConfig"]
    assert (budget["spendLimit"], budget["values"]) == (900, {"namespace": ["platform"]})
    (secret,) = (each for each in objects(cloud, "ExternalSecret") if each["metadata"]["namespace"] == "kubecost")
    assert secret["spec"]["data"][0]["secretKey"] == "cloud-integration.json"
    (rule,) = objects(cloud, "PrometheusRule")
    names = {each.get("alert") for group in rule["spec"]["groups"] for each in group["rules"]}
    assert "NamespaceOverBudget" in names
    (monitor,) = (each for each in objects(cloud, "PodMonitor") if each["metadata"]["name"].startswith("kubecost"))
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert (endpoint["portNumber"], endpoint["honorLabels"]) == (9003, True)
    boards = [each["metadata"]["name"] for each in objects(cloud, "ConfigMap")]
    assert "dashboard-cost" in boards


def test_kubecost_touches_nothing_and_tells_nobody(cloud: Cloud) -> None:
    values = kubecost(cloud)
    off = ("networkCosts", "clusterController", "telemetry", "forecasting")
    assert [values[each]["enabled"] for each in off] == [False] * len(off)
    assert values["reporting"]["logCollection"] is False
    assert values["finopsagent"]["agent"]["cloudability"]["enabled"] is False
    assert values["finopsagent"]["agent"]["kubecost"]["customPrices"] == {"enabled": False}
    assert "cloudIntegrationSecret" not in values["cloudCost"]


def test_its_test_images_are_those_of_the_lock(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = "sha256:" + "a" * 64
    known = {name: replace(each, digest=digest) for name, each in lock.images().items()}
    monkeypatch.setattr(lock, "images", lambda: known)
    values = kubecost(cloud)
    assert values["httprouteTest"]["image"] == f"registry.k8s.io/kubectl@{digest}"
    assert values["basicHealth"]["tag"] == f"8.17.0@{digest}"


def test_the_pods_of_kubecost_fit_a_restricted_namespace(cloud: Cloud) -> None:
    values = kubecost(cloud)
    pod, container = values["global"]["securityContext"], values["global"]["containerSecurityContext"]
    assert (pod["runAsNonRoot"], pod["seccompProfile"]) == (True, {"type": "RuntimeDefault"})
    for held in (container, values["finopsagent"]["containerSecurityContext"]):
        assert held["capabilities"] == {"drop": ["ALL"]}
        assert (held["readOnlyRootFilesystem"], held["allowPrivilegeEscalation"]) == (True, False)
    images = [values["httprouteTest"]["image"], values["basicHealth"]["tag"]]
    assert not [
        image for image in images if "latest" in image or "bitnami" in image or not any(map(str.isdigit, image))
    ]
    for volume in (
        values["aggregator"]["aggregatorDbStorage"],
        values["localStore"]["persistentVolume"],
        values["cloudCost"]["persistentConfigsStorage"],
    ):
        assert volume["annotations"] == {"helm.sh/resource-policy": "delete"}, "nothing is left when it goes"


@pytest.mark.parametrize("where", ["aws", "gcp", "azure"])
def test_kubecost_reads_prices_by_the_identity_of_its_pods(cloud: Cloud, where: str) -> None:
    values = kubecost(cloud, where)
    assert values["serviceAccount"]["name"] == values["cloudCost"]["serviceAccountName"] == "kubecost"
    assert values["finopsagent"]["serviceAccount"] == {"create": False, "name": "kubecost"}


def dns(cloud: Cloud, where: str, **wish: Any) -> dict[str, Any]:
    services = {name: ALL[name] for name in ("cert_manager", "external_secrets", "mesh")}
    build(cloud, {**services, "dns": {"domains": ["example.org"], **wish}}, where)
    values: dict[str, Any] = releases(cloud)["external-dns"]["values"]
    return values


@pytest.mark.parametrize(
    ("where", "zone", "provider"),
    [("aws", "Z0123456789ABC", "aws"), ("gcp", "example-org", "google")],
)
def test_names_of_one_zone_are_kept_by_the_identity_of_the_pods(
    cloud: Cloud, where: str, zone: str, provider: str
) -> None:
    values = dns(cloud, where, zones={where: zone})
    assert values["provider"] == {"name": provider}
    assert values["extraArgs"] == [f"--zone-id-filter={zone}"]
    assert values["domainFilters"] == ["example.org"]
    assert (values["policy"], values["sources"]) == ("upsert-only", ["gateway-httproute"])
    assert "env" not in values


def test_azure_is_told_where_its_zone_is_and_no_secret(cloud: Cloud) -> None:
    zone = "/subscriptions/s-1/resourceGroups/names/providers/Microsoft.Network/dnsZones/example.org"
    values = dns(cloud, "azure", zones={"azure": zone}, remove=True)
    told = json.loads(values["secretConfiguration"]["data"]["azure.json"])
    assert told == {"subscriptionId": "s-1", "resourceGroup": "names", "useWorkloadIdentityExtension": True}
    assert values["policy"] == "sync"


def test_the_token_of_cloudflare_comes_from_the_store(cloud: Cloud) -> None:
    values = dns(cloud, "aws", provider="cloudflare")
    (token,) = values["env"]
    assert token["valueFrom"]["secretKeyRef"] == {"name": "cloudflare-api-token", "key": "token"}
    assert "value" not in token
    assert values["serviceAccount"]["annotations"] == {}
