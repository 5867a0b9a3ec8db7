"""Traces of requests: an OpenTelemetry collector before Tempo."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pulumi

from components.kubernetes.logs import source
from components.kubernetes.restricted import LOCKED, user
from components.kubernetes.service import Ground, Service, resources, spread
from stacks.services.settings import Traces as Wish

TEMPO: Final = "tempo.traces.svc"
CONFINED: Final = {**LOCKED, **user(10001)}


class Traces(Service):
    """Tempo on one volume; two collectors take OTLP from the tenants, at 4317 and 4318."""

    SERVICE: ClassVar[str] = "traces"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.traces
        assert wish is not None  # noqa: S101 - only made when it is on
        self.namespace()
        self.release("tempo", tempo(ground, wish))
        self.release("opentelemetry-collector", collector(ground, wish))
        held = source("Tempo", "tempo", f"http://{TEMPO}:3200")
        self.settings("traces-datasource", "monitoring", held, labels={"grafana_datasource": "1"})
        self.done()


def tempo(ground: Ground, wish: Wish) -> dict[str, Any]:
    """Values of the store."""
    volume: dict[str, Any] = {"enabled": True, "size": wish.storage}
    if ground.storage_class:
        volume["storageClassName"] = ground.storage_class
    return {
        "tempo": {
            "retention": f"{wish.retention_days * 24}h",
            "reportingEnabled": False,
            "resources": resources(ground.room("traces")["tempo"]),
            "securityContext": CONFINED,
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": "0.0.0.0:4317"}}}},
        },
        "persistence": volume,
    }


def collector(ground: Ground, wish: Wish) -> dict[str, Any]:
    """Values of the collector: batches, a share of the traces, never more memory than it has."""
    room = ground.room("traces")["collector"]
    endpoint = "${env:MY_POD_IP}"
    off = {"enabled": False}
    return {
        "mode": "deployment",
        "image": {"repository": "otel/opentelemetry-collector-k8s"},
        "replicaCount": room.replicas,
        "resources": resources(room),
        "securityContext": CONFINED,
        "podDisruptionBudget": {"enabled": True, "minAvailable": 1},
        "topologySpreadConstraints": spread({"app.kubernetes.io/name": "opentelemetry-collector"}),
        "ports": dict.fromkeys(("jaeger-compact", "jaeger-thrift", "jaeger-grpc", "zipkin"), off),
        "config": {
            "receivers": {
                "otlp": {
                    "protocols": {
                        "grpc": {"endpoint": f"{endpoint}:4317"},
                        "http": {"endpoint": f"{endpoint}:4318"},
                    }
                },
                "jaeger": None,
                "zipkin": None,
                "prometheus": None,
            },
            "processors": {
                "memory_limiter": {"check_interval": "1s", "limit_percentage": 80, "spike_limit_percentage": 20},
                "probabilistic_sampler": {"sampling_percentage": wish.sampling_percent},
                "batch": {},
            },
            "exporters": {"otlp": {"endpoint": f"{TEMPO}:4317", "tls": {"insecure": True}}},
            "service": {
                "pipelines": {
                    "traces": {
                        "receivers": ["otlp"],
                        "processors": ["memory_limiter", "probabilistic_sampler", "batch"],
                        "exporters": ["otlp"],
                    },
                    "metrics": None,
                    "logs": None,
                }
            },
        },
    }
