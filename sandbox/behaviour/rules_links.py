"""Rules over the links between networks: what each cloud refuses about tunnels, addresses inside them and BGP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any, Final

import grpc

from sandbox.behaviour.rules import Moment, check, create
from sandbox.behaviour.rules_aws import network
from sandbox.errors import Failure, Refused
from sandbox.paths import each, first
from sandbox.wire import is_unknown

_INVALID: Final = grpc.StatusCode.INVALID_ARGUMENT
_TAKEN: Final = grpc.StatusCode.ALREADY_EXISTS
LINK_LOCAL: Final = IPv4Network("169.254.0.0/16")
KEPT_BY_AWS: Final = frozenset(
    [*(f"169.254.{third}.0/30" for third in range(6)), "169.254.169.252/30"],
)
"""docs.aws.amazon.com/vpn/latest/s2svpn/VPNTunnels.html (inside tunnel IPv4 CIDR), 2026-11-21."""
KEPT_BY_GOOGLE: Final = IPv4Network("169.254.169.248/29")
"""169.254.169.254 is the metadata server's."""
TAKEN_BY_AZURE: Final = tuple(map(IPv4Network, ("169.254.21.0/24", "169.254.22.0/24")))
KEPT_ASNS_OF_AZURE: Final = frozenset({8074, 8075, 12076, 23456, 65515, 65517, 65518, 65519, 65520})
"""https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-vpn-faq#bgp, 2026-11-21; 65515 is a gateway's default."""
PRIVATE: Final = (range(64512, 65535), range(4200000000, 4294967295))
"""https://www.rfc-editor.org/rfc/rfc6996, 2026-11-21."""
COUNTS: Final = {"SINGLE_IP_INTERNALLY_REDUNDANT": 1, "TWO_IPS_REDUNDANCY": 2, "FOUR_IPS_REDUNDANCY": 4}
INSIDE: Final = 30
INSTANCES: Final = 2


def private(asn: int) -> bool:
    """Whether a number of BGP is for private use, with 16 or 32 bits."""
    return any(asn in numbers for numbers in PRIVATE)


def _number(value: Any) -> int | None:
    if value is None or is_unknown(value):
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        return -1


