"""One mesh over several clusters: who this cluster is in it, how it trusts and finds the others, the way between."""

from __future__ import annotations

from typing import Any, Final

from components.kubernetes.crds.external_secrets import (
    ExternalSecret,
    ExternalSecretSpecTargetTemplate,
    ExternalSecretSpecTargetTemplateMetadata,
)
from components.kubernetes.crds.gateway import (
    Gateway,
    GatewaySpec,
    GatewaySpecInfrastructure,
    GatewaySpecInfrastructureParametersRef,
    GatewaySpecListeners,
    GatewaySpecListenersAllowedRoutes,
    GatewaySpecListenersAllowedRoutesNamespaces,
    GatewaySpecListenersTls,
)
from components.kubernetes.flows import NETWORK
from components.kubernetes.secrets import external
from components.kubernetes.service import Ground
from components.kubernetes.traffic import SOURCES
from stacks.services.settings import Mesh as Wish

EAST_WEST: Final = "eastwest"
AUTHORITY: Final = "cacerts"
"""Where istiod looks for its issuer (istio.io/latest/docs/tasks/security/cert-management/plugin-ca-cert, 2026-11)."""
PARTS: Final = {
    "ca-cert.pem": "mesh-ca-cert",
    "ca-key.pem": "mesh-ca-key",
    "cert-chain.pem": "mesh-cert-chain",
    "root-cert.pem": "mesh-root-cert",
}
"""Key of the secret, as istiod reads it, and name in the store."""
TUNNEL: Final = 15008
PASS: Final = 15443


def labels(ground: Ground, wish: Wish) -> dict[str, str]:
    """Labels of the mesh's own namespace: each cluster is a network of its own."""
    return {NETWORK: ground.cluster.name} if wish.federation is not None else {}


def control_plane(ground: Ground, wish: Wish) -> dict[str, Any]:
    """What istiod's `global` says about this cluster; nothing in a mesh of one."""
    if wish.federation is None:
        return {}
    name = ground.cluster.name
    return {"meshID": wish.federation.mesh, "multiCluster": {"clusterName": name}, "network": name}


def environment(wish: Wish) -> dict[str, str]:
    """What istiod is told in its environment: several networks in an ambient mesh."""
    return {"AMBIENT_ENABLE_MULTI_NETWORK": "true"} if wish.federation is not None and wish.mode == "ambient" else {}


def node_proxy(ground: Ground, wish: Wish) -> dict[str, Any]:
    """What the node's proxy is told about this cluster."""
    if wish.federation is None:
        return {}
    return {"multiCluster": {"clusterName": ground.cluster.name}, "network": ground.cluster.name}


def authority(ground: Ground) -> ExternalSecret:
    """The issuer of this cluster's identities, below the root that all clusters have in common."""
    return external(ground, AUTHORITY, PARTS)


def remote(ground: Ground, cluster: str) -> ExternalSecret:
    """How istiod reads another cluster: a kubeconfig of the store, under the label that istiod looks for."""
    name = f"istio-remote-secret-{cluster}"
    metadata = ExternalSecretSpecTargetTemplateMetadata(
        labels={"istio/multiCluster": "true"}, annotations={"networking.istio.io/cluster": cluster}
    )
    template = ExternalSecretSpecTargetTemplate(metadata=metadata)
    return external(ground, name, {cluster: f"mesh-kubeconfig-{cluster}"}, template)


def _only(callers: tuple[str, ...]) -> dict[str, str]:
    """Let a load balancer take calls of these ranges only, as far as there are links that say which."""
    return {SOURCES: ",".join(callers)} if callers else {}


def east_west(ground: Ground, wish: Wish) -> Gateway:
    """The way in from the other clusters: mutual TLS of the mesh only, at an address of the network."""
    ambient = wish.mode == "ambient"
    options = {"gateway.istio.io/tls-terminate-mode": "ISTIO_MUTUAL"}
    tls = GatewaySpecListenersTls(mode="Terminate", options=options)
    listener = GatewaySpecListeners(name="mesh", port=TUNNEL, protocol="HBONE", tls=tls)
    if not ambient:
        passing = GatewaySpecListenersTls(
            mode="Passthrough",
            options={"gateway.istio.io/listener-protocol": "auto-passthrough"},
        )
        same = GatewaySpecListenersAllowedRoutes(namespaces=GatewaySpecListenersAllowedRoutesNamespaces(from_="Same"))
        listener = GatewaySpecListeners(name="mesh", port=PASS, protocol="TLS", tls=passing, allowed_routes=same)
    return Gateway(
        spec=GatewaySpec(
            gateway_class_name="istio-east-west" if ambient else "istio",
            infrastructure=GatewaySpecInfrastructure(
                annotations={**ground.cluster.offer.inside, **_only(ground.callers)},
                labels={NETWORK: ground.cluster.name},
                parameters_ref=GatewaySpecInfrastructureParametersRef(
                    group="", kind="ConfigMap", name=f"{EAST_WEST}-shape"
                ),
            ),
            listeners=[listener],
        )
    )
