"""What each namespace costs: OpenCost, asking the Prometheus of the cluster."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pulumi

from components.grants import Holder, PodIdentity, ReadPrices
from components.kubernetes.restricted import LOCKED, user
from components.kubernetes.secrets import external
from components.kubernetes.service import Ground, Service, resources
from stacks.services.settings import Cost as Wish

PROMETHEUS = "platform-prometheus"
BILL: Final = "cloud-integration"
BILL_KEY: Final = "cloud-integration.json"
"""The key that OpenCost mounts (opencost.io/docs/configuration, 2026-11)."""


class Cost(Service):
    """OpenCost; prices come from the cloud's public list."""

    SERVICE: ClassVar[str] = "cost"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        self.namespace()
        reader = ground.cluster.identity_for(Holder("opencost", "opencost"), [ReadPrices()])
        self.last = [*self.last, *reader.ready]
        wish = ground.services.cost
        if wish is not None and wish.bill:
            held = external(ground, BILL, {BILL_KEY: BILL})
            self.last = [self.custom(BILL, held, namespace=self.facts.namespace), *reader.ready]
        self.release("opencost", values(ground, reader))
        self.done()


def prices(wish: Wish | None) -> dict[str, Any]:
    """Own prices in USD an hour where the stack file has them; else those of the cloud's public list."""
    if wish is None or wish.prices is None:
        return {"enabled": False}
    own = {
        "description": "prices of the stack file",
        "CPU": wish.prices.cpu,
        "spotCPU": wish.prices.cpu,
        "RAM": wish.prices.memory,
        "spotRAM": wish.prices.memory,
        "GPU": wish.prices.gpu,
        "storage": wish.prices.storage,
    }
    return {"enabled": True, "createConfigmap": True, "provider": "custom", "costModel": own}


def bill(wish: Wish | None) -> dict[str, Any]:
    """Read what the cloud really charged, from the export that the mounted secret names."""
    if wish is None or not wish.bill:
        return {"cloudCost": {"enabled": False}}
    return {"cloudCost": {"enabled": True}, "cloudIntegrationSecret": BILL}


def values(ground: Ground, reader: PodIdentity | None = None) -> dict[str, Any]:
    """Values of the chart; without its page and its agent server, which Grafana does not need."""
    room = ground.room("cost")["opencost"]
    confined = {**LOCKED, **user(1001)}
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
            "customPricing": prices(ground.services.cost),
            **bill(ground.services.cost),
            "ui": {"enabled": False},
            "mcp": {"enabled": False},
        },
    }
