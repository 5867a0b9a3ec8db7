"""Definitions of volume snapshots, as far as anything of the stage makes them: what managed clusters bring.

Fields: kubernetes-csi.github.io/docs/snapshot-restore-feature.html and .../api/volume-snapshot.html, 2026-11.
"""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]

GROUP: Final = "snapshot.storage.k8s.io"
_TEXT: Final = {"type": "string"}
_OPEN: Final = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_POLICY: Final = {"type": "string", "enum": ["Delete", "Retain"]}


def _kind(name: str, plural: str, scope: str, required: list[str], properties: Json) -> Json:
    schema = {
        "type": "object",
        "required": required,
        "properties": {"apiVersion": _TEXT, "kind": _TEXT, "metadata": {"type": "object"}, **properties},
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{GROUP}",
            "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-csi/external-snapshotter"},
        },
        "spec": {
            "group": GROUP,
            "scope": scope,
            "names": {"kind": name, "listKind": f"{name}List", "plural": plural, "singular": name.lower()},
            "versions": [version],
        },
    }


_CLASS: Final[Json] = {
    "driver": _TEXT,
    "deletionPolicy": _POLICY,
    "parameters": {"type": "object", "additionalProperties": _TEXT},
}
_STATED: Final[Json] = {"spec": _OPEN, "status": _OPEN}
SNAPSHOTS: Final[tuple[Json, ...]] = (
    _kind("VolumeSnapshotClass", "volumesnapshotclasses", "Cluster", ["deletionPolicy", "driver"], _CLASS),
    _kind("VolumeSnapshot", "volumesnapshots", "Namespaced", ["spec"], _STATED),
    _kind("VolumeSnapshotContent", "volumesnapshotcontents", "Cluster", ["spec"], _STATED),
)
