"""Security groups of the three kinds of subnet: what may come in, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_azure_native import network

from stacks.addresses import RegionPlan
from stacks.links import Beyond

FIRST_PRIORITY: Final = 100
LAST_PRIORITY: Final = 4096
"""Range of a rule's priority: https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview."""
STEP: Final = 10


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One reason to let traffic in."""

    name: str
    sources: Sequence[str]  # CIDRs, or one service tag
    destinations: Sequence[str]
    ports: Sequence[str]
    protocol: str = "Tcp"


def here(plan: RegionPlan, beyond: Beyond | None) -> tuple[str, ...]:
    """Name the network itself: Azure's word for it takes in every network that a gateway joins.

    https://learn.microsoft.com/azure/virtual-network/service-tags-overview (VirtualNetwork), 2026-11-21.
    """
    return ("VirtualNetwork",) if beyond is None else (str(plan.network),)


def into_nodes(plan: RegionPlan, gateway_from: tuple[str, ...] = (), beyond: Beyond | None = None) -> tuple[Entry, ...]:
    """Nodes and pods talk freely, the API server reaches both, and the load balancer may probe.

    Overlay packets carry pod addresses, so both ranges are named:
    https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay (network security groups), 2026-11-21.
    """
    inside = (str(plan.nodes), str(plan.pods))
    public = Entry(  # the packets carry the public address of the load balancer as their destination
        name="gateway", sources=gateway_from, destinations=("*",), ports=("80", "443")
    )
    return (
        *((public,) if gateway_from else ()),
        Entry(name="nodes-and-pods", sources=inside, destinations=inside, ports=("0-65535",), protocol="*"),
        Entry(
            name="api-server",
            sources=tuple(str(part) for part in plan.control_plane),
            destinations=inside,
            ports=("0-65535",),  # webhooks listen where they like
            protocol="Tcp",
        ),
        Entry(
            name="private-network",  # internal load balancers: their packets keep the address of who asks
            sources=here(plan, beyond),
            destinations=(str(plan.nodes),),
            ports=("80", "443", "15008", "15012", "15017", "15021", "15443"),
        ),
        *(
            (Entry(name="links", sources=beyond.callers, destinations=inside, ports=tuple(map(str, beyond.ports))),)
            if beyond is not None and beyond.ports
            else ()
        ),
        Entry(
            name="load-balancer-probes",
            sources=("AzureLoadBalancer",),
            destinations=(str(plan.nodes),),
            ports=("0-65535",),
            protocol="Tcp",
        ),
    )


def into_api_server(plan: RegionPlan, beyond: Beyond | None = None) -> tuple[Entry, ...]:
    """Ports of an API server inside the network.

    Source: https://learn.microsoft.com/azure/aks/api-server-vnet-integration (network security group rules),
    2026-11-21.
    """
    servers = tuple(str(part) for part in plan.control_plane)
    linked = Entry(name="links", sources=beyond.callers if beyond else (), destinations=servers, ports=("443",))
    return (
        Entry(name="private-network", sources=here(plan, beyond), destinations=servers, ports=("443", "4443")),
        Entry(name="pods", sources=(str(plan.pods),), destinations=servers, ports=("443", "4443")),
        Entry(name="load-balancer-probes", sources=("AzureLoadBalancer",), destinations=servers, ports=("9988",)),
        *((linked,) if beyond is not None else ()),
    )


def into_endpoints(plan: RegionPlan, stores: tuple[int, ...] = (), beyond: Beyond | None = None) -> tuple[Entry, ...]:
    """Private endpoints speak TLS to their network and to no linked one, those of stores at their own ports."""
    endpoints = (str(plan.endpoints),)
    ports = ("443", *map(str, stores))
    return (
        Entry(name="private-network", sources=here(plan, beyond), destinations=endpoints, ports=ports),
        Entry(name="pods", sources=(str(plan.pods),), destinations=endpoints, ports=ports),
    )


def security_group(
    name: str, group: pulumi.Input[str], region: str, entries: Sequence[Entry], opts: pulumi.ResourceOptions
) -> network.NetworkSecurityGroup:
    """Make a security group that lets these entries in and refuses whatever else knocks, the internet first."""
    return network.NetworkSecurityGroup(
        name,
        network.NetworkSecurityGroupInitArgs(
            resource_group_name=group,
            location=region,
            security_rules=[
                *(_allow(entry, FIRST_PRIORITY + STEP * place) for place, entry in enumerate(entries)),
                _refuse_the_rest(),
            ],
        ),
        opts=opts,
    )


def _allow(entry: Entry, priority: int) -> network.SecurityRuleArgs:
    one_source = len(entry.sources) == 1
    one_destination = len(entry.destinations) == 1
    one_port = len(entry.ports) == 1
    return network.SecurityRuleArgs(
        name=f"allow-{entry.name}",
        priority=priority,
        direction="Inbound",
        access="Allow",
        protocol=entry.protocol,
        source_port_range="*",
        source_address_prefix=entry.sources[0] if one_source else None,
        source_address_prefixes=None if one_source else list(entry.sources),
        destination_address_prefix=entry.destinations[0] if one_destination else None,
        destination_address_prefixes=None if one_destination else list(entry.destinations),
        destination_port_range=entry.ports[0] if one_port else None,
        destination_port_ranges=None if one_port else list(entry.ports),
    )


def _refuse_the_rest() -> network.SecurityRuleArgs:
    """Stand before Azure's own rule 65000, which would let every peered network in."""
    return network.SecurityRuleArgs(
        name="refuse-the-rest",
        priority=LAST_PRIORITY,
        direction="Inbound",
        access="Deny",
        protocol="*",
        source_port_range="*",
        source_address_prefix="*",
        destination_address_prefix="*",
        destination_port_range="*",
    )
