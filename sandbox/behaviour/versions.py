"""What each cloud offers: Kubernetes versions and zones.

Sources, read 2026-11: docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html (extended support included),
cloud.google.com/kubernetes-engine/docs/release-schedule, learn.microsoft.com/azure/aks/supported-kubernetes-versions,
docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html,
cloud.google.com/compute/docs/regions-zones. Patch numbers are the stage's own.
"""

from __future__ import annotations

from typing import Final

EKS: Final = ("1.31", "1.32", "1.33", "1.34", "1.35", "1.36")
GKE: Final = ("1.32", "1.33", "1.34", "1.35", "1.36")
AKS: Final = ("1.32", "1.33", "1.34", "1.35", "1.36")

AWS_ZONES: Final = {"us-east-1": "abcdef", "us-west-1": "ac", "us-west-2": "abcd", "ap-northeast-1": "acd",
                    "ap-northeast-2": "abcd", "ca-central-1": "abd"}  # fmt: skip
GCP_ZONES: Final = {"europe-west1": "bcd", "us-east1": "bcd", "us-central1": "abcf"}


def aws_zones(region: str) -> tuple[str, ...]:
    """List the availability zones of a region that an ordinary account sees."""
    return tuple(f"{region}{letter}" for letter in AWS_ZONES.get(region, "abc"))


def gcp_zones(region: str) -> tuple[str, ...]:
    """List the zones of a region."""
    return tuple(f"{region}-{letter}" for letter in GCP_ZONES.get(region, "abc"))


def minor(version: str) -> tuple[int, int]:
    """Give major and minor number: 1.34.3-gke.100 is (1, 34)."""
    major, _, rest = version.lstrip("v").partition(".")
    return int(major), int(rest.partition(".")[0].partition("-")[0] or 0)
