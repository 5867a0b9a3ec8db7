"""Cost by list, by contract and by bill; names in a zone of the cloud or of Cloudflare; and who may read secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest

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
    assert {"monitoring", "opencost"} <= asked <= set(condition["namespaces"])
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
