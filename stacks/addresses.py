"""The address plan: every network of every cloud, region and stack out of one block, by position alone.

    block -> share (1/of) -> a quarter per cloud (the fourth is for a cloud to come) -> 4, 8 or 16 region slots.

Positions are fixed (`clouds.CLOUDS`, `clouds.REGION_SLOTS`, or a region's own `slot`), so adding a region, a zone or a
cloud never moves what exists. The number and size of slots depend on the size of the share only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Final, Literal

from stacks.clouds import CLOUDS, REGION_SLOTS, Cloud

if TYPE_CHECKING:
    from stacks.model import Addresses, Region

ZoneKey = Literal["a", "b", "c"]
ZONE_KEYS: Final[tuple[ZoneKey, ...]] = ("a", "b", "c")

LARGEST_BLOCK: Final = 8
"""10.0.0.0/8 is the largest private block there is."""
LARGEST_SLOT: Final = 14
"""Room for 512 nodes of GKE or AKS; a VPC of AWS takes a /16 of it and no more.

A share has more than four slots for each cloud only while they are this large.
"""
SMALLEST_SLOT: Final = 20
"""Half of it is the smallest useful pod range: /21, eight nodes of /24 each."""
LARGEST_NETWORK: Final = 16
"""https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html: a VPC is /16 to /28."""
POD_RANGE_PER_NODE: Final = 24
"""110 pods per node reserve a /24 on GKE and on AKS overlay.

https://cloud.google.com/kubernetes-engine/docs/how-to/flexible-pod-cidr
https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay
"""
RESERVED_IN_SUBNET: Final[dict[Cloud, int]] = {"aws": 5, "gcp": 4, "azure": 5}
"""Addresses of a subnet that the cloud keeps for itself.

https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
https://cloud.google.com/vpc/docs/subnets#unusable-ip-addresses-in-every-subnet
https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq
"""
GATEWAY_SUBNET: Final = 27
"""Two active instances, and what Azure adds when it renews them.

https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-gateway-settings#gwsub
"""
EKS_ADDRESSES_PER_NODE: Final = 49
"""A node's own address and three /28 prefixes: two in use (32 pods) and the warm one.

https://docs.aws.amazon.com/eks/latest/best-practices/prefix-mode-linux.html
"""


@dataclass(frozen=True, kw_only=True)
class ZonePlan:
    """The subnets of one availability zone."""

    index: int
    key: ZoneKey
    public: IPv4Network
    private: IPv4Network


@dataclass(frozen=True, kw_only=True)
class RegionPlan:
    """All addresses of one region; `slot` contains them all, `services` and overlay `pods` lie outside `network`."""

    cloud: Cloud
    region: str
    slot: IPv4Network
    network: IPv4Network  # the VPC or VNet; on GCP the part that subnets are cut from
    zones: tuple[ZonePlan, ...]  # exactly the zones asked for
    control_plane: tuple[IPv4Network, ...]  # AWS: one /28 per zone, at least two; GCP, Azure: one /28
    nodes: IPv4Network  # regional node subnet of GCP and Azure; AWS: the network (nodes sit in the private subnets)
    endpoints: IPv4Network  # private endpoints
    pods: IPv4Network  # GKE secondary range, AKS overlay; AWS: the network (pods sit in the private subnets)
    services: IPv4Network  # ClusterIPs
    master: IPv4Network | None  # GKE's control plane range
    gateway: IPv4Network | None = None  # Azure's GatewaySubnet, where links end

    def nodes_that_fit(self) -> int:
        """Nodes for which there are addresses, their pods included."""
        reserved = RESERVED_IN_SUBNET[self.cloud]
        if self.cloud == "aws":
            return sum((zone.private.num_addresses - reserved) // EKS_ADDRESSES_PER_NODE for zone in self.zones)
        pods = 1 << (POD_RANGE_PER_NODE - self.pods.prefixlen)
        return min(pods, self.nodes.num_addresses - reserved)


def lay_out(addresses: Addresses, regions: Mapping[Cloud, Mapping[str, Region]]) -> dict[Cloud, dict[str, RegionPlan]]:
    """Give each region its addresses. Raises ValueError that says what size is needed when the block is too small."""
    return {
        cloud: {name: plan_region(addresses, cloud, name, region) for name, region in regions[cloud].items()}
        for cloud in CLOUDS
        if cloud in regions
    }


def plan_region(addresses: Addresses, cloud: Cloud, name: str, region: Region) -> RegionPlan:
    """Cut one region's slot. Raises ValueError as `lay_out` does."""
    slot = region_slot(addresses, cloud, slot_number(cloud, name, region.slot))
    cut = _cut_aws if cloud == "aws" else _cut_regional
    return cut(cloud, name, slot, region.zones)


def slot_number(cloud: Cloud, region: str, explicit: int | None) -> int:
    """Position of a region in its cloud's quarter; a region's own `slot` wins over the table."""
    if explicit is not None:
        return explicit
    known = REGION_SLOTS[cloud]
    if region not in known:
        raise ValueError(f"{cloud} {region} has no fixed place in the address plan: give it a `slot` of its own")
    return known[region]


