"""Rules over AWS networks."""

from __future__ import annotations

from collections.abc import Iterator

from charter.documents import Malformed, Statement, each_statement, statements
from charter.facts import Facts
from charter.graph import Graph
from charter.network import is_world
from charter.rule import (
    HIGH,
    MEDIUM,
    Finding,
    Found,
    Open,
    Resource,
    apart,
    located,
    resource_rule,
    stack_rule,
)
from charter.rules.aws_groups import DEFAULT_GROUP, EVERY_PROTOCOL
from charter.values import UNKNOWN, Reader

VPC = "aws:ec2/vpc:Vpc"
DEFAULT_VPC = "aws:ec2/defaultVpc:DefaultVpc"
FLOW_LOG = "aws:ec2/flowLog:FlowLog"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
ENDPOINT_POLICY = "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy"
CARRIERS = ("tcp", "udp", "6", "17")
SERVICES = ("s3", "ecr.api", "ecr.dkr", "sts", "kms", "secretsmanager", "logs")
ADMINISTRATION = (22, 3389)


@stack_rule(
    "AWS-NET-01",
    "Every network records who talked to whom.",
    HIGH,
    [VPC, DEFAULT_VPC, FLOW_LOG],
    remediation="Add a FlowLog with vpc_id of this VPC and traffic_type ALL.",
)
def flow_logs(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Without flow logs nobody can tell afterwards what an intruder reached."""
    for vpc in graph.of(VPC, DEFAULT_VPC):
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
    [
        "aws:ec2/subnet:Subnet",
        "aws:ec2/defaultSubnet:DefaultSubnet",
        "aws:ec2/instance:Instance",
        "aws:ec2/launchTemplate:LaunchTemplate",
        "aws:ec2/launchConfiguration:LaunchConfiguration",
    ],
    remediation="Set map_public_ip_on_launch or associate_public_ip_address False, or tag it tier=edge.",
)
def no_public_address(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """What is declared the edge may hand out public addresses, or have one."""
    reader = resource.reader
    if resource.kind.endswith("Subnet"):
        yield from _hands_out(reader, reader, "mapPublicIpOnLaunch")
        return
    yield from apart(_hands_out(reader, reader, "associatePublicIpAddress"))
    for interface in reader.each("networkInterfaces"):
        yield from apart(_hands_out(reader, interface, "associatePublicIpAddress"))


def _hands_out(whole: Reader, part: Reader, name: str) -> Iterator[Finding]:
    if part.flag(name) and whole.map("tags").get("tier") != "edge":
        yield Finding(part.at(name), "is on; allowed only with the tag tier=edge")


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
        if not graph.referrers(vpc, DEFAULT_GROUP, "vpcId"):
            yield Finding("", "no DefaultSecurityGroup adopts the group that this VPC is born with", vpc.urn)
    for group in graph.of(DEFAULT_GROUP):
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
        yield from each_statement(statements(policy, "policy"), _opens)
    except Malformed:
        yield Finding("policy", "is no JSON document")


def _opens(statement: Statement) -> Iterator[Found]:
    actions = [action.rpartition(":")[2] for action in statement.actions]
    whole = statement.body.get("NotAction") is not None or any(set(each) <= {"*"} for each in actions)
    everything = whole and "*" in statement.principals and statement.on_everything
    if statement.allows and everything and not (statement.narrowed or statement.bound):
        yield Finding(statement.path, "allows everybody everything everywhere")
