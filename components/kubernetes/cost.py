"""What each namespace costs: OpenCost, asking the Prometheus of the cluster."""

from __future__ import annotations

from typing import Any, ClassVar

import pulumi

from components.grants import Holder, PodIdentity, ReadPrices
from components.kubernetes.service import Ground, Service, resources

PROMETHEUS = "platform-prometheus"


class Cost(Service):
    """OpenCost; prices come from the cloud's public list."""

    SERVICE: ClassVar[str] = "cost"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        self.namespace()
        reader = ground.cluster.identity_for(Holder("opencost", "opencost"), [ReadPrices()])
        self.last = [*self.last, *reader.ready]
        self.release("opencost", values(ground, reader))
        self.done()


def values(ground: Ground, reader: PodIdentity | None = None) -> dict[str, Any]:
    """Values of the chart; without its page and its agent server, which Grafana does not need."""
    room = ground.room("cost")["opencost"]
    confined = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "runAsUser": 1001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    return {
        "clusterName": ground.cluster.name if ground.cluster is not None else "cluster.local",
        "networkPolicies": {"enabled": False},
        "serviceAccount": {"annotations": dict(reader.annotations) if reader else {}},
        "podLabels": dict(reader.labels) if reader else {},
        "opencost": {
            "exporter": {
                "defaultClusterId": ground.cluster.name if ground.cluster is not None else "cluster",
                "replicas": room.replicas,
                "resources": resources(room),
                "securityContext": confined,
            },
            "prometheus": {
                "internal": {
                    "enabled": True,
                    "serviceName": PROMETHEUS,
                    "namespaceName": "monitoring",
                    "port": 9090,
                }
            },
            "ui": {"enabled": False},
            "mcp": {"enabled": False},
        },
    }
