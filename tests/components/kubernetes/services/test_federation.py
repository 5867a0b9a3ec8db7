"""One mesh over several clusters: as it is emitted, and who reaches whom then."""

from __future__ import annotations

import json

import pytest
from pulumi.runtime.mocks import MockResourceArgs

from tests.components.kubernetes.services.built import (
    ALL,
    SHARED,
    build,
    named,
    needs_shared,
    objects,
    once,
    releases,
    tool,
)
from tests.components.mock_cloud import Cloud

OTHERS = ("azure-westeurope", "gcp-europe-west1")
FEW = {name: ALL[name] for name in ("cert_manager", "external_secrets", "mesh", "monitoring")}
JOINED = {**FEW, "mesh": {**ALL["mesh"], "federation": {"mesh": "platform"}}}
ONCE: list[MockResourceArgs] = []


@pytest.fixture
def everything(cloud: Cloud) -> Cloud:
    """A cluster of three in one mesh, built once."""
    return once(ONCE, cloud, JOINED)


def test_a_cluster_knows_who_it_is_in_the_mesh(everything: Cloud) -> None:
    values = releases(everything)["istiod"]["values"]
    assert values["global"]["meshID"] == "platform"
    assert values["global"]["multiCluster"] == {"clusterName": "aws-eu-west-1"}
    assert values["global"]["network"] == "aws-eu-west-1"
    assert values["env"] == {"AMBIENT_ENABLE_MULTI_NETWORK": "true"}
    node = releases(everything)["ztunnel"]["values"]
    assert (node["network"], node["multiCluster"]) == ("aws-eu-west-1", {"clusterName": "aws-eu-west-1"})
    labels = named(everything, "Namespace", "istio-system")["metadata"]["labels"]
    assert labels["topology.istio.io/network"] == "aws-eu-west-1"


def test_trust_and_ways_to_the_others_are_references(everything: Cloud) -> None:
    authority = named(everything, "ExternalSecret", "cacerts")["spec"]
    keys = {each["secretKey"] for each in authority["data"]}
    assert keys == {"ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"}
    for other in OTHERS:
        found = named(everything, "ExternalSecret", f"istio-remote-secret-{other}")["spec"]
        metadata = found["target"]["template"]["metadata"]
        assert metadata["labels"] == {"istio/multiCluster": "true"}
        assert metadata["annotations"] == {"networking.istio.io/cluster": other}
        assert [each["secretKey"] for each in found["data"]] == [other]
    (condition,) = named(everything, "ClusterSecretStore", "cloud")["spec"]["conditions"]
    assert "istio-system" in condition["namespaces"]


def test_the_way_between_clusters_speaks_mutual_tls_and_stays_inside(everything: Cloud) -> None:
    gateway = named(everything, "Gateway", "eastwest")
    assert gateway["metadata"]["labels"] == {"topology.istio.io/network": "aws-eu-west-1"}
    (listener,) = gateway["spec"]["listeners"]
    assert (listener["port"], listener["protocol"]) == (15008, "HBONE")
    assert listener["tls"]["options"] == {"gateway.istio.io/tls-terminate-mode": "ISTIO_MUTUAL"}
    assert gateway["spec"]["infrastructure"]["annotations"] == {"example.org/reach": "network"}


def test_only_the_other_clusters_reach_it(everything: Cloud) -> None:
    policy = next(
        each["spec"]
        for each in objects(everything, "NetworkPolicy")
        if (each["metadata"]["namespace"], each["metadata"]["name"]) == ("istio-system", "to-eastwest")
    )
    blocks = {peer["ipBlock"]["cidr"] for rule in policy["ingress"] for peer in rule["from"] if "ipBlock" in peer}
    assert {"10.64.0.0/16", "10.128.0.0/16"} <= blocks
    assert "0.0.0.0/0" not in blocks


def test_sidecars_pass_through_by_the_name_they_call(cloud: Cloud) -> None:
    build(cloud, {**JOINED, "mesh": {**JOINED["mesh"], "mode": "sidecar"}})
    (listener,) = named(cloud, "Gateway", "eastwest")["spec"]["listeners"]
    assert (listener["port"], listener["tls"]["mode"]) == (15443, "Passthrough")


def test_every_sidecar_reaches_the_control_plane(cloud: Cloud) -> None:
    build(cloud, {**FEW, "mesh": {**ALL["mesh"], "mode": "sidecar"}})
    asking = {
        each["metadata"]["namespace"]
        for each in objects(cloud, "NetworkPolicy")
        for rule in each["spec"].get("egress") or ()
        if any(port["port"] == 15012 for port in rule.get("ports") or ())
    }
    assert {"platform", "monitoring", "cert-manager", "external-secrets"} <= asking


def test_a_mesh_of_one_has_none_of_it(cloud: Cloud) -> None:
    build(cloud, FEW)
    assert "eastwest" not in [each["metadata"]["name"] for each in objects(cloud, "Gateway")]
    assert "meshID" not in releases(cloud)["istiod"]["values"]["global"]
    assert not [each for each in objects(cloud, "ExternalSecret") if each["metadata"]["namespace"] == "istio-system"]


@needs_shared
def test_what_joins_clusters_fits_upstream(everything: Cloud) -> None:
    checker = tool("check_values")
    for name, chart in (("istiod", "istiod"), ("ztunnel", "istio-ztunnel")):
        found = checker.Chart(chart, str(SHARED / "charts")).check(releases(everything)[name]["values"])
        assert list(found) == [], name
    documents = [*objects(everything, "ExternalSecret"), *objects(everything, "Gateway")]
    catalogue = tool("check_crds").Catalogue(str(SHARED / "crds"), documents)
    for each in documents:
        assert list(catalogue.check(json.loads(json.dumps(each)))) == [], each["metadata"]["name"]
