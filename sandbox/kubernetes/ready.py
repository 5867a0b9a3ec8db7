"""When an object is live, kind by kind; kinds that are not listed are live at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def reason_not_ready(live: Mapping[str, Any]) -> str | None:
    """Return what an object still waits for, or None."""
    kind, spec, status = live.get("kind"), live.get("spec") or {}, live.get("status") or {}
    conditions = {item.get("type"): item.get("status") for item in status.get("conditions") or ()}
    if kind == "ResourceQuota":
        return None if status.get("hard") == spec.get("hard") else "its status does not equal its spec"
    if kind == "Deployment":
        wanted = spec.get("replicas", 1)
        if status.get("observedGeneration", 0) < live.get("metadata", {}).get("generation", 1):
            return "the controller has not seen it"
        return None if status.get("updatedReplicas", 0) >= wanted <= status.get("availableReplicas", 0) or wanted == 0 \
            else f"{status.get('availableReplicas', 0)} of {wanted} replicas are available"  # fmt: skip
    if kind in {"StatefulSet", "ReplicationController"}:
        wanted = spec.get("replicas", 1)
        ready = status.get("readyReplicas", 0)
        return None if ready >= wanted else f"{ready} of {wanted} replicas are ready"
    if kind == "DaemonSet":
        wanted = status.get("desiredNumberScheduled")
        return None if wanted is not None and status.get("numberReady", 0) >= wanted else "nodes are missing its pod"
    if kind == "Job":
        return None if conditions.get("Complete") == "True" else "it has not completed"
    if kind == "Pod":
        done = conditions.get("Ready") == "True" or status.get("phase") == "Succeeded"
        return None if done else f"its phase is {status.get('phase')}"
    if kind in {"PersistentVolume", "PersistentVolumeClaim"}:
        return None if status.get("phase") in {"Available", "Bound"} else f"its phase is {status.get('phase')}"
    if kind in {"Service", "Ingress"}:
        return _entry(kind, spec, status)
    return None


def _entry(kind: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> str | None:
    """Wait for an address where one is promised."""
    if kind == "Service" and spec.get("type") != "LoadBalancer":
        return None
    return None if (status.get("loadBalancer") or {}).get("ingress") else "no address was assigned"
