"""A service of Azure at an address of the network, under the name that everybody knows it by."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network

from components.azure.private_dns import LinkedZone, PrivateZoneArgs, private_zone


@dataclass(frozen=True, kw_only=True)
class PrivateEndpointArgs:
    """`part` is the group id of the service (`vault`, `postgresqlServer`), `domain` its private zone."""

    group: pulumi.Input[str]
    region: str
    network_id: pulumi.Input[str]
    subnet_id: pulumi.Input[str]
    service_id: pulumi.Input[str]
    part: str
    domain: str


def private_endpoint(
    name: str, args: PrivateEndpointArgs, opts: pulumi.ResourceOptions, shared: LinkedZone | None = None
) -> network.PrivateDnsZoneGroup:
    """Make the endpoint and its name; wait for what comes back, then the name resolves inside the network.

    `shared` is a zone that holds names of other endpoints too.
    """
    zone = PrivateZoneArgs(group=args.group, domain=args.domain, network_id=args.network_id)
    linked = shared or private_zone(name, zone, opts)
    endpoint = network.PrivateEndpoint(
        name,
        network.PrivateEndpointArgs(
            resource_group_name=args.group,
            location=args.region,
            subnet=network.SubnetArgs(id=args.subnet_id),
            private_link_service_connections=[
                network.PrivateLinkServiceConnectionArgs(
                    name=args.part, private_link_service_id=args.service_id, group_ids=[args.part]
                )
            ],
        ),
        opts=opts,
    )
    return network.PrivateDnsZoneGroup(
        name,
        network.PrivateDnsZoneGroupArgs(
            resource_group_name=args.group,
            private_endpoint_name=endpoint.name,
            private_dns_zone_group_name="default",
            private_dns_zone_configs=[
                network.PrivateDnsZoneConfigArgs(name=args.part, private_dns_zone_id=linked.zone.id)
            ],
        ),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[linked.link])),
    )
