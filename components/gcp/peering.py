"""Two VPCs of one project, joined: each learns the subnets of the other."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from components.gcp.names import resource_name
from components.links import Place
from stacks.links import Peering


def peering(name: str, wish: Peering, one: Place, other: Place, opts: pulumi.ResourceOptions) -> None:
    """Say it on both sides, one after the other; routes of links are not passed on.

    Source: cloud.google.com/vpc/docs/vpc-peering (one change of a network at a time), 2026-11-21.
    """
    before: list[pulumi.Resource] = []
    for near, here, there in ((wish.first, one, other), (wish.second, other, one)):
        made = gcp.compute.NetworkPeering(
            resource_name(f"{name}-{near.region}"),
            network=here.network.vpc.self_link,
            peer_network=there.network.vpc.self_link,
            export_custom_routes=False,
            import_custom_routes=False,
            export_subnet_routes_with_public_ip=False,
            import_subnet_routes_with_public_ip=False,
            stack_type="IPV4_ONLY",
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=before)),
        )
        before = [made]
