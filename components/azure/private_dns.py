"""Private DNS zones: names that only one network resolves."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import privatedns

WHERE = "global"
"""Private zones live in no region (https://learn.microsoft.com/azure/dns/private-dns-overview, 2026-11-21)."""


@dataclass(frozen=True, kw_only=True)
class PrivateZoneArgs:
    group: pulumi.Input[str]  # resource group
    domain: str
    network_id: pulumi.Input[str]


@dataclass(frozen=True)
class LinkedZone:
    """A zone is of use once its link stands: depend on the link, refer to the zone."""

    zone: privatedns.PrivateZone
    link: privatedns.VirtualNetworkLink


def private_zone(name: str, args: PrivateZoneArgs, opts: pulumi.ResourceOptions) -> LinkedZone:
    """Make a zone and link it to the one network that may ask it.

    The link is ours and not left to AKS or the vault: a network can be linked to a zone only once, and a link of ours
    spares the cluster's identity the right to join the whole network.
    """
    zone = privatedns.PrivateZone(
        name,
        privatedns.PrivateZoneArgs(
            resource_group_name=args.group,
            location=WHERE,
            private_zone_name=args.domain,
        ),
        opts=opts,
    )
    link = privatedns.VirtualNetworkLink(
        name,
        privatedns.VirtualNetworkLinkArgs(
            resource_group_name=args.group,
            location=WHERE,
            private_zone_name=zone.name,
            registration_enabled=False,
            virtual_network=privatedns.SubResourceArgs(id=args.network_id),
        ),
        opts=opts,
    )
    return LinkedZone(zone, link)
