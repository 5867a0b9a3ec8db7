"""The room that services take, as demand that the sizing counts, and as what their daemons take of each node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stacks.clouds import Cloud
from stacks.services.settings import Services
from stacks.services.table import pods_of


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Replicas of one pod of a service."""

    name: str
    cpu_milli: int
    memory_mib: int
    replicas: int


def replicas(services: Services, cloud: Cloud | None = None) -> Iterator[Shape]:
    """Yield the pods that stand somewhere in a cluster; agents of nodes are not among them."""
    for service, shapes in pods_of(services, cloud).items():
        for each in shapes:
            if not each.per_node and each.replicas:
                name = f"service.{service}.{each.name}"
                yield Shape(name=name, cpu_milli=each.cpu_milli, memory_mib=each.memory_mib, replicas=each.replicas)


def per_node(services: Services, cloud: Cloud | None = None) -> Shape:
    """Sum up what the agents of the services take of every node; `replicas` is how many pods that is."""
    agents = [each for shapes in pods_of(services, cloud).values() for each in shapes if each.per_node]
    return Shape(
        name="agents",
        cpu_milli=sum(each.cpu_milli for each in agents),
        memory_mib=sum(each.memory_mib for each in agents),
        replicas=len(agents),
    )
