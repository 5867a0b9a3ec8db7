"""Security contexts of the restricted Pod Security Standard, as charts and manifests take them.

kubernetes.io/docs/concepts/security/pod-security-standards, read 2026-11.
"""

from __future__ import annotations

from typing import Any, Final

SECCOMP: Final = {"type": "RuntimeDefault"}
NON_ROOT: Final = {"runAsNonRoot": True, "seccompProfile": SECCOMP}
"""Of a pod whose image says which user it is."""
UNPRIVILEGED: Final[dict[str, Any]] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
"""Of a container that writes into its own image."""
LOCKED: Final[dict[str, Any]] = {**UNPRIVILEGED, "readOnlyRootFilesystem": True}
"""Of a container."""


def user(number: int) -> dict[str, Any]:
    """Context of a pod or container that runs as a user."""
    return {**NON_ROOT, "runAsUser": number}


def owner(number: int) -> dict[str, Any]:
    """Context of a pod that runs as a user and a group, which own its volumes."""
    return {**user(number), "runAsGroup": number, "fsGroup": number}
