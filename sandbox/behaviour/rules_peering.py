"""Rules over the peering of networks in one cloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import grpc

from sandbox.behaviour.rules import Moment, check, create
from sandbox.behaviour.rules_aws import network
from sandbox.errors import Failure, Refused
from sandbox.paths import each
from sandbox.state import Thing
from sandbox.wire import is_unknown

_INVALID = grpc.StatusCode.INVALID_ARGUMENT


@check
def aws_peering_asked(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Who asks in another region or account cannot accept for the other side."""
    if inputs.get("autoAccept") is True and (inputs.get("peerRegion") or inputs.get("peerOwnerId")):
        yield Failure("peerRegion", "`peer_region` cannot be set whilst `auto_accept` is `true`")
    vpc, other = inputs.get("vpcId"), inputs.get("peerVpcId")
    if vpc == other and vpc is not None and not is_unknown(vpc):
        yield Failure("peerVpcId", "InvalidParameterValue: a VPC cannot be peered with itself")


@create
def aws_peering_ranges(moment: Moment) -> None:
    """The other VPC exists in its region, and their ranges do not overlap."""
    asked = moment.inputs.get("peerVpcId")
    others = moment.database.find("type=? AND scope=? AND id=?", ("aws:ec2/vpc:Vpc", moment.scope, asked))
    if not others:
        raise Refused("InvalidVpcID.NotFound", f"The vpc ID '{asked}' does not exist", grpc.StatusCode.NOT_FOUND)
    for mine in moment.found.get("vpcId", []):
        one, other = network(mine.inputs.get("cidrBlock")), network(others[0].inputs.get("cidrBlock"))
        if one and other and one.overlaps(other):
            raise Refused("OverlappingIpv4Cidr", f"The VPCs have overlapping CIDRs: {one}, {other}.", _INVALID)


@create
def gcp_peering(moment: Moment) -> None:
    """A network is not peered with itself, nor twice with the same one."""
    mine, other = moment.inputs.get("network"), moment.inputs.get("peerNetwork")
    if mine == other:
        raise Refused("invalid", "Invalid value for field 'resource.peerNetwork': the network itself.", _INVALID)
    for held in moment.database.find("type=? AND scope=? AND pk<>?", (moment.type, moment.scope, moment.pk)):
        if (held.inputs.get("network"), held.inputs.get("peerNetwork")) == (mine, other):
            raise Refused("invalid", f"There is already a peering with the same network: {held.name}.", _INVALID)


@create
def azure_peering(moment: Moment) -> None:
    """Address spaces of both networks do not overlap; a gateway of the other side must be there to be used."""
    mine = [block for thing in moment.found.get("virtualNetworkName", []) for block in _blocks(thing)]
    for other in moment.found.get("remoteVirtualNetwork.id", []):
        for block in _blocks(other):
            if any(block.overlaps(own) for own in mine):
                raise Refused(
                    "VnetAddressSpacesOverlap", f"{block} of {other.name} overlaps with this network.", _INVALID
                )
    if moment.inputs.get("useRemoteGateways") is True and moment.inputs.get("allowGatewayTransit") is True:
        raise Refused("InvalidPeering", "useRemoteGateways and allowGatewayTransit exclude each other.", _INVALID)


def _blocks(thing: Thing) -> list[Any]:
    texts = (text for _, text in each(thing.inputs, "addressSpace.addressPrefixes[*]"))
    return [block for block in map(network, texts) if block]
