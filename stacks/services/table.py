"""What each service needs, shuts out, brings and takes: the one table that checks, sizing and components read."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from stacks.clouds import Cloud
from stacks.services import settings
from stacks.services.backup import BACKUP
from stacks.services.caches import VALKEY
from stacks.services.costing import COST, KUBECOST
from stacks.services.databases import CLOUDNATIVE_PG
from stacks.services.delivery import GITOPS, ROLLOUTS
from stacks.services.experiments import CHAOS
from stacks.services.facts import KUBE_SYSTEM, Facts, Pods
from stacks.services.guarding import DNS, FALCO, GATEKEEPER, KYVERNO, PROBES, TRIVY
from stacks.services.overflow import OVERFLOW
from stacks.services.runners import RUNNERS
from stacks.services.scaling import NODE_SCALING, SCALING
from stacks.services.searching import ELK
from stacks.services.settings import Services


def _cert_manager(_wish: settings.CertManager) -> tuple[Pods, ...]:
    return (
        Pods(name="controller", cpu_milli=50, memory_mib=128, replicas=2),
        Pods(name="webhook", cpu_milli=25, memory_mib=64, replicas=3),
        Pods(name="cainjector", cpu_milli=50, memory_mib=128, replicas=2),
    )


def _external_secrets(_wish: settings.ExternalSecrets) -> tuple[Pods, ...]:
    return (
        Pods(name="controller", cpu_milli=50, memory_mib=128, replicas=2),
        Pods(name="webhook", cpu_milli=25, memory_mib=64, replicas=2),
        Pods(name="cert-controller", cpu_milli=25, memory_mib=128, replicas=2),
    )


def _mesh(wish: settings.Mesh) -> tuple[Pods, ...]:
    found = [Pods(name="istiod", cpu_milli=250, memory_mib=512, replicas=2)]
    found.append(Pods(name="cni", cpu_milli=20, memory_mib=64, per_node=True))
    if wish.mode == "ambient":
        found.append(Pods(name="ztunnel", cpu_milli=50, memory_mib=192, per_node=True))
    if wish.gateway:
        found.append(Pods(name="gateway", cpu_milli=200, memory_mib=256, replicas=3))
    if wish.federation is not None:
        found.append(Pods(name="eastwest", cpu_milli=100, memory_mib=160, replicas=2))
    if wish.mode == "ambient":
        called = sorted({call.target.partition("/")[0] for call in wish.calls})
        found += (Pods(name=f"waypoint-{each}", cpu_milli=100, memory_mib=128, replicas=2) for each in called)
    return tuple(found)


def _monitoring(_wish: settings.Monitoring) -> tuple[Pods, ...]:
    return (
        Pods(name="operator", cpu_milli=100, memory_mib=128),
        Pods(name="prometheus", cpu_milli=500, memory_mib=2048, replicas=2),
        Pods(name="alertmanager", cpu_milli=50, memory_mib=128, replicas=2),
        Pods(name="grafana", cpu_milli=100, memory_mib=256),
        Pods(name="kube-state-metrics", cpu_milli=50, memory_mib=128),
        Pods(name="node-exporter", cpu_milli=10, memory_mib=32, per_node=True),
    )


def _logs(_wish: settings.Logs) -> tuple[Pods, ...]:
    return (
        Pods(name="loki", cpu_milli=250, memory_mib=1024),
        Pods(name="alloy", cpu_milli=100, memory_mib=256, replicas=2),
    )


def _traces(_wish: settings.Traces) -> tuple[Pods, ...]:
    return (
        Pods(name="tempo", cpu_milli=200, memory_mib=1024),
        Pods(name="collector", cpu_milli=100, memory_mib=256, replicas=2),
    )


TABLE: Final[Mapping[str, Facts]] = MappingProxyType(
    {
        "cert_manager": Facts(
            title="Certificates (cert-manager)",
            charts=("cert-manager",),
            namespace="cert-manager",
            definitions=("cert-manager.io", "acme.cert-manager.io"),
            pods=_cert_manager,
        ),
        "external_secrets": Facts(
            title="Secrets (External Secrets)",
            charts=("external-secrets",),
            namespace="external-secrets",
            definitions=("external-secrets.io", "generators.external-secrets.io"),
            pods=_external_secrets,
        ),
        "mesh": Facts(
            title="Mesh (Istio)",
            charts=("istiod", "istio-base", "istio-cni", "istio-ztunnel"),
            namespace="istio-system",
            definitions=("security.istio.io", "networking.istio.io", "telemetry.istio.io", "extensions.istio.io"),
            needs=("cert_manager",),
            after=("external_secrets",),
            pods=_mesh,
        ),
        "monitoring": Facts(
            title="Figures and alerts (Prometheus, Alertmanager, Grafana)",
            charts=("kube-prometheus-stack",),
            namespace="monitoring",
            definitions=("monitoring.coreos.com",),
            needs=("external_secrets",),
            pods=_monitoring,
        ),
        "logs": Facts(
            title="Logs (Loki, Alloy)",
            charts=("loki", "alloy"),
            namespace="logs",
            needs=("monitoring",),
            excludes=("elk",),
            pods=_logs,
        ),
        "elk": ELK,
        "traces": Facts(
            title="Traces (Tempo, OpenTelemetry)",
            charts=("tempo", "opentelemetry-collector"),
            namespace="traces",
            needs=("monitoring",),
            pods=_traces,
        ),
        "cost": COST,
        "kubecost": KUBECOST,
        "chaos": CHAOS,
        "scaling": SCALING,
        "node_scaling": NODE_SCALING,
        "overflow": OVERFLOW,
        "gitops": GITOPS,
        "rollouts": ROLLOUTS,
        "runners": RUNNERS,
        "probes": PROBES,
        "gatekeeper": GATEKEEPER,
        "kyverno": KYVERNO,
        "falco": FALCO,
        "trivy": TRIVY,
        "dns": DNS,
        "backup": BACKUP,
        "cloudnative_pg": CLOUDNATIVE_PG,
        "valkey": VALKEY,
    }
)


def of_cloud(services: Services, cloud: Cloud) -> Services:
    """Switch off the services that clusters of this cloud do not carry."""
    absent = [name for name, _ in services.on() if TABLE[name].clouds and cloud not in TABLE[name].clouds]
    return services.model_copy(update=dict.fromkeys(absent)) if absent else services


def pods_of(services: Services, cloud: Cloud | None = None) -> dict[str, tuple[Pods, ...]]:
    """Pods of each service that is on, by its name; on clusters of one cloud, or those of any."""
    return {
        name: tuple(each for each in TABLE[name].pods(wish) if each.stands_on(cloud)) for name, wish in services.on()
    }


__all__ = ["KUBE_SYSTEM", "TABLE", "Facts", "Pods", "of_cloud", "pods_of"]
