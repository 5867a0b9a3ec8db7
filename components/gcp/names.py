"""Names within Google's limits, the same at every run."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import pulumi

CLUSTER_LIMIT: Final = 40
"""Characters of a cluster's or node pool's name. Source: GKE API reference, Cluster.name (read 2026-11-21)."""

ACCOUNT_LIMIT: Final = 30
"""Characters of a service account's id, 6 at least. Source: IAM API reference, accountId (read 2026-11-21)."""

BUCKET_LIMIT: Final = 63
"""Characters of a bucket's name. Source: cloud.google.com/storage/docs/buckets#naming (read 2026-11-21)."""

RESOURCE_LIMIT: Final = 63
"""Characters of a name of Compute Engine. Source: cloud.google.com/compute/docs/naming-resources (read 2026-11-21)."""

AUTONAME: Final = len("-0123456")
"""What the provider appends to a logical name: a dash and seven hex digits."""


def cluster_name(environment: str, region: str) -> str:
    """Return the one physical name that people type."""
    name = f"{environment}-{region}"
    if len(name) > CLUSTER_LIMIT:
        raise pulumi.RunError(
            f"environment: the cluster's name {name} has {len(name)} characters, GKE allows {CLUSTER_LIMIT}: "
            f"shorten `environment` by {len(name) - CLUSTER_LIMIT}"
        )
    return name


def node_pool_name(cluster: str, key: str) -> str:
    """Return the logical name of a node pool, short enough that its autoname fits."""
    return _fit(f"{cluster}-{key}", CLUSTER_LIMIT - AUTONAME)


def account_id(environment: str, region: str) -> str:
    """Return the id of the service account of a cluster's nodes."""
    return _fit(f"{environment}-{region}-nodes", ACCOUNT_LIMIT)


def workload_account_id(environment: str, region: str, key: str) -> str:
    """Return the id of the service account of a workload; what is cut off is marked by a hash."""
    return _fit(f"{environment}-{region}-{key}", ACCOUNT_LIMIT)


def bucket_name(name: str) -> str:
    """Return the logical name of a bucket, short enough that its autoname fits."""
    return _fit(name, BUCKET_LIMIT - AUTONAME)


def resource_name(name: str) -> str:
    """Return the logical name of a resource of Compute Engine, short enough that its autoname fits."""
    return _fit(name, RESOURCE_LIMIT - AUTONAME)


def _fit(name: str, limit: int) -> str:
    if len(name) <= limit:
        return name
    mark = sha256(name.encode()).hexdigest()[:6]
    return f"{name[: limit - len(mark) - 1].rstrip('-')}-{mark}"
