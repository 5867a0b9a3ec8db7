"""Two VNets of one subscription in two regions, joined: each learns the range of the other."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import network

from components.azure.old_names import spared
from components.links import Place
from stacks.links import Peering


def peering(name: str, wish: Peering, one: Place, other: Place, opts: pulumi.ResourceOptions) -> None:
    """Say it on both sides; each keeps its own gateway, and passes nothing on.

    Source: https://learn.microsoft.com/azure/virtual-network/virtual-network-peering-overview, 2026-11-21.
    """
    for near, here, there in ((wish.first, one, other), (wish.second, other, one)):
        network.VirtualNetworkPeering(
            f"{name}-{near.region}",
            resource_group_name=here.network.group,
            virtual_network_name=here.network.network_name,
            remote_virtual_network=network.SubResourceArgs(id=there.network.network_id),
            allow_virtual_network_access=True,
            allow_forwarded_traffic=False,
            allow_gateway_transit=False,
            use_remote_gateways=False,
            opts=pulumi.ResourceOptions.merge(
                spared(opts), pulumi.ResourceOptions(depends_on=[here.network.ready, there.network.ready])
            ),
        )
