"""What is known of a service without looking at a cluster, and what its pods ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from stacks.clouds import Cloud

MOST_NODES: Final = 100
"""Nodes of a cluster that quotas make room for."""
KUBE_SYSTEM: Final = "kube-system"
"""Where node agents live: they need the node itself, which no namespace of ours allows."""


@dataclass(frozen=True, kw_only=True)
class Pods:
    """Pods of one shape: what all their containers together ask for."""

    name: str
    cpu_milli: int
    memory_mib: int
    replicas: int = 1
    peak: int = 0
    """Replicas that an autoscaler may make of it; 0 where nothing does."""
    per_node: bool = False
    """One on each node: `replicas` does not count."""
    enclosed: bool = False
    """Of one on each node: whether it stands in the namespace of its service, and counts in its quota."""
    clouds: tuple[Cloud, ...] = ()
    """Clouds whose clusters carry it; none means all. What a cloud brings itself is no pod of ours."""

    def stands_on(self, cloud: Cloud | None) -> bool:
        """Say whether a cluster of a cloud carries it; of None, whether any does."""
        return not self.clouds or cloud is None or cloud in self.clouds


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a service without looking at a cluster."""

    title: str
    charts: tuple[str, ...]
    """Names in charts.lock; the first is the main one."""
    namespace: str
    more: tuple[str, ...] = ()
    """Further namespaces that it makes."""
    definitions: tuple[str, ...] = ()
    """API groups of the custom resources that it defines."""
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    """Services that come before it where they are on; it does without them too."""
    excludes: tuple[str, ...] = ()
    clouds: tuple[Cloud, ...] = ()
    """Clouds on whose clusters it stands; none means all."""
    reads: Callable[[Any], bool] = field(default=lambda _: False)
    """From its settings: whether it reads secrets of the store though it can do without."""
    pods: Callable[[Any], tuple[Pods, ...]] = field(default=lambda _: ())
    """From its settings."""
