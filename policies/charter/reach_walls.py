"""Web firewalls before the balancers of Google Cloud and Azure, where stores stand behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from charter.graph import Graph
from charter.rule import Finding, Found, Open, Resource, apart, located
from charter.sidecars import judged
from charter.values import Reader

BACKENDS: Final = (
    "gcp:compute/backendService:BackendService",
    "gcp:compute/regionBackendService:RegionBackendService",
)
GATEWAY: Final = "azure-native:network:ApplicationGateway"
FRONT: Final = "azure-native:cdn:AFDEndpoint"
FRONT_WALL: Final = "azure-native:cdn:SecurityPolicy"
WALLED: Final = (*BACKENDS, GATEWAY, FRONT, FRONT_WALL)
WEB: Final = ("HTTP", "HTTPS", "HTTP2", "H2C", "GRPC")
OUTSIDE: Final = ("EXTERNAL", "EXTERNAL_MANAGED")
UNGUARDED: Final = "lets the internet in without a web firewall, and stores stand behind it"


def unwalled(graph: Graph, stores: tuple[str, ...]) -> Iterator[Found]:
    """Yield a finding for each web balancer of a cloud in which the stack keeps stores, unless it has a firewall."""
    clouds = {kind.partition(":")[0] for kind in stores if graph.of(kind)}
    for balancer in graph.of(*BACKENDS, GATEWAY) if clouds else ():
        if balancer.package in clouds:
            for found in apart(_wall(balancer)):
                yield located(found, balancer.urn)
    for front in graph.of(FRONT) if "azure-native" in clouds else ():
        walls = [one for one in graph.of(FRONT_WALL) if _of_one_profile(one, front)]
        if not walls:
            yield Finding("", UNGUARDED, front.urn)


def _wall(balancer: Resource) -> Iterator[Found]:
    judge: Callable[[Reader], bool] = _azure if balancer.type == GATEWAY else _google
    answer = judged(balancer, judge, "securityPolicy")
    if isinstance(answer, Open):
        yield answer
    elif not answer:
        yield Finding("firewallPolicy" if balancer.type == GATEWAY else "securityPolicy", UNGUARDED)


def _google(backend: Reader) -> bool:
    """Say whether requests pass a policy of Cloud Armor, or none come from outside."""
    inner = backend.text("loadBalancingScheme", "EXTERNAL") not in OUTSIDE
    return inner or backend.text("protocol", "HTTP") not in WEB or backend.has("securityPolicy")


def _azure(gateway: Reader) -> bool:
    """Say whether a gateway asks its web firewall, or shows no public address."""
    shown = any(front.has("publicIPAddress") for front in gateway.each("frontendIPConfigurations"))
    asked = gateway.has("firewallPolicy") or gateway.flag("webApplicationFirewallConfiguration.enabled")
    return not shown or (asked and gateway.text("sku.tier").upper().startswith("WAF"))


def _of_one_profile(wall: Resource, front: Resource) -> bool:
    """Say whether both are of one profile of Front Door: fed by the same, or called the same."""
    fed = [set(each.property_dependencies.get("profileName", ())) for each in (wall, front)]
    names = [each.reader.raw("profileName") for each in (wall, front)]
    return bool(fed[0] & fed[1]) or (isinstance(names[0], str) and names[0] == names[1])
