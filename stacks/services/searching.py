"""Logs that are searched: Elasticsearch and Kibana instead of Loki."""

from __future__ import annotations

from typing import Final, Literal

from stacks.part import Memory
from stacks.services.facts import Facts, Pods
from stacks.services.service import Days, Service


class Elk(Service):
    """Logs of all pods, every word of them indexed: Elasticsearch and Kibana, sent by Alloy and a collector."""

    retention_days: Days = 30
    """How long logs are kept."""
    storage: Memory = "100Gi"
    """Size of the volume of each node of Elasticsearch."""
    nodes: Literal[1, 3] = 3
    """Nodes of Elasticsearch; with one nothing answers while it restarts."""


def _pods(wish: Elk) -> tuple[Pods, ...]:
    return (
        Pods(name="elasticsearch", cpu_milli=500, memory_mib=2048, replicas=wish.nodes),
        Pods(name="kibana", cpu_milli=100, memory_mib=1024, replicas=2),
        Pods(name="collector", cpu_milli=100, memory_mib=320, replicas=2),
        Pods(name="alloy", cpu_milli=100, memory_mib=256, replicas=2),
        Pods(name="retention", cpu_milli=10, memory_mib=48),
    )


ELK: Final = Facts(
    title="Logs (Elasticsearch, Kibana)",
    charts=("alloy", "opentelemetry-collector"),
    namespace="elk",
    needs=("cert_manager", "external_secrets", "monitoring"),
    excludes=("logs",),
    pods=_pods,
)

__all__ = ["ELK", "Elk"]
