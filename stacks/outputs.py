"""Names of what a stack exports: written by `__main__`, read back by `automation`."""

from __future__ import annotations

from typing import Final

CLUSTERS: Final = "clusters"
"""Cluster name -> endpoint, version, cloud, region."""
NETWORKS: Final = "networks"
"""Cluster name -> network id and ranges."""
SIZING: Final = "sizing"
"""Cluster name -> pool slot -> instance type, min, desired, max, evidence."""
DOCUMENT: Final = "document"
"""The evidence document of the sizing, canonical JSON."""
DOCUMENT_HASH: Final = "document_hash"
"""Its hash."""
MODE: Final = "mode"
"""`offline` when the sandbox's mark is found in the providers, else `real`."""
ENVIRONMENT: Final = "environment"
"""The stack file's label."""

ALL: Final[tuple[str, ...]] = (CLUSTERS, NETWORKS, SIZING, DOCUMENT, DOCUMENT_HASH, MODE, ENVIRONMENT)
