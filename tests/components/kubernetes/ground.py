"""A cluster that exists already, for components that only need one to stand on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as kubernetes

from components.contracts import Launching, Offer
from components.grants import Grant, Holder, PodIdentity, UseBucket
from components.kubernetes.base import ClusterBase, ClusterBaseArgs
from components.kubernetes.crds.external_secrets import (
    ClusterSecretStoreSpecProvider,
    ClusterSecretStoreSpecProviderAws,
)
from stacks.clouds import Cloud
from stacks.model import Namespace
from tests.components.mock_cloud import Cloud as MockCloud

OFFER = Offer(
    volumes="ebs.csi.aws.com",
    volume_parameters={"type": "gp3", "encrypted": "true", "kmsKeyId": "arn:aws:kms:eu-west-1:123456789012:key/k"},
    snapshot_parameters={},
    secrets=ClusterSecretStoreSpecProvider(
        aws=ClusterSecretStoreSpecProviderAws(service="SecretsManager", region="eu-west-1")
    ),
    apis=("10.0.0.0/16",),
    stores=("10.0.64.0/20",),
    credentials=(("169.254.170.23/32", 80),),
    exchanged=False,
    inside={"example.org/reach": "network"},
    outside={"example.org/reach": "internet"},
)
"""What the cloud of these tests gives."""


@dataclass
class Kept:
    """A bucket that somebody else has made."""

    ready: pulumi.Resource
    region: str = "us-east-1"
    name: pulumi.Output[str] = field(default_factory=lambda: pulumi.Output.from_input("backups-0123456"))
    host: pulumi.Output[str] = field(
        default_factory=lambda: pulumi.Output.from_input("objabcdef.blob.core.windows.net")
    )

    def use(self, key: str, *, read_only: bool = False) -> UseBucket:
        """What an identity needs for it."""
        return UseBucket(name=self.name, resource=self.name, key=key, read_only=read_only)


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

    offer: Offer = field(default_factory=lambda: OFFER)

    def identity_for(self, holder: Holder, grants: Sequence[Grant]) -> PodIdentity:
        """An identity that names its holder and what it may do."""
        words = "-".join(sorted(type(each).__name__.lower() for each in grants))
        who = f"{holder.namespace}/{holder.account}"
        return PodIdentity(
            principal=pulumi.Output.from_input(who),
            subject=pulumi.Output.from_input(who),
            login=pulumi.Output.from_input(holder.account),
            annotations={"example.org/identity": f"{holder.key}-{words}"},
        )

    def launching_for(self, holder: Holder) -> Launching:
        """What machines need, by name."""
        return Launching(
            identity=self.identity_for(holder, ()),
            profile="overflow-profile",
            queue="overflow-interruptions",
            disk_key="arn:aws:kms:eu-west-1:123456789012:key/overflow",
            found_by={"karpenter.sh/discovery": "test-eu-west-1"},
            image="al2023@v20260415",
        )


def standing() -> Standing:
    """Build one."""
    provider = kubernetes.Provider("cluster", kubeconfig="{}")
    return Standing(provider, provider, provider)


def base(cloud: MockCloud, *, version: str = "1.34", **wishes: Namespace) -> MockCloud:
    """Build the ground of a cluster with some namespaces."""
    args = ClusterBaseArgs(namespaces=wishes or {"tenant": Namespace()}, version=version)
    return cloud.build(lambda: ClusterBase("aws-eu-west-1", args, standing()))
