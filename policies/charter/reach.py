"""Who reaches whom: steps that firewalls of the clouds and of the clusters let through, and the shortest way."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from itertools import pairwise
from typing import Any, Final

from charter.graph import Graph
from charter.network import cover_world, is_world
from charter.reach_denials import lets_in, rules_of, turned_away, wholly_denied
from charter.reach_fronts import only_hidden, unreachable
from charter.rule import Open, Resource
from charter.values import Reader, Undetermined

INTERNET: Final = "internet"
OWN_GROUP, OWN_SUBNET = "its security group", "its subnet"
OWN: Final = frozenset({OWN_GROUP, OWN_SUBNET})
GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
RULES: Final = (
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:ec2/securityGroupRule:SecurityGroupRule",
)
HOLDERS: Final = {
    "aws:rds/instance:Instance": "vpcSecurityGroupIds",
    "aws:rds/cluster:Cluster": "vpcSecurityGroupIds",
    "aws:docdb/cluster:Cluster": "vpcSecurityGroupIds",
    "aws:elasticache/replicationGroup:ReplicationGroup": "securityGroupIds",
    "aws:elasticache/cluster:Cluster": "securityGroupIds",
    "aws:opensearch/domain:Domain": "vpcOptions",
}
"""Stores of AWS and the property that names their security groups."""
FIREWALL: Final = "gcp:compute/firewall:Firewall"
INSTANCE: Final = "gcp:compute/instance:Instance"
SQL: Final = "gcp:sql/databaseInstance:DatabaseInstance"
NSG: Final = "azure-native:network:NetworkSecurityGroup"
NSG_RULE: Final = "azure-native:network:SecurityRule"
SUBNET: Final = "azure-native:network:Subnet"
SERVERS: Final = ("azure-native:dbforpostgresql:Server", "azure-native:dbformysql:Server")
QUARTER: Final = 2**30
SERVER_RULES: Final = tuple(
    f"azure-native:{module}:FirewallRule" for module in ("dbforpostgresql", "dbformysql", "sql", "redis", "cache")
)


@dataclass
class Steps:
    """What may follow what, how, which resources are stores, and what could not be read."""

    after: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    stores: dict[str, Resource] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=lambda: {INTERNET: INTERNET})
    unread: list[Open] = field(default_factory=list)
    entered: dict[str, Resource] = field(default_factory=dict)

    def add(self, source: str, target: Resource, how: str) -> None:
        """Note a step."""
        self.names[target.urn] = target.name
        self.after[source].setdefault(target.urn, how)

    def enter(self, group: Resource, how: str) -> None:
        """Note a step from the internet into a security group of AWS, which a missing route may take back."""
        self.entered[group.urn] = group
        self.add(INTERNET, group, how)

    def ways(self) -> Iterator[tuple[Resource, list[str]]]:
        """Yield each store that the internet reaches, with the nodes of the shortest way to it."""
        before: dict[str, str] = {INTERNET: ""}
        waiting = deque([INTERNET])
        while waiting:
            here = waiting.popleft()
            for following in self.after.get(here, {}):
                if following not in before:
                    before[following] = here
                    waiting.append(following)
        for urn, store in self.stores.items():
            if urn in before:
                way = [urn]
                while before[way[-1]]:
                    way.append(before[way[-1]])
                yield store, way[::-1]

    def strides(self, way: list[str]) -> int:
        """Return how many connections a way takes; what a store or a subnet merely stands in is none."""
        return sum(self.after[here][there] not in OWN for here, there in pairwise(way))

    def told(self, way: list[str]) -> str:
        """Write a way as one line, with what lets each step through."""
        parts = [self.names[way[0]]]
        for here, following in pairwise(way):
            parts.append(f"({self.after[here][following]}) {self.names[following]}")
        return " -> ".join(parts)


def clouds(graph: Graph) -> Steps:
    """Return the steps through security groups, firewalls and network security groups."""
    steps = Steps()
    for resource, part in [
        *((each, _group) for each in graph.of(GROUP)),
        *((each, _group_rule) for each in graph.of(*RULES)),
        *((each, _holder) for each in graph.of(*HOLDERS)),
        *((each, _firewall) for each in graph.of(FIREWALL)),
        *((each, _sql) for each in graph.of(SQL)),
        *((each, _security_group) for each in graph.of(NSG, NSG_RULE)),
        *((each, _server) for each in graph.of(*SERVERS)),
        *((each, _server_rule) for each in graph.of(*SERVER_RULES)),
    ]:
        try:
            part(graph, resource, steps)
        except Undetermined as unknown:
            steps.unread.append(Open(unknown.path, resource.urn))
    hidden = {each.urn for each in graph.of(*HOLDERS) if unreachable(graph, each)} if steps.entered else set()
    for urn, group in steps.entered.items() if hidden else ():
        if only_hidden(graph, group, hidden):
            del steps.after[INTERNET][urn]
    return steps


def _ports(rule: Reader) -> str:
    protocol = rule.text("protocol", rule.text("ipProtocol", "-1"))
    low, high = rule.raw("fromPort"), rule.raw("toPort")
    if protocol in ("-1", "all") or not isinstance(low, int):
        return "every port"
    return f"{protocol} {low}" if low == high else f"{protocol} {low}-{high}"


def _from_world(rule: Reader, *names: str) -> bool:
    ranges = [value for name in names for value in rule.values(name)]
    return any(map(is_world, ranges)) or cover_world(ranges)


def _group(graph: Graph, group: Resource, steps: Steps) -> None:
    for rule in group.reader.each("ingress"):
        if rule.raw("securityGroups"):
            for source in _named(graph, group, "ingress", GROUP, rule.raw("securityGroups")):
                steps.add(source.urn, group, _ports(rule))
        if _from_world(rule, "cidrBlocks", "ipv6CidrBlocks"):
            steps.enter(group, _ports(rule))


def _group_rule(graph: Graph, rule: Resource, steps: Steps) -> None:
    reader = rule.reader
    if rule.kind == "SecurityGroupRule" and reader.read("type") != "ingress":
        return
    for group in _named(graph, rule, "securityGroupId", GROUP, reader.raw("securityGroupId")):
        for name in ("referencedSecurityGroupId", "sourceSecurityGroupId"):
            for source in _named(graph, rule, name, GROUP, reader.raw(name)):
                steps.add(source.urn, group, _ports(reader))
        if _from_world(reader, "cidrIpv4", "cidrIpv6", "cidrBlocks", "ipv6CidrBlocks"):
            steps.enter(group, _ports(reader))


def _holder(graph: Graph, store: Resource, steps: Steps) -> None:
    prop = HOLDERS[store.type]
    steps.stores[store.urn] = store
    raw = store.reader.raw(prop)
    for group in _named(graph, store, prop, GROUP, raw.get("securityGroupIds") if isinstance(raw, dict) else raw):
        steps.add(group.urn, store, OWN_GROUP)


def _named(graph: Graph, resource: Resource, prop: str, kind: str, value: Any) -> list[Resource]:
    """Return the resources of a kind that a property names, by what fed it and by literal ids."""
    fed = [each for each in graph.feeds(resource, prop) if each.type == kind and each.urn != resource.urn]
    literal = graph.called(value if isinstance(value, list) else [value])
    return [*fed, *(each for each in literal if each.type == kind and each not in fed)]


def _firewall(graph: Graph, firewall: Resource, steps: Steps) -> None:
    """The nodes of Google Cloud are machines; a machine with the label tier=store is a store."""
    reader = firewall.reader
    if reader.flag("disabled") or reader.text("direction", "INGRESS") != "INGRESS" or not reader.has("allows"):
        return
    world = _from_world(reader, "sourceRanges")
    sources, targets = reader.texts("sourceTags"), reader.texts("targetTags")
    machines = [(each, set(each.reader.texts("tags"))) for each in graph.of(INSTANCE)]
    for machine, tags in machines:
        if machine.reader.map("labels").get("tier") == "store":
            steps.stores[machine.urn] = machine
        if targets and not tags & set(targets):
            continue
        if world and not wholly_denied(graph, firewall, tags):
            steps.add(INTERNET, machine, firewall.name)
        for other, held in machines:
            if held & set(sources):
                steps.add(other.urn, machine, firewall.name)


def _sql(_graph: Graph, database: Resource, steps: Steps) -> None:
    steps.stores[database.urn] = database
    addresses = database.reader.inside("settings").inside("ipConfiguration")
    let_in = [each.text("value") for each in addresses.each("authorizedNetworks")]
    if addresses.flag("ipv4Enabled", default=True) and (any(map(is_world, let_in)) or cover_world(let_in)):
        steps.add(INTERNET, database, "authorizedNetworks")


def _security_group(graph: Graph, resource: Resource, steps: Steps) -> None:
    if resource.kind == "SecurityRule":
        groups: list[Resource] = graph.feeds(resource, "networkSecurityGroupName")
        rules: list[Reader] = [resource.reader]
    else:
        groups, rules = [resource], list(resource.reader.each("securityRules"))
    for rule in rules:
        for group in groups if lets_in(rule) else ():
            if not turned_away(rule, rules_of(graph, group, NSG_RULE)):
                steps.add(INTERNET, group, rule.text("destinationPortRange") or "ports")
    for subnet in graph.referrers(resource, SUBNET, "networkSecurityGroup"):
        steps.add(resource.urn, subnet, OWN_GROUP)


def _wide(first: str, last: str) -> bool:
    """Say whether a range of addresses is a quarter of all or more; 0.0.0.0 alone stands for Azure itself."""
    try:
        return int(IPv4Address(last)) - int(IPv4Address(first)) >= QUARTER
    except ValueError:
        return False


def _server(graph: Graph, server: Resource, steps: Steps) -> None:
    steps.stores[server.urn] = server
    for prop in ("network", "delegatedSubnetResourceId"):
        for subnet in graph.feeds(server, prop):
            steps.add(subnet.urn, server, OWN_SUBNET)


def _server_rule(graph: Graph, rule: Resource, steps: Steps) -> None:
    reader = rule.reader
    first = reader.text("startIpAddress", reader.text("startIP"))
    last = reader.text("endIpAddress", reader.text("endIP"))
    if _wide(first, last):
        servers = [*graph.feeds(rule, "serverName"), *graph.feeds(rule, "cacheName")] or [rule]
        for server in servers:
            if str(server.reader.raw("publicNetworkAccess")).lower() == "disabled":
                continue  # its firewall is not asked
            steps.stores[server.urn] = server
            steps.add(INTERNET, server, rule.name)
