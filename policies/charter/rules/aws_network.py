"""Rules over AWS networks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from charter.documents import Malformed, statements
from charter.facts import Facts
from charter.graph import Graph
from charter.network import cover_world, is_world
from charter.rule import (
    CRITICAL,
    HIGH,
    MEDIUM,
    Finding,
    Found,
    Open,
    Resource,
    apart,
    located,
    over_stack,
    resource_rule,
    stack_rule,
)
from charter.values import UNKNOWN, Reader
from charter.words import shown

VPC = "aws:ec2/vpc:Vpc"
FLOW_LOG = "aws:ec2/flowLog:FlowLog"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
ENDPOINT_POLICY = "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
RULES = (
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:ec2/securityGroupRule:SecurityGroupRule",
)
CARRIERS = ("tcp", "udp", "6", "17")
SERVICES = ("s3", "ecr.api", "ecr.dkr", "sts", "kms", "secretsmanager", "logs")
HTTPS = 443
ADMINISTRATION = (22, 3389)
EVERY_PROTOCOL = frozenset({"-1", "all"})


@stack_rule(
    "AWS-NET-01",
    "Every network records who talked to whom.",
    HIGH,
    [VPC, FLOW_LOG],
    remediation="Add a FlowLog with vpc_id of this VPC and traffic_type ALL.",
)
def flow_logs(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Without flow logs nobody can tell afterwards what an intruder reached."""
    for vpc in graph.of(VPC):
        kinds = [log.props.get("trafficType") for log in graph.referrers(vpc, FLOW_LOG, "vpcId")]
        if any(kind in ("ALL", "REJECT") for kind in kinds if isinstance(kind, str)):
            continue
        if UNKNOWN in kinds:
            yield Open("trafficType", vpc.urn)
        else:
            yield Finding("", "no FlowLog with trafficType ALL or REJECT names this VPC", vpc.urn)


