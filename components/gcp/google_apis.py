"""Names of Google's APIs that lead to their private addresses, for a network without a way to the internet."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_gcp as gcp

PRIVATE_ADDRESSES: Final = tuple(f"199.36.153.{last}" for last in range(8, 12))
"""private.googleapis.com. Source: cloud.google.com/vpc/docs/configure-private-google-access (read 2026-11-21)."""

DOMAINS: Final = {
    "apis": ("googleapis.com.", "private.googleapis.com."),
    "registries": ("pkg.dev.", "pkg.dev."),
    "gcr": ("gcr.io.", "gcr.io."),
}
"""Zone, and the name in it that holds the addresses; every other name of the zone points there."""

TTL_SECONDS: Final = 300


def build(
    name: str,
    network: pulumi.Input[str],
    project: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> list[pulumi.Resource]:
    """Create a private zone per domain with its records. DNSSEC exists for public zones only."""
    made: list[pulumi.Resource] = []
    for key, (domain, target) in DOMAINS.items():
        zone = gcp.dns.ManagedZone(
            f"{name}-{key}",
            project=project,
            dns_name=domain,
            description=f"{domain[:-1]} at its private addresses",
            visibility="private",
            private_visibility_config=gcp.dns.ManagedZonePrivateVisibilityConfigArgs(
                networks=[gcp.dns.ManagedZonePrivateVisibilityConfigNetworkArgs(network_url=network)]
            ),
            opts=opts,
        )
        addresses = gcp.dns.RecordSet(
            f"{name}-{key}-addresses",
            project=project,
            managed_zone=zone.name,
            name=target,
            type="A",
            ttl=TTL_SECONDS,
            rrdatas=list(PRIVATE_ADDRESSES),
            opts=opts,
        )
        every_name = gcp.dns.RecordSet(
            f"{name}-{key}-names",
            project=project,
            managed_zone=zone.name,
            name=f"*.{domain}",
            type="CNAME",
            ttl=TTL_SECONDS,
            rrdatas=[target],
            opts=opts,
        )
        made += [addresses, every_name]
    return made
