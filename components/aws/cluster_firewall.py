"""Who talks to whom in a cluster: control plane and nodes, nodes among each other, and HTTPS to the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from stacks.links import API, Beyond

HTTPS: Final = 443
UNPRIVILEGED: Final = (1025, 65535)
WORLD: Final = "0.0.0.0/0"


@dataclass(frozen=True, kw_only=True)
class ClusterFirewallArgs:
    """`cluster` is the physical name: controllers find the nodes' group by its tag."""

    cluster: str
    region: str
    vpc_id: pulumi.Input[str]
    vpc_cidr: str
    beyond: Beyond | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One way of traffic; without ports it is all traffic, which is only ever allowed inside the VPC."""

    description: str
    group: str  # control or nodes
    other: str  # control, nodes or a CIDR block
    ports: tuple[int, int] | None = None


class ClusterFirewall(pulumi.ComponentResource):
    """Security groups of control plane and nodes; the group that EKS makes by itself is not given to nodes."""

    control_id: pulumi.Output[str]
    nodes_id: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: ClusterFirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:ClusterFirewall", name, {}, opts)
        self._name = name
        self._args = args
        discovery = {f"kubernetes.io/cluster/{args.cluster}": "owned", "karpenter.sh/discovery": args.cluster}
        self._groups = {
            "control": self._group("control", f"Control plane of {args.cluster}", {}),
            "nodes": self._group("nodes", f"Nodes of {args.cluster}", discovery),
        }
        self.control_id = self._groups["control"].id
        self.nodes_id = self._groups["nodes"].id
        incoming = incoming_rules(args.vpc_cidr) | from_links(args.beyond)
        outgoing = outgoing_rules(args.vpc_cidr) | to_links(args.beyond)
        let_in = [self._rule(aws.vpc.SecurityGroupIngressRule, key, rule) for key, rule in incoming.items()]
        let_out = [self._rule(aws.vpc.SecurityGroupEgressRule, key, rule) for key, rule in outgoing.items()]
        self.ready = (*let_in, *let_out)
        self.register_outputs({"control_id": self.control_id, "nodes_id": self.nodes_id})

    def _group(self, key: str, description: str, tags: dict[str, str]) -> aws.ec2.SecurityGroup:
        name = f"{self._name}-{key}"
        return aws.ec2.SecurityGroup(
            name,
            description=description,
            vpc_id=self._args.vpc_id,
            region=self._args.region,
            tags={"Name": name, **tags},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _rule(
        self,
        kind: type[aws.vpc.SecurityGroupIngressRule | aws.vpc.SecurityGroupEgressRule],
        key: str,
        rule: Rule,
    ) -> pulumi.Resource:
        other = self._groups.get(rule.other)
        return kind(
            f"{self._name}-{key}",
            security_group_id=self._groups[rule.group].id,
            description=rule.description,
            ip_protocol="tcp" if rule.ports else "-1",
            from_port=rule.ports[0] if rule.ports else None,
            to_port=rule.ports[1] if rule.ports else None,
            referenced_security_group_id=other.id if other else None,
            cidr_ipv4=None if other else rule.other,
            region=self._args.region,
            opts=pulumi.ResourceOptions(parent=self),
        )


def incoming_rules(vpc_cidr: str) -> dict[str, Rule]:
    """Who may start talking (docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html, 2026-11)."""
    https = (HTTPS, HTTPS)
    return {
        "control-from-vpc": Rule(
            description="API server from inside the VPC", group="control", other=vpc_cidr, ports=https
        ),
        "nodes-from-nodes": Rule(description="Pods and nodes among each other", group="nodes", other="nodes"),
        "nodes-from-control-https": Rule(
            description="API server to webhooks on HTTPS", group="nodes", other="control", ports=https
        ),
        "nodes-from-control": Rule(
            description="API server to kubelets, webhooks and API services",
            group="nodes",
            other="control",
            ports=UNPRIVILEGED,
        ),
    }


def outgoing_rules(vpc_cidr: str) -> dict[str, Rule]:
    """Where traffic may go; all traffic inside the VPC only."""
    https = (HTTPS, HTTPS)
    return {
        "control-to-nodes-https": Rule(description="Webhooks on HTTPS", group="control", other="nodes", ports=https),
        "control-to-nodes": Rule(
            description="Kubelets, webhooks and API services", group="control", other="nodes", ports=UNPRIVILEGED
        ),
        "nodes-to-vpc": Rule(description="Pods, names and data inside the VPC", group="nodes", other=vpc_cidr),
        "nodes-to-world": Rule(
            description="HTTPS to the world: images, cloud services", group="nodes", other=WORLD, ports=https
        ),
    }


def from_links(beyond: Beyond | None) -> dict[str, Rule]:
    """Who may call from the networks of other clouds: their nodes and pods, the API server and the mesh's gateway.

    The gateway is behind a network load balancer, whose controller lets its own ports in from its service's ranges.
    """
    return {
        f"control-from-{_spelled(each)}": Rule(
            description="API server from a linked network", group="control", other=each, ports=(API, API)
        )
        for each in (beyond.callers if beyond else ())
    }


def to_links(beyond: Beyond | None) -> dict[str, Rule]:
    """Where traffic to the networks of other clouds may go: to the gateways of their meshes; HTTPS goes anywhere."""
    return {
        f"nodes-to-{_spelled(each)}-{port}": Rule(
            description="Gateway of the mesh in a linked network", group="nodes", other=each, ports=(port, port)
        )
        for each in (beyond.networks if beyond else ())
        for port in (beyond.ports if beyond else ())
    }


def _spelled(block: str) -> str:
    return block.replace(".", "-").replace("/", "-")
