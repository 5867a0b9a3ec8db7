"""Rules over AWS security groups, in all three ways in which their rules are written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from charter.facts import Facts
from charter.graph import Graph
from charter.network import cover_world, is_world, world_of
from charter.rule import CRITICAL, HIGH, Finding, Found, Resource, apart, over_stack, resource_rule
from charter.values import Reader
from charter.words import shown

GROUP = "aws:ec2/securityGroup:SecurityGroup"
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
GROUPS = (GROUP, DEFAULT_GROUP)
RULES = (
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:ec2/securityGroupRule:SecurityGroupRule",
)
PREFIXES = "aws:ec2/managedPrefixList:ManagedPrefixList"
PREFIX = "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry"
HTTPS = 443
EVERY_PROTOCOL = frozenset({"-1", "all"})


@dataclass(frozen=True)
class Span:
    """The ports of one protocol that a rule is about."""

    protocol: str
    low: int
    high: int

    @property
    def https(self) -> bool:
        """Say whether it is nothing but HTTPS."""
        return self.protocol in ("tcp", "6") and self.low == self.high == HTTPS

    def __contains__(self, other: Span) -> bool:
        """Say whether it holds all of another."""
        every = self.protocol in EVERY_PROTOCOL
        return every or (self.protocol == other.protocol and self.low <= other.low and other.high <= self.high)


def _span(rule: Reader) -> Span:
    protocol = rule.text("protocol", rule.text("ipProtocol", "-1")).lower()
    return Span(protocol, int(rule.number("fromPort")), int(rule.number("toPort")))


def _world_ingress(rule: Reader, *lists: str, edge: bool) -> Iterator[Found]:
    world = world_of(rule, *lists)
    if not world:
        return
    path, value = world[0]
    span = _span(rule)
    if edge and span.https:
        return
    told = "every port" if span.protocol in EVERY_PROTOCOL else f"ports {span.low}-{span.high}"
    together = shown(value) if is_world(value) else "ranges that together are the whole internet"
    yield Finding(
        path, f"{together} reaches {told}; allowed from everywhere is tcp 443 on a group with the tag tier=edge"
    )


@resource_rule(
    "AWS-NET-03",
    "Nobody lets the whole internet in, but for HTTPS at the edge.",
    CRITICAL,
    [
        *GROUPS,
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "aws:ec2/securityGroupRule:SecurityGroupRule",
    ],
    remediation="Name the networks or security groups that need this port as the source.",
)
def world_ingress(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Judge the three ways in which AWS lets one write an ingress rule."""
    reader = resource.reader
    edge = reader.map("tags").get("tier") == "edge"
    if resource.kind.endswith("SecurityGroup"):
        for rule in reader.each("ingress"):
            yield from apart(_inline(rule, edge=edge))
    elif resource.kind == "SecurityGroupIngressRule":
        for name in ("cidrIpv4", "cidrIpv6"):
            yield from apart(_world_ingress(reader, name, edge=True))
    elif reader.read("type") == "ingress":
        yield from _inline(reader, edge=True)  # whether its group stands at the edge, the whole stack tells


def _inline(rule: Reader, *, edge: bool) -> Iterator[Found]:
    yield from _world_ingress(rule, "cidrBlocks", "ipv6CidrBlocks", edge=edge)


Entry = tuple[Resource, Span, list[tuple[str, object]]]
"""What lets into a group: the resource that says so, for which ports, from where."""


