"""The way out of a region: none, or NAT gateways with fixed addresses, and the route that leads there."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network

from stacks.model import Region

ZONES = ("a", "b", "c")
"""Keys of Azure's logical zones 1, 2 and 3."""


@dataclass(frozen=True, kw_only=True)
class OutboundArgs:
    group: pulumi.Input[str]
    region: str
    wish: Region
    routed: tuple[str, ...] = ()  # ranges behind the links of the network


def ways_out(wish: Region) -> tuple[str, ...]:
    """Return the keys of the node subnets, one for each NAT gateway.

    A NAT gateway (Standard) stands in one zone and a subnet has exactly one, while an AKS pool lives in exactly one
    subnet whatever zones its nodes are in. So `per_zone` cannot mean "each node leaves through its own zone": it means
    a subnet with a zonal gateway per zone, and pools dealt over them, so that a lost zone closes the way out for its
    share of the pools only. `single` and `none` use the first subnet; going to `per_zone` later renumbers nothing.
    Source: https://learn.microsoft.com/azure/nat-gateway/nat-availability-zones, 2026-11-21.
    """
    return ZONES[: wish.zones] if wish.nat == "per_zone" else ZONES[:1]


def gateway(name: str, zone: str, args: OutboundArgs, opts: pulumi.ResourceOptions) -> network.NatGateway:
    """Make a zonal NAT gateway with one address of its own."""
    number = str(ZONES.index(zone) + 1)
    address = network.PublicIPAddress(
        name,
        network.PublicIPAddressInitArgs(
            resource_group_name=args.group,
            location=args.region,
            sku=network.PublicIPAddressSkuArgs(name="Standard", tier="Regional"),
            public_ip_allocation_method="Static",
            public_ip_address_version="IPv4",
            zones=[number],
        ),
        opts=opts,
    )
    return network.NatGateway(
        name,
        network.NatGatewayInitArgs(
            resource_group_name=args.group,
            location=args.region,
            sku=network.NatGatewaySkuArgs(name="Standard"),
            idle_timeout_in_minutes=4,
            public_ip_addresses=[network.SubResourceArgs(id=address.id)],
            zones=[number],
        ),
        opts=opts,
    )


def route_table(name: str, args: OutboundArgs, opts: pulumi.ResourceOptions) -> network.RouteTable:
    """Say where everything outside goes: to the gateway, or nowhere; a VPN that is attached later cannot change it.

    The ranges of linked networks are written down one by one, so that nobody who speaks BGP can add to them. The next
    hop `Internet` of a subnet with a NAT gateway is that gateway
    (https://learn.microsoft.com/azure/nat-gateway/nat-gateway-resource, 2026-11-21).
    """
    return network.RouteTable(
        name,
        network.RouteTableInitArgs(
            resource_group_name=args.group,
            location=args.region,
            disable_bgp_route_propagation=True,
            routes=[
                network.RouteArgs(
                    name="outside",
                    address_prefix="0.0.0.0/0",
                    next_hop_type="None" if args.wish.nat == "none" else "Internet",
                ),
                *(
                    network.RouteArgs(
                        name=f"link-{each.replace('.', '-').replace('/', '-')}",
                        address_prefix=each,
                        next_hop_type="VirtualNetworkGateway",
                    )
                    for each in args.routed
                ),
            ],
        ),
        opts=opts,
    )
