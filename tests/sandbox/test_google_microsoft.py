"""The stand-ins of Google, Microsoft and Cloudflare: references, refusals, shapes."""

from __future__ import annotations

import base64
import itertools
import json
import uuid
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from tests.sandbox.engine import CONFIGURATIONS, Engine, Made

_numbers = itertools.count()
NETWORK, SUBNETWORK = "gcp:compute/network:Network", "gcp:compute/subnetwork:Subnetwork"
GKE, POOL = "gcp:container/cluster:Cluster", "gcp:container/nodePool:NodePool"
GROUP, VNET, SUBNET = (
    "azure-native:resources:ResourceGroup",
    "azure-native:network:VirtualNetwork",
    "azure-native:network:Subnet",
)
AKS, AGENTS = "azure-native:containerservice:ManagedCluster", "azure-native:containerservice:AgentPool"
IDENTITY, ASSIGNMENT = "azure-native:managedidentity:UserAssignedIdentity", "azure-native:authorization:RoleAssignment"
SUBSCRIPTION = CONFIGURATIONS["azure-native"]["subscriptionId"]


def fresh(text: str) -> str:
    return f"{text}{next(_numbers)}"


def refused(call: Callable[[], Any], code: str) -> str:
    with pytest.raises(grpc.RpcError) as problem:
        call()
    text = str(problem.value.details())  # type: ignore[attr-defined]
    assert text.startswith(code), text
    return text


@pytest.fixture
def gcp(connect: Callable[..., Engine]) -> Engine:
    return connect("gcp")


@pytest.fixture
def azure(connect: Callable[..., Engine]) -> Engine:
    return connect("azure-native")


def ranges(gcp: Engine, primary: str = "10.0.0.0/20", pods: str = "10.4.0.0/14") -> tuple[Made, Made]:
    net = gcp.create(NETWORK, fresh("net"), {"autoCreateSubnetworks": False})
    sub = gcp.create(SUBNETWORK, fresh("sub"), {
        "network": net.outputs["selfLink"], "region": "europe-west1", "ipCidrRange": primary,
        "secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": pods}, {"rangeName": "services", "ipCidrRange": "10.8.0.0/20"}]})  # fmt: skip  # noqa: E501 - one message, one line
    return net, sub


def gke(gcp: Engine, net: Made, sub: Made, **more: Any) -> dict[str, Any]:
    return {
        "name": fresh("cluster"), "location": "europe-west1", "network": net.id, "subnetwork": sub.id, "initialNodeCount": 1,  # noqa: E501 - one message, one line
        "deletionProtection": False, "minMasterVersion": "1.34",
        "ipAllocationPolicy": {"clusterSecondaryRangeName": "pods", "servicesSecondaryRangeName": "services"}, **more,
    }  # fmt: skip


def test_google_ids_links_and_ranges(gcp: Engine) -> None:
    net, sub = ranges(gcp)
    assert net.id == f"projects/example-dev/global/networks/{net.inputs['name']}"
    assert sub.outputs["selfLink"].endswith(
        f"/projects/example-dev/regions/europe-west1/subnetworks/{sub.inputs['name']}"
    )
    assert sub.outputs["gatewayAddress"] == "10.0.0.1"
    inputs = {"network": net.id, "region": "europe-west1", "ipCidrRange": "10.5.0.0/20"}
    refused(lambda: gcp.create(SUBNETWORK, fresh("sub"), inputs | {"network": net.outputs["selfLink"]}), "badRequest")
    refused(
        lambda: gcp.create(
            SUBNETWORK, fresh("sub"), inputs | {"network": "projects/example-dev/global/networks/ghost"}
        ),
        "notFound",
    )
    refused(lambda: gcp.delete(net), "resourceInUseByAnotherResource")


