"""Who reaches a store on AWS: nodes of its cluster, at its port, and nobody else."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.aws.cluster import Cluster
from components.aws.network import Network


@dataclass(frozen=True)
class Guarded:
    """What stands behind the door, in words, and where it answers."""

    what: str
    port: int


def door(
    name: str, store: Guarded, network: Network, cluster: Cluster, opts: pulumi.ResourceOptions
) -> aws.ec2.SecurityGroup:
    """Make the security group of a store; it lets nothing out, because a store calls nobody."""
    group = aws.ec2.SecurityGroup(
        f"{name}-door",
        description=f"Who reaches the {store.what}",
        vpc_id=network.network_id,
        region=cluster.region,
        opts=opts,
    )
    aws.vpc.SecurityGroupIngressRule(
        f"{name}-from-nodes",
        security_group_id=group.id,
        description="Nodes and pods of the cluster",
        referenced_security_group_id=cluster.nodes_group_id,
        ip_protocol="tcp",
        from_port=store.port,
        to_port=store.port,
        region=cluster.region,
        opts=opts,
    )
    return group
