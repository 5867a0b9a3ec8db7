"""What the stand-in clouds refuse about links: addresses inside tunnels, numbers of BGP, interfaces, policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from tests.sandbox.engine import Engine, Made
from tests.sandbox.values_of_links import GOOD

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