def test_a_gke_cluster_and_its_pools(gcp: Engine) -> None:
    net, sub = ranges(gcp)
    made = gcp.create(GKE, "cluster", gke(gcp, net, sub))
    assert made.outputs["clusterIpv4Cidr"] == "10.4.0.0/14"
    assert made.outputs["masterVersion"].startswith("1.34.")
    assert base64.b64decode(made.outputs["masterAuth"]["clusterCaCertificate"]).startswith(b"-----BEGIN CERTIFICATE")
    wrong = gke(gcp, net, sub, ipAllocationPolicy={"clusterSecondaryRangeName": "pod"})
    assert '"pod"' in refused(lambda: gcp.create(GKE, "typo", wrong), "badRequest")
    pool = {"cluster": made.inputs["name"], "location": "europe-west1", "initialNodeCount": 0}
    good = gcp.create(POOL, fresh("pool"), {**pool, "autoscaling": {"totalMinNodeCount": 0, "totalMaxNodeCount": 3}})
    assert "initialNodeCount" in gcp.diff(good, {**good.inputs, "initialNodeCount": 1}).replaces
    assert not gcp.diff(good, {**good.inputs, "nodeConfig": {"machineType": "e2-standard-4"}}).replaces
    _, failures = gcp.check(POOL, "p", {**pool, "autoscaling": {"totalMinNodeCount": 4, "totalMaxNodeCount": 3}})
    assert "autoscaling.totalMinNodeCount" in failures[0]
    refused(
        lambda: gcp.create(
            POOL, fresh("p"), {**pool, "nodeConfig": {"machineType": "c4-standard-2", "diskType": "pd-ssd"}}
        ),
        "badRequest",
    )


def test_deletion_protection_of_gke(gcp: Engine) -> None:
    net, sub = ranges(gcp)
    made = gcp.create(GKE, "kept", gke(gcp, net, sub, deletionProtection=True))
    refused(lambda: gcp.delete(made), "Cannot destroy cluster because deletion_protection is set to true")


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({"enableAutopilot": True, "removeDefaultNodePool": True}, "removeDefaultNodePool"),
        ({"initialNodeCount": 1, "nodeConfig": {"machinType": "x"}}, "nodeConfig.machinType"),
        ({"initialNodeCount": 1, "releaseChannel": {"channel": "FAST"}}, "releaseChannel.channel"),
        ({"initialNodeCount": 1, "defaultMaxPodsPerNode": 300}, "defaultMaxPodsPerNode"),
    ],
)
def test_gke_values_are_judged_before_anything_is_made(gcp: Engine, inputs: dict[str, Any], path: str) -> None:
    _, failures = gcp.check(GKE, "c", inputs)
    assert any(failure.startswith(path) for failure in failures), failures


def test_an_api_must_be_enabled_once_apis_are_managed(play: Callable[..., tuple[Any, Engine]]) -> None:
    _, gcp = play({}, "gcp")
    gcp.create("gcp:projects/service:Service", "iam", {"service": "iam.googleapis.com", "project": "example-dev"})
    refused(lambda: gcp.create(NETWORK, "net", {}), "accessNotConfigured")
    gcp.create(
        "gcp:projects/service:Service", "compute", {"service": "compute.googleapis.com", "project": "example-dev"}
    )
    gcp.create(NETWORK, "net", {})


def test_a_key_ring_cannot_be_deleted(gcp: Engine) -> None:
    ring = gcp.create("gcp:kms/keyRing:KeyRing", fresh("ring"), {"location": "europe-west1"})
    gcp.delete(ring)
    assert gcp.read(ring)[0] == ring.id


def azure_network(azure: Engine) -> tuple[Made, Made, Made]:
    group = azure.create(GROUP, fresh("rg"), {"location": "westeurope"})
    name = group.inputs["resourceGroupName"]
    net = azure.create(
        VNET,
        fresh("net"),
        {"resourceGroupName": name, "location": "westeurope", "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}},
    )
    sub = azure.create(
        SUBNET,
        fresh("sub"),
        {"resourceGroupName": name, "virtualNetworkName": net.outputs["name"], "addressPrefix": "10.0.0.0/24"},
    )
    return group, net, sub


def test_arm_ids_and_nested_things(azure: Engine) -> None:
    group, net, sub = azure_network(azure)
    assert sub.id == f"{net.id}/subnets/{sub.inputs['subnetName']}"
    assert net.id.startswith(
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group.outputs['name']}/providers/Microsoft.Network/virtualNetworks/"
    )
    inputs = {"resourceGroupName": group.outputs["name"], "virtualNetworkName": net.outputs["name"]}
    refused(lambda: azure.create(SUBNET, fresh("s"), {**inputs, "addressPrefix": "10.1.0.0/24"}), "NetcfgInvalidSubnet")
    refused(
        lambda: azure.create(SUBNET, fresh("s"), {**inputs, "addressPrefix": "10.0.0.128/25"}),
        "NetcfgSubnetRangesOverlap",
    )
    refused(
        lambda: azure.create(
            VNET, fresh("n"), {**net.inputs, "virtualNetworkName": "lost", "resourceGroupName": "ghost"}
        ),
        "ResourceGroupNotFound",
    )
    azure.delete(group)  # takes everything in it along
    assert azure.read(sub)[0] == azure.read(net)[0] == ""


