"""Links between the networks of a stack: which ones, over which tunnels, with which numbers.

Networks of different clouds are linked by tunnels, networks of one cloud in two regions by its own peering.

Everything follows from the positions of the address plan, so that a link that comes or goes renumbers no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field, PositiveInt

from stacks.addresses import RegionPlan, slot_number
from stacks.clouds import CLOUDS, Cloud
from stacks.money import Email
from stacks.part import Name, Part

if TYPE_CHECKING:
    from stacks.model import Stack

FIRST_ASN: Final = 64512
"""First number for private use with 16 bits (https://www.rfc-editor.org/rfc/rfc6996); ours end at 65279.

Azure keeps 65515, 65517 to 65520 for itself
(https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-vpn-faq, BGP, 2026-11-21).
"""
SLOTS: Final = 16
"""Most regions of a cloud in a stack (`addresses.slots_in`)."""
PREFIX: Final = 30
"""AWS and Google take two addresses for a tunnel, neither more nor less."""
PER_LINK: Final = 4
"""Blocks kept for each link: AWS has two connections of two tunnels."""
INSIDE: Final[Mapping[tuple[Cloud, Cloud], IPv4Network]] = {
    ("aws", "azure"): IPv4Network("169.254.21.0/24"),
    ("gcp", "azure"): IPv4Network("169.254.22.0/24"),
    ("aws", "gcp"): IPv4Network("169.254.32.0/24"),
}
"""Addresses inside the tunnels, by the clouds that they join.

Azure takes 169.254.21.0 to 169.254.22.255 only (https://learn.microsoft.com/azure/vpn-gateway/bgp-howto), AWS refuses
169.254.0.0/30 to 169.254.5.0/30 and 169.254.169.252/30 (docs.aws.amazon.com/vpn/latest/s2svpn/VPNTunnels.html), Google
keeps 169.254.169.254 (cloud.google.com/network-connectivity/docs/router/concepts/overview), 2026-11-21.
"""
API: Final = 443
PORTS: Final = {"ambient": 15008, "sidecar": 15443}
"""Where a gateway between clusters answers, by the mode of the mesh (components/kubernetes/multicluster.py)."""


class LinkKeys(Part):
    """Which generation of pre-shared keys the tunnels have; a higher number makes new keys."""

    first: PositiveInt = 1
    """Tunnels at the first interface of each gateway. Raise one, update, and raise the other when these are up."""
    second: PositiveInt = 1
    """Tunnels at the second interface."""


Pair = Annotated[tuple[Name, ...], Field(min_length=2, max_length=2)]
Pairs = Annotated[tuple[Pair, ...], Field(min_length=1)]


class Links(Part):
    """Ways between the networks of clusters, both ends made here: IPsec with BGP from cloud to cloud, else peering."""

    pairs: Pairs | None = Field(default=None, examples=[[["aws-eu-west-1", "gcp-europe-west1"]]])
    """Clusters whose networks are joined, two by two; without it each with each."""
    keys: LinkKeys = LinkKeys()
    """Generations of the pre-shared keys."""
    receivers: tuple[Email, ...] = Field(default=(), max_length=10, examples=[["oncall@example.org"]])
    """Who hears that a tunnel is down; else the e-mail receivers of `services.monitoring`, else those of the budget."""
    azure_gateway: Literal["VpnGw1AZ", "VpnGw2AZ", "VpnGw3AZ", "VpnGw4AZ", "VpnGw5AZ"] = "VpnGw1AZ"
    """Size of each gateway of Azure: from 650 Mbit/s to 10 Gbit/s.

    https://learn.microsoft.com/azure/vpn-gateway/about-gateway-skus
    """


@dataclass(frozen=True, kw_only=True)
class Site:
    """A network that a link ends in."""

    name: str  # CLOUD-REGION
    cloud: Cloud
    region: str
    asn: int
    plan: RegionPlan

    @property
    def advertised(self) -> tuple[str, ...]:
        """Ranges that others are told the way to: the network, and pods where the network carries their addresses."""
        return tuple(dict.fromkeys((str(self.plan.network), *((str(self.plan.pods),) if self.cloud == "gcp" else ()))))

    @property
    def callers(self) -> tuple[str, ...]:
        """Ranges that calls from here come from: Azure's overlay hides pods behind their node, Google does not."""
        own = (str(self.plan.nodes), *((str(self.plan.pods),) if self.cloud == "gcp" else ()))
        return tuple(dict.fromkeys(own))

    @property
    def apis(self) -> tuple[str, ...]:
        """Ranges in which the API server answers."""
        return tuple(str(each) for each in self.plan.control_plane)


@dataclass(frozen=True, kw_only=True)
class Tunnel:
    """One tunnel, seen from one end of its link."""

    number: int
    half: Literal["first", "second"]
    """Which of the keys it has, and which interface of the end that has two."""
    inside: IPv4Network
    near_interface: int
    far_interface: int
    near: IPv4Address  # address of BGP on this end
    far: IPv4Address


@dataclass(frozen=True, kw_only=True)
class End:
    """One end of a link."""

    link: str
    near: Site
    far: Site
    tunnels: tuple[Tunnel, ...]


@dataclass(frozen=True, kw_only=True)
class Link:
    """Two ends that say the same thing; `first` is that of the cloud that comes first in `CLOUDS`."""

    name: str
    first: End
    second: End


@dataclass(frozen=True, kw_only=True)
class Peering:
    """Two networks of one cloud, in two regions."""

    name: str
    first: Site
    second: Site


@dataclass(frozen=True)
class Plan:
    """Every link and every peering of a stack."""

    links: tuple[Link, ...] = ()
    peerings: tuple[Peering, ...] = ()

    def ends_of(self, cluster: str) -> tuple[End, ...]:
        """Return the ends of links that a cluster's network has, in the order of their links."""
        return tuple(end for link in self.links for end in (link.first, link.second) if end.near.name == cluster)

    def beside(self, cluster: str) -> tuple[Site, ...]:
        """Return the networks of the same cloud that a cluster's network is joined with."""
        pairs = [(each.first, each.second) for each in self.peerings]
        return tuple(far for one, other in pairs for near, far in ((one, other), (other, one)) if near.name == cluster)


@dataclass(frozen=True, kw_only=True)
class Beyond:
    """What firewalls have to know about the networks that a network is joined with."""

    callers: tuple[str, ...]
    networks: tuple[str, ...]
    """Where gateways between clusters answer."""
    apis: tuple[str, ...]
    routed: tuple[str, ...]
    """Ranges that are reached through tunnels; peering brings its routes along."""
    linked: bool
    """Whether tunnels end here."""
    beside: bool
    """Whether another region of the same cloud is among them."""
    ports: tuple[int, ...]
    """Of gateways between clusters; API servers answer at 443."""


def chosen(links: Links, clusters: Mapping[str, Cloud]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of clusters that are joined, each in the order of `CLOUDS`."""
    place = {name: (CLOUDS.index(cloud), name) for name, cloud in clusters.items()}
    wanted = links.pairs if links.pairs is not None else tuple(combinations(sorted(clusters, key=place.__getitem__), 2))
    pairs = {tuple(sorted(pair, key=place.__getitem__)) for pair in wanted}
    return tuple(sorted((one, other) for one, other in pairs))


def of_stack(stack: Stack, ranges: Mapping[Cloud, Mapping[str, RegionPlan]]) -> Plan:
    """Return the links of a stack, none where the file wishes none."""
    if stack.links is None:
        return Plan()
    sites = {
        name: Site(name=name, cloud=cloud, region=region, asn=asn_of(stack, cloud, region), plan=ranges[cloud][region])
        for name in stack.cluster_names()
        for cloud, region, _ in (stack.region_of(name),)
    }
    pairs = [
        (sites[one], sites[other])
        for one, other in chosen(stack.links, {name: site.cloud for name, site in sites.items()})
    ]
    return Plan(
        links=tuple(_link(stack, one, other) for one, other in pairs if one.cloud != other.cloud),
        peerings=tuple(
            Peering(name=f"{one.name}--{other.name}", first=one, second=other)
            for one, other in pairs
            if one.cloud == other.cloud
        ),
    )


def asn_of(stack: Stack, cloud: Cloud, region: str) -> int:
    """Return a region's number in BGP: its own among all stacks that share a block."""
    per_stack = len(CLOUDS) * SLOTS
    return (
        FIRST_ASN + stack.addresses.share.index * per_stack + CLOUDS.index(cloud) * SLOTS + _slot(stack, cloud, region)
    )


def beyond(stack: Stack, plan: Plan, cluster: str) -> Beyond | None:
    """Return what lies behind the links of a cluster's network; None where it has none."""
    linked, beside = [end.far for end in plan.ends_of(cluster)], plan.beside(cluster)
    far = [*linked, *beside]
    if not far:
        return None
    mesh = stack.services.mesh
    return Beyond(
        callers=tuple(each for site in far for each in site.callers),
        networks=tuple(str(site.plan.nodes) for site in far),
        apis=tuple(each for site in far for each in site.apis),
        routed=tuple(each for site in linked for each in site.advertised),
        linked=bool(linked),
        beside=bool(beside),
        ports=() if mesh is None else (PORTS[mesh.mode],),
    )


def told(stack: Stack) -> tuple[str, ...]:
    """Return who hears that a tunnel is down."""
    if stack.links is not None and stack.links.receivers:
        return stack.links.receivers
    monitoring = stack.services.monitoring
    mails = [each.to for each in monitoring.receivers.values() if each.kind == "email"] if monitoring else []
    return tuple(mails) or stack.budget.receivers


def _slot(stack: Stack, cloud: Cloud, region: str) -> int:
    return slot_number(cloud, region, stack.regions()[cloud][region].slot)


def _link(stack: Stack, one: Site, other: Site) -> Link:
    """AWS has four addresses, the others two; so a link with AWS has four tunnels and one without has two."""
    # a colour for each pair, different among all links of a site: sums modulo the number of slots are a Latin square
    colour = (_slot(stack, one.cloud, one.region) + _slot(stack, other.cloud, other.region)) % SLOTS
    blocks = list(INSIDE[one.cloud, other.cloud].subnets(new_prefix=PREFIX))[colour * PER_LINK :]
    count = PER_LINK if one.cloud == "aws" else 2
    name = f"{one.name}--{other.name}"
    there = tuple(_tunnels(blocks, count))
    back = tuple(
        Tunnel(
            number=each.number,
            half=each.half,
            inside=each.inside,
            near_interface=each.far_interface,
            far_interface=each.near_interface,
            near=each.far,
            far=each.near,
        )
        for each in there
    )
    return Link(
        name=name,
        first=End(link=name, near=one, far=other, tunnels=there),
        second=End(link=name, near=other, far=one, tunnels=back),
    )


def _tunnels(blocks: list[IPv4Network], count: int) -> Iterator[Tunnel]:
    """The first address is the first end's: AWS takes it whatever one says."""
    for number, inside in enumerate(blocks[:count]):
        interface = number * 2 // count
        near, far = inside.hosts()
        yield Tunnel(
            number=number,
            half="second" if interface else "first",
            inside=inside,
            near_interface=number if count == PER_LINK else interface,
            far_interface=interface,
            near=near,
            far=far,
        )
