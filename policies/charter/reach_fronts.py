"""What stands before and around the stores of AWS: routes that lead to them, and web firewalls at the doors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from charter.graph import Graph
from charter.routes import SUBNET, public
from charter.rule import Resource
from charter.values import UNKNOWN, Undetermined

SUBNET_GROUPS: Final = {
    "dbSubnetGroupName": ("aws:rds/subnetGroup:SubnetGroup", "aws:docdb/subnetGroup:SubnetGroup"),
    "subnetGroupName": ("aws:elasticache/subnetGroup:SubnetGroup",),
}
"""Properties by which stores name the group of their subnets."""
RULES_OF_GROUPS: Final = (
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    "aws:ec2/securityGroupRule:SecurityGroupRule",
    "aws:ec2/securityGroup:SecurityGroup",
)
BALANCERS: Final = ("aws:lb/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer")
LISTENERS: Final = ("aws:lb/listener:Listener", "aws:alb/listener:Listener")
ASSOCIATIONS: Final = {
    "aws:wafv2/webAclAssociation:WebAclAssociation": "resourceArn",
    "aws:wafregional/webAclAssociation:WebAclAssociation": "resourceArn",
}


def unreachable(graph: Graph, store: Resource) -> bool:
    """Say whether it is known that no route leads from the internet to a store.

    It has no public address, its subnets are known, and none of them is public.
    """
    if store.reader.raw("publiclyAccessible") in (True, "true", UNKNOWN):
        return False
    groups = [
        group
        for prop, kinds in SUBNET_GROUPS.items()
        for kind in kinds
        for group in graph.of(kind)
        if graph.refers(store, group, prop)
    ]
    subnets = [subnet for group in groups for subnet in graph.named(group, "subnetIds", SUBNET)]
    try:
        return bool(subnets) and not any(public(graph, subnet) for subnet in subnets)
    except Undetermined:
        return False


def only_hidden(graph: Graph, group: Resource, hidden: set[str]) -> bool:
    """Say whether all that stand in a security group are stores that no route leads to."""
    holders = [
        each.urn
        for each in graph.resources
        if each.type not in RULES_OF_GROUPS and any(group.urn in fed for fed in each.property_dependencies.values())
    ]
    return bool(holders) and set(holders) <= hidden


def unguarded(graph: Graph, group: Resource) -> Iterator[Resource]:
    """Yield the balancers of a group that the internet reaches without a web firewall and without mutual TLS."""
    for balancer in graph.of(*BALANCERS):
        reader = balancer.reader
        web = reader.raw("loadBalancerType") in (None, "application") and reader.raw("internal") not in (True, "true")
        if not web or group not in graph.feeds(balancer, "securityGroups"):
            continue
        if any(graph.referrers(balancer, kind, prop) for kind, prop in ASSOCIATIONS.items()):
            continue
        listeners = [one for kind in LISTENERS for one in graph.referrers(balancer, kind, "loadBalancerArn")]
        if listeners and all(one.reader.raw("mutualAuthentication.mode") == "verify" for one in listeners):
            continue
        yield balancer
