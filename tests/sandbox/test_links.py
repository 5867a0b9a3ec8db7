"""What the stand-in clouds refuse about links: addresses inside tunnels, numbers of BGP, interfaces, policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from sandbox.behaviour import every_rule, rules  # noqa: F401
from sandbox.behaviour.rows import rows
from sandbox.checks import judge
from tests.sandbox.engine import Engine, Made

POLICY = {"ipsecEncryption": "GCMAES256", "ipsecIntegrity": "GCMAES256"}
GOOD: dict[str, dict[str, Any]] = {
    "aws_private_asn": {"amazonSideAsn": "64512"},
    "aws_inside_blocks": {"tunnel1InsideCidr": "169.254.21.0/30", "tunnel2InsideCidr": "169.254.21.4/30"},
    "gcp_router_asn": {"bgp": {"asn": 64528}},
    "gcp_external_interfaces": {"redundancyType": "TWO_IPS_REDUNDANCY",
                                "interfaces": [{"id": 0, "ipAddress": "203.0.113.1"},
                                               {"id": 1, "ipAddress": "203.0.113.2"}]},
    "gcp_tunnel": {"vpnGateway": "g", "vpnGatewayInterface": 0, "router": "r", "sharedSecret": "s",
                   "peerExternalGateway": "e", "peerExternalGatewayInterface": 0},
    "gcp_inside": {"ipRange": "169.254.32.2/30", "vpnTunnel": "t"},
    "gcp_rotation": {"rotation": {"rotationPeriod": "7776000s", "nextRotationTime": "2027-11-21T00:00:00Z"},
                     "topics": [{"name": "t"}]},
    "azure_gateway": {"sku": {"name": "VpnGw1AZ", "tier": "VpnGw1AZ"}, "vpnGatewayGeneration": "Generation1",
                      "activeActive": True, "enableBgp": True, "ipConfigurations": [{}, {}],
                      "bgpSettings": {"asn": 64544, "bgpPeeringAddresses": [
                          {"customBgpIpAddresses": ["169.254.21.2"]}, {"customBgpIpAddresses": ["169.254.22.2"]}]}},
    "azure_peer": {"gatewayIpAddress": "203.0.113.1", "bgpSettings": {"asn": 64512}},
    "azure_policy_pair": {"connectionType": "IPsec", "sharedKey": "s", "localNetworkGateway2": {"id": "l"},
                          "ipsecPolicies": [POLICY]},
}  # fmt: skip
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("aws_private_asn", {"amazonSideAsn": "7224"}, "amazonSideAsn"),
    ("aws_inside_blocks", {"tunnel1InsideCidr": "169.254.5.0/30"}, "tunnel1InsideCidr"),
    ("aws_inside_blocks", {"tunnel1InsideCidr": "169.254.21.0/29"}, "tunnel1InsideCidr"),
    ("aws_inside_blocks", {"tunnel2InsideCidr": "10.0.0.0/30"}, "tunnel2InsideCidr"),
    ("aws_inside_blocks", {"tunnel2InsideCidr": "169.254.21.0/30"}, "tunnel2InsideCidr"),
    ("gcp_router_asn", {"bgp": {"asn": 65535}}, "bgp.asn"),
    ("gcp_external_interfaces", {"redundancyType": "FOUR_IPS_REDUNDANCY"}, "interfaces"),
    ("gcp_external_interfaces", {"interfaces": [{"id": 1}, {"id": 2}]}, "interfaces"),
    ("gcp_tunnel", {"vpnGatewayInterface": 2}, "vpnGatewayInterface"),
    ("gcp_tunnel", {"router": None}, "router"),
    ("gcp_tunnel", {"sharedSecret": None}, "sharedSecret"),
    ("gcp_tunnel", {"peerExternalGatewayInterface": None}, "peerExternalGatewayInterface"),
    ("gcp_inside", {"ipRange": "10.0.0.1/30"}, "ipRange"),
    ("gcp_inside", {"ipRange": "169.254.169.253/30"}, "ipRange"),
    ("gcp_inside", {"ipRange": "169.254.32.0/30"}, "ipRange"),
    ("gcp_rotation", {"topics": []}, "topics"),
    ("gcp_rotation", {"rotation": {"rotationPeriod": "7776000s"}}, "rotation.nextRotationTime"),
    ("azure_gateway", {"vpnGatewayGeneration": "Generation2"}, "vpnGatewayGeneration"),
    ("azure_gateway", {"ipConfigurations": [{}]}, "ipConfigurations"),
    ("azure_gateway", {"bgpSettings": {"asn": 65517}}, "bgpSettings.asn"),
    ("azure_gateway", {"bgpSettings": {"bgpPeeringAddresses": [{"customBgpIpAddresses": ["169.254.32.2"]}]}},
     "bgpSettings.bgpPeeringAddresses[0].customBgpIpAddresses[0]"),
    ("azure_peer", {"bgpSettings": {"asn": 65515}}, "bgpSettings.asn"),
    ("azure_peer", {"bgpSettings": {}}, "localNetworkAddressSpace"),
    ("azure_policy_pair", {"sharedKey": None}, "sharedKey"),
    ("azure_policy_pair", {"ipsecPolicies": [{**POLICY, "ipsecIntegrity": "SHA256"}]},
     "ipsecPolicies[0].ipsecIntegrity"),
]  # fmt: skip


@pytest.mark.parametrize("rule", GOOD)
def test_what_is_right_passes(rule: str) -> None:
    assert list(rules.CHECKS[rule](GOOD[rule])) == []


@pytest.mark.parametrize(("rule", "change", "path"), BAD)
def test_what_a_cloud_refuses_is_refused_at_its_path(rule: str, change: dict[str, Any], path: str) -> None:
    found = {failure.path for failure in rules.CHECKS[rule]({**GOOD[rule], **change})}
    assert path in found


@pytest.mark.parametrize(
    ("token", "inputs", "path"),
    [
        ("aws:ec2/vpnConnection:VpnConnection", {"tunnel1PresharedKey": "0starts-with-a-zero"}, "tunnel1PresharedKey"),
        ("aws:ec2/vpnConnection:VpnConnection", {"tunnel2Phase1DhGroupNumbers": [1]}, "tunnel2Phase1DhGroupNumbers[0]"),
        ("aws:ec2/vpnConnection:VpnConnection", {"vpnGatewayId": "v", "transitGatewayId": "t"}, "vpnGatewayId"),
        ("gcp:compute/vPNTunnel:VPNTunnel", {"cipherSuite": {"phase1": {"dhs": ["Group-1"]}}},
         "cipherSuite.phase1.dhs[0]"),
        ("azure-native:network:VirtualNetworkGatewayConnection", {"ipsecPolicies": [{"saLifeTimeSeconds": 60}]},
         "ipsecPolicies[0].saLifeTimeSeconds"),
        ("azure-native:monitor:ActionGroup", {"groupShortName": "longer-than-twelve"}, "groupShortName"),
    ],
)  # fmt: skip
def test_a_row_refuses_values_that_no_schema_knows(token: str, inputs: dict[str, Any], path: str) -> None:
    known = rows(token.partition(":")[0])[token]
    assert path in {failure.path for failure in judge(known, inputs)}


GATEWAY, SUBNET = "azure-native:network:VirtualNetworkGateway", "azure-native:network:Subnet"
TUNNEL, PEER = "gcp:compute/vPNTunnel:VPNTunnel", "gcp:compute/routerPeer:RouterPeer"
INTERFACE, CONNECTION = "gcp:compute/routerInterface:RouterInterface", "aws:ec2/vpnConnection:VpnConnection"


def refused(call: Callable[[], Any], code: str) -> None:
    with pytest.raises(grpc.RpcError) as problem:
        call()
    text = str(problem.value.details())  # type: ignore[attr-defined]
    assert text.startswith(code), text


def test_amazon_takes_a_block_once_for_each_gateway(connect: Callable[..., Engine]) -> None:
    aws = connect("aws")
    vpc = aws.create("aws:ec2/vpc:Vpc", "links", {"cidrBlock": "10.0.0.0/16"})
    gateway = aws.create("aws:ec2/vpnGateway:VpnGateway", "links", {"vpcId": vpc.id, "amazonSideAsn": "64512"})
    again = {"vpcId": vpc.id, "amazonSideAsn": "64513"}
    refused(lambda: aws.create("aws:ec2/vpnGateway:VpnGateway", "second", again), "AttachmentLimitExceeded")
    other = {"type": "ipsec.1", "bgpAsn": "64528", "ipAddress": "203.0.113.9"}
    customer = aws.create("aws:ec2/customerGateway:CustomerGateway", "links", other)

    def connection(name: str, first: str, second: str) -> Made:
        return aws.create(CONNECTION, name, {
            "type": "ipsec.1", "vpnGatewayId": gateway.id, "customerGatewayId": customer.id,
            "tunnel1InsideCidr": first, "tunnel2InsideCidr": second,
        })  # fmt: skip

    made = connection("one", "169.254.32.0/30", "169.254.32.4/30")
    assert made.outputs["tunnel1Address"] != made.outputs["tunnel2Address"]
    refused(lambda: connection("two", "169.254.32.8/30", "169.254.32.4/30"), "InvalidParameterCombination")


def test_google_takes_two_interfaces_once_and_addresses_of_the_tunnel(connect: Callable[..., Engine]) -> None:
    gcp = connect("gcp")
    here = {"region": "europe-west1"}
    net = gcp.create("gcp:compute/network:Network", "links", {"autoCreateSubnetworks": False})
    gateway = gcp.create("gcp:compute/haVpnGateway:HaVpnGateway", "links", {**here, "network": net.id})
    assert [each["id"] for each in gateway.outputs["vpnInterfaces"]] == [0, 1]
    router = gcp.create("gcp:compute/router:Router", "links", {**here, "network": net.id, "bgp": {"asn": 64528}})
    outside = gcp.create("gcp:compute/externalVpnGateway:ExternalVpnGateway", "links", GOOD["gcp_external_interfaces"])
    wish = {**here, "vpnGateway": gateway.id, "vpnGatewayInterface": 0, "peerExternalGateway": outside.id,
            "peerExternalGatewayInterface": 1, "router": router.id, "sharedSecret": "s", "ikeVersion": 2}  # fmt: skip
    tunnel = gcp.create(TUNNEL, "links", wish)
    refused(lambda: gcp.create(TUNNEL, "twice", wish), "invalid")
    refused(lambda: gcp.create(TUNNEL, "third", {**wish, "peerExternalGatewayInterface": 2}), "invalid")
    name = router.outputs["name"]
    inside = {**here, "router": name, "ipRange": "169.254.32.2/30", "vpnTunnel": tunnel.outputs["name"]}
    interface = gcp.create(INTERFACE, "links", inside)
    refused(lambda: gcp.create(INTERFACE, "same", {**inside, "ipRange": "169.254.32.1/30"}), "invalid")
    session = {**here, "router": name, "interface": interface.outputs["name"], "ipAddress": "169.254.32.2",
               "peerIpAddress": "169.254.32.1", "peerAsn": 64512}  # fmt: skip
    refused(lambda: gcp.create(PEER, "far", {**session, "peerIpAddress": "169.254.32.5"}), "invalid")
    refused(lambda: gcp.create(PEER, "own", {**session, "peerAsn": 64528}), "invalid")
    gcp.create(PEER, "links", session)


def test_azure_wants_the_gateway_in_the_subnet_of_that_name(connect: Callable[..., Engine]) -> None:
    azure = connect("azure-native")
    group = azure.create("azure-native:resources:ResourceGroup", "links", {"location": "westeurope"})
    held = {"resourceGroupName": group.outputs["name"]}
    net = azure.create("azure-native:network:VirtualNetwork", "links", {
        **held, "location": "westeurope", "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}})  # fmt: skip
    inside = {**held, "virtualNetworkName": net.outputs["name"]}
    wrong = azure.create(SUBNET, "wrong", {**inside, "subnetName": "gateway", "addressPrefix": "10.0.0.0/27"})
    right = azure.create(SUBNET, "right", {**inside, "subnetName": "GatewaySubnet", "addressPrefix": "10.0.1.0/27"})

    def wish(subnet: Made) -> dict[str, Any]:
        return {**held, "location": "westeurope", "gatewayType": "Vpn", "vpnType": "RouteBased", "enableBgp": True,
                "bgpSettings": {"asn": 64544, "bgpPeeringAddresses": [{"customBgpIpAddresses": ["169.254.21.2"]}]},
                "ipConfigurations": [{"name": "first", "subnet": {"id": subnet.id}}]}  # fmt: skip

    refused(lambda: azure.create(GATEWAY, "wrong", wish(wrong)), "InvalidGatewaySubnet")
    gateway = azure.create(GATEWAY, "links", wish(right))
    refused(lambda: azure.create(GATEWAY, "second", wish(right)), "GatewaySubnetInUse")
    peer = {**held, "location": "westeurope", "gatewayIpAddress": "203.0.113.1",
            "bgpSettings": {"asn": 64512, "bgpPeeringAddress": "169.254.21.1"}}  # fmt: skip
    other = azure.create("azure-native:network:LocalNetworkGateway", "links", peer)
    joined = {**held, "location": "westeurope", "connectionType": "IPsec", "sharedKey": "s", "enableBgp": True,
              "virtualNetworkGateway1": {"id": gateway.id}, "localNetworkGateway2": {"id": other.id},
              "gatewayCustomBgpIpAddresses": [{"ipConfigurationId": "first",
                                               "customBgpIpAddress": "169.254.21.6"}]}  # fmt: skip
    kind = "azure-native:network:VirtualNetworkGatewayConnection"
    refused(lambda: azure.create(kind, "links", joined), "InvalidCustomBgpIpAddress")
