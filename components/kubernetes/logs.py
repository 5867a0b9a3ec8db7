"""Logs of all pods: Loki, fed by Alloy through the API server, so that nothing of ours reads a node's disk."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pulumi

from components.kubernetes.restricted import UNPRIVILEGED, user
from components.kubernetes.service import Ground, Service, resources, spread
from stacks.services.settings import Logs as Wish

LOKI: Final = "http://loki.logs.svc:3100"
READ: Final = """\
discovery.kubernetes "pods" { role = "pod" }
discovery.relabel "pods" {
  targets = discovery.kubernetes.pods.targets
  rule {
    source_labels = ["__meta_kubernetes_namespace"]
    target_label  = "namespace"
  }
  rule {
    source_labels = ["__meta_kubernetes_pod_name"]
    target_label  = "pod"
  }
  rule {
    source_labels = ["__meta_kubernetes_pod_label_app"]
    target_label  = "app"
  }
}
loki.source.kubernetes "pods" {
  targets    = discovery.relabel.pods.output
  forward_to = [RECEIVER]
  clustering {
    enabled = true
  }
}
"""
"""How Alloy reads the logs of all pods; RECEIVER is where they go."""
WRITE: Final = f"""\
loki.write "own" {{
  endpoint {{ url = "{LOKI}/loki/api/v1/push" }}
}}
"""
PIPELINE: Final = READ.replace("RECEIVER", "loki.write.own.receiver") + WRITE


class Logs(Service):
    """Loki on one volume, Alloy in two replicas that share the pods between them."""

    SERVICE: ClassVar[str] = "logs"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.logs
        assert wish is not None  # noqa: S101 - only made when it is on
        self.namespace()
        self.release("loki", loki(ground, wish))
        self.release("alloy", alloy(ground))
        self.settings("logs-datasource", "monitoring", source("Loki", "loki", LOKI), labels={"grafana_datasource": "1"})
        self.done()


def source(name: str, kind: str, url: str) -> dict[str, str]:
    """A source of Grafana, found by its sidecar."""
    lines = [f"  - name: {name}", f"    type: {kind}", f"    uid: {kind}", f"    url: {url}", "    access: proxy"]
    return {f"{kind}.yaml": "\n".join(["apiVersion: 1", "datasources:", *lines, ""])}


def loki(ground: Ground, wish: Wish) -> dict[str, Any]:
    """Values of the store: one process, old logs deleted."""
    room = ground.room("logs")["loki"]
    off = {"enabled": False}
    volume: dict[str, Any] = {"enabled": True, "size": wish.storage}
    if ground.storage_class:
        volume["storageClass"] = ground.storage_class
    return {
        "deploymentMode": "Monolithic",
        "loki": {
            "auth_enabled": False,
            "commonConfig": {"replication_factor": 1},
            "storage": {"type": "filesystem"},
            "schemaConfig": {
                "configs": [
                    {
                        "from": "2026-01-01",
                        "store": "tsdb",
                        "object_store": "filesystem",
                        "schema": "v13",
                        "index": {"prefix": "index_", "period": "24h"},
                    }
                ]
            },
            "limits_config": {"retention_period": f"{wish.retention_days * 24}h"},
            "compactor": {"retention_enabled": True, "delete_request_store": "filesystem"},
        },
        "singleBinary": {"replicas": room.replicas, "resources": resources(room), "persistence": volume},
        "gateway": off,
        "chunksCache": off,
        "resultsCache": off,
        "lokiCanary": off,
        "test": off,
        "sidecar": {"rules": off},
        "read": {"replicas": 0},
        "write": {"replicas": 0},
        "backend": {"replicas": 0},
    }


def alloy(ground: Ground, service: str = "logs") -> dict[str, Any]:
    """Values of the agent."""
    room = ground.room(service)["alloy"]
    return {
        "crds": {"create": False},
        "alloy": {
            "configMap": {"content": PIPELINE},
            "clustering": {"enabled": True},
            "enableReporting": False,
            "resources": resources(room),
            "securityContext": {**UNPRIVILEGED, **user(473)},
        },
        "configReloader": {"enabled": False},
        "controller": {
            "type": "deployment",
            "replicas": room.replicas,
            "podDisruptionBudget": {"enabled": True, "minAvailable": 1},
            "topologySpreadConstraints": spread({"app.kubernetes.io/name": "alloy"}),
        },
    }
