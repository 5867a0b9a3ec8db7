"""The network of an Azure region: closed, divided without overlap, and watched."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network

import pytest

from components.azure import firewall
from components.azure.key_vault import OPERATIONS
from tests.components.azure.region import TENANT, Built

Build = Callable[..., Built]
NAME = "azure-westeurope"


def test_everything_has_the_explicit_provider(build: Build) -> None:
    built = build()
    assert built.cloud.without_provider() == []
    assert built.outputs["identity"] == "00000000-0000-0000-0000-000000000000"


def test_the_region_has_each_thing_once(build: Build) -> None:
    built = build()
    assert built.cloud.counts() == {
        "ecosystem:azure:Account": 1,
        "ecosystem:azure:Network": 1,
        "ecosystem:azure:KeyVault": 1,
        "ecosystem:azure:FlowLogs": 1,
        "ecosystem:azure:Cluster": 1,
        "pulumi:providers:azure-native": 1,
        "pulumi:providers:kubernetes": 1,
        "azure-native:authorization:RoleAssignment": 12,
        "azure-native:compute:DiskEncryptionSet": 1,
        "azure-native:containerservice:AgentPool": 5,
        "azure-native:containerservice:MaintenanceConfiguration": 2,
        "azure-native:containerservice:ManagedCluster": 1,
        "azure-native:keyvault:Key": 3,
        "azure-native:keyvault:Vault": 1,
        "azure-native:managedidentity:UserAssignedIdentity": 4,
        "azure-native:monitor:DataCollectionRule": 1,
        "azure-native:monitor:DataCollectionRuleAssociation": 1,
        "azure-native:monitor:DiagnosticSetting": 2,
        "azure-native:network:FlowLog": 1,
        "azure-native:network:NatGateway": 1,
        "azure-native:network:NetworkSecurityGroup": 3,
        "azure-native:network:PrivateDnsZoneGroup": 1,
        "azure-native:network:PrivateEndpoint": 1,
        "azure-native:network:PublicIPAddress": 1,
        "azure-native:network:RouteTable": 1,
        "azure-native:network:Subnet": 3,
        "azure-native:network:VirtualNetwork": 1,
        "azure-native:operationalinsights:Workspace": 1,
        "azure-native:privatedns:PrivateZone": 2,
        "azure-native:privatedns:VirtualNetworkLink": 2,
        "azure-native:resources:ResourceGroup": 1,
        "azure-native:storage:BlobServiceProperties": 1,
        "azure-native:storage:ManagementPolicy": 1,
        "azure-native:storage:StorageAccount": 1,
    }


def test_the_program_asks_the_cloud_only_who_it_is_and_where_the_cluster_is(build: Build) -> None:
    assert [call.token.split(":")[-1] for call in build().cloud.looked_up] == [
        "getClientConfig",  # the account
        "getClientConfig",  # the region
        "listManagedClusterUserCredentials",
    ]


@pytest.mark.parametrize(
    ("zones", "nat", "gateways"),
    [
        (1, "none", []),
        (1, "single", ["a"]),
        (3, "single", ["a"]),
        (1, "per_zone", ["a"]),
        (3, "per_zone", ["a", "b", "c"]),
    ],
)
def test_ways_out(build: Build, zones: int, nat: str, gateways: list[str]) -> None:
    built = build(zones=zones, nat=nat)

    names = [f"{NAME}-nat-{zone}" for zone in gateways]
    assert sorted(built.inputs("network:NatGateway")) == names
    assert sorted(built.inputs("network:PublicIPAddress")) == names
    for number, name in enumerate(names, 1):
        assert built.inputs("network:NatGateway")[name]["zones"] == [str(number)]
        assert built.inputs("network:PublicIPAddress")[name]["zones"] == [str(number)]
    subnets = {name: inside for name, inside in built.inputs("network:Subnet").items() if "-nodes-" in name}
    assert sorted(subnets) == [f"{NAME}-nodes-{zone}" for zone in gateways or ["a"]]
    for name, inside in subnets.items():
        assert inside.get("natGateway", {}).get("id", "").endswith(name.replace("nodes", "nat") if gateways else "")
        assert inside["routeTable"]["id"].endswith(NAME)
    (routes,) = built.inputs("network:RouteTable").values()
    assert [route["nextHopType"] for route in routes["routes"]] == ["Internet" if gateways else "None"]


def test_going_from_one_gateway_to_three_renumbers_nothing(build: Build) -> None:
    one = build(nat="single").inputs("network:Subnet")
    cidrs = {name: inside["addressPrefix"] for name, inside in one.items()}
    three = build(nat="per_zone").inputs("network:Subnet")
    assert cidrs.items() <= {name: inside["addressPrefix"] for name, inside in three.items()}.items()


def test_subnets_lie_in_the_network_side_by_side_with_a_guard_and_no_way_out_of_their_own(build: Build) -> None:
    built = build(nat="per_zone")

    (vnet,) = built.inputs("network:VirtualNetwork").values()
    assert "subnets" not in vnet
    (prefix,) = vnet["addressSpace"]["addressPrefixes"]
    seen: list[IPv4Network] = []
    for inside in built.inputs("network:Subnet").values():
        cidr = IPv4Network(inside["addressPrefix"])
        assert cidr.subnet_of(IPv4Network(prefix))
        assert not any(cidr.overlaps(other) for other in seen)
        seen.append(cidr)
        assert inside["networkSecurityGroup"]["id"]
        assert inside["defaultOutboundAccess"] is False
    api = built.inputs("network:Subnet")[f"{NAME}-api-server"]
    assert [one["serviceName"] for one in api["delegations"]] == ["Microsoft.ContainerService/managedClusters"]
    assert IPv4Network(api["addressPrefix"]).prefixlen <= 28


def test_nothing_comes_in_from_the_internet(build: Build) -> None:
    for name, inside in build().inputs("network:NetworkSecurityGroup").items():
        rules = inside["securityRules"]
        places = [rule["priority"] for rule in rules]
        assert len(set(places)) == len(places), name
        assert min(places) >= firewall.FIRST_PRIORITY
        assert max(places) == firewall.LAST_PRIORITY
        for rule in rules:
            assert rule["direction"] == "Inbound"
            sources = [rule.get("sourceAddressPrefix"), *rule.get("sourceAddressPrefixes", [])]
            if rule["access"] == "Allow":
                assert not {"*", "Internet", "0.0.0.0/0"} & set(sources)
                assert "destinationPortRange" in rule or "destinationPortRanges" in rule
        last = max(rules, key=lambda rule: rule["priority"])
        assert (last["access"], last["sourceAddressPrefix"], last["destinationPortRange"]) == ("Deny", "*", "*")


def test_the_vault_is_closed_and_keeps_what_is_deleted(build: Build) -> None:
    (vault,) = build().inputs("keyvault:Vault").values()
    inside = vault["properties"]
    assert inside["tenantId"] == TENANT
    assert inside["enableRbacAuthorization"]
    assert inside["enablePurgeProtection"]
    assert inside["enableSoftDelete"]
    assert inside["softDeleteRetentionInDays"] == 90
    assert inside["publicNetworkAccess"] == "Disabled"
    assert inside["networkAcls"] == {"bypass": "AzureServices", "defaultAction": "Deny"}
    assert len(vault["vaultName"]) == 23 or len(vault["vaultName"]) == 24
    assert vault["vaultName"].replace("-", "").isalnum()


def test_each_key_ends_and_is_rotated_before(build: Build) -> None:
    keys = build().inputs("keyvault:Key")
    assert sorted(keys) == sorted(f"{NAME}-vault-{use}" for use in OPERATIONS)
    for inside in keys.values():
        assert inside["properties"]["attributes"]["expires"] == 1858377600
        (action,) = inside["properties"]["rotationPolicy"]["lifetimeActions"]
        assert action == {"action": {"type": "rotate"}, "trigger": {"timeAfterCreate": "P180D"}}


def test_the_flow_log_is_kept_ninety_days_in_a_store_without_shared_keys(build: Build) -> None:
    built = build()
    (log,) = built.inputs("network:FlowLog").values()
    assert (log["resourceGroupName"], log["networkWatcherName"]) == ("NetworkWatcherRG", "NetworkWatcher_westeurope")
    assert log["targetResourceId"].endswith(f"VirtualNetwork/{NAME}")
    assert log["retentionPolicy"] == {"enabled": True, "days": 90}
    (store,) = built.inputs("storage:StorageAccount").values()
    assert store["enableHttpsTrafficOnly"] is True
    assert store["minimumTlsVersion"] == "TLS1_2"
    for never in ("allowBlobPublicAccess", "allowSharedKeyAccess", "allowCrossTenantReplication"):
        assert store[never] is False
    assert store["publicNetworkAccess"] == "Disabled"
    assert store["encryption"]["keySource"] == "Microsoft.Keyvault"
    assert store["encryption"]["requireInfrastructureEncryption"] is True
    assert 3 <= len(store["accountName"]) <= 24
    assert store["accountName"].isalnum()
    (blobs,) = built.inputs("storage:BlobServiceProperties").values()
    assert blobs["isVersioningEnabled"]
    assert blobs["deleteRetentionPolicy"]["enabled"]
    assert blobs["containerDeleteRetentionPolicy"]["enabled"]


def test_network_and_cluster_of_one_name_have_no_child_of_the_same_type_and_name(build: Build) -> None:
    made = [(asked.typ, asked.name) for asked in build().cloud.asked]
    assert len(set(made)) == len(made)
