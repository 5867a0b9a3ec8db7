"""Links between the networks of a stack: both ends of each, with the same keys and the same words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import pulumi

from components.link_keys import PresharedKeys
from stacks.links import End, Link, LinkKeys, Peering, Plan, Site, Tunnel, told
from stacks.links import Links as Wish
from stacks.model import Stack

IKE_SECONDS: Final = 28800
"""Azure's IKE association lives eight hours and cannot be told otherwise; the others are told the same.

https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-devices (main mode SA lifetime), 2026-11-21.
"""
ESP_SECONDS: Final = 3600
"""Within what all three take: AWS up to 3600, Azure from 300 (the same page and VPNTunnels.html), 2026-11-21."""
DEAD_PEER_SECONDS: Final = 45
"""Azure's own figure; AWS takes 30 and more."""


@dataclass(frozen=True, kw_only=True)
class LinkGatewayArgs:
    """The gateway of one network, and the ends that it will have."""

    environment: str
    site: Site
    ends: tuple[End, ...]
    receivers: tuple[str, ...]
    """Who hears that a tunnel is down."""
    size: str
    """Of a gateway of Azure; the others have one size."""
    protect: bool = False


Keys = Mapping[int, pulumi.Output[str]]
"""Pre-shared keys by the number of the tunnel."""


class LinkGateway(Protocol):
    """The gateway of one network, whichever cloud it is in."""

    addresses: Sequence[pulumi.Output[str]]
    """Public addresses by interface; none where a cloud gives each connection its own (AWS)."""

    def join(self, end: End, far: Sequence[pulumi.Output[str]], keys: Keys) -> Sequence[pulumi.Output[str]]:
        """Make this end of a link towards the addresses `far`, and return the public addresses of this end."""
        ...


MakeGateway = Callable[[str, LinkGatewayArgs, Any, Any, pulumi.ResourceOptions], LinkGateway]
"""Make a gateway from its name, and a network and a cluster of the same cloud."""


MakePeering = Callable[[str, Peering, "Place", "Place", pulumi.ResourceOptions], None]
"""Join two networks of a cloud, each with the place that it is built in."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a site is built."""

    network: Any  # the cloud's own classes
    cluster: Any
    make: MakeGateway
    peer: MakePeering
    opts: pulumi.ResourceOptions


@dataclass(frozen=True, kw_only=True)
class LinksArgs:
    """`places` has every site that a link ends in, by name."""

    plan: Plan
    places: Mapping[str, Place]
    environment: str
    keys: LinkKeys
    receivers: tuple[str, ...]
    size: str
    maker: pulumi.ProviderResource
    """Provider of dynamic resources."""
    protect: bool = False


class Links(pulumi.ComponentResource):
    """Every link of a stack.

    The end of the cloud that comes first in `CLOUDS` is made first: AWS has no address before its connections, and
    these want the other's.
    """

    gateways: Mapping[str, LinkGateway]

    def __init__(self, name: str, args: LinksArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:index:Links", name, {}, opts)
        self._name, self._args = name, args
        ends: dict[str, list[End]] = {}
        for link in args.plan.links:
            for end in (link.first, link.second):
                ends.setdefault(end.near.name, []).append(end)
        self.gateways = {site: self._gateway(site, tuple(held)) for site, held in ends.items()}
        for link in args.plan.links:
            first, second = self.gateways[link.first.near.name], self.gateways[link.second.near.name]
            keys = self._keys(link)
            addresses = first.join(link.first, second.addresses, keys)
            second.join(link.second, addresses, keys)
        for each in args.plan.peerings:
            one, other = args.places[each.first.name], args.places[each.second.name]
            one.peer(f"{name}-{each.name}", each, one, other, one.opts)
        joined = [*(each.name for each in args.plan.links), *(each.name for each in args.plan.peerings)]
        self.register_outputs({"links": joined})

    def _gateway(self, site: str, ends: tuple[End, ...]) -> LinkGateway:
        args, place = self._args, self._args.places[site]
        wish = LinkGatewayArgs(
            environment=args.environment,
            site=ends[0].near,
            ends=ends,
            receivers=args.receivers,
            size=args.size,
            protect=args.protect,
        )
        return place.make(f"{site}-links", wish, place.network, place.cluster, place.opts)

    def _keys(self, link: Link) -> Keys:
        """Make a link's keys in two halves, so that one half stays up while the other gets new ones."""
        found: dict[int, pulumi.Output[str]] = {}
        for half, generation in (("first", self._args.keys.first), ("second", self._args.keys.second)):
            tunnels = [each.number for each in link.first.tunnels if each.half == half]
            opts = pulumi.ResourceOptions(parent=self, provider=self._args.maker)
            made = PresharedKeys(f"{self._name}-{link.name}-{half}", generation, len(tunnels), opts)
            found |= {number: made.of(place) for place, number in enumerate(tunnels)}
        return found


def links_of(stack: Stack, plan: Plan, places: Mapping[str, Place], maker: pulumi.ProviderResource) -> LinksArgs:
    """Say what the links of a stack are to be, by its file."""
    wish = stack.links or Wish()
    return LinksArgs(
        plan=plan,
        places=places,
        environment=stack.environment,
        keys=wish.keys,
        receivers=told(stack),
        size=wish.azure_gateway,
        maker=maker,
        protect=stack.protect,
    )


def halves(tunnels: Sequence[Tunnel]) -> dict[int, list[Tunnel]]:
    """Tunnels by the interface of the other end, in its order."""
    found: dict[int, list[Tunnel]] = {}
    for tunnel in tunnels:
        found.setdefault(tunnel.far_interface, []).append(tunnel)
    return found