def test_roles_are_built_in_ones_on_things_that_exist(azure: Engine) -> None:
    group, net, _ = azure_network(azure)
    who = azure.create(
        IDENTITY, fresh("identity"), {"resourceGroupName": group.outputs["name"], "location": "westeurope"}
    )
    role = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/"
    inputs = {"principalId": who.outputs["principalId"], "principalType": "ServicePrincipal", "scope": net.id,
              "roleDefinitionId": role + "4d97b98b-1d4f-4787-a291-c67834d212e7"}  # fmt: skip
    name = str(uuid.UUID(int=next(_numbers) + 1, version=4))
    azure.create(ASSIGNMENT, fresh("grant"), {**inputs, "roleAssignmentName": name})
    other = str(uuid.UUID(int=next(_numbers) + 1000, version=4))
    refused(
        lambda: azure.create(ASSIGNMENT, fresh("g"), {**inputs, "roleAssignmentName": other}), "RoleAssignmentExists"
    )
    made_up = {**inputs, "roleAssignmentName": other, "roleDefinitionId": role + "00000000-0000-4000-8000-000000000000"}
    refused(lambda: azure.create(ASSIGNMENT, fresh("g"), made_up), "RoleDefinitionDoesNotExist")
    nowhere = {**inputs, "roleAssignmentName": other, "scope": net.id + "x"}
    refused(lambda: azure.create(ASSIGNMENT, fresh("g"), nowhere), "ResourceNotFound")


def aks(azure: Engine, **more: Any) -> dict[str, Any]:
    group, _, sub = azure_network(azure)
    who = azure.create(
        IDENTITY, fresh("identity"), {"resourceGroupName": group.outputs["name"], "location": "westeurope"}
    )
    return {
        "resourceGroupName": group.outputs["name"], "resourceName": fresh("aks"), "location": "westeurope", "dnsPrefix": "dev",  # noqa: E501 - one message, one line
        "kubernetesVersion": "1.34", "identity": {"type": "UserAssigned", "userAssignedIdentities": [who.id]},
        "networkProfile": {"networkPlugin": "azure", "networkPluginMode": "overlay", "podCidr": "10.244.0.0/16",
                           "serviceCidr": "10.2.0.0/16", "dnsServiceIP": "10.2.0.10"},
        "agentPoolProfiles": [{"name": "system", "mode": "System", "count": 1, "vmSize": "Standard_D2s_v5", "vnetSubnetID": sub.id}],  # noqa: E501 - one message, one line
        **more,
    }  # fmt: skip


