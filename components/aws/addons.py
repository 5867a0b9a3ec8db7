"""What EKS itself runs in a cluster, pinned: network, names, proxies, disks, identities of pods."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.releases import Release

NAMESPACE: Final = "kube-system"
SERVICE_ACCOUNTS: Final[Mapping[str, str]] = {"vpc-cni": "aws-node", "ebs-csi": "ebs-csi-controller-sa"}
"""Service accounts of add-ons that call AWS (docs.aws.amazon.com/eks/latest/userguide/add-ons-iam.html, 2026-11)."""

VPC_CNI: Final = json.dumps(
    {
        "enableNetworkPolicy": "true",
        "env": {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"},
    }
)
"""Network policies are enforced, and a node gets /28 prefixes instead of single addresses.

Source: docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html and
docs.aws.amazon.com/eks/latest/best-practices/prefix-mode-linux.html, 2026-11.
"""

ADDON_TIMEOUT: Final = pulumi.CustomTimeouts(create="20m", update="30m", delete="20m")


@dataclass(frozen=True, kw_only=True)
class AddonsArgs:
    """`role_arn` is assumed by the pods that call AWS; each add-on starts `after` what it needs."""

    cluster: pulumi.Input[str]
    region: str
    release: Release
    role_arn: pulumi.Input[str]
    snapshots: bool = False
    after: Sequence[pulumi.Resource] = ()


@dataclass(frozen=True, kw_only=True)
class Pin:
    """An add-on in one version, with its configuration as JSON."""

    key: str
    version: str
    configuration: str | None = None


class NodeAddons(pulumi.ComponentResource):
    """What nodes need to become ready: identities, addresses, proxies."""

    ready: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: AddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:NodeAddons", name, {}, opts)
        identity = pod_identity(self, name, "vpc-cni", args)
        release = args.release
        self.ready = (
            addon(self, name, args, Pin(key="eks-pod-identity-agent", version=release.pod_identity)),
            addon(self, name, args, Pin(key="vpc-cni", version=release.vpc_cni, configuration=VPC_CNI), [identity]),
            addon(self, name, args, Pin(key="kube-proxy", version=release.kube_proxy)),
        )
        self.register_outputs({})


class ClusterAddons(pulumi.ComponentResource):
    """What needs nodes to run on: disks, names and, where asked for, the controller of snapshots.

    That one brings the definitions of snapshots, and is there before the driver that takes them
    (docs.aws.amazon.com/eks/latest/userguide/csi-snapshot-controller.html, 2026-11).
    """

    ready: pulumi.Resource

    def __init__(self, name: str, args: AddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:ClusterAddons", name, {}, opts)
        before = [pod_identity(self, name, "ebs-csi", args)]
        if args.snapshots:
            before.append(addon(self, name, args, Pin(key="snapshot-controller", version=args.release.snapshots)))
        disks = addon(self, name, args, Pin(key="aws-ebs-csi-driver", version=args.release.ebs_csi), before)
        last = [disks] if args.snapshots else []
        self.ready = addon(self, name, args, Pin(key="coredns", version=args.release.coredns), last)
        self.register_outputs({})


def pod_identity(owner: pulumi.Resource, name: str, key: str, args: AddonsArgs) -> pulumi.Resource:
    """Give the pods of an add-on the role it needs."""
    return aws.eks.PodIdentityAssociation(
        f"{name}-{key}",
        cluster_name=args.cluster,
        namespace=NAMESPACE,
        service_account=SERVICE_ACCOUNTS[key],
        role_arn=args.role_arn,
        region=args.region,
        opts=pulumi.ResourceOptions(parent=owner),
    )


def addon(
    owner: pulumi.Resource, name: str, args: AddonsArgs, pin: Pin, identities: Sequence[pulumi.Resource] = ()
) -> pulumi.Resource:
    """Install one add-on in one version; ours wins over what someone changed by hand."""
    return aws.eks.Addon(
        f"{name}-{pin.key}",
        cluster_name=args.cluster,
        addon_name=pin.key,
        addon_version=pin.version,
        configuration_values=pin.configuration,
        resolve_conflicts_on_create="OVERWRITE",
        resolve_conflicts_on_update="OVERWRITE",
        region=args.region,
        opts=pulumi.ResourceOptions(parent=owner, depends_on=[*identities, *args.after], custom_timeouts=ADDON_TIMEOUT),
    )
