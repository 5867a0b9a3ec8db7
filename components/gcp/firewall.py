"""What may pass a region's network: nothing, unless a rule here says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pulumi
import pulumi_gcp as gcp

from stacks.addresses import RegionPlan
from stacks.links import API, Beyond

Direction = Literal["INGRESS", "EGRESS"]

WORLD: Final = "0.0.0.0/0"

PRIVATE_GOOGLE_APIS: Final = "199.36.153.8/30"
"""private.googleapis.com. Source: cloud.google.com/vpc/docs/configure-private-google-access (read 2026-11-21)."""

HEALTH_CHECKS: Final = ("130.211.0.0/22", "35.191.0.0/16", "209.85.152.0/22", "209.85.204.0/22")
"""Source: cloud.google.com/load-balancing/docs/health-check-concepts#ip-ranges (read 2026-11-21)."""

CONTROL_PLANE_TO_NODES: Final = ("443", "8443", "9443", "10250", "15017")
"""Admission webhooks of the usual ports (15017: Istio) and the kubelet."""

NODES_TO_CONTROL_PLANE: Final = ("443", "8132")
"""The API and Konnectivity. Source: cloud.google.com/kubernetes-engine/docs/concepts/firewall-rules."""

ALLOW_PRIORITY: Final = 1000
DENY_PRIORITY: Final = 65534
"""Just before the network's implied rules, which allow all egress and cannot log."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One firewall rule; `protocols` maps a protocol to its ports, none for all of them."""

    key: str
    direction: Direction
    ranges: tuple[str, ...]
    protocols: tuple[tuple[str, tuple[str, ...]], ...]
    allow: bool = True

    @property
    def priority(self) -> int:
        """Allows come first, the denial of everything comes last."""
        return ALLOW_PRIORITY if self.allow else DENY_PRIORITY


INSIDE: Final = (("tcp", ()), ("udp", ()), ("icmp", ()))
EVERYTHING: Final = (("all", ()),)


def control_plane(plan: RegionPlan) -> str:
    """Return the block of the control plane's private endpoint."""
    return str(plan.master or plan.control_plane[0])


def rules(plan: RegionPlan, *, internet: bool, beyond: Beyond | None = None) -> tuple[Rule, ...]:
    """Return every rule of a region's network; `internet` adds the way out to HTTPS through the NAT.

    `beyond` adds the ways to and from the networks of other clouds, for the gateways of the mesh and API servers.
    """
    nodes_and_pods = (str(plan.nodes), str(plan.pods))
    master = (control_plane(plan),)
    found = [
        Rule(key="deny-ingress", direction="INGRESS", ranges=(WORLD,), protocols=EVERYTHING, allow=False),
        Rule(key="deny-egress", direction="EGRESS", ranges=(WORLD,), protocols=EVERYTHING, allow=False),
        Rule(key="allow-inside", direction="INGRESS", ranges=nodes_and_pods, protocols=INSIDE),
        Rule(
            key="allow-control-plane",
            direction="INGRESS",
            ranges=master,
            protocols=(("tcp", CONTROL_PLANE_TO_NODES),),
        ),
        Rule(key="allow-health-checks", direction="INGRESS", ranges=HEALTH_CHECKS, protocols=(("tcp", ()),)),
        Rule(
            key="allow-to-inside",
            direction="EGRESS",
            ranges=(*nodes_and_pods, str(plan.endpoints)),
            protocols=INSIDE,
        ),
        Rule(
            key="allow-to-control-plane",
            direction="EGRESS",
            ranges=master,
            protocols=(("tcp", NODES_TO_CONTROL_PLANE),),
        ),
        Rule(
            key="allow-to-google-apis",
            direction="EGRESS",
            ranges=(PRIVATE_GOOGLE_APIS,),
            protocols=(("tcp", ("443",)),),
        ),
    ]
    if internet:
        found.append(
            Rule(key="allow-to-https", direction="EGRESS", ranges=(WORLD,), protocols=(("tcp", ("443",)),)),
        )
    if beyond is not None and beyond.ports:
        found += links(beyond)
    return tuple(found)


def links(beyond: Beyond) -> tuple[Rule, ...]:
    """Return the rules of links: gateways of the mesh both ways, and from here the API servers of the others."""
    ports = (("tcp", tuple(map(str, beyond.ports))),)
    return (
        Rule(key="allow-from-links", direction="INGRESS", ranges=beyond.callers, protocols=ports),
        Rule(key="allow-to-links", direction="EGRESS", ranges=beyond.networks, protocols=ports),
        Rule(
            key="allow-to-linked-api",
            direction="EGRESS",
            ranges=beyond.apis,
            protocols=(("tcp", (str(API),)),),
        ),
    )


def build(
    name: str,
    network: pulumi.Input[str],
    project: pulumi.Input[str],
    wanted: Sequence[Rule],
    opts: pulumi.ResourceOptions,
) -> list[gcp.compute.Firewall]:
    """Create the rules, all of them logged."""
    return [_firewall(f"{name}-{rule.key}", network, project, rule, opts) for rule in wanted]


def _firewall(
    name: str, network: pulumi.Input[str], project: pulumi.Input[str], rule: Rule, opts: pulumi.ResourceOptions
) -> gcp.compute.Firewall:
    allows = [
        gcp.compute.FirewallAllowArgs(protocol=protocol, ports=list(ports) or None)
        for protocol, ports in rule.protocols
        if rule.allow
    ]
    denies = [gcp.compute.FirewallDenyArgs(protocol=protocol) for protocol, _ in rule.protocols if not rule.allow]
    ingress = rule.direction == "INGRESS"
    return gcp.compute.Firewall(
        name,
        project=project,
        network=network,
        direction=rule.direction,
        priority=rule.priority,
        source_ranges=list(rule.ranges) if ingress else None,
        destination_ranges=None if ingress else list(rule.ranges),
        allows=allows or None,
        denies=denies or None,
        log_config=gcp.compute.FirewallLogConfigArgs(metadata="INCLUDE_ALL_METADATA"),
        opts=opts,
    )
