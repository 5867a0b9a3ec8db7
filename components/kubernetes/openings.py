"""What the services' flows open in the tenants' namespaces, which are closed from the start."""

from __future__ import annotations

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.kubernetes.enclosed import EnclosedArgs, policies
from components.kubernetes.service import TIMEOUTS, Ground

CLOSED = ("default-deny", "allow-dns")
"""Policies that the ground of the cluster has made already."""


class Openings(pulumi.ComponentResource):
    """Network policies of the tenants' namespaces for what the stack file lets them do."""

    ready: pulumi.Resource

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:kubernetes:Openings", name, {}, opts)
        child = pulumi.ResourceOptions(
            parent=self,
            provider=ground.cluster.provider,
            deleted_with=ground.cluster.resource,
            depends_on=[ground.cluster.ready, *ground.after],
            custom_timeouts=TIMEOUTS,
        )
        made: list[pulumi.Resource] = [
            NetworkPolicy(
                f"{name}-{namespace}-{suffix}",
                metadata=ObjectMetaArgs(name=suffix, namespace=namespace),
                spec=spec,
                opts=child,
            )
            for namespace in ground.tenants
            for suffix, spec in policies(_tenant(ground, namespace))
            if suffix not in CLOSED
        ]
        self.ready = made[-1] if made else ground.cluster.ready
        self.register_outputs({})


def _tenant(ground: Ground, namespace: str) -> EnclosedArgs:
    return EnclosedArgs(
        namespace=namespace,
        version=ground.version,
        flows=ground.flows,
        room=(),
        control_plane=ground.control_plane,
        labels={},
        ambient=ground.ambient,
        places=ground.places,
    )
