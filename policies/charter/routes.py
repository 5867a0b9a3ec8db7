"""Which subnets of AWS the internet knows the way to."""

from __future__ import annotations

from typing import Final

from charter.graph import Graph
from charter.network import is_world
from charter.rule import Resource
from charter.values import UNKNOWN, Reader, Undetermined

SUBNET: Final = "aws:ec2/subnet:Subnet"
ASSOCIATION: Final = "aws:ec2/routeTableAssociation:RouteTableAssociation"
TABLE: Final = "aws:ec2/routeTable:RouteTable"
ROUTE: Final = "aws:ec2/route:Route"
GATEWAY: Final = "aws:ec2/internetGateway:InternetGateway"
DESTINATIONS: Final = ("cidrBlock", "ipv6CidrBlock", "destinationCidrBlock", "destinationIpv6CidrBlock")


def public(graph: Graph, subnet: Resource) -> str:
    """Say why a subnet is public, nothing when it is not; raise Undetermined when that is not known."""
    if subnet.reader.raw("mapPublicIpOnLaunch") is UNKNOWN:
        raise Undetermined("subnetIds")
    if subnet.reader.flag("mapPublicIpOnLaunch"):
        return "hands out public addresses"
    if subnet.reader.map("tags").get("tier") == "edge":
        return "stands at the edge"
    for association in graph.referrers(subnet, ASSOCIATION, "subnetId"):
        for table in graph.named(association, "routeTableId", TABLE):
            if _leads_out(graph, table):
                return f"is routed to the internet by {table.name}"
    return ""


def _leads_out(graph: Graph, table: Resource) -> bool:
    inline = any(_out(graph, table, "routes", route) for route in table.reader.each("routes"))
    return inline or any(
        _out(graph, route, "gatewayId", route.reader) for route in graph.referrers(table, ROUTE, "routeTableId")
    )


def _out(graph: Graph, holder: Resource, prop: str, route: Reader) -> bool:
    """Say whether a route leads everywhere, and through an internet gateway."""
    everywhere = any(is_world(route.raw(name)) for name in DESTINATIONS if isinstance(route.raw(name), str))
    gateway = route.raw("gatewayId")
    fed = gateway is UNKNOWN and any(each.type == GATEWAY for each in graph.feeds(holder, prop))
    known = any(each.type == GATEWAY for each in (*graph.called([gateway]), *graph.feeds(holder, prop)))
    return everywhere and (fed or known or str(gateway).startswith("igw-"))