def share_of(block: IPv4Network, index: int, of: int) -> IPv4Network:
    """Return the part of the block that one stack owns. Raises ValueError for an index outside 0..of-1."""
    if index >= of:
        raise ValueError(f"share {index} of {of} does not exist: they are numbered 0 to {of - 1}")
    return _part(block, of.bit_length() - 1, index)


def slots_in(share_prefix: int) -> int:
    """How many regions a cloud may have in a share of this size: 16 (/8), 8 (/9) or 4."""
    return 1 << min(4, max(2, LARGEST_SLOT - (share_prefix + 2)))


def region_slot(addresses: Addresses, cloud: Cloud, number: int) -> IPv4Network:
    """Return the block that holds all of a region. Raises ValueError when it would be too small or does not exist."""
    of = addresses.share.of
    share_prefix = addresses.block.prefixlen + of.bit_length() - 1
    slots = slots_in(share_prefix)
    quarter_prefix = share_prefix + 2
    prefix = max(quarter_prefix + slots.bit_length() - 1, LARGEST_SLOT)
    if prefix > SMALLEST_SLOT:
        needed = SMALLEST_SLOT - 4 - (of.bit_length() - 1)
        raise ValueError(
            f"{addresses.block} in {of} share(s) leaves each region a /{prefix}; nodes and pods of one cluster need "
            f"a /{SMALLEST_SLOT} at least, so the block must be a /{needed} or larger"
        )
    if number >= slots:
        raise ValueError(
            f"{addresses.block} in {of} share(s) has slots 0 to {slots - 1} for each cloud; {_room_for(number, of)}"
        )
    share = share_of(addresses.block, addresses.share.index, of)
    quarter = _part(share, 2, CLOUDS.index(cloud))
    return _part(quarter, prefix - quarter_prefix, number)


def _room_for(number: int, of: int) -> str:
    """Say what has a slot of this number."""
    enough = next((prefix for prefix in range(32, LARGEST_BLOCK - 1, -1) if slots_in(prefix) > number), None)
    if enough is None:
        return f"no block has more than {slots_in(LARGEST_BLOCK)}"
    block = enough - (of.bit_length() - 1)
    if block < LARGEST_BLOCK:
        return f"slot {number} needs a share of /{enough} or larger, so fewer shares"
    return f"slot {number} needs a block of /{block} or larger"


def _cut_aws(cloud: Cloud, name: str, slot: IPv4Network, zones: int) -> RegionPlan:
    """Lower half: the VPC, three quarters of it private subnets (nodes and pods). Upper half: services, and reserve.

    EKS refuses a service range inside the VPC.
    """
    lower, upper = slot.subnets(1)
    network = _part(lower, max(0, LARGEST_NETWORK - lower.prefixlen), 0)
    edge, *private = network.subnets(2)
    *public, last = edge.subnets(2)
    endpoints, inner = last.subnets(1)
    return RegionPlan(
        cloud=cloud,
        region=name,
        slot=slot,
        network=network,
        zones=_zones(public, private, zones),
        control_plane=tuple(_part(inner, 28 - inner.prefixlen, i) for i in range(max(2, zones))),
        nodes=network,
        endpoints=endpoints,
        pods=network,
        services=_services(upper),
        master=None,
    )


def _cut_regional(cloud: Cloud, name: str, slot: IPv4Network, zones: int) -> RegionPlan:
    """First quarter: the network, half of it nodes. Second: services. Upper half: pods, /24 per node.

    AKS refuses pod and service ranges that overlap the VNet.
    """
    network, second, *_ = slot.subnets(2)
    _, pods = slot.subnets(1)
    nodes, rest = network.subnets(1)
    *private, endpoints = (part for half in list(rest.subnets(1))[:1] for part in half.subnets(2))
    *public, last = (part for half in list(rest.subnets(1))[1:] for part in half.subnets(2))
    inner = _part(last, 28 - last.prefixlen, 0)
    bits = GATEWAY_SUBNET - last.prefixlen
    gateway = _part(last, bits, (1 << bits) - 1)
    return RegionPlan(
        cloud=cloud,
        region=name,
        slot=slot,
        network=network,
        zones=_zones(public, private, zones),
        control_plane=(inner,),
        nodes=nodes,
        endpoints=endpoints,
        pods=pods,
        services=_services(second),
        master=inner if cloud == "gcp" else None,
        gateway=gateway if cloud == "azure" else None,
    )


def _zones(public: list[IPv4Network], private: list[IPv4Network], count: int) -> tuple[ZonePlan, ...]:
    return tuple(ZonePlan(index=i, key=ZONE_KEYS[i], public=public[i], private=private[i]) for i in range(count))


def _services(room: IPv4Network) -> IPv4Network:
    """/20 (4096 services) where there is room, never smaller than EKS takes (/24)."""
    return _part(room, min(24, max(20, room.prefixlen + 2)) - room.prefixlen, 0)


def _part(network: IPv4Network, bits: int, index: int) -> IPv4Network:
    """Return the index-th of the 2**bits equal parts."""
    size = network.num_addresses >> bits
    return IPv4Network((int(network.network_address) + index * size, network.prefixlen + bits))