@resource_rule(
    "AWS-NET-02",
    "Machines get no public address by themselves.",
    MEDIUM,
    ["aws:ec2/subnet:Subnet"],
    remediation="Set map_public_ip_on_launch=False, or tag the subnet tier=edge.",
)
def no_public_address(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """A subnet that is declared the edge may hand out public addresses."""
    reader = resource.reader
    if reader.flag("mapPublicIpOnLaunch") and reader.map("tags").get("tier") != "edge":
        yield Finding("mapPublicIpOnLaunch", "is on; allowed only on a subnet with the tag tier=edge")


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


def _world_ingress(rule: Reader, ranges: list[tuple[str, object]], *, edge: bool) -> Iterator[Found]:
    world = [(path, value) for path, value in ranges if is_world(value)]
    if not world and not cover_world(value for _, value in ranges):
        return
    path, value = world[0] if world else ranges[0]
    span = _span(rule)
    if edge and span.https:
        return
    told = "every port" if span.protocol in EVERY_PROTOCOL else f"ports {span.low}-{span.high}"
    together = shown(value) if world else "ranges that together are the whole internet"
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
    CRITICAL,
    [
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "aws:ec2/securityGroupRule:SecurityGroupRule",
    ],
    remediation="Name the networks or security groups that need this port as the source.",
)
def world_ingress(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Judge the three ways in which AWS lets one write an ingress rule."""
    reader = resource.reader
    edge = reader.map("tags").get("tier") == "edge"
    if resource.kind == "SecurityGroup":
        for rule in reader.each("ingress"):
            yield from apart(_inline(rule, edge=edge))
    elif resource.kind == "SecurityGroupIngressRule":
        for name in ("cidrIpv4", "cidrIpv6"):
            yield from apart(_single(reader, name, edge=True))
    elif reader.read("type") == "ingress":
        yield from _inline(reader, edge=True)  # whether its group stands at the edge, the whole stack tells


def _inline(rule: Reader, *, edge: bool) -> Iterator[Found]:
    yield from _world_ingress(rule, _ranges(rule, "cidrBlocks", "ipv6CidrBlocks"), edge=edge)


def _single(rule: Reader, name: str, *, edge: bool) -> Iterator[Found]:
    value = rule.read(name)
    if value is not None:
        yield from _world_ingress(rule, [(name, value)], edge=edge)


Entry = tuple[Resource, Span, list[tuple[str, object]]]
"""What lets into a group: the resource that says so, for which ports, from where."""


@over_stack("AWS-NET-03")
def world_together(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Judge rules of their own with their group: HTTPS off the edge, and networks that only together are the world."""
    held: dict[str, list[Entry]] = defaultdict(list)
    edges = {group.urn for group in graph.of(GROUP) if _edge(group)}
    for group in graph.of(GROUP):
        for inline in _maps(group.reader, "ingress"):
            held[group.urn].append((group, _span(inline), _known(inline, "cidrBlocks", "ipv6CidrBlocks")))
    for rule in graph.of(*RULES):
        if rule.kind == "SecurityGroupRule" and rule.reader.raw("type") != "ingress":
            continue
        groups = graph.named(rule, "securityGroupId", GROUP)
        ranges = _known(rule.reader, "cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6")
        span = _span(rule.reader)
        for group in groups:
            held[group.urn].append((rule, span, ranges))
        edge = all(group.urn in edges for group in groups) if groups else _edge(rule)
        for path, value in ranges:
            if span.https and not edge and is_world(value):
                yield Finding(path, "the whole internet reaches a group without the tag tier=edge", rule.urn)
    for urn, rules in held.items():
        yield from _together(rules, edge=urn in edges)


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
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "aws:ec2/securityGroupRule:SecurityGroupRule",
    ],
    remediation="Name protocol and ports, or the networks that are needed.",
)
def world_egress(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Judge inline egress and egress rules of their own."""
    reader = resource.reader
    if resource.kind == "SecurityGroup":
        for rule in reader.each("egress"):
            yield from apart(_open_egress(rule, "protocol", "cidrBlocks", "ipv6CidrBlocks"))
    elif resource.kind == "SecurityGroupEgressRule":
        yield from _open_egress(reader, "ipProtocol", "cidrIpv4", "cidrIpv6")
    elif reader.read("type") == "egress":
        yield from _open_egress(reader, "protocol", "cidrBlocks", "ipv6CidrBlocks")


def _open_egress(rule: Reader, protocol: str, *names: str) -> Iterator[Found]:
    if rule.text(protocol, "-1") not in EVERY_PROTOCOL:
        return
    ranges = _ranges(rule, *names)
    for path, value in ranges:
        if is_world(value):
            yield Finding(path, f"every protocol may reach {shown(value)}")
    if cover_world(value for _, value in ranges) and not any(is_world(value) for _, value in ranges):
        yield Finding(ranges[0][0], "every protocol may reach ranges that together are the whole internet")


@stack_rule(
    "AWS-NET-05",
    "The security group that a network is born with lets nothing through.",
    HIGH,
    [VPC, DEFAULT_GROUP],
    remediation="Adopt it: DefaultSecurityGroup(vpc_id=...) without ingress and egress.",
)
def default_group(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """What forgets to name a group lands in the default one."""
    for vpc in graph.of(VPC):
        adopted = graph.referrers(vpc, DEFAULT_GROUP, "vpcId")
        if not adopted:
            yield Finding("", "no DefaultSecurityGroup adopts the group that this VPC is born with", vpc.urn)
        for group in adopted:
            for name in ("ingress", "egress"):
                if group.reader.has(name):
                    yield Finding(name, "holds rules; the default group must have none", group.urn)


@resource_rule(
    "AWS-NET-06",
    "A network's access list keeps the internet from administration ports.",
    MEDIUM,
    [
        "aws:ec2/networkAclRule:NetworkAclRule",
        "aws:ec2/networkAcl:NetworkAcl",
        "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl",
    ],
    remediation="Name the source network, or deny.",
)
def access_list(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Judge inbound allow rules from the world, of their own or inside a list."""
    reader = resource.reader
    if resource.kind == "NetworkAclRule":
        yield from () if reader.flag("egress") else _admits(reader, "ruleAction")
        return
    for rule in reader.each("ingress"):
        yield from apart(_admits(rule, "action"))


def _admits(reader: Reader, action: str) -> Iterator[Found]:
    if reader.text(action).lower() != "allow" or reader.text("protocol").lower() not in (*EVERY_PROTOCOL, *CARRIERS):
        return
    for name in ("cidrBlock", "ipv6CidrBlock"):
        if reader.raw(name) not in (None, "") and is_world(reader.read(name)):
            low, high = reader.number("fromPort"), reader.number("toPort", 65535)
            every = reader.text("protocol").lower() in EVERY_PROTOCOL
            if every or any(low <= port <= high for port in ADMINISTRATION):
                yield Finding(reader.at(name), "the whole internet reaches administration ports 22 or 3389")


@stack_rule(
    "AWS-NET-07",
    "Traffic to AWS's own services stays inside, and only to what is ours.",
    MEDIUM,
    [VPC, ENDPOINT],
    remediation=f"Add endpoints for {', '.join(SERVICES)}, each with a policy that names accounts or resources.",
)
def endpoints(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Each network has the endpoints that clusters need, none of them open to every account."""
    for vpc in graph.of(VPC):
        mine = graph.referrers(vpc, ENDPOINT, "vpcId")
        names = [each.props.get("serviceName") for each in mine]
        missing = [service for service in SERVICES if not any(str(name).endswith(f".{service}") for name in names)]
        if missing and UNKNOWN in names:
            yield Open("serviceName", vpc.urn)
        elif missing:
            yield Finding("", f"no endpoint for {', '.join(missing)} names this VPC", vpc.urn)
    for endpoint in graph.of(ENDPOINT):
        if endpoint.reader.raw("vpcEndpointType") == "GatewayLoadBalancer":
            continue  # it takes no policy
        beside = [each.reader.raw("policy") for each in graph.referrers(endpoint, ENDPOINT_POLICY, "vpcEndpointId")]
        for found in apart(_endpoint_policy(endpoint.reader, beside)):
            yield located(found, endpoint.urn)


def _endpoint_policy(reader: Reader, beside: list[object]) -> Iterator[Found]:
    policy = beside[0] if beside else reader.read("policy")
    if policy is None:
        yield Finding("policy", "is absent: AWS then lets every account's resources be reached")
        return
    try:
        for statement in statements(policy, "policy"):
            actions = [action.rpartition(":")[2] for action in statement.actions]
            whole = statement.body.get("NotAction") is not None or any(set(each) <= {"*"} for each in actions)
            everything = "*" in statement.principals and statement.on_everything and whole
            if statement.allows and everything and not (statement.narrowed or statement.bound):
                yield Finding(statement.path, "allows everybody everything everywhere")
    except Malformed:
        yield Finding("policy", "is no JSON document")
