"""The end of links on Google Cloud: an HA VPN gateway, a router that speaks BGP, and a tunnel to each far address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.gcp.cluster import Cluster
from components.gcp.link_alarms import alarm
from components.gcp.link_secret import LinkSecret
from components.gcp.names import resource_name
from components.gcp.network import Network
from components.links import Keys, LinkGatewayArgs
from stacks.links import PREFIX, End, Tunnel

CIPHER: Final = "AES-GCM-16-256"
HASH: Final = "PRF-HMAC-SHA2-384"
GROUP: Final = "Group-20"
"""NIST P-384. Source: cloud.google.com/network-connectivity/docs/vpn/concepts/supported-ike-ciphers, 2026-11-21."""
REDUNDANCY: Final = {2: "TWO_IPS_REDUNDANCY", 4: "FOUR_IPS_REDUNDANCY"}
"""By the addresses of the other end; four are AWS
(cloud.google.com/network-connectivity/docs/vpn/concepts/topologies, 2026-11-21)."""
KEEPALIVE_SECONDS: Final = 20
PRIORITY: Final = 100
INTERFACES: Final = 2


class LinkGateway(pulumi.ComponentResource):
    """One HA VPN gateway and its router, apart from the router of the NAT: either comes and goes without the other."""

    addresses: Sequence[pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        args: LinkGatewayArgs,
        network: Network,
        cluster: Cluster,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ecosystem:gcp:LinkGateway", name, {"asn": args.site.asn}, opts)
        self._name, self._region, self._account = name, args.site.region, network.account
        self._child = pulumi.ResourceOptions(parent=self, provider=network.account.provider)
        self._gateway = gcp.compute.HaVpnGateway(
            resource_name(name),
            project=network.account.project,
            region=self._region,
            network=network.vpc.id,
            stack_type="IPV4_ONLY",
            gateway_ip_version="IPV4",
            opts=self._child,
        )
        self._router = gcp.compute.Router(
            resource_name(name),
            project=network.account.project,
            region=self._region,
            network=network.vpc.id,
            bgp=gcp.compute.RouterBgpArgs(
                asn=args.site.asn,
                advertise_mode="CUSTOM",  # subnets would be told by themselves, the control plane's would not
                advertised_ip_ranges=[
                    gcp.compute.RouterBgpAdvertisedIpRangeArgs(range=each) for each in args.site.advertised
                ],
                keepalive_interval=KEEPALIVE_SECONDS,
            ),
            opts=self._child,
        )
        self.addresses = [
            self._gateway.vpn_interfaces.apply(lambda found, place=place: str(found[place].ip_address))
            for place in range(INTERFACES)
        ]
        self._secrets = LinkSecret(
            f"{name}-keys", args, network.account, cluster.keys.ring, pulumi.ResourceOptions(parent=self)
        )
        alarm(name, self._gateway.name, args, network.account, self._child)
        self.register_outputs({"gateway": self._gateway.id})

    def join(self, end: End, far: Sequence[pulumi.Output[str]], keys: Keys) -> Sequence[pulumi.Output[str]]:
        """Make the other end's gateway as Google knows it, and a tunnel with a BGP session for each of ours."""
        name = f"{self._name}-{end.far.name}"
        outside = gcp.compute.ExternalVpnGateway(
            resource_name(name),
            project=self._account.project,
            description=f"{end.far.name}, the other end of {end.link}",
            redundancy_type=REDUNDANCY[len(far)],
            interfaces=[
                gcp.compute.ExternalVpnGatewayInterfaceArgs(id=place, ip_address=address)
                for place, address in enumerate(far)
            ],
            opts=self._child,
        )
        for tunnel in end.tunnels:
            self._tunnel(f"{name}-{tunnel.number}", end, tunnel, outside, keys[tunnel.number])
        self._secrets.keep(end, keys)
        return self.addresses

    def _tunnel(
        self,
        name: str,
        end: End,
        tunnel: Tunnel,
        outside: gcp.compute.ExternalVpnGateway,
        key: pulumi.Output[str],
    ) -> None:
        own = resource_name(name)
        # a new key makes a new tunnel, which wants the addresses of the old one
        anew = pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(delete_before_replace=True))
        made = gcp.compute.VPNTunnel(
            own,
            project=self._account.project,
            region=self._region,
            vpn_gateway=self._gateway.id,
            vpn_gateway_interface=tunnel.near_interface,
            peer_external_gateway=outside.id,
            peer_external_gateway_interface=tunnel.far_interface,
            router=self._router.id,
            ike_version=2,
            shared_secret=key,
            cipher_suite=gcp.compute.VPNTunnelCipherSuiteArgs(
                phase1=gcp.compute.VPNTunnelCipherSuitePhase1Args(encryptions=[CIPHER], prves=[HASH], dhs=[GROUP]),
                phase2=gcp.compute.VPNTunnelCipherSuitePhase2Args(encryptions=[CIPHER], pfs=[GROUP]),
            ),
            opts=anew,
        )
        interface = gcp.compute.RouterInterface(
            own,
            project=self._account.project,
            region=self._region,
            router=self._router.name,
            ip_range=f"{tunnel.near}/{PREFIX}",
            vpn_tunnel=made.name,
            opts=anew,
        )
        gcp.compute.RouterPeer(
            own,
            project=self._account.project,
            region=self._region,
            router=self._router.name,
            interface=interface.name,
            ip_address=str(tunnel.near),
            peer_ip_address=str(tunnel.far),
            peer_asn=end.far.asn,
            advertise_mode="DEFAULT",  # what the router tells
            advertised_route_priority=PRIORITY,
            opts=anew,
        )
