"""Private ways to stores: one zone of a network per kind of service, whoever asks first, and the endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import pulumi
from pulumi_azure_native import network as azure_network

from components.azure.network import Network
from components.azure.private_dns import LinkedZone, PrivateZoneArgs, private_zone
from components.azure.private_endpoint import PrivateEndpointArgs, private_endpoint

_ZONES: Final[WeakKeyDictionary[Network, dict[str, LinkedZone]]] = WeakKeyDictionary()


@dataclass(frozen=True)
class PrivateService:
    """What of a store is reached: Azure's word for it (`part`), and the zone that holds its names (`domain`).

    Both: https://learn.microsoft.com/azure/private-link/private-endpoint-dns, 2026-11-21.
    """

    part: str
    domain: str


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


def store_endpoint(
    name: str, network: Network, store: pulumi.Input[str], service: PrivateService, opts: pulumi.ResourceOptions
) -> azure_network.PrivateDnsZoneGroup:
    """Make the private endpoint of a store in its network; `store` is the store's id."""
    return private_endpoint(
        name,
        PrivateEndpointArgs(
            group=network.group,
            region=network.region,
            network_id=network.network_id,
            subnet_id=network.endpoint_subnet.id,
            service_id=store,
            part=service.part,
            domain=service.domain,
        ),
        opts,
        zone_of(network, service.domain),
    )
