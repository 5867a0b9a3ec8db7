"""Names of what a stack exports: written by `__main__`, read back by `automation`."""

from __future__ import annotations

from typing import Final

CLUSTERS: Final = "clusters"
"""Cluster name -> endpoint, version, cloud, region."""
NETWORKS: Final = "networks"
"""Cluster name -> network id and ranges."""
SIZING: Final = "sizing"
"""Cluster name -> pool slot -> instance type, min, desired, max, evidence."""
DOCUMENT_HASH: Final = "document_hash"
"""Hash of the evidence document of the sizing; the document itself is an output of the Sizing resource."""
IDENTITIES: Final = "identities"
"""Cloud -> the account, project or subscription that the run really reached, as the cloud tells it."""
ENVIRONMENT: Final = "environment"
"""The stack file's label."""
PLACEMENT: Final = "placement"
"""Account of how pods were shared out over clusters: what the next run starts from. Only where the stack file asks."""

ALL: Final[tuple[str, ...]] = (CLUSTERS, NETWORKS, SIZING, DOCUMENT_HASH, IDENTITIES, ENVIRONMENT)