def test_an_aks_cluster_its_credentials_and_its_pools(azure: Engine) -> None:
    inputs = aks(azure)
    made = azure.create(AKS, "aks", inputs)
    (who,) = inputs["identity"]["userAssignedIdentities"]
    assert set(made.outputs["identity"]["userAssignedIdentities"][who]) == {"principalId", "clientId"}
    answer = azure.invoke("azure-native:containerservice:listManagedClusterUserCredentials",
                          resourceGroupName=inputs["resourceGroupName"], resourceName=inputs["resourceName"])  # fmt: skip  # noqa: E501 - one message, one line
    config = json.loads(base64.b64decode(answer["kubeconfigs"][0]["value"]))
    assert config["clusters"][0]["cluster"]["server"] == f"https://{made.outputs['fqdn']}:443"
    assert config["users"][0]["user"]["exec"]["command"] == "kubelogin"
    pool = {key: inputs[key] for key in ("resourceGroupName", "resourceName")} | {
        "vmSize": "Standard_D4s_v5", "enableAutoScaling": True, "minCount": 0, "maxCount": 3, "count": 0, "mode": "User"}  # fmt: skip  # noqa: E501 - one message, one line
    good = azure.create(AGENTS, "general", {**pool, "agentPoolName": "general0abc"})
    assert list(azure.diff(good, {**good.inputs, "vmSize": "Standard_D8s_v5"}).replaces) == ["vmSize"]
    refused(lambda: azure.create(AGENTS, "x", {**pool, "agentPoolName": "x", "count": 5}), "InvalidParameter")
    refused(lambda: azure.create(AGENTS, "x", {**pool, "agentPoolName": "x", "mode": "System"}), "InvalidParameter")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (
            {"networkProfile": {"networkPlugin": "kubenet", "networkPluginMode": "overlay"}},
            "networkProfile.networkPluginMode",
        ),
        ({"networkProfile": {"networkPlugn": "azure"}}, "networkProfile.networkPlugn"),
        ({"networkProfile": {"outboundType": "natGateway"}}, "networkProfile.outboundType"),
        (
            {"networkProfile": {"serviceCidr": "10.2.0.0/16", "dnsServiceIP": "10.3.0.10"}},
            "networkProfile.dnsServiceIP",
        ),
        ({"agentPoolProfiles": [{"name": "user", "mode": "User", "count": 1}]}, "agentPoolProfiles"),
        ({"agentPoolProfiles": [{"name": "System-1", "mode": "System", "count": 1}]}, "agentPoolProfiles[0].name"),
        ({"sku": {"name": "Base", "tier": "Paid"}}, "sku.tier"),
    ],
)
def test_aks_choices_fit_together(azure: Engine, change: dict[str, Any], path: str) -> None:
    inputs = {
        "resourceGroupName": "g",
        "agentPoolProfiles": [{"name": "system", "mode": "System", "count": 1}],
        **change,
    }
    _, failures = azure.check(AKS, "aks", inputs)
    assert any(failure.startswith(path) for failure in failures), failures


def test_priorities_of_security_rules_are_their_own(azure: Engine) -> None:
    rule = {"name": "a", "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "Tcp"}
    _, failures = azure.check("azure-native:network:NetworkSecurityGroup", "nsg", {
        "resourceGroupName": "g", "securityRules": [rule, {**rule, "name": "b"}, {**rule, "name": "c", "priority": 99}]})  # fmt: skip  # noqa: E501 - one message, one line
    assert {failure.partition(":")[0] for failure in failures} == {
        "securityRules[1].priority",
        "securityRules[2].priority",
    }


@pytest.mark.parametrize(
    ("token", "inputs", "path"),
    [
        (
            "cloudflare:index/dnsRecord:DnsRecord",
            {"name": "a", "type": "A", "ttl": 5, "zoneId": "0" * 32, "content": "192.0.2.1"},
            "ttl",
        ),
        (
            "cloudflare:index/dnsRecord:DnsRecord",
            {"name": "a", "type": "A", "ttl": 1, "zoneId": "0" * 32, "content": "example.org"},
            "content",
        ),
        (
            "cloudflare:index/ruleset:Ruleset",
            {"name": "r", "kind": "zone", "phase": "p", "zoneId": "z", "accountId": "a"},
            "zoneId",
        ),
    ],
)
def test_cloudflare_values(connect: Callable[..., Engine], token: str, inputs: dict[str, Any], path: str) -> None:
    _, failures = connect("cloudflare").check(token, "x", inputs)
    assert any(failure.startswith(path) for failure in failures), failures


def test_a_type_without_a_row_still_has_outputs_of_the_right_shape(gcp: Engine) -> None:
    made = gcp.create("gcp:pubsub/topic:Topic", "topic", {"labels": {"a": "b"}})
    assert made.inputs["name"].startswith("topic-")
    assert isinstance(made.outputs["effectiveLabels"], dict)
    assert gcp.read(made)[0] == made.id
