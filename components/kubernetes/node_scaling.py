"""Nodes by need on EKS: the cluster autoscaler, which finds the pools of its cluster by their tags."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pulumi

from components.grants import Holder, ScaleNodes
from components.kubernetes.restricted import LOCKED, user
from components.kubernetes.service import Ground, Service, resources, spread
from stacks.services.scaling import NodeScaling as Wish

DELAY: Final = "10m"
"""How long after a node came, and how long a node must be idle, before one goes."""
PROVISIONED: Final = "15m"
IMAGES: Final = {"1.34": "v1.34.4", "1.35": "v1.35.1", "1.36": "v1.36.0"}
"""The autoscaler simulates the scheduler of one Kubernetes: its minor version is the cluster's.

Source: github.com/kubernetes/autoscaler releases and cluster-autoscaler/README.md#releases, read 2026-11-21.
"""
ACCOUNT: Final = "cluster-autoscaler"


class NodeScaling(Service):
    """The cluster autoscaler with an identity that changes groups of its own cluster only."""

    SERVICE: ClassVar[str] = "node_scaling"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.node_scaling
        assert wish is not None  # noqa: S101 - only made when it is on
        identity = ground.cluster.identity_for(Holder(self.facts.namespace, ACCOUNT), [ScaleNodes()])
        self.namespace()
        self.last += identity.ready
        self.release("cluster-autoscaler", values(ground, wish, identity.annotations, identity.labels))
        self.done()


def values(ground: Ground, wish: Wish, annotations: Any, labels: Any) -> dict[str, Any]:
    """Values of the chart; every flag is one that the controller reads (cluster-autoscaler FAQ.md, 2026-11)."""
    room = ground.room("node_scaling")["autoscaler"]
    return {
        "cloudProvider": "aws",
        "awsRegion": ground.cluster.region,
        "autoDiscovery": {"clusterName": ground.physical_name},
        "image": {"tag": IMAGES[ground.version]},
        "replicaCount": room.replicas,
        "resources": resources(room),
        "extraArgs": {
            "max-nodes-total": wish.max_nodes,
            "scale-down-delay-after-add": DELAY,
            "scale-down-unneeded-time": DELAY,
            "max-node-provision-time": PROVISIONED,
            "expander": "least-waste",
            "balance-similar-node-groups": True,
            "skip-nodes-with-local-storage": False,
            "skip-nodes-with-system-pods": True,
            "aws-use-static-instance-list": False,
            "logtostderr": True,
            "stderrthreshold": "info",
            "v": 4,
        },
        "rbac": {
            "create": True,
            "serviceAccount": {"create": True, "name": ACCOUNT, "annotations": dict(annotations)},
        },
        "podLabels": dict(labels),
        "podDisruptionBudget": {"maxUnavailable": 1},
        "priorityClassName": "system-cluster-critical",
        "topologySpreadConstraints": spread({"app.kubernetes.io/name": "aws-cluster-autoscaler"}),
        "securityContext": {**user(65534), "fsGroup": 65534},
        "containerSecurityContext": LOCKED,
    }
