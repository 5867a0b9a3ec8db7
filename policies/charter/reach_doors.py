"""Where the internet comes into a cluster: services, ingresses, gateways, and what each of them leads to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from charter.graph import Graph
from charter.network import cover_world, is_world
from charter.pods import namespace_of
from charter.rule import Resource
from charter.values import Reader

SERVICE: Final = "kubernetes:core/v1:Service"
INGRESS: Final = "kubernetes:networking.k8s.io/v1:Ingress"
GATEWAY: Final = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
ROUTES: Final = tuple(
    f"kubernetes:gateway.networking.k8s.io/v1:{kind}" for kind in ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute")
)
MESH_GATEWAY: Final = "kubernetes:networking.istio.io/v1:Gateway"
MESH: Final = ("kubernetes:networking.istio.io/v1:VirtualService",)
DOORS: Final = (SERVICE, INGRESS, GATEWAY, MESH_GATEWAY)
STEPS_IN: Final = frozenset({INGRESS, GATEWAY, MESH_GATEWAY})
"""What stands as an edge of its own between the internet and a workload."""


def doors(graph: Graph) -> dict[str, list[Resource]]:
    """Return what each cluster shows to the internet, by provider."""
    found: dict[str, list[Resource]] = defaultdict(list)
    for door in graph.of(*DOORS):
        if (door.type == SERVICE and not _shown(door.reader)) or (door.type == GATEWAY and _kept_inside(door.reader)):
            continue
        found[door.provider_urn].append(door)
    return found


def _shown(service: Reader) -> bool:
    """Say whether a service answers from outside: on nodes, or on a balancer that is not kept inside."""
    kind = service.raw("spec.type")
    if kind == "NodePort":
        return True
    ranges = service.raw("spec.loadBalancerSourceRanges")
    known = [each for each in ranges if isinstance(each, str)] if isinstance(ranges, list) else []
    limited = bool(known) and not cover_world(known) and not any(map(is_world, known))
    return kind == "LoadBalancer" and not limited and not _inside(service)


def _kept_inside(gateway: Reader) -> bool:
    return _inside(gateway) or "waypoint" in str(gateway.raw("spec.gatewayClassName"))


def _inside(door: Reader) -> bool:
    """Say whether annotations keep a balancer inside, in each cloud's words."""
    held: dict[str, Any] = {}
    for place in ("metadata.annotations", "spec.infrastructure.annotations"):
        told = door.raw(place)
        held |= told if isinstance(told, dict) else {}
    if held.get("networking.istio.io/service-type") == "ClusterIP":
        return True
    return any(
        str(value).lower() == "internal" or ("internal" in key and str(value).lower() not in ("false", "0", ""))
        for key, value in held.items()
    )


def behind(graph: Graph, door: Resource, services: list[Resource]) -> Iterator[tuple[Resource, str]]:
    """Yield the services that a door leads to, and what leads there."""
    if door.type == SERVICE:
        yield door, f"{door.kind} {door.name}"
    elif door.type == INGRESS:
        for name in _backends(door):
            yield from _called(services, name, namespace_of(door), f"Ingress {door.name}")
    else:
        kinds, leads, targets = (ROUTES, _parent, _references) if door.type == GATEWAY else (MESH, _held, _destinations)
        for route in graph.of(*kinds):
            if route.provider_urn == door.provider_urn and leads(route, door):
                for name, namespace in targets(route):
                    yield from _called(services, name, namespace, f"{route.kind} {route.name}")


def _called(services: list[Resource], name: str, namespace: str, how: str) -> Iterator[tuple[Resource, str]]:
    for each in services:
        if each.reader.text("metadata.name") == name and namespace_of(each) == namespace:
            yield each, how


def _backends(ingress: Resource) -> set[str]:
    reader = ingress.reader
    found = {reader.text("spec.defaultBackend.service.name"), reader.text("spec.backend.serviceName")}
    for rule in reader.each("spec.rules"):
        for path in rule.each("http.paths"):
            found |= {path.text("backend.service.name"), path.text("backend.serviceName")}
    return found - {""}


def _parent(route: Resource, gateway: Resource) -> bool:
    for parent in route.reader.each("spec.parentRefs"):
        same = parent.text("namespace", namespace_of(route)) == namespace_of(gateway)
        if same and parent.text("name") == gateway.reader.text("metadata.name"):
            return True
    return False


def _references(route: Resource) -> Iterator[tuple[str, str]]:
    for rule in route.reader.each("spec.rules"):
        for reference in rule.each("backendRefs"):
            yield reference.text("name"), reference.text("namespace", namespace_of(route))


def _held(route: Resource, gateway: Resource) -> bool:
    name, namespace = gateway.reader.text("metadata.name"), namespace_of(gateway)
    names = {f"{namespace}/{name}", *([name] if namespace_of(route) == namespace else [])}
    return bool(names & set(route.reader.texts("spec.gateways")))


def _destinations(route: Resource) -> Iterator[tuple[str, str]]:
    for kind in ("http", "tls", "tcp"):
        for rule in route.reader.each(f"spec.{kind}"):
            for target in rule.each("route"):
                name, _, rest = target.text("destination.host").partition(".")
                yield name, rest.partition(".")[0] or namespace_of(route)
