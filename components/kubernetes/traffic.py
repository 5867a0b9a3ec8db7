"""The way in, waypoints, retries and circuit breakers: numbers that the platform promises."""

from __future__ import annotations

from typing import Final

from components.contracts import Offer
from components.kubernetes.crds.gateway import (
    Gateway,
    GatewaySpec,
    GatewaySpecInfrastructure,
    GatewaySpecInfrastructureParametersRef,
    GatewaySpecListeners,
    GatewaySpecListenersAllowedRoutes,
    GatewaySpecListenersAllowedRoutesNamespaces,
    GatewaySpecListenersAllowedRoutesNamespacesSelector,
    GatewaySpecListenersAllowedRoutesNamespacesSelectorMatchExpressions,
    GatewaySpecListenersTls,
    GatewaySpecListenersTlsCertificateRefs,
)
from components.kubernetes.crds.istio import (
    DestinationRule,
    DestinationRuleSpec,
    DestinationRuleSpecTrafficPolicy,
    DestinationRuleSpecTrafficPolicyConnectionPool,
    DestinationRuleSpecTrafficPolicyConnectionPoolHttp,
    DestinationRuleSpecTrafficPolicyConnectionPoolTcp,
    DestinationRuleSpecTrafficPolicyOutlierDetection,
    DestinationRuleSpecTrafficPolicyTls,
    VirtualService,
    VirtualServiceSpec,
    VirtualServiceSpecHttp,
    VirtualServiceSpecHttpRetries,
    VirtualServiceSpecHttpRoute,
    VirtualServiceSpecHttpRouteDestination,
)
from components.kubernetes.service import Ground
from stacks.services.settings import Mesh
from stacks.services.table import TABLE

ATTEMPTS: Final = 3
PER_TRY: Final = "2s"
WHOLE: Final = "8s"
"""Time of a call with all its tries: the first and three more, two seconds each."""
RETRY_ON: Final = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes,reset-before-request"
ERRORS: Final = 5
EJECTED: Final = "30s"
EJECTED_PERCENT: Final = 50
CONNECTIONS: Final = 100
PENDING: Final = 50
PER_CONNECTION: Final = 10
CANARY: Final = "-canary"
"""What the name of a new version's Service ends in."""
PRIMARY: Final = "primary"
"""Name of the route that rollouts change."""


def host(namespace: str, app: str) -> str:
    """Full name of a service."""
    return f"{app}.{namespace}.svc.cluster.local"


def breaker(namespace: str, app: str) -> DestinationRule:
    """Five errors in a row put a pod aside for half a minute, never more than half of them."""
    return DestinationRule(
        spec=DestinationRuleSpec(
            host=host(namespace, app),
            traffic_policy=DestinationRuleSpecTrafficPolicy(
                tls=DestinationRuleSpecTrafficPolicyTls(mode="ISTIO_MUTUAL"),
                connection_pool=DestinationRuleSpecTrafficPolicyConnectionPool(
                    tcp=DestinationRuleSpecTrafficPolicyConnectionPoolTcp(
                        max_connections=CONNECTIONS, connect_timeout="2s"
                    ),
                    http=DestinationRuleSpecTrafficPolicyConnectionPoolHttp(
                        http1_max_pending_requests=PENDING, max_requests_per_connection=PER_CONNECTION
                    ),
                ),
                outlier_detection=DestinationRuleSpecTrafficPolicyOutlierDetection(
                    consecutive5xx_errors=ERRORS,
                    interval="10s",
                    base_ejection_time=EJECTED,
                    max_ejection_percent=EJECTED_PERCENT,
                ),
            ),
        )
    )


def retries(namespace: str, app: str, *, split: bool = False) -> VirtualService:
    """Three more tries of two seconds each, only where nothing was done yet.

    `split` adds the new version's Service with no traffic: rollouts move it from the one to the other.
    """
    name = host(namespace, app)
    shares = ((name, 100), (host(namespace, f"{app}{CANARY}"), 0)) if split else ((name, None),)
    return VirtualService(
        spec=VirtualServiceSpec(
            hosts=[name],
            gateways=["mesh"],
            http=[
                VirtualServiceSpecHttp(
                    name=PRIMARY if split else None,
                    route=[
                        VirtualServiceSpecHttpRoute(
                            destination=VirtualServiceSpecHttpRouteDestination(host=each), weight=share
                        )
                        for each, share in shares
                    ],
                    timeout=WHOLE,
                    retries=VirtualServiceSpecHttpRetries(
                        attempts=ATTEMPTS, per_try_timeout=PER_TRY, retry_on=RETRY_ON
                    ),
                )
            ],
        )
    )


def way() -> Gateway:
    """The waypoint of a namespace: where calls to its services are judged by method and path."""
    return Gateway(
        spec=GatewaySpec(
            gateway_class_name="istio-waypoint",
            infrastructure=_shape("waypoint-shape"),
            listeners=[GatewaySpecListeners(name="mesh", port=15008, protocol="HBONE")],
        )
    )


SOURCES: Final = "service.beta.kubernetes.io/load-balancer-source-ranges"
"""Read by the controllers of all three clouds where the Service itself names no ranges (kubernetes/cloud-provider,
service/helpers, 2026-11)."""


def reach(mesh: Mesh | None, offer: Offer) -> dict[str, str]:
    """Annotations of the gateway's load balancer: reached from the network, or from named ranges of the internet."""
    if mesh is None or mesh.gateway_reach == "network":
        return dict(offer.inside)
    return {**offer.outside, SOURCES: ",".join(map(str, mesh.gateway_from))}


def exposed(ground: Ground) -> tuple[str, ...]:
    """Namespaces of services that people reach through the gateway."""
    gitops = ground.services.gitops
    return (TABLE["gitops"].namespace,) if gitops is not None and gitops.host is not None else ()


def way_in(ground: Ground) -> Gateway:
    """The gateway: TLS only, a certificate from cert-manager, routes of the tenants' namespaces."""
    expression = GatewaySpecListenersAllowedRoutesNamespacesSelectorMatchExpressions(
        key="kubernetes.io/metadata.name", operator="In", values=[*ground.tenants, *exposed(ground)]
    )
    allowed = GatewaySpecListenersAllowedRoutes(
        namespaces=GatewaySpecListenersAllowedRoutesNamespaces(
            from_="Selector",
            selector=GatewaySpecListenersAllowedRoutesNamespacesSelector(match_expressions=[expression]),
        )
    )
    return Gateway(
        spec=GatewaySpec(
            gateway_class_name="istio",
            infrastructure=GatewaySpecInfrastructure(
                annotations=dict(ground.annotations.get("gateway", {})) or None,
                parameters_ref=_parameters("gateway-shape"),
            ),
            listeners=[
                GatewaySpecListeners(
                    name="https",
                    port=443,
                    protocol="HTTPS",
                    tls=GatewaySpecListenersTls(
                        mode="Terminate",
                        certificate_refs=[GatewaySpecListenersTlsCertificateRefs(name="gateway-certificate")],
                    ),
                    allowed_routes=allowed,
                )
            ],
        )
    )


def _parameters(name: str) -> GatewaySpecInfrastructureParametersRef:
    return GatewaySpecInfrastructureParametersRef(group="", kind="ConfigMap", name=name)


def _shape(name: str) -> GatewaySpecInfrastructure:
    return GatewaySpecInfrastructure(parameters_ref=_parameters(name))
