"""The one physical name that people type on AWS: a cluster's."""

from __future__ import annotations


def physical_name(environment: str, region: str) -> str:
    """Name the cluster of an environment in a region, as `aws eks` knows it."""
    return f"{environment}-{region}"
