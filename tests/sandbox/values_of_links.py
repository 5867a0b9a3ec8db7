"""Values of links that the stand-in clouds take, and such that they refuse."""

from __future__ import annotations

from typing import Any

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
ROWS: list[tuple[str, dict[str, Any], str]] = [
    ("aws:ec2/vpnConnection:VpnConnection", {"tunnel1PresharedKey": "0starts-with-a-zero"}, "tunnel1PresharedKey"),
    ("aws:ec2/vpnConnection:VpnConnection", {"tunnel2Phase1DhGroupNumbers": [1]}, "tunnel2Phase1DhGroupNumbers[0]"),
    ("aws:ec2/vpnConnection:VpnConnection", {"vpnGatewayId": "v", "transitGatewayId": "t"}, "vpnGatewayId"),
    ("gcp:compute/vPNTunnel:VPNTunnel", {"cipherSuite": {"phase1": {"dhs": ["Group-1"]}}},
     "cipherSuite.phase1.dhs[0]"),
    ("azure-native:network:VirtualNetworkGatewayConnection", {"ipsecPolicies": [{"saLifeTimeSeconds": 60}]},
     "ipsecPolicies[0].saLifeTimeSeconds"),
    ("azure-native:monitor:ActionGroup", {"groupShortName": "longer-than-twelve"}, "groupShortName"),
]  # fmt: skip
"""Types, inputs, and the path of what their row refuses."""