@over_stack("AWS-NET-03")
def world_together(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Judge rules of their own with their group: HTTPS off the edge, and networks that only together are the world."""
    held: dict[str, list[Entry]] = defaultdict(list)
    edges = {group.urn for group in graph.of(*GROUPS) if _edge(group)}
    for group in graph.of(*GROUPS):
        for inline in _maps(group.reader, "ingress"):
            held[group.urn].append((group, _span(inline), _known(inline, "cidrBlocks", "ipv6CidrBlocks")))
    for rule in graph.of(*RULES):
        if rule.kind == "SecurityGroupRule" and rule.reader.raw("type") != "ingress":
            continue
        groups = graph.named(rule, "securityGroupId", *GROUPS)
        ranges = _known(rule.reader, "cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6")
        span = _span(rule.reader)
        for group in groups:
            held[group.urn].append((rule, span, ranges))
        edge = all(group.urn in edges for group in groups) if groups else _edge(rule)
        ranges += _listed(graph, rule, "prefixListId", "prefixListIds")
        for path, value in ranges:
            alone = span.https and not edge  # anything else the rule itself is told of, unless a list hides it
            if is_world(value) and (alone or (path.startswith("prefixList") and not span.https)):
                yield Finding(path, "the whole internet reaches a group without the tag tier=edge", rule.urn)
    for urn, rules in held.items():
        yield from _together(rules, edge=urn in edges)


def _listed(graph: Graph, rule: Resource, *names: str) -> list[tuple[str, object]]:
    """Return the networks of the prefix lists of this stack that a rule names."""
    return [
        (name, network)
        for name in names
        for held in graph.named(rule, name, PREFIXES)
        for network in (
            *(each.raw("cidr") for each in _maps(held.reader, "entries")),
            *(each.reader.raw("cidr") for each in graph.referrers(held, PREFIX, "prefixListId")),
        )
        if isinstance(network, str)
    ]


def _together(rules: list[Entry], *, edge: bool) -> Iterator[Found]:
    for resource, span, own in rules:
        values = [value for _, other, ranges in rules if span in other for _, value in ranges]
        alone = cover_world(value for _, value in own)
        if own and not alone and not (edge and span.https) and not any(map(is_world, values)) and cover_world(values):
            yield Finding(own[0][0], "with the group's other rules the whole internet is let in", resource.urn)
            return


def _edge(resource: Resource) -> bool:
    tags = resource.reader.raw("tags")
    return isinstance(tags, dict) and tags.get("tier") == "edge"


def _known(reader: Reader, *names: str) -> list[tuple[str, object]]:
    """Return the ranges that are known; the part over single resources leaves the others open."""
    found: list[tuple[str, object]] = []
    for name in names:
        value = reader.raw(name)
        several = value if isinstance(value, list) else [value]
        for index, one in enumerate(several):
            if isinstance(one, str):
                found.append((reader.at(f"{name}[{index}]" if isinstance(value, list) else name), one))
    return found


def _maps(reader: Reader, name: str) -> Iterator[Reader]:
    """Yield a reader per known map of a list."""
    value = reader.raw(name)
    for index, item in enumerate(value if isinstance(value, list) else []):
        if isinstance(item, dict):
            yield Reader(item, f"{name}[{index}]")


@resource_rule(
    "AWS-NET-04",
    "Nothing may talk to the whole internet in every protocol.",
    HIGH,
    [
        *GROUPS,
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "aws:ec2/securityGroupRule:SecurityGroupRule",
    ],
    remediation="Name protocol and ports, or the networks that are needed.",
)
def world_egress(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Judge inline egress and egress rules of their own."""
    reader = resource.reader
    if resource.kind.endswith("SecurityGroup"):
        for rule in reader.each("egress"):
            yield from apart(_open_egress(rule, "protocol", "cidrBlocks", "ipv6CidrBlocks"))
    elif resource.kind == "SecurityGroupEgressRule":
        yield from _open_egress(reader, "ipProtocol", "cidrIpv4", "cidrIpv6")
    elif reader.read("type") == "egress":
        yield from _open_egress(reader, "protocol", "cidrBlocks", "ipv6CidrBlocks")


def _open_egress(rule: Reader, protocol: str, *names: str) -> Iterator[Found]:
    if rule.text(protocol, "-1").lower() not in EVERY_PROTOCOL:
        return
    found = world_of(rule, *names)
    if found and not is_world(found[0][1]):
        yield Finding(found[0][0], "every protocol may reach ranges that together are the whole internet")
        return
    for path, value in found:
        yield Finding(path, f"every protocol may reach {shown(value)}")
