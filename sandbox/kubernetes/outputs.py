"""Outputs of Kubernetes objects: the whole live object, and three hidden keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

HIDDEN: Final = ("__inputs", "__initialApiVersion", "__fieldManager")


def outputs_of(live: Mapping[str, Any], inputs: Mapping[str, Any], initial: str, manager: str) -> dict[str, Any]:
    """Give the outputs of a live object."""
    return {**plain(live), "__inputs": dict(inputs), "__initialApiVersion": initial, "__fieldManager": manager}


def plain(live: Any) -> Any:
    """Give fields that start with x-kubernetes- the names that the SDK can carry."""
    return _renamed(live, "x-kubernetes-", "x_kubernetes_", "-", "_")


def raw(inputs: Any) -> Any:
    """Turn names of the SDK back into those of the server."""
    return _renamed(inputs, "x_kubernetes_", "x-kubernetes-", "_", "-")


def _renamed(value: Any, prefix: str, into: str, old: str, new: str) -> Any:
    if isinstance(value, Mapping):
        return {
            into + key.removeprefix(prefix).replace(old, new) if key.startswith(prefix) else key: _renamed(
                item, prefix, into, old, new
            )
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_renamed(item, prefix, into, old, new) for item in value]
    return value
