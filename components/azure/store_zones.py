"""Private zones of a network for its stores: one per kind of service, whoever asks first."""

from __future__ import annotations

from typing import Final
from weakref import WeakKeyDictionary

import pulumi

from components.azure.network import Network
from components.azure.private_dns import LinkedZone, PrivateZoneArgs, private_zone

_ZONES: Final[WeakKeyDictionary[Network, dict[str, LinkedZone]]] = WeakKeyDictionary()


def zone_of(network: Network, domain: str) -> LinkedZone:
    """Return the zone that holds the names of all stores of a kind, `privatelink.KIND...`.

    A resource group holds a zone once, and a network takes no second link to a zone of the same name:
    https://learn.microsoft.com/azure/dns/private-dns-virtual-network-links, 2026-11-21.
    """
    zones = _ZONES.setdefault(network, {})
    if domain not in zones:
        zones[domain] = private_zone(
            f"{network.pulumi_resource_name}-{domain.split('.')[1]}",
            PrivateZoneArgs(group=network.group, domain=domain, network_id=network.network_id),
            pulumi.ResourceOptions(parent=network),
        )
    return zones[domain]
