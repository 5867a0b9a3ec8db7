"""Both ends of every link of one stack file, held against each other as each cloud was asked for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime import settings

from components.platform import Platform
from stacks.load import read_file
from tests.components.azure.region import identities_as_a_map
from tests.components.mock_cloud import COMPUTED, Cloud, Computed, attach
from tests.inventory.test_inventory import IDENTITIES, SIZING, aks, answers, planned

FILE = Path(__file__).parents[1] / "stackfiles" / "happy.links.yaml"
AWS, GCP, AZURE = "aws-eu-west-1-links", "gcp-europe-west1-links", "azure-westeurope-links"
CONNECTION, CUSTOMER = "aws:ec2/vpnConnection:VpnConnection", "aws:ec2/customerGateway:CustomerGateway"
TUNNEL, PEER = "gcp:compute/vPNTunnel:VPNTunnel", "gcp:compute/routerPeer:RouterPeer"
INTERFACE, OUTSIDE = (
    "gcp:compute/routerInterface:RouterInterface",
    "gcp:compute/externalVpnGateway:ExternalVpnGateway",
)
AZURE_CONNECTION = "azure-native:network:VirtualNetworkGatewayConnection"
LOCAL, GATEWAY = "azure-native:network:LocalNetworkGateway", "azure-native:network:VirtualNetworkGateway"
SEALED = "4dabf18193072939515e22adb298388d"
"""How the SDK marks what is secret on its way to the engine (sdk/python/lib/pulumi/runtime/rpc.py)."""


@pytest.fixture(scope="module")
def built() -> Iterator[Cloud]:
    stack = read_file(FILE)
    computed: dict[str, Computed] = {**COMPUTED, SIZING: planned, **dict.fromkeys(IDENTITIES, identities_as_a_map)}
    computed["azure-native:containerservice:ManagedCluster"] = aks
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PULUMI_ERROR_OUTPUT_STRING", "true")
        cloud = Cloud(answers=answers(stack), computed=computed)
        yield attach(cloud, "test").build(lambda: Platform("platform", stack).export())
    settings.reset_options()


def unsealed(value: Any) -> Any:
    """What is inside a secret; a plain value is refused."""
    assert isinstance(value, dict), "is plain"
    assert SEALED in value, "is plain"
    return value["value"]


def aws_tunnels(cloud: Cloud, far: str) -> list[dict[str, Any]]:
    """Tunnels of AWS towards a site, in order, with what stands around them."""
    found = []
    for half in range(2):
        name = f"{AWS}-{far}-{half}"
        made, customer = cloud.of_type(CONNECTION)[name], cloud.of_type(CUSTOMER)[name]
        for place in (1, 2):
            inside = {
                key[7].lower() + key[8:]: value for key, value in made.items() if key.startswith(f"tunnel{place}")
            }
            inside["presharedKey"] = unsealed(inside["presharedKey"])
            found.append({**inside, "outside": f"{name}-outside-{place}", "far": customer["ipAddress"],
                          "farAsn": int(customer["bgpAsn"])})  # fmt: skip
    return found


def gcp_tunnels(cloud: Cloud, far: str, count: int) -> list[dict[str, Any]]:
    interfaces = cloud.of_type(OUTSIDE)[f"{GCP}-{far}"]["interfaces"]
    found = []
    for number in range(count):
        name = f"{GCP}-{far}-{number}"
        tunnel, peer = cloud.of_type(TUNNEL)[name], cloud.of_type(PEER)[name]
        around = {
            "sharedSecret": unsealed(tunnel["sharedSecret"]),
            "ipRange": cloud.of_type(INTERFACE)[name]["ipRange"],
            "far": interfaces[int(tunnel["peerExternalGatewayInterface"])]["ipAddress"],
            "outside": f"{GCP}-outside-{int(tunnel['vpnGatewayInterface'])}",
        }
        found.append({**tunnel, **peer, **around})
    return found


def azure_tunnels(cloud: Cloud, far: str, count: int) -> list[dict[str, Any]]:
    names = [f"{AZURE}-{far}-{number}" for number in range(count)]
    made = [{**cloud.of_type(AZURE_CONNECTION)[name], **cloud.of_type(LOCAL)[name]} for name in names]
    return [{**each, "sharedKey": unsealed(each["sharedKey"])} for each in made]


def asns(cloud: Cloud) -> dict[str, int]:
    return {
        "aws": int(cloud.of_type("aws:ec2/vpnGateway:VpnGateway")[AWS]["amazonSideAsn"]),
        "gcp": cloud.of_type("gcp:compute/router:Router")[GCP]["bgp"]["asn"],
        "azure": cloud.of_type(GATEWAY)[AZURE]["bgpSettings"]["asn"],
    }


def test_every_resource_has_an_explicit_provider(built: Cloud) -> None:
    assert built.without_provider() == []


def test_numbers_of_bgp_are_private_and_each_has_its_own(built: Cloud) -> None:
    found = asns(built)
    assert len(set(found.values())) == 3
    assert all(64512 <= each <= 65279 for each in found.values())


def test_aws_and_google_say_the_same_of_each_tunnel(built: Cloud) -> None:
    here, there = aws_tunnels(built, "gcp-europe-west1"), gcp_tunnels(built, "aws-eu-west-1", 4)
    numbers = asns(built)
    for one, other in zip(here, there, strict=True):
        assert one["presharedKey"] == other["sharedSecret"]
        assert (one["outside"], one["far"]) == (other["far"], other["outside"])
        near, far = IPv4Network(one["insideCidr"]).hosts()
        assert (str(near), str(far)) == (other["peerIpAddress"], other["ipAddress"])
        assert IPv4Interface(other["ipRange"]).network == IPv4Network(one["insideCidr"])
        assert (one["farAsn"], other["peerAsn"]) == (numbers["gcp"], numbers["aws"])
        assert other["ikeVersion"] == 2
        assert other["cipherSuite"] == {
            "phase1": {"encryptions": ["AES-GCM-16-256"], "prves": ["PRF-HMAC-SHA2-384"], "dhs": ["Group-20"]},
            "phase2": {"encryptions": ["AES-GCM-16-256"], "pfs": ["Group-20"]},
        }
    assert [each["peerExternalGatewayInterface"] for each in there] == [0, 1, 2, 3]
    assert built.of_type(OUTSIDE)[f"{GCP}-aws-eu-west-1"]["redundancyType"] == "FOUR_IPS_REDUNDANCY"


def test_aws_and_azure_say_the_same_of_each_tunnel(built: Cloud) -> None:
    here, there = aws_tunnels(built, "azure-westeurope"), azure_tunnels(built, "aws-eu-west-1", 4)
    numbers = asns(built)
    instances = [f"{AZURE}-first-outside", f"{AZURE}-second-outside"]
    for number, (one, other) in enumerate(zip(here, there, strict=True)):
        assert one["presharedKey"] == other["sharedKey"]
        assert one["outside"] == other["gatewayIpAddress"]
        assert one["far"] == instances[number // 2]
        near, far = IPv4Network(one["insideCidr"]).hosts()
        assert str(near) == other["bgpSettings"]["bgpPeeringAddress"]
        assert str(far) == other["gatewayCustomBgpIpAddresses"][number // 2]["customBgpIpAddress"]
        assert (one["farAsn"], other["bgpSettings"]["asn"]) == (numbers["azure"], numbers["aws"])


def test_google_and_azure_say_the_same_of_each_tunnel(built: Cloud) -> None:
    here, there = gcp_tunnels(built, "azure-westeurope", 2), azure_tunnels(built, "gcp-europe-west1", 2)
    numbers = asns(built)
    for number, (one, other) in enumerate(zip(here, there, strict=True)):
        assert one["sharedSecret"] == other["sharedKey"]
        assert one["outside"] == other["gatewayIpAddress"]
        assert one["far"] == [f"{AZURE}-first-outside", f"{AZURE}-second-outside"][number]
        assert one["ipAddress"] == other["bgpSettings"]["bgpPeeringAddress"]
        assert one["peerIpAddress"] == other["gatewayCustomBgpIpAddresses"][number]["customBgpIpAddress"]
        assert (one["peerAsn"], other["bgpSettings"]["asn"]) == (numbers["azure"], numbers["gcp"])
    assert built.of_type(OUTSIDE)[f"{GCP}-azure-westeurope"]["redundancyType"] == "TWO_IPS_REDUNDANCY"


def test_ends_take_the_strong_words_and_no_others(built: Cloud) -> None:
    for far in ("gcp-europe-west1", "azure-westeurope"):
        for each in aws_tunnels(built, far):
            assert each["ikeVersions"] == ["ikev2"]
            for phase in ("phase1", "phase2"):
                assert each[f"{phase}EncryptionAlgorithms"] == ["AES256-GCM-16"]
                assert each[f"{phase}IntegrityAlgorithms"] == ["SHA2-384"]
                assert each[f"{phase}DhGroupNumbers"] == [20]
            assert each["phase2LifetimeSeconds"] == 3600 < each["phase1LifetimeSeconds"] == 28800
            logs = each["logOptions"]["cloudwatchLogOptions"]
            assert logs["logEnabled"]
            assert logs["bgpLogEnabled"]
    for far, count in (("aws-eu-west-1", 4), ("gcp-europe-west1", 2)):
        for each in azure_tunnels(built, far, count):
            assert each["connectionProtocol"] == "IKEv2"
            assert each["enableBgp"]
            (policy,) = each["ipsecPolicies"]
            words = {key: policy[key] for key in ("ikeEncryption", "ikeIntegrity", "dhGroup", "ipsecEncryption",
                                                  "ipsecIntegrity", "pfsGroup")}  # fmt: skip
            assert words == {"ikeEncryption": "GCMAES256", "ikeIntegrity": "SHA384", "dhGroup": "ECP384",
                             "ipsecEncryption": "GCMAES256", "ipsecIntegrity": "GCMAES256",
                             "pfsGroup": "ECP384"}  # fmt: skip
            assert policy["saLifeTimeSeconds"] == 3600


def test_no_key_serves_two_tunnels(built: Cloud) -> None:
    keys = [
        each["presharedKey"] for far in ("gcp-europe-west1", "azure-westeurope") for each in aws_tunnels(built, far)
    ]
    keys += [each["sharedSecret"] for each in gcp_tunnels(built, "azure-westeurope", 2)]
    assert len(set(keys)) == len(keys) == 10


def test_the_managers_of_secrets_hold_the_keys(built: Cloud) -> None:
    assert {each["presharedKeyStorage"] for each in built.of_type(CONNECTION).values()} == {"SecretsManager"}
    version = built.of_type("gcp:secretmanager/secretVersion:SecretVersion")[f"{GCP}-keys-aws-eu-west-1"]
    kept = json.loads(unsealed(version["secretData"]))
    assert kept == {str(n): each["sharedSecret"] for n, each in enumerate(gcp_tunnels(built, "aws-eu-west-1", 4))}
    vault = built.of_type("azure-native:keyvault:Secret")[f"{AZURE}-aws-eu-west-1"]["properties"]
    assert json.loads(unsealed(vault)["value"]) == {
        str(number): each["sharedKey"] for number, each in enumerate(azure_tunnels(built, "aws-eu-west-1", 4))
    }


def test_azure_s_instances_have_all_their_addresses_and_a_subnet_of_that_name(built: Cloud) -> None:
    gateway = built.of_type(GATEWAY)[AZURE]
    assert gateway["activeActive"]
    assert gateway["enableBgp"]
    assert gateway["sku"] == {"name": "VpnGw1AZ", "tier": "VpnGw1AZ"}
    held = [each["customBgpIpAddresses"] for each in gateway["bgpSettings"]["bgpPeeringAddresses"]]
    wanted: list[list[str]] = [[], []]
    for far, count in (("aws-eu-west-1", 4), ("gcp-europe-west1", 2)):
        for number, each in enumerate(azure_tunnels(built, far, count)):
            place = number * 2 // count
            wanted[place].append(each["gatewayCustomBgpIpAddresses"][place]["customBgpIpAddress"])
    assert [sorted(each) for each in held] == [sorted(each) for each in wanted]
    assert not set(held[0]) & set(held[1])
    subnet = built.of_type("azure-native:network:Subnet")["azure-westeurope-gateway"]
    assert subnet["subnetName"] == "GatewaySubnet"
    assert IPv4Network(subnet["addressPrefix"]).prefixlen == 27
    assert "networkSecurityGroup" not in subnet


def test_each_network_tells_its_own_ranges_and_learns_the_others(built: Cloud) -> None:
    told = {each["range"] for each in built.of_type("gcp:compute/router:Router")[GCP]["bgp"]["advertisedIpRanges"]}
    (subnet,) = (each for name, each in built.of_type("gcp:compute/subnetwork:Subnetwork").items())
    own = [subnet["ipCidrRange"], *(each["ipCidrRange"] for each in subnet["secondaryIpRanges"][:1])]
    assert all(any(IPv4Network(each).subnet_of(IPv4Network(one)) for one in told) for each in own)
    tables = built.of_type("aws:ec2/vpnGatewayRoutePropagation:VpnGatewayRoutePropagation")
    assert {name.removeprefix(f"{AWS}-") for name in tables} == {"control", "private-a", "private-b"}
    (routes,) = built.of_type("azure-native:network:RouteTable").values()
    assert routes["disableBgpRoutePropagation"]
    linked = {each["addressPrefix"] for each in routes["routes"] if each["nextHopType"] == "VirtualNetworkGateway"}
    vpc = next(iter(built.of_type("aws:ec2/vpc:Vpc").values()))["cidrBlock"]
    assert linked == told | {vpc}


def test_only_the_gateway_of_the_mesh_and_api_servers_are_let_through(built: Cloud) -> None:
    rules = {name.removeprefix("gcp-europe-west1-"): each
             for name, each in built.of_type("gcp:compute/firewall:Firewall").items()}  # fmt: skip
    assert rules["allow-from-links"]["allows"] == [{"protocol": "tcp", "ports": ["15008"]}]
    assert rules["allow-to-links"]["allows"] == [{"protocol": "tcp", "ports": ["15008"]}]
    assert rules["allow-to-linked-api"]["allows"] == [{"protocol": "tcp", "ports": ["443"]}]
    assert all(IPv4Network(each).prefixlen == 28 for each in rules["allow-to-linked-api"]["destinationRanges"])
    for group in built.of_type("azure-native:network:NetworkSecurityGroup").values():
        for rule in group["securityRules"]:
            assert rule.get("sourceAddressPrefix") != "VirtualNetwork", "it takes in the networks behind the links"
            if rule["name"] == "allow-links":
                ports = rule.get("destinationPortRanges") or [rule["destinationPortRange"]]
                assert ports in (["15008"], ["443"])
    out = built.of_type("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")
    linked = [each for each in out.values() if each["description"].endswith("in a linked network")]
    assert {(each["fromPort"], each["toPort"]) for each in linked} == {(15008, 15008)}
    assert len(linked) == 2
    into = built.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    called = [each for each in into.values() if each["description"].endswith("from a linked network")]
    assert {(each["fromPort"], each["toPort"]) for each in called} == {(443, 443)}


def test_gateways_between_the_clusters_are_inside_and_answer_linked_networks_only(built: Cloud) -> None:
    ways = built.of_type("kubernetes:gateway.networking.k8s.io/v1:Gateway")
    found = [each["spec"]["infrastructure"]["annotations"] for name, each in ways.items() if "eastwest" in name]
    assert len(found) == 3
    for wanted in found:
        assert any("internal" in f"{key} {value}".lower() for key, value in wanted.items())
        sources = wanted["service.beta.kubernetes.io/load-balancer-source-ranges"].split(",")
        assert sources
        assert all(IPv4Network(each).is_private for each in sources)


def test_somebody_hears_of_each_cloud_s_tunnels(built: Cloud) -> None:
    alarms = built.of_type("aws:cloudwatch/metricAlarm:MetricAlarm")
    assert set(alarms) == set(built.of_type(CONNECTION))
    for name, each in alarms.items():
        assert each["dimensions"] == {"VpnId": f"{name}-id"}
        assert each["treatMissingData"] == "breaching"
    mails = built.of_type("aws:sns/topicSubscription:TopicSubscription").values()
    assert {each["endpoint"] for each in mails} == {"team@example.org"}
    (policy,) = built.of_type("gcp:monitoring/alertPolicy:AlertPolicy").values()
    assert len(policy["notificationChannels"]) == 1
    (alert,) = built.of_type("azure-native:monitor:MetricAlert").values()
    peers = alert["criteria"]["allOf"][0]["dimensions"][0]["values"]
    assert len(peers) == len(set(peers)) == 6
