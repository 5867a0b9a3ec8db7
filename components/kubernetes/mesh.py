"""The mesh: Istio on every node, strict mutual TLS, permissions, retries, circuit breakers, and the way in."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Final

import pulumi

from components.kubernetes import gateway_definitions, multicluster
from components.kubernetes.crds.cert_manager import (
    Certificate,
    CertificateSpec,
    CertificateSpecIssuerRef,
    CertificateSpecPrivateKey,
)
from components.kubernetes.crds.istio import PeerAuthentication, PeerAuthenticationSpec, PeerAuthenticationSpecMtls
from components.kubernetes.flows import GATEWAY_ACCOUNT, waypoint_of
from components.kubernetes.permissions import NOT_MESHED, permissions
from components.kubernetes.restricted import SECCOMP
from components.kubernetes.service import Ground, Service, resources, spread
from components.kubernetes.traffic import breaker, retries, way, way_in
from stacks.services import lock
from stacks.services.settings import Mesh as Wish
from stacks.services.table import TABLE

HUB: Final = "registry.istio.io/release"
ROOT: Final = "istio-system"
AGENTS: Final = "kube-system"
"""Node agents of the mesh live here: they need the node, which no namespace of ours allows."""
TLS: Final = "TLSV1_2"


class Mesh(Service):
    """Istio in the mode of the stack file; strict at once, and closed in every namespace of the stack."""

    SERVICE: ClassVar[str] = "mesh"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.mesh
        assert wish is not None  # noqa: S101 - only made when it is on
        self.namespace(meshed=False, labels=multicluster.labels(ground, wish))
        if wish.federation is not None:
            self.last = [*self.last, *self._trust()]
        definitions = gateway_definitions.install(name, self.options())
        self.release("istio-base", {"defaultRevision": "default"}, name="istio-base")
        self.release("istiod", istiod(ground, wish))
        self.release("istio-cni", cni(ground, wish), namespace=AGENTS)
        if wish.mode == "ambient":
            self.release("istio-ztunnel", ztunnel(ground, wish), name="ztunnel", namespace=AGENTS)
        self.last += definitions
        self.custom("default", strict(), namespace=ROOT)
        self._ways(wish)
        self.done()

    def _trust(self) -> list[pulumi.Resource]:
        """The common root, before anything gets an identity, and how the other clusters are read."""
        held = {multicluster.AUTHORITY: multicluster.authority(self.ground)}
        held |= {
            f"istio-remote-secret-{other}": multicluster.remote(self.ground, other) for other in self.ground.others
        }
        return [self.custom(name, secret, namespace=ROOT) for name, secret in held.items()]

    def _ways(self, wish: Wish) -> None:
        """The gateway, waypoints, and what is done about calls; permissions of tenants go with their namespaces."""
        room = self.ground.room("mesh")
        if wish.gateway:
            self.custom("gateway", certificate(), namespace=ROOT)
            shape = self.settings("gateway-shape", ROOT, shaped(room["gateway"], 100))
            self.custom("gateway", way_in(self.ground), namespace=ROOT, after=[*self.last, shape])
        if wish.federation is not None:
            name = multicluster.EAST_WEST
            shape = self.settings(f"{name}-shape", ROOT, shaped(room[name], 10))
            way_between = multicluster.east_west(self.ground, wish)
            network = multicluster.labels(self.ground, wish)
            self.custom(name, way_between, namespace=ROOT, labels=network, after=[*self.last, shape])


class Permissions(Service):
    """The mesh inside the namespaces of the stack; comes after all of them."""

    SERVICE: ClassVar[str] = "mesh"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.mesh
        assert wish is not None  # noqa: S101 - only made when it is on
        for namespace in ground.tenants:
            if waypoint_of(wish, namespace):
                shape = self.settings(
                    f"{namespace}-waypoint-shape",
                    namespace,
                    shaped(ground.room("mesh")[f"waypoint-{namespace}"], 10),
                    object_name="waypoint-shape",
                )
                self.custom("waypoint", way(), namespace=namespace, labels=WAYPOINT, after=[*self.last, shape])
        for each in permissions(ground.flows, wish, meshed(ground)):
            self.custom(each.name, each.policy, namespace=each.namespace)
        for namespace, app in sorted({(t[0], t[1]) for c in wish.calls if (t := c.target.split("/"))}):
            self.custom(app, breaker(namespace, app), namespace=namespace)
            split = self._split(namespace, app)
            moved = ["spec.http"] if split else []  # one list to the API server: whoever changes a weight owns it
            self.custom(app, retries(namespace, app, split=split), namespace=namespace, ignore=moved)
        self.ready = self.made[-1]
        self.register_outputs({"namespaces": list(meshed(ground))})

    def _split(self, namespace: str, app: str) -> bool:
        """Say whether rollouts move the traffic of a workload step by step."""
        rollouts = self.ground.services.rollouts
        wish = rollouts.workloads.get(app) if rollouts is not None and app in self.ground.workloads else None
        return wish is not None and wish.namespace == namespace and wish.strategy == "canary"


WAYPOINT: Final = {"istio.io/waypoint-for": "service"}


def meshed(ground: Ground) -> tuple[str, ...]:
    """Namespaces that are in the mesh: the tenants' and those of services that are on."""
    on = [TABLE[service] for service, _ in ground.services.on()]
    mine = {namespace for each in on for namespace in (each.namespace, *each.more)} - NOT_MESHED
    return (*ground.tenants, *sorted(mine))


