"""Experiments that break one thing at a time: Chaos Mesh, kept to the targets of the stack file."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pulumi

from components.kubernetes.experiments import experiment
from components.kubernetes.restricted import user
from components.kubernetes.service import Ground, Service, resources
from stacks.services.settings import Chaos as Wish

SOCKET: Final = "/run/containerd/containerd.sock"
"""Where containerd answers on EKS, GKE and AKS alike (each cloud's node images, 2026-11)."""
PRIVILEGED: Final = {"pod-security.kubernetes.io/enforce": "privileged"}
"""The daemon enters other pods' namespaces: no closer standard lets it."""
PROXIED: Final = {"istio.io/dataplane-mode": "none", "istio-injection": "enabled"}
"""In an ambient mesh: the API server calls the controller, and a node's proxy lets no port past STRICT; a proxy of the
pod's own does, so the pods of this namespace get one."""
ALONE: Final = {"sidecar.istio.io/inject": "false"}
"""Annotation of the pods that need no identity: the daemon works on the node, nobody calls the dashboard."""
WEBHOOK: Final = "10250"
PAST: Final = "443,6443,31767,9288"
"""The API server and the agents, which are not in the mesh and speak TLS of their own."""


class Chaos(Service):
    """Chaos Mesh with one schedule for each target; an experiment ends early when the health check fails."""

    SERVICE: ClassVar[str] = "chaos"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.chaos
        assert wish is not None  # noqa: S101 - only made when it is on
        self.namespace(labels={**PRIVILEGED, **(PROXIED if ground.ambient else {})})
        self.release("chaos-mesh", values(ground))
        here = [each for each in wish.targets if each.workload in ground.workloads]
        for index, target in enumerate(here):
            schedule = experiment(wish, target, offset=index * 60 // len(here))
            self.custom(
                f"{target.workload}-{target.experiment}",
                schedule,
                namespace=target.namespace,
                annotations=permission(wish),
            )
        self.done()


def permission(wish: Wish) -> dict[str, str]:
    """Until when experiments are permitted, by whom and under which ticket: the law's CH-21 reads it."""
    written = {
        "expires-at": wish.expires and wish.expires.isoformat(),
        "approver": wish.approver,
        "ticket": wish.ticket,
    }
    return {f"ecosystem.dev/{key}": value for key, value in written.items() if value}


def values(ground: Ground) -> dict[str, Any]:
    """Values of the chart."""
    room = ground.room("chaos")
    meshed = ground.services.mesh is not None
    alone = {"podAnnotations": ALONE} if meshed else {}
    names: dict[str, Any] = {"create": False}
    if "dns" in room:
        names = {"create": True, "replicas": room["dns"].replicas, "resources": resources(room["dns"]), **alone}
    return {
        "clusterScoped": True,
        "enableProfiling": False,
        "controllerManager": {
            "enableFilterNamespace": True,
            "replicaCount": room["controller"].replicas,
            "resources": resources(room["controller"]),
            "leaderElection": {"enabled": True},
            "podAnnotations": _proxy(ground) if meshed else {},
            "securityContext": user(1000),
        },
        "chaosDaemon": {
            "runtime": "containerd",
            "socketPath": SOCKET,
            "mtls": {"enabled": True},
            "resources": resources(room["daemon"]),
            **alone,
        },
        "dashboard": {
            "securityMode": True,
            "service": {"type": "ClusterIP"},
            "resources": resources(room["dashboard"]),
            **alone,
        },
        "dnsServer": names,
        "webhook": {"certManager": {"enabled": True}, "FailurePolicy": "Fail"},
    }


def _proxy(ground: Ground) -> dict[str, str]:
    """Annotations of the controller's pods: a small proxy that lets the webhook in and the control plane out."""
    room = resources(ground.room("chaos")["proxy"])
    return {
        "sidecar.istio.io/inject": "true",
        "sidecar.istio.io/proxyCPU": room["requests"]["cpu"],
        "sidecar.istio.io/proxyMemory": room["requests"]["memory"],
        "sidecar.istio.io/proxyMemoryLimit": room["limits"]["memory"],
        "traffic.sidecar.istio.io/excludeInboundPorts": WEBHOOK,
        "traffic.sidecar.istio.io/excludeOutboundPorts": PAST,
    }