@check
def aws_private_asn(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Amazon's own end has a private number."""
    asn = _number(inputs.get("amazonSideAsn"))
    if asn is not None and not private(asn):
        yield Failure("amazonSideAsn", f"InvalidParameterValue: {inputs['amazonSideAsn']} is not a private ASN "
                      "(64512 to 65534, 4200000000 to 4294967294)")  # fmt: skip


@create
def aws_one_vpn_gateway(moment: Moment) -> None:
    """A VPC has one such gateway attached."""
    vpc = moment.inputs.get("vpcId")
    for other in moment.database.find("type=? AND scope=? AND pk<>?", (moment.type, moment.scope, moment.pk)):
        if vpc and other.inputs.get("vpcId") == vpc:
            raise Refused("AttachmentLimitExceeded", f"VPC {vpc} already has a virtual private gateway.", _TAKEN)


@check
def aws_inside_blocks(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Blocks inside the tunnels are a /30 of 169.254.0.0/16 that AWS does not keep, and both differ."""
    seen = set()
    for key in ("tunnel1InsideCidr", "tunnel2InsideCidr"):
        text = inputs.get(key)
        if text is None or is_unknown(text):
            continue
        block = network(text)
        if block is None or block.prefixlen != INSIDE or not block.subnet_of(LINK_LOCAL) or text in KEPT_BY_AWS:
            yield Failure(key, f"InvalidParameterValue: {text} must be a /30 of 169.254.0.0/16 that is not reserved")
        if text in seen:
            yield Failure(key, f"InvalidParameterValue: {text} is the other tunnel's")
        seen.add(text)


@create
def aws_inside_is_new(moment: Moment) -> None:
    """Blocks inside the tunnels differ over all connections of a gateway."""
    mine = {moment.inputs.get(key) for key in ("tunnel1InsideCidr", "tunnel2InsideCidr")} - {None}
    for other in moment.database.find("type=? AND scope=? AND pk<>?", (moment.type, moment.scope, moment.pk)):
        if other.inputs.get("vpnGatewayId") == moment.inputs.get("vpnGatewayId"):
            for key in ("tunnel1InsideCidr", "tunnel2InsideCidr"):
                if other.inputs.get(key) in mine:
                    raise Refused("InvalidParameterCombination", f"The CIDR {other.inputs[key]} is already in use by "
                                  f"{other.id}.", _INVALID)  # fmt: skip


@check
def gcp_router_asn(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """A router's number is private, or the one of partners."""
    asn = _number(first(inputs, "bgp.asn"))
    if asn is not None and not private(asn) and asn != 16550:  # noqa: PLR2004 - Google's own for Partner Interconnect
        yield Failure("bgp.asn", f"Invalid value for field 'resource.bgp.asn': '{asn}'. It must be a private ASN")


@check
def gcp_external_interfaces(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Interfaces are as many as the redundancy says, numbered from 0."""
    interfaces, wanted = inputs.get("interfaces"), COUNTS.get(str(inputs.get("redundancyType")))
    if not isinstance(interfaces, list) or wanted is None:
        return
    ids = [_number(each.get("id")) for each in interfaces if isinstance(each, Mapping)]
    if len(interfaces) != wanted or sorted(n for n in ids if n is not None) != list(range(wanted)):
        yield Failure("interfaces", f"{inputs['redundancyType']} takes {wanted} interfaces, numbered 0 to {wanted - 1}")


@check
def gcp_tunnel(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """A tunnel of an HA gateway has an interface and a router, and the strong end of two words for a secret."""
    if not inputs.get("sharedSecret") and not inputs.get("sharedSecretWo"):
        yield Failure("sharedSecret", "one of `shared_secret,shared_secret_wo` must be specified")
    if inputs.get("vpnGateway"):
        if _number(inputs.get("vpnGatewayInterface")) not in {0, 1}:
            yield Failure("vpnGatewayInterface", "an HA VPN gateway has the interfaces 0 and 1")
        if not inputs.get("router"):
            yield Failure("router", "is required: tunnels of an HA VPN gateway are routed by BGP")
        if inputs.get("peerExternalGateway") and _number(inputs.get("peerExternalGatewayInterface")) is None:
            yield Failure("peerExternalGatewayInterface", "is required with peer_external_gateway")


@create
def gcp_tunnel_interfaces(moment: Moment) -> None:
    """The other gateway has that interface, and no second tunnel joins the same two."""
    keys = ("vpnGateway", "vpnGatewayInterface", "peerExternalGateway", "peerExternalGatewayInterface")
    wanted = [moment.inputs.get(key) for key in keys]
    for other in moment.found.get("peerExternalGateway", []):
        count = len(other.inputs.get("interfaces") or ())
        place = _number(moment.inputs.get("peerExternalGatewayInterface")) or 0
        if place >= count:
            raise Refused("invalid", f"Invalid value for field 'resource.peerExternalGatewayInterface': '{place}'. The "
                          f"gateway has {count} interfaces.", _INVALID)  # fmt: skip
    for other in moment.database.find("type=? AND scope=? AND pk<>?", (moment.type, moment.scope, moment.pk)):
        if wanted[0] and [other.inputs.get(key) for key in keys] == wanted:
            raise Refused("invalid", f"Tunnel {other.name} joins the same interfaces already.", _INVALID)


def _interface(text: Any) -> IPv4Interface | None:
    try:
        return IPv4Interface(str(text))
    except ValueError:
        return None


@check
def gcp_inside(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """An interface towards a tunnel has an address of 169.254.0.0/16 with its block, a /30 or a /29."""
    text = inputs.get("ipRange")
    if text is None or is_unknown(text) or not inputs.get("vpnTunnel"):
        return
    inside = _interface(text)
    if inside is None or not inside.network.subnet_of(LINK_LOCAL) or inside.network.prefixlen not in {29, 30}:
        yield Failure(
            "ipRange", f"Invalid value for field 'ipRange': '{text}'. It must be a /30 or /29 of 169.254.0.0/16"
        )
    elif inside.network.overlaps(KEPT_BY_GOOGLE):
        yield Failure("ipRange", f"Invalid value for field 'ipRange': '{text}'. It holds the metadata server's address")
    elif inside.ip in {inside.network.network_address, inside.network.broadcast_address}:
        yield Failure("ipRange", f"Invalid value for field 'ipRange': '{text}'. It is no address of a host")


@create
def gcp_inside_is_new(moment: Moment) -> None:
    """Blocks of a router do not overlap."""
    mine = _interface(moment.inputs.get("ipRange"))
    for other in moment.database.find("type=? AND scope=? AND pk<>?", (moment.type, moment.scope, moment.pk)):
        taken = _interface(other.inputs.get("ipRange"))
        same = other.inputs.get("router") == moment.inputs.get("router")
        if same and mine and taken and mine.network.overlaps(taken.network):
            raise Refused("invalid", f"IP range {mine} overlaps with {taken} of interface {other.name}.", _INVALID)


@create
def gcp_peer(moment: Moment) -> None:
    """Both addresses of a session lie in its interface's block, and the other end has another number."""
    for interface in moment.found.get("interface", []):
        block = _interface(interface.inputs.get("ipRange"))
        for key in ("ipAddress", "peerIpAddress"):
            text = moment.inputs.get(key)
            if text and block and IPv4Address(str(text)) not in block.network:
                raise Refused(
                    "invalid", f"{key} {text} is not in the range {block.network} of the interface.", _INVALID
                )
        if block and moment.inputs.get("ipAddress") == moment.inputs.get("peerIpAddress"):
            raise Refused("invalid", "The peer's address must differ from the interface's.", _INVALID)
    for router in moment.found.get("router", []):
        asn = _number(first(router.inputs, "bgp.asn"))
        if asn is None or asn == _number(moment.inputs.get("peerAsn")):
            raise Refused("invalid", f"The peer's ASN must differ from the router's ({asn}).", _INVALID)


@check
def gcp_rotation(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Rotation needs somebody who is told, and a moment to begin."""
    rotation = inputs.get("rotation")
    if isinstance(rotation, Mapping) and not inputs.get("topics"):
        yield Failure("topics", "is required with rotation: topics are told when it is time")
    if isinstance(rotation, Mapping) and rotation.get("rotationPeriod") and not rotation.get("nextRotationTime"):
        yield Failure("rotation.nextRotationTime", "is required with rotation_period")


@check
def azure_gateway(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Sizes that span zones and their generation, two addresses for two instances, numbers and addresses of BGP."""
    sku = str(first(inputs, "sku.name") or "")
    generation = inputs.get("vpnGatewayGeneration")
    if sku == "VpnGw1AZ" and generation == "Generation2":
        yield Failure("vpnGatewayGeneration", f"GatewaySkuNotSupported: {sku} is of Generation1")
    if sku and first(inputs, "sku.tier") not in {None, sku}:
        yield Failure("sku.tier", f"InvalidGatewaySku: name {sku} and tier must be the same")
    configurations = inputs.get("ipConfigurations")
    if inputs.get("activeActive") is True and isinstance(configurations, list) and len(configurations) < INSTANCES:
        yield Failure("ipConfigurations", "ActiveActiveGatewayHasLessThanTwoIpConfigurations: two are needed")
    if sku == "Basic" and inputs.get("enableBgp") is True:
        yield Failure("enableBgp", "GatewayBasicSkuDoesNotSupportBgp")
    asn = _number(first(inputs, "bgpSettings.asn"))
    if asn is not None and asn != 65515 and asn in KEPT_ASNS_OF_AZURE:  # noqa: PLR2004 - the gateway's own default
        yield Failure("bgpSettings.asn", f"ReservedAsn: {asn} is kept by Azure")
    seen: set[str] = set()
    for path, text in each(inputs, "bgpSettings.bgpPeeringAddresses[*].customBgpIpAddresses[*]"):
        if not isinstance(text, str) or is_unknown(text):
            continue
        if not any(IPv4Address(text) in block for block in TAKEN_BY_AZURE):
            place = f"bgpSettings.bgpPeeringAddresses[{path[2]}].customBgpIpAddresses[{path[4]}]"
            yield Failure(place, f"{text} must be between 169.254.21.0 and 169.254.22.255")
        if text in seen:
            yield Failure("bgpSettings.bgpPeeringAddresses", f"{text} stands twice")
        seen.add(text)


@create
def azure_gateway_place(moment: Moment) -> None:
    """The subnet of a gateway is called GatewaySubnet, and holds one gateway of a kind."""
    subnets = moment.found.get("ipConfigurations[*].subnet.id", [])
    for subnet in subnets:
        if subnet.name != "GatewaySubnet":
            raise Refused("InvalidGatewaySubnet", f"The subnet {subnet.id} must be named GatewaySubnet.", _INVALID)
        if first(subnet.inputs, "networkSecurityGroup.id"):
            raise Refused("GatewaySubnetNsg", "A network security group on GatewaySubnet is not supported.", _INVALID)
    mine = {subnet.id for subnet in subnets}
    for other in moment.database.find("type=? AND scope=? AND pk<>?", (moment.type, moment.scope, moment.pk)):
        held = {str(text) for _, text in each(other.inputs, "ipConfigurations[*].subnet.id")}
        if mine & held and other.inputs.get("gatewayType") == moment.inputs.get("gatewayType"):
            raise Refused("GatewaySubnetInUse", f"Gateway {other.name} is in this subnet already.", _TAKEN)


@check
def azure_peer(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """The other end is named, and reached by an address space or by BGP."""
    if not inputs.get("gatewayIpAddress") and not inputs.get("fqdn"):
        yield Failure("gatewayIpAddress", "LocalNetworkGateway needs gatewayIpAddress or fqdn")
    asn = _number(first(inputs, "bgpSettings.asn"))
    if asn in KEPT_ASNS_OF_AZURE:
        yield Failure("bgpSettings.asn", f"ReservedAsn: {asn} is kept by Azure")
    if asn is None and not first(inputs, "localNetworkAddressSpace.addressPrefixes"):
        yield Failure("localNetworkAddressSpace", "is required without BGP")


@check
def azure_policy_pair(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """AES-GCM encrypts and proves: in ESP both words are the same; and IPsec has a key and a local gateway."""
    for place, policy in enumerate(inputs.get("ipsecPolicies") or ()):
        words = (policy.get("ipsecEncryption"), policy.get("ipsecIntegrity"))
        if any(str(word).startswith("GCM") for word in words) and words[0] != words[1]:
            yield Failure(f"ipsecPolicies[{place}].ipsecIntegrity", f"InvalidIpsecPolicy: {words[0]} with {words[1]}")
    if inputs.get("connectionType") == "IPsec":
        for key in ("sharedKey", "localNetworkGateway2"):
            if not inputs.get(key):
                yield Failure(key, "is required for a connection of type IPsec")


@create
def azure_connection(moment: Moment) -> None:
    """Addresses of BGP on a connection are the gateway's own, and the gateway speaks BGP where the connection does."""
    for gateway in moment.found.get("virtualNetworkGateway1.id", []):
        if moment.inputs.get("enableBgp") is True and gateway.inputs.get("enableBgp") is not True:
            raise Refused("BgpNotEnabledOnGateway", f"BGP is not enabled on {gateway.name}.", _INVALID)
        pattern = "bgpSettings.bgpPeeringAddresses[*].customBgpIpAddresses[*]"
        held = {str(text) for _, text in each(gateway.inputs, pattern)}
        for _, text in each(moment.inputs, "gatewayCustomBgpIpAddresses[*].customBgpIpAddress"):
            if str(text) not in held:
                raise Refused("InvalidCustomBgpIpAddress", f"{text} is no address of {gateway.name}.", _INVALID)


@create
def azure_alert_target(moment: Moment) -> None:
    """An alert watches something that exists."""
    for scope in moment.inputs.get("scopes") or ():
        if not moment.database.find("package='azure-native' AND scope=? AND lower(id)=lower(?)", (moment.scope, scope)):
            raise Refused("ResourceNotFound", f"The resource {scope} was not found.", grpc.StatusCode.NOT_FOUND)
