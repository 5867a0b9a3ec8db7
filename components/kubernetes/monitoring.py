"""Figures, alerts, dashboards: Prometheus, Alertmanager and Grafana, asking all that the stack's flows name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final

import pulumi

from components.kubernetes import alerts, dashboards, receivers
from components.kubernetes.certificates import OUT
from components.kubernetes.crds.prometheus import (
    PodMonitor,
    PodMonitorSpec,
    PodMonitorSpecNamespaceSelector,
    PodMonitorSpecPodMetricsEndpoints,
    PodMonitorSpecSelector,
    ServiceMonitor,
    ServiceMonitorSpec,
    ServiceMonitorSpecEndpoints,
    ServiceMonitorSpecNamespaceSelector,
    ServiceMonitorSpecSelector,
)
from components.kubernetes.flows import KUBECOST_AGENT, OPENCOST, PROMETHEUS, Pods
from components.kubernetes.secrets import external
from components.kubernetes.service import Ground, Service, resources, spread
from stacks.services.settings import Monitoring as Wish

EVERY: Final = "30s"
WITHIN: Final = "10s"
ADMIN: Final = "grafana-admin"
MEASURED: Final = {"ecosystem.dev/metrics": "true"}
"""Label of a tenant's Service whose port `metrics` is asked."""
FOUND_BY_THE_CHART: Final = frozenset(
    {"prometheus", "alertmanager", "grafana", "kube-state-metrics", "platform-operator"}
)


class Monitoring(Service):
    """The stack of Prometheus with targets, rules and dashboards as typed resources."""

    SERVICE: ClassVar[str] = "monitoring"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.monitoring
        assert wish is not None  # noqa: S101 - only made when it is on
        namespace = self.facts.namespace
        self.namespace()
        held = [self.custom(ADMIN, external(ground, ADMIN, ADMIN_KEYS), namespace=namespace)]
        if keys := receivers.keys(wish):
            held.append(self.custom(receivers.SECRET, external(ground, receivers.SECRET, keys), namespace=namespace))
        self.last = list(held)
        self.release("kube-prometheus-stack", values(ground, wish), name="monitoring")
        for label, monitor in targets(ground):
            self.custom(label, monitor, namespace=namespace)
        self.custom("tenants", tenants(ground), namespace=namespace)
        rules = alerts.rules(ground.services, availability=ground.availability_target)
        self.custom("platform", rules, namespace=namespace)
        for board, text in dashboards.boards(ground.services).items():
            self.settings(f"dashboard-{board}", namespace, {f"{board}.json": text}, labels={"grafana_dashboard": "1"})
        self.done()


ADMIN_KEYS: Final = {"admin-user": "grafana-admin-user", "admin-password": "grafana-admin-password"}


def targets(ground: Ground) -> Iterator[tuple[str, PodMonitor]]:
    """Yield a monitor for each flow from Prometheus to pods that the chart does not ask itself.

    OpenCost and Kubecost speak of other namespaces than their own: there `namespace` is the one that they name.
    """
    for flow in ground.flows:
        if flow.source != PROMETHEUS or not isinstance(flow.target, Pods) or not flow.target.labels:
            continue
        name = next(iter(flow.target.labels.values()))
        if name in FOUND_BY_THE_CHART and flow.target.namespace == PROMETHEUS.namespace:
            continue
        for port in flow.ports:
            path = "/stats/prometheus" if port == 15020 else None  # noqa: PLR2004 - Envoy's merged figures
            yield (
                f"{flow.target.namespace}-{name}",
                PodMonitor(
                    spec=PodMonitorSpec(
                        selector=PodMonitorSpecSelector(match_labels=dict(flow.target.labels)),
                        namespace_selector=PodMonitorSpecNamespaceSelector(match_names=[flow.target.namespace]),
                        pod_metrics_endpoints=[
                            PodMonitorSpecPodMetricsEndpoints(
                                port_number=port,
                                path=path,
                                interval=EVERY,
                                scrape_timeout=WITHIN,
                                honor_labels=True if flow.target in (OPENCOST, KUBECOST_AGENT) else None,
                            )
                        ],
                    )
                ),
            )


