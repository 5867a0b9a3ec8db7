"""Every module of rules: importing this one registers them all."""

from __future__ import annotations

from sandbox.behaviour import (
    rules_aks,
    rules_aws,
    rules_azure,
    rules_buckets,
    rules_cloudflare,
    rules_eks,
    rules_gcp,
    rules_links,
    rules_peering,
    rules_services,
    rules_stores,
)

__all__ = [
    "rules_aks", "rules_aws", "rules_azure", "rules_buckets", "rules_cloudflare", "rules_eks", "rules_gcp",
    "rules_links", "rules_peering", "rules_services", "rules_stores",
]  # fmt: skip
