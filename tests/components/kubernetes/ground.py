"""A cluster that exists already, for components that only need one to stand on."""

from __future__ import annotations

from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as kubernetes

from components.kubernetes.base import ClusterBase, ClusterBaseArgs
from stacks.clouds import Cloud
from stacks.model import Namespace
from tests.components.mock_cloud import Cloud as MockCloud


@dataclass
class Standing:
    """What a component asks of a cluster."""

    provider: kubernetes.Provider
    resource: pulumi.Resource
    ready: pulumi.Resource
    name: str = "aws-eu-west-1"
    cloud: Cloud = "aws"
    region: str = "eu-west-1"
    node_pools: dict[str, pulumi.Resource] = field(default_factory=dict)
    endpoint: pulumi.Output[str] = field(
        default_factory=lambda: pulumi.Output.from_input("https://cluster.example.org")
    )
    certificate_authority: pulumi.Output[str] = field(default_factory=lambda: pulumi.Output.from_input("QQ=="))
    oidc_issuer: pulumi.Output[str] = field(
        default_factory=lambda: pulumi.Output.from_input("https://oidc.example.org")
    )


def standing() -> Standing:
    """Build one."""
    provider = kubernetes.Provider("cluster", kubeconfig="{}")
    return Standing(provider, provider, provider)


def base(cloud: MockCloud, *, version: str = "1.34", **wishes: Namespace) -> MockCloud:
    """Build the ground of a cluster with some namespaces."""
    args = ClusterBaseArgs(namespaces=wishes or {"tenant": Namespace()}, version=version)
    return cloud.build(lambda: ClusterBase("aws-eu-west-1", args, standing()))