def tenants(ground: Ground) -> ServiceMonitor:
    """Ask the Services of tenants that carry the label, at their port `metrics`."""
    return ServiceMonitor(
        spec=ServiceMonitorSpec(
            selector=ServiceMonitorSpecSelector(match_labels=MEASURED),
            namespace_selector=ServiceMonitorSpecNamespaceSelector(match_names=list(ground.tenants)),
            endpoints=[ServiceMonitorSpecEndpoints(port="metrics", interval=EVERY, scrape_timeout=WITHIN)],
        )
    )


def values(ground: Ground, wish: Wish) -> dict[str, Any]:
    """Values of the chart: no password in them, nothing asked that a managed control plane hides."""
    room = ground.room("monitoring")
    everything = {"ruleSelectorNilUsesHelmValues": False, "serviceMonitorSelectorNilUsesHelmValues": False}
    everything |= {"podMonitorSelectorNilUsesHelmValues": False, "probeSelectorNilUsesHelmValues": False}
    hidden = ("kubeControllerManager", "kubeScheduler", "kubeEtcd", "kubeProxy")
    return {
        "fullnameOverride": "platform",
        "cleanPrometheusOperatorObjectNames": True,
        "crds": {"enabled": True},
        "defaultRules": {"create": True, "rules": {"etcd": False, "kubeProxy": False, "kubeSchedulerAlerting": False}},
        **{name: {"enabled": False} for name in hidden},
        "prometheusOperator": {
            "resources": resources(room["operator"]),
            "podLabels": OUT,
            "admissionWebhooks": {"certManager": {"enabled": True}, "patch": {"enabled": False}},
        },
        "prometheus": {
            "serviceAccount": {"name": "prometheus"},
            "podDisruptionBudget": {"enabled": True, "minAvailable": 1},
            "prometheusSpec": {
                **everything,
                "replicas": room["prometheus"].replicas,
                "scrapeInterval": EVERY,
                "scrapeTimeout": WITHIN,
                "evaluationInterval": EVERY,
                "retention": f"{wish.retention_days}d",
                "resources": resources(room["prometheus"]),
                "topologySpreadConstraints": spread({"app.kubernetes.io/name": "prometheus"}),
                "externalLabels": {"cluster": ground.cluster.name if ground.cluster is not None else ""},
                "storageSpec": {"volumeClaimTemplate": {"spec": _volume(ground, wish.storage)}},
            },
        },
        "alertmanager": {
            "serviceAccount": {"name": "alertmanager"},
            "podDisruptionBudget": {"enabled": True, "minAvailable": 1},
            "config": receivers.configuration(wish, ground.off_hours, ground.tenants),
            "alertmanagerSpec": {
                "replicas": room["alertmanager"].replicas,
                "resources": resources(room["alertmanager"]),
                "secrets": [receivers.SECRET] if receivers.keys(wish) else [],
                "topologySpreadConstraints": spread({"app.kubernetes.io/name": "alertmanager"}),
                "storage": {"volumeClaimTemplate": {"spec": _volume(ground, "2Gi")}},
            },
        },
        "grafana": {
            "admin": {"existingSecret": ADMIN, "userKey": "admin-user", "passwordKey": "admin-password"},
            "serviceAccount": {"name": "grafana"},
            "resources": resources(room["grafana"]),
            "sidecar": {
                "dashboards": {"searchNamespace": "monitoring"},
                "datasources": {"searchNamespace": "monitoring"},
            },
            "grafana.ini": {
                "auth.anonymous": {"enabled": False},
                "users": {"allow_sign_up": False},
                "analytics": {"reporting_enabled": False, "check_for_updates": False},
                "security": {"cookie_secure": True, "disable_gravatar": True},
            },
            "assertNoLeakedSecrets": True,
        },
        "kube-state-metrics": {"resources": resources(room["kube-state-metrics"])},
        "prometheus-node-exporter": {
            "namespaceOverride": "kube-system",
            "resources": resources(room["node-exporter"]),
            "priorityClassName": "system-node-critical",
        },
    }


def _volume(ground: Ground, size: str) -> dict[str, Any]:
    named = {"storageClassName": ground.storage_class} if ground.storage_class else {}
    return {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **named}
