"""Pods by load: KEDA, the metrics API where the cloud brings none, the vertical autoscaler, and who scales how."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pulumi

from components.kubernetes.autoscalers import horizontal, measured, vertical
from components.kubernetes.certificates import OUT
from components.kubernetes.crds.istio import (
    AuthorizationPolicy,
    AuthorizationPolicySpec,
    AuthorizationPolicySpecRules,
    AuthorizationPolicySpecRulesTo,
    AuthorizationPolicySpecRulesToOperation,
    AuthorizationPolicySpecSelector,
    PeerAuthentication,
    PeerAuthenticationSpec,
    PeerAuthenticationSpecMtls,
    PeerAuthenticationSpecPortLevelMtls,
    PeerAuthenticationSpecSelector,
)
from components.kubernetes.flows import KEDA
from components.kubernetes.service import Ground, Service, resources, spread
from stacks.services.facts import Pods

CRITICAL: Final = "system-cluster-critical"
GRPC: Final = 9666
"""Where KEDA's operator answers its metrics adapter, with mutual TLS of KEDA's own."""


class Scaling(Service):
    """KEDA and what it stands on; then one autoscaler for each workload of the stack file that this cluster carries."""

    SERVICE: ClassVar[str] = "scaling"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.scaling
        assert wish is not None  # noqa: S101 - only made when it is on
        room = ground.room(self.SERVICE)
        self.namespace()
        if ground.services.mesh is not None:
            self._adapter_reaches_operator()
        if "metrics-server" in room:
            self.release("metrics-server", metrics_server(room["metrics-server"]))
        if "recommender" in room:
            self.release("vertical-pod-autoscaler", vertical_values(room))
        self.release("keda", keda(ground))
        for workload, scaled in wish.workloads.items():
            if workload not in ground.workloads:
                continue
            if scaled.horizontal is not None and scaled.horizontal.requests_per_second is not None:
                self.custom(workload, measured(ground, workload, scaled.namespace, scaled.horizontal),
                            namespace=scaled.namespace)  # fmt: skip
            elif scaled.horizontal is not None:
                horizontal(self, workload, scaled.namespace, scaled.horizontal)
            if scaled.vertical is not None:
                self.custom(workload, vertical(ground, workload, scaled.vertical), namespace=scaled.namespace)
        self.done()

    def _adapter_reaches_operator(self) -> None:
        """The API server calls the adapter, so it is outside the mesh; the operator lets it in at one port."""
        selected = dict(KEDA.labels)
        self.custom(
            "keda-operator",
            PeerAuthentication(
                spec=PeerAuthenticationSpec(
                    selector=PeerAuthenticationSpecSelector(match_labels=selected),
                    mtls=PeerAuthenticationSpecMtls(mode="STRICT"),
                    port_level_mtls={str(GRPC): PeerAuthenticationSpecPortLevelMtls(mode="PERMISSIVE")},
                )
            ),
            namespace=self.facts.namespace,
        )
        to = AuthorizationPolicySpecRulesTo(operation=AuthorizationPolicySpecRulesToOperation(ports=[str(GRPC)]))
        self.custom(
            "allow-keda-adapter",
            AuthorizationPolicy(
                spec=AuthorizationPolicySpec(
                    action="ALLOW",
                    selector=AuthorizationPolicySpecSelector(match_labels=selected),
                    rules=[AuthorizationPolicySpecRules(to=[to])],
                )
            ),
            namespace=self.facts.namespace,
        )


def keda(ground: Ground) -> dict[str, Any]:
    """Values of KEDA: certificates of cert-manager, no right to read secrets, figures for Prometheus."""
    room = ground.room("scaling")
    figures = {"enabled": True, "port": 8080}
    return {
        "clusterName": ground.cluster.name,
        "crds": {"install": True},
        "operator": {"replicaCount": room["operator"].replicas},
        "metricsServer": {"replicaCount": room["adapter"].replicas},
        "webhooks": {"replicaCount": room["webhooks"].replicas, "port": "9443", "failurePolicy": "Fail"},
        "resources": {
            "operator": resources(room["operator"]),
            "metricServer": resources(room["adapter"]),
            "webhooks": resources(room["webhooks"]),
        },
        "podLabels": {"metricsAdapter": OUT, "webhooks": OUT},
        "podDisruptionBudget": {
            "operator": {"minAvailable": 1},
            "metricServer": {"minAvailable": 1},
            "webhooks": {"minAvailable": 1},
        },
        "topologySpreadConstraints": {
            "operator": spread({"app": "keda-operator"}),
            "metricsServer": spread({"app": "keda-operator-metrics-apiserver"}),
            "webhooks": spread({"app": "keda-admission-webhooks"}),
        },
        "priorityClassName": CRITICAL,
        "certificates": {"autoGenerated": True, "certManager": {"enabled": True, "generateCA": True}},
        "permissions": {"operator": {"restrict": {"secret": True}}, "metricServer": {"restrict": {"secret": True}}},
        "prometheus": {"operator": figures, "metricServer": figures, "webhooks": figures},
    }


def metrics_server(room: Pods) -> dict[str, Any]:
    """Values of the metrics API, with a certificate that the API server checks."""
    return {
        "replicas": room.replicas,
        "resources": resources(room),
        "podLabels": OUT,
        "priorityClassName": CRITICAL,
        "podDisruptionBudget": {"enabled": True, "minAvailable": 1},
        "topologySpreadConstraints": spread({"app.kubernetes.io/name": "metrics-server"}),
        "tls": {"type": "cert-manager"},
        "apiService": {"create": True, "insecureSkipTLSVerify": False},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0}},
    }


def vertical_values(room: dict[str, Pods]) -> dict[str, Any]:
    """Values of the vertical autoscaler: who recommends always, who changes pods only where the stack file asks."""

    def part(name: str) -> dict[str, Any]:
        if name not in room:
            return {"enabled": False}
        return {
            "enabled": True,
            "replicas": room[name].replicas,
            "resources": resources(room[name]),
            "priorityClassName": CRITICAL,
            "podDisruptionBudget": {"enabled": True, "minAvailable": 1},
        }

    admission = part("admission")
    if admission["enabled"]:
        issuer = {"name": "own", "kind": "ClusterIssuer", "group": "cert-manager.io"}
        admission |= {
            "podLabels": OUT,
            "registerWebhook": False,
            "certGen": {"enabled": False},
            "certManager": {"enabled": True, "issuerRef": issuer},
        }
    restricted = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    return {
        "recommender": part("recommender"),
        "updater": part("updater"),
        "admissionController": admission,
        "containerSecurityContext": restricted,
    }
