"""Two VPCs of one account in two regions, joined: traffic stays in AWS's network, encrypted by it."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.links import Place
from stacks.links import Peering, Site


def peering(name: str, wish: Peering, one: Place, other: Place, opts: pulumi.ResourceOptions) -> None:
    """Ask on one side, accept on the other, and tell the inner route tables of both.

    Source: docs.aws.amazon.com/vpc/latest/peering/create-vpc-peering-connection.html, 2026-11-21.
    """
    asked = aws.ec2.VpcPeeringConnection(
        name,
        vpc_id=one.network.network_id,
        peer_vpc_id=other.network.network_id,
        peer_region=wish.second.region,
        auto_accept=False,  # another region accepts for itself
        region=wish.first.region,
        tags={"Name": name},
        opts=opts,
    )
    accepted = aws.ec2.VpcPeeringConnectionAccepter(
        name,
        vpc_peering_connection_id=asked.id,
        auto_accept=True,
        region=wish.second.region,
        tags={"Name": name},
        opts=opts,
    )
    _route(name, wish.first, one, wish.second, accepted, opts)
    _route(name, wish.second, other, wish.first, accepted, opts)


def _route(  # noqa: PLR0913, PLR0917 - one end, the other, and what joins them
    name: str,
    near: Site,
    place: Place,
    far: Site,
    joined: aws.ec2.VpcPeeringConnectionAccepter,
    opts: pulumi.ResourceOptions,
) -> None:
    for key, table in place.network.inner_tables.items():
        aws.ec2.Route(
            f"{name}-{near.region}-{key}",
            route_table_id=table,
            destination_cidr_block=str(far.plan.network),
            vpc_peering_connection_id=joined.id,
            region=near.region,
            opts=opts,
        )
