"""Which releases of add-ons and node images belong to a Kubernetes version of EKS: pinned, dated, changed by hand.

Read from docs.aws.amazon.com/eks/latest/userguide (managing-kube-proxy, managing-coredns, managing-vpc-cni,
managing-ebs-csi, csi-snapshot-controller, pod-id-agent-setup), from `aws eks describe-addon-versions` as others
published it, and from github.com/awslabs/amazon-eks-ami/releases. `read` is when. To renew:
`aws eks describe-addon-versions --kubernetes-version V` and the SSM parameter
/aws/service/eks/optimized-ami/V/amazon-linux-2023/x86_64/standard/recommended/release_version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Release:
    """What runs with one Kubernetes version."""

    vpc_cni: str
    coredns: str
    kube_proxy: str
    ebs_csi: str
    snapshots: str
    pod_identity: str
    node_image: str  # release of the Amazon Linux 2023 images, the same number for each of their types
    read: date


RELEASES: Final[Mapping[str, Release]] = {
    "1.33": Release(
        vpc_cni="v1.21.1-eksbuild.5",
        coredns="v1.13.2-eksbuild.4",
        kube_proxy="v1.33.9-eksbuild.2",
        ebs_csi="v1.57.1-eksbuild.1",
        snapshots="v8.5.0-eksbuild.3",
        pod_identity="v1.3.10-eksbuild.2",
        node_image="1.33.8-20260304",
        read=date(2026, 4, 1),
    ),
    "1.34": Release(
        vpc_cni="v1.21.1-eksbuild.5",
        coredns="v1.13.2-eksbuild.4",
        kube_proxy="v1.34.5-eksbuild.2",
        ebs_csi="v1.57.1-eksbuild.1",
        snapshots="v8.5.0-eksbuild.3",
        pod_identity="v1.3.10-eksbuild.2",
        node_image="1.34.6-20260415",
        read=date(2026, 4, 20),
    ),
    "1.35": Release(
        vpc_cni="v1.21.1-eksbuild.5",
        coredns="v1.13.2-eksbuild.4",
        kube_proxy="v1.35.2-eksbuild.4",
        ebs_csi="v1.57.1-eksbuild.1",
        snapshots="v8.5.0-eksbuild.3",
        pod_identity="v1.3.10-eksbuild.2",
        node_image="1.35.4-20260423",
        read=date(2026, 4, 24),
    ),
    "1.36": Release(
        vpc_cni="v1.22.3-eksbuild.1",
        coredns="v1.14.3-eksbuild.3",
        kube_proxy="v1.36.0-eksbuild.14",
        ebs_csi="v1.63.1-eksbuild.1",
        snapshots="v8.5.0-eksbuild.5",
        pod_identity="v1.3.10-eksbuild.3",
        node_image="1.36.0-20260923",
        read=date(2026, 9, 24),
    ),
}


def release_of(version: str) -> Release:
    """Look a version up. Raises ValueError that names the known ones."""
    if version not in RELEASES:
        known = ", ".join(RELEASES)
        raise ValueError(
            f"Kubernetes {version} has no pinned add-ons on EKS: use one of {known}, or add a row to {__name__}"
        )
    return RELEASES[version]
