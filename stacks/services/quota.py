"""Quotas of tenants' namespaces that hold what their workloads may grow to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from stacks.quantities import cpu_milli, memory_mib
from stacks.services.settings import Services
from stacks.work import Namespace, Workload

SURGE_PERCENT: Final = 25
"""A rolling update runs a quarter more pods (Kubernetes' default maxSurge)."""
LIMITS: Final = 2
"""Limits that a namespace allows for each unit that its pods request, as its quota's defaults have it."""
MIB_PER_GIB: Final = 1024


@dataclass(frozen=True, kw_only=True)
class Peak:
    """What the workloads of a namespace ask for when all of them are as many as they may be, in an update."""

    pods: int
    cpu_milli: int
    memory_mib: int


def surged(pods: int, *, delivered: bool = False) -> int:
    """Pods during an update; a rollout runs the whole new version beside the whole old one."""
    return pods * 2 if delivered else pods + -(-pods * SURGE_PERCENT // 100)


def peaks(services: Services, workloads: Mapping[str, Workload]) -> dict[str, Peak]:
    """Return the peak of each namespace that has a workload whose number of pods changes, by load or by rollouts."""
    found: dict[str, list[Peak]] = {}
    for namespace, peak in _each(services, workloads):
        found.setdefault(namespace, []).append(peak)
    return {
        namespace: Peak(
            pods=sum(each.pods for each in all_of),
            cpu_milli=sum(each.cpu_milli for each in all_of),
            memory_mib=sum(each.memory_mib for each in all_of),
        )
        for namespace, all_of in found.items()
    }


def _each(services: Services, workloads: Mapping[str, Workload]) -> Iterator[tuple[str, Peak]]:
    scaled = services.scaling.workloads if services.scaling is not None else {}
    delivered = services.rollouts.workloads if services.rollouts is not None else {}
    for name in sorted(workloads):
        horizontal = scaled[name].horizontal if name in scaled else None
        if horizontal is None and name not in delivered:
            continue
        namespace = scaled[name].namespace if name in scaled else delivered[name].namespace
        most = workloads[name].replicas if horizontal is None else horizontal.max
        pods = surged(most, delivered=name in delivered)
        one, memory = cpu_milli(workloads[name].cpu), memory_mib(workloads[name].memory)
        yield namespace, Peak(pods=pods, cpu_milli=pods * one, memory_mib=pods * memory)


def held(
    namespaces: Mapping[str, Namespace], services: Services, workloads: Mapping[str, Workload]
) -> dict[str, Namespace]:
    """Raise the quotas of namespaces whose workloads grow beyond them; what the file wrote itself was checked."""
    peak_of = peaks(services, workloads)
    return {name: _raised(wish, peak_of[name]) if name in peak_of else wish for name, wish in namespaces.items()}


def _raised(wish: Namespace, peak: Peak) -> Namespace:
    def cores(text: str, milli: int) -> str:
        return text if cpu_milli(text) >= milli else str(-(-milli // 1000))

    def gibs(text: str, mib: int) -> str:
        return text if memory_mib(text) >= mib else f"{-(-mib // MIB_PER_GIB)}Gi"

    return wish.model_copy(
        update={
            "pods": max(wish.pods, peak.pods),
            "cpu_requests": cores(wish.cpu_requests, peak.cpu_milli),
            "cpu_limits": cores(wish.cpu_limits, peak.cpu_milli * LIMITS),
            "memory_requests": gibs(wish.memory_requests, peak.memory_mib),
            "memory_limits": gibs(wish.memory_limits, peak.memory_mib * LIMITS),
        }
    )
