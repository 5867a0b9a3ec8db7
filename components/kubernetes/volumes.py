"""The storage class of a cluster: disks encrypted with the cluster's own key, made where their pod runs."""

from __future__ import annotations

from typing import Final

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.storage.v1 import StorageClass

from components.kubernetes.service import TIMEOUTS, Ground

CLASS: Final = "encrypted"
IS_DEFAULT: Final = {"storageclass.kubernetes.io/is-default-class": "true"}
"""The newest default counts (kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass, 2026-11)."""


class Volumes(pulumi.ComponentResource):
    """One class, the cluster's default. A disk stands in one zone: it is bound late, in the zone of its first pod."""

    ready: pulumi.Resource

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:kubernetes:Volumes", name, {}, opts)
        offer = ground.cluster.offer
        self.ready = StorageClass(
            name,
            metadata=ObjectMetaArgs(name=CLASS, annotations=IS_DEFAULT),
            provisioner=offer.volumes,
            parameters=dict(offer.volume_parameters),
            volume_binding_mode="WaitForFirstConsumer",
            allow_volume_expansion=True,
            reclaim_policy="Delete",
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=ground.cluster.provider,
                deleted_with=ground.cluster.resource,
                depends_on=[ground.cluster.ready, *ground.after],
                custom_timeouts=TIMEOUTS,
                delete_before_replace=True,  # nothing of a class can be changed, and its name is fixed
            ),
        )
        self.register_outputs({})
