"""An AKS cluster: closed, governed by Entra, with the roles it needs and nothing for a whole subscription."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from uuid import UUID

import pytest

from components.azure.credentials import address_and_authority
from components.azure.identity import ROLES
from stacks.model import NodePool
from tests.components.azure.region import DEPLOYER, SUBSCRIPTION, Built

Build = Callable[..., Built]
NAME = "azure-westeurope"


def test_a_private_cluster_answers_inside_its_network_only(build: Build) -> None:
    access = build().cluster()["apiServerAccessProfile"]
    assert access["enablePrivateCluster"] is True
    assert access["enablePrivateClusterPublicFQDN"] is False
    assert access["enableVnetIntegration"] is True
    assert access["subnetId"].endswith("api-server")
    assert access["privateDNSZone"].endswith(f"{NAME}-api")
    assert "authorizedIPRanges" not in access


def test_a_restricted_cluster_names_who_may_ask_and_needs_no_zone(build: Build) -> None:
    built = build(mode="restricted")
    access = built.cluster()["apiServerAccessProfile"]
    assert access["enablePrivateCluster"] is False
    assert access["authorizedIPRanges"] == ["192.0.2.0/24"]
    assert access["enableVnetIntegration"] is True  # the key vault stays private
    assert list(built.inputs("privatedns:PrivateZone")) == [f"{NAME}-vault"]
    assert not [role for role in built.inputs("authorization:RoleAssignment") if role.endswith("api-zone")]


def test_entra_decides_and_no_local_account_exists(build: Build) -> None:
    inside = build().cluster()
    assert inside["enableRBAC"]
    assert inside["disableLocalAccounts"]
    entra = inside["aadProfile"]
    assert (entra["managed"], entra["enableAzureRBAC"], entra["adminGroupObjectIDs"]) == (True, True, [DEPLOYER])


def test_secrets_and_disks_are_encrypted_with_our_keys(build: Build) -> None:
    inside = build().cluster()
    kms = inside["securityProfile"]["azureKeyVaultKms"]
    assert (kms["enabled"], kms["keyVaultNetworkAccess"]) == (True, "Private")
    assert kms["keyId"].endswith("vault-etcd/1")
    assert inside["diskEncryptionSetID"].endswith("westeurope-disks")
    assert inside["securityProfile"]["defender"]["securityMonitoring"]["enabled"]
    assert inside["securityProfile"]["workloadIdentity"]["enabled"]
    assert inside["oidcIssuerProfile"]["enabled"]
    assert inside["addonProfiles"]["azurepolicy"]["enabled"]
    assert inside["sku"] == {"name": "Base", "tier": "Standard"}


@pytest.mark.parametrize(
    ("nat", "outbound", "images"), [("single", "userAssignedNATGateway", None), ("none", "none", "Cache")]
)
def test_pods_live_in_the_overlay_and_leave_by_the_file(
    build: Build, nat: str, outbound: str, images: str | None
) -> None:
    inside = build(nat=nat).cluster()
    net = inside["networkProfile"]
    assert (net["networkPlugin"], net["networkPluginMode"]) == ("azure", "overlay")
    assert (net["networkDataplane"], net["networkPolicy"]) == ("cilium", "cilium")
    assert net["outboundType"] == outbound
    assert inside.get("bootstrapProfile", {}).get("artifactSource") == images
    assert IPv4Address(net["dnsServiceIP"]) in IPv4Network(net["serviceCidr"])
    assert not IPv4Network(net["podCidr"]).overlaps(IPv4Network(net["serviceCidr"]))


@pytest.mark.parametrize(
    ("channel", "azure", "pinned"), [("stable", "patch", True), ("regular", "stable", False), ("rapid", "rapid", False)]
)
def test_a_channel_that_moves_the_minor_leaves_pools_unpinned(
    build: Build,
    channel: str,
    azure: str,
    pinned: bool,  # noqa: FBT001
) -> None:
    built = build(channel=channel)
    assert built.cluster()["autoUpgradeProfile"] == {"upgradeChannel": azure, "nodeOSUpgradeChannel": "NodeImage"}
    for inside in built.inputs("containerservice:AgentPool").values():
        assert inside.get("orchestratorVersion") == ("1.34" if pinned else None)


def test_upgrades_happen_in_the_two_windows(build: Build) -> None:
    windows = build().inputs("containerservice:MaintenanceConfiguration")
    assert {one["configName"] for one in windows.values()} == {
        "aksManagedAutoUpgradeSchedule",
        "aksManagedNodeOSUpgradeSchedule",
    }
    assert all(one["maintenanceWindow"]["durationHours"] >= 4 for one in windows.values())


def test_roles_are_built_in_ones_on_single_things(build: Build) -> None:
    roles = build(nat="per_zone").inputs("authorization:RoleAssignment")

    names = [UUID(inside["roleAssignmentName"]) for inside in roles.values()]
    assert len(set(names)) == len(names)
    for inside in roles.values():
        prefix, _, guid = inside["roleDefinitionId"].rpartition("/")
        assert prefix == f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
        assert guid in ROLES.values()
        assert "/providers/" in inside["scope"]  # never a group or a subscription
    given = {name.removeprefix(f"{NAME}-") for name in roles}
    assert {"nodes-a", "nodes-b", "nodes-c", "api-server", "api-zone", "kubelet", "etcd-key", "vault"} <= given
    assert {f"{DEPLOYER}-user", f"{DEPLOYER}-admin"} <= given
    assert not any("arn:" in name for name in given)


def test_audit_logs_of_cluster_and_vault_are_kept(build: Build) -> None:
    built = build()
    exported = {
        name: [log["category"] for log in inside["logs"]]
        for name, inside in built.inputs("monitor:DiagnosticSetting").items()
    }
    assert "kube-audit" in exported[f"{NAME}-audit"]
    assert "AuditEvent" in exported[f"{NAME}-vault-audit"]
    (workspace,) = built.inputs("operationalinsights:Workspace").values()
    assert workspace["retentionInDays"] >= 365
    assert built.outputs["ready"].endswith(f"::{NAME}-audit")


def test_a_program_reaches_the_cluster_by_a_command_and_never_by_a_token(build: Build) -> None:
    built = build()
    (provider,) = built.cloud.of_type("pulumi:providers:kubernetes").values()
    config = json.loads(provider["kubeconfig"])
    (user,) = config["users"]
    assert list(user["user"]) == ["exec"]
    assert user["user"]["exec"]["command"] == "kubelogin"
    assert config["clusters"][0]["cluster"] == {
        "server": built.outputs["endpoint"],
        "certificate-authority-data": built.outputs["authority"],
    }


def test_tokens_that_azure_hands_out_are_dropped() -> None:
    handed = b64encode(
        b"clusters: [{cluster: {server: 'https://x', certificate-authority-data: Q0E=}}]\nusers: [{user: {token: t}}]\n"
    ).decode()
    assert address_and_authority(handed) == ("https://x", "Q0E=")


@pytest.mark.parametrize("zones", [1, 3])
def test_the_bootstrap_pool_has_a_node_in_each_zone(build: Build, zones: int) -> None:
    (pool,) = build(zones=zones).cluster()["agentPoolProfiles"]
    assert (pool["name"], pool["mode"], pool["count"]) == ("bootstrap", "System", zones)
    assert pool["availabilityZones"] == [str(number + 1) for number in range(zones)]
    assert pool["nodeTaints"] == ["CriticalAddonsOnly=true:NoSchedule"]
    assert pool["enableEncryptionAtHost"] is True
    assert pool["enableNodePublicIP"] is False


@pytest.mark.parametrize("zones", [1, 3])
def test_sized_pools_take_their_numbers_from_the_plan(build: Build, zones: int) -> None:
    built = build(zones=zones)
    pools = built.inputs("containerservice:AgentPool")
    assert sorted(pools) == [f"{NAME}-{key}" for key in built.outputs["pools"]]
    for inside in pools.values():
        assert inside["availabilityZones"] == [str(number + 1) for number in range(zones)]
        assert inside["tags"] == {"optimizer-evidence": "e" * 52}
        assert inside["enableAutoScaling"] is True
        assert inside["minCount"] <= inside["count"] <= inside["maxCount"]
        assert inside["enableEncryptionAtHost"] is True
        assert inside["enableNodePublicIP"] is False
        assert inside["vmSize"] == "Standard_D4s_v5"
    assert {name: inside["mode"] for name, inside in pools.items()} == {
        f"{NAME}-system-0": "System",
        f"{NAME}-system-1": "User",  # empty: a system pool could not be
        f"{NAME}-general-0": "User",
        f"{NAME}-general-1": "User",
        f"{NAME}-burst-0": "User",
    }


def test_spot_pools_say_so(build: Build) -> None:
    pools = build().inputs("containerservice:AgentPool")
    spot = pools[f"{NAME}-burst-0"]
    assert (spot["scaleSetPriority"], spot["scaleSetEvictionPolicy"], spot["spotMaxPrice"]) == ("Spot", "Delete", -1)
    assert "kubernetes.azure.com/scalesetpriority=spot:NoSchedule" in spot["nodeTaints"]
    assert spot["nodeLabels"]["kubernetes.azure.com/scalesetpriority"] == "spot"
    assert "upgradeSettings" not in spot
    usual = pools[f"{NAME}-general-0"]
    assert usual["scaleSetPriority"] == "Regular"
    assert "scaleSetEvictionPolicy" not in usual
    assert usual["nodeLabels"] == {"tier": "apps", "pool": "general"}


def test_every_pool_name_is_one_that_aks_takes(build: Build) -> None:
    pools = {
        "a-very-long-name-of-a-pool": NodePool(min=1, max=3, slots=3),
        "a-very-long-name-of-another": NodePool(min=1, max=3, slots=3),
    }
    small = [one["agentPoolName"] for one in build(pools=pools).inputs("containerservice:AgentPool").values()]
    assert len(set(small)) == 6
    for name in small:
        assert len(name) <= 12
        assert name.isalnum()
        assert name.islower()
        assert name[0].isalpha()


def test_pools_are_dealt_over_the_subnets_and_stay_there(build: Build) -> None:
    few = {"general": NodePool(min=1, max=3, slots=3)}
    more = {**few, "another": NodePool(min=1, max=3, slots=3)}

    def subnets(built: Built) -> dict[str, str]:
        return {name: inside["vnetSubnetID"] for name, inside in built.inputs("containerservice:AgentPool").items()}

    before = subnets(build(nat="per_zone", pools=few))
    assert len(set(before.values())) == 3
    after = subnets(build(nat="per_zone", pools=more))
    assert before.items() <= after.items()