def strict() -> PeerAuthentication:
    """Mutual TLS, without exception."""
    return PeerAuthentication(spec=PeerAuthenticationSpec(mtls=PeerAuthenticationSpecMtls(mode="STRICT")))


def certificate() -> Certificate:
    """What the gateway shows until a host has a certificate of its own."""
    return Certificate(
        spec=CertificateSpec(
            secret_name="gateway-certificate",  # noqa: S106 - a name
            dns_names=[f"{GATEWAY_ACCOUNT}.{ROOT}.svc"],
            duration="2160h",
            renew_before="720h",
            private_key=CertificateSpecPrivateKey(algorithm="ECDSA", size=256, rotation_policy="Always"),
            issuer_ref=CertificateSpecIssuerRef(name="own", kind="ClusterIssuer"),
        )
    )


def _images() -> dict[str, str]:
    return {"hub": HUB, "tag": lock.find("istiod").version}


def istiod(ground: Ground, wish: Wish) -> dict[str, Any]:
    """Values of the control plane."""
    room = ground.room("mesh")["istiod"]
    traced = ground.services.traces
    return {
        **({"profile": "ambient"} if wish.mode == "ambient" else {}),
        "autoscaleEnabled": False,
        "replicaCount": room.replicas,
        "resources": resources(room),
        "seccompProfile": SECCOMP,
        "topologySpreadConstraints": spread({"app": "istiod"}),
        "trustedZtunnelNamespace": AGENTS,
        "traceSampling": traced.sampling_percent if traced else 0.0,
        "pilot": {"cni": {"enabled": True}},
        **({"env": env} if (env := multicluster.environment(wish)) else {}),
        "global": {
            **_images(),
            **({"platform": "gke"} if ground.cluster is not None and ground.cluster.cloud == "gcp" else {}),
            "istioNamespace": ROOT,
            "logAsJson": True,
            "priorityClassName": "system-cluster-critical",
            "proxy": {"resources": resources(room)},
            **multicluster.control_plane(ground, wish),
        },
        "meshConfig": {
            "trustDomain": wish.trust_domain,
            "accessLogFile": "/dev/stdout",
            "accessLogEncoding": "JSON",
            "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
            "meshMTLS": {"minProtocolVersion": TLS},
            "tlsDefaults": {"minProtocolVersion": TLS},
        },
    }


def cni(ground: Ground, wish: Wish) -> dict[str, Any]:
    """Values of the node agent that redirects traffic."""
    return {
        **({"profile": "ambient"} if wish.mode == "ambient" else {}),
        "ambient": {"enabled": wish.mode == "ambient"},
        "resources": resources(ground.room("mesh")["cni"]),
        "seccompProfile": SECCOMP,
        "global": {
            **_images(),
            **({"platform": "gke"} if ground.cluster is not None and ground.cluster.cloud == "gcp" else {}),
        },
    }


def ztunnel(ground: Ground, wish: Wish) -> dict[str, Any]:
    """Values of the node proxy."""
    return {
        **_images(),
        "istioNamespace": ROOT,
        "logAsJson": True,
        "resources": resources(ground.room("mesh")["ztunnel"]),
        **multicluster.node_proxy(ground, wish),
    }


def shaped(room: Any, maximum: int) -> dict[str, str]:
    """How Istio makes the pods of a gateway: replicas, room, zones, and never all of them at once."""
    container = {"name": "istio-proxy", "resources": resources(room)}
    pod = {
        "containers": [container],
        "securityContext": {"seccompProfile": SECCOMP},
        "priorityClassName": "system-cluster-critical",
    }
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
    }
    parts: dict[str, Any] = {
        "deployment": {"spec": {"template": {"spec": pod}}},
        "horizontalPodAutoscaler": {
            "spec": {"minReplicas": room.replicas, "maxReplicas": max(maximum, room.replicas), "metrics": [metric]}
        },
        "podDisruptionBudget": {"spec": {"minAvailable": 1}},
    }
    return {key: json.dumps(value, sort_keys=True) for key, value in parts.items()}
