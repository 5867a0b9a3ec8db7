"""Physical names on AWS that are not left to the provider: of clusters, stores, the trail, and trials of backups."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

TRIAL_LIMIT: Final = 50
"""Letters, digits and underscores: docs.aws.amazon.com/aws-backup/latest/devguide/API_RestoreTestingPlanForCreate.html,
2026-11."""
CACHE_LIMIT: Final = 40
"""docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html, 2026-11."""
DATABASE_LIMIT: Final = 63
"""docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html, 2026-11."""
TRAIL_LIMIT: Final = 128
"""docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html, 2026-11."""


def physical_name(environment: str, region: str) -> str:
    """Name the cluster of an environment in a region, as `aws eks` knows it."""
    return f"{environment}-{region}"


def trial_name(environment: str, region: str, part: str) -> str:
    """Name what tries backups, or what of it; what is cut off is marked by a hash."""
    return _fit(f"{environment}_{region}_{part}".replace("-", "_"), TRIAL_LIMIT, "_")


def store_name(name: str, limit: int) -> str:
    """Name what RDS, ElastiCache or CloudTrail keeps: short enough, no two dashes in a row.

    A change is marked by a hash; names that need none stay as they are.
    """
    return _fit(name, limit, "-", re.sub("-+", "-", name))


def _fit(name: str, limit: int, joint: str, plain: str = "") -> str:
    if len(name) <= limit and (plain or name) == name:
        return name
    mark = sha256(name.encode()).hexdigest()[:6]
    return f"{(plain or name)[: limit - len(mark) - 1].rstrip(joint)}{joint}{mark}"
