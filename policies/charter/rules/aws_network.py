"""Rules over AWS networks."""

from __future__ import annotations

from collections.abc import Iterator

from charter.facts import Facts
from charter.network import cover_world, is_world
from charter.rule import Finding, Resource, Severity, resource_rule
from charter.values import Reader

HTTPS = 443


def _world_ingress(rule: Reader, ranges: list[tuple[str, object]], *, edge: bool) -> Iterator[Finding]:
    world = [(path, value) for path, value in ranges if is_world(value)]
    if not world and not cover_world(value for _, value in ranges):
        return
    path, value = world[0] if world else ranges[0]
    low, high = rule.read("fromPort", 0), rule.read("toPort", 0)
    protocol = str(rule.read("protocol", rule.read("ipProtocol", "-1")))
    if edge and protocol == "tcp" and low == high == HTTPS:
        return
    told = "every port" if protocol == "-1" else f"{protocol} {low}-{high}"
    together = value if world else "ranges that together are the whole internet"
    yield Finding(
        path, f"{together} reaches {told}; allowed from everywhere is tcp 443 on a group with the tag tier=edge"
    )


def _ranges(reader: Reader, *names: str) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name in names:
        found += list(reader.items(name))
    return found


@resource_rule(
    "AWS-NET-03",
    "Nobody lets the whole internet in, but for HTTPS at the edge.",
    Severity.CRITICAL,
    [
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "aws:ec2/securityGroupRule:SecurityGroupRule",
    ],
    controls=("CIS AWS 6.3", "CIS AWS 6.4", "NIST SC-7", "NIST AC-17", "PCI 1.3.1", "SOC2 CC6.6", "ISO A.8.20"),
    remediation="Name the networks or security groups that need this port as the source.",
    good=({"ingress": [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/8"]}]},),
    bad=({"ingress": [{"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["0.0.0.0/0"]}]},),
)
def world_ingress(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """Judge the three ways in which AWS lets one write an ingress rule."""
    reader = resource.reader
    edge = reader.read("tags", {}).get("tier") == "edge"
    if resource.type.endswith(":SecurityGroup"):
        for rule in reader.each("ingress"):
            yield from _world_ingress(rule, _ranges(rule, "cidrBlocks", "ipv6CidrBlocks"), edge=edge)
    elif resource.type.endswith(":SecurityGroupIngressRule"):
        single = [(name, reader.read(name)) for name in ("cidrIpv4", "cidrIpv6") if reader.read(name)]
        yield from _world_ingress(reader, single, edge=edge)
    elif reader.read("type") == "ingress":
        yield from _world_ingress(reader, _ranges(reader, "cidrBlocks", "ipv6CidrBlocks"), edge=edge)


@resource_rule(
    "AWS-NET-04",
    "Nothing may talk to the whole internet in every protocol.",
    Severity.HIGH,
    ["aws:ec2/securityGroup:SecurityGroup", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"],
    controls=("NIST SC-7", "PCI 1.3.2", "ISO A.8.22"),
    remediation="Name protocol and ports, or the networks that are needed.",
    good=({"egress": [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["0.0.0.0/0"]}]},),
    bad=({"egress": [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}]},),
)
def world_egress(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """Judge inline egress and egress rules of their own."""
    reader = resource.reader
    if resource.type.endswith(":SecurityGroup"):
        for rule in reader.each("egress"):
            if str(rule.read("protocol", "-1")) in {"-1", "all"}:
                for path, value in _ranges(rule, "cidrBlocks", "ipv6CidrBlocks"):
                    if is_world(value):
                        yield Finding(path, f"every protocol may reach {value}")
    elif str(reader.read("ipProtocol", "-1")) in {"-1", "all"}:
        for name in ("cidrIpv4", "cidrIpv6"):
            if is_world(reader.read(name, "")):
                yield Finding(name, f"every protocol may reach {reader.read(name)}")
