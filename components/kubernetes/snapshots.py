"""How volumes are snapshotted: a class whose snapshots go once their contents are copied elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import pulumi
from pulumi import Input

from components.kubernetes.shapes import Custom, plain, wire

MARK: Final = {"velero.io/csi-volumesnapshot-class": "true"}
"""By which Velero finds the class of a driver (velero.io/docs/v1.18/csi, 2026-11)."""


@dataclass(frozen=True, kw_only=True)
class VolumeSnapshotClass(Custom):
    """A class of snapshots; it has no spec, its fields stand beside its metadata."""

    API_VERSION: ClassVar[str] = "snapshot.storage.k8s.io/v1"
    KIND: ClassVar[str] = "VolumeSnapshotClass"

    driver: Input[str]
    deletion_policy: Input[Literal["Delete", "Retain"]] = wire("deletionPolicy")  # noqa: RUF009 - what a field is called
    parameters: Mapping[str, Input[str]] | None = None


def snapshot_class(
    name: str, called: str, what: VolumeSnapshotClass, opts: pulumi.ResourceOptions
) -> pulumi.CustomResource:
    """Make the class; nothing of one can be changed, and its name is fixed, so the old one goes first."""
    return pulumi.CustomResource(
        f"kubernetes:{what.API_VERSION}:{what.KIND}",
        name,
        {
            "apiVersion": what.API_VERSION,
            "kind": what.KIND,
            "metadata": {"name": called, "labels": dict(MARK)},
            **plain(what),
        },
        pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True)),
    )
