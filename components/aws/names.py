"""Physical names on AWS that cannot be left to the provider: a cluster's, which people type, and trials' of backups."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

TRIAL_LIMIT: Final = 50
"""Letters, digits and underscores: docs.aws.amazon.com/aws-backup/latest/devguide/API_RestoreTestingPlanForCreate.html,
2026-11."""


def physical_name(environment: str, region: str) -> str:
    """Name the cluster of an environment in a region, as `aws eks` knows it."""
    return f"{environment}-{region}"


def trial_name(environment: str, region: str, part: str) -> str:
    """Name what tries backups, or what of it; what is cut off is marked by a hash."""
    name = f"{environment}_{region}_{part}".replace("-", "_")
    if len(name) <= TRIAL_LIMIT:
        return name
    mark = sha256(name.encode()).hexdigest()[:6]
    return f"{name[: TRIAL_LIMIT - len(mark) - 1].rstrip('_')}_{mark}"
