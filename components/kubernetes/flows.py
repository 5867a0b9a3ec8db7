"""Who talks to whom: one list, from which network policies and the mesh's permissions are both made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from components.kubernetes.cache_flows import CACHE, of_caches
from components.kubernetes.database_flows import DATABASE, of_databases
from components.kubernetes.delivery_flows import ARGO_SERVER, DELIVERY
from components.kubernetes.flow import (
    API,
    API_PORTS,
    CLOUD,
    COMPONENT,
    CREDENTIALS,
    ISTIOD,
    NODE_AGENTS,
    NODES,
    PEERS,
    PROMETHEUS,
    WORLD,
    Flow,
    Outside,
    Pods,
    acts,
    ask,
    asked,
    asks,
    hooked,
    named,
)
from stacks.services.experiments import asked as asked_service
from stacks.services.settings import Chaos, Mesh, Services
from stacks.services.table import TABLE

GATEWAY_NAMESPACE: Final = "istio-system"
GATEWAY_ACCOUNT: Final = "gateway-istio"
"""Istio names the account of a gateway after it and its class (istio.io/latest/docs/tasks/traffic-management/ingress/
gateway-api, 2026-11)."""


CERT_CONTROLLER: Final = named("cert-manager", "controller", "cert-manager", COMPONENT)
CERT_WEBHOOK: Final = named("cert-manager", "webhook", "cert-manager-webhook", COMPONENT)
CERT_INJECTOR: Final = named("cert-manager", "cainjector", "cert-manager-cainjector", COMPONENT)
SECRETS: Final = named("external-secrets", "external-secrets")
SECRETS_WEBHOOK: Final = named("external-secrets", "external-secrets-webhook")
SECRETS_CERTIFICATES: Final = named("external-secrets", "external-secrets-cert-controller")
GATEWAY: Final = Pods(
    namespace=GATEWAY_NAMESPACE, labels={"gateway.networking.k8s.io/gateway-name": "gateway"}, account=GATEWAY_ACCOUNT
)
EAST_WEST: Final = Pods(
    namespace=GATEWAY_NAMESPACE, labels={"gateway.networking.k8s.io/gateway-name": "eastwest"}, account="eastwest"
)
NETWORK: Final = "topology.istio.io/network"
OPERATOR: Final = named("monitoring", "platform-operator", "platform-operator", "app")
ALERTMANAGER: Final = named("monitoring", "alertmanager")
GRAFANA: Final = named("monitoring", "grafana")
KUBE_STATE: Final = named("monitoring", "kube-state-metrics")
LOKI: Final = named("logs", "loki")
ALLOY: Final = named("logs", "alloy")
ELK_ALLOY: Final = named("elk", "alloy")
ELK_COLLECTOR: Final = named("elk", "opentelemetry-collector")
ELASTICSEARCH: Final = named("elk", "elasticsearch")
KIBANA: Final = named("elk", "kibana")
ELK_RETENTION: Final = named("elk", "retention")
TEMPO: Final = named("traces", "tempo")
COLLECTOR: Final = named("traces", "opentelemetry-collector")
OPENCOST: Final = named("opencost", "opencost")
KUBECOST: Final = Pods(namespace="kubecost", labels={"app.kubernetes.io/instance": "kubecost"})
KUBECOST_AGENT: Final = Pods(
    namespace="kubecost", labels={"app.kubernetes.io/part-of": "finops-agent"}, account="kubecost"
)
"""Labels of the charts' templates: github.com/kubecost/kubecost v3.2.1 and kubecost/finops-agent-chart, 2026-11."""
CHAOS: Final = named("chaos-mesh", "controller-manager", "chaos-controller-manager", COMPONENT)
CHAOS_NAMES: Final = named("chaos-mesh", "chaos-dns-server", "chaos-dns-server", COMPONENT)
CHAOS_DASHBOARD: Final = named("chaos-mesh", "chaos-dashboard", "chaos-dashboard", COMPONENT)
BLACKBOX: Final = named("probes", "prometheus-blackbox-exporter", "blackbox")
GUARD: Final = named("gatekeeper-system", "gatekeeper", "gatekeeper-admin", "app")
KYVERNO: Final = named("kyverno", "admission-controller", "kyverno-admission-controller", COMPONENT)
KYVERNO_REPORTS: Final = named("kyverno", "reports-controller", "kyverno-reports-controller", COMPONENT)
FALCO: Final = named("kube-system", "falco")
TRIVY: Final = named("trivy-system", "trivy-operator")
SCANS: Final = named("trivy-system", "trivy-scan", "trivy-operator", "ecosystem.dev/part")
NAMES: Final = named("external-dns", "external-dns")
VELERO: Final = named("velero", "velero", key="name")
VOLUME_AGENTS: Final = named("velero", "node-agent", "velero", "name")
BACKUP: Final = Pods(namespace="velero", account="velero")
"""All of the namespace: a pod that copies a volume has no label of its own."""
CHAOS_DAEMON: Final = named("chaos-mesh", "chaos-daemon", "chaos-daemon", COMPONENT)

OF: Final[Mapping[str, tuple[Flow, ...]]] = {
    "cert_manager": (
        *asks(CERT_CONTROLLER, CERT_WEBHOOK, CERT_INJECTOR),
        *hooked(CERT_WEBHOOK),
        Flow(source=CERT_CONTROLLER, target=WORLD, ports=(443,)),
        *asked(9402, CERT_CONTROLLER, CERT_INJECTOR),
    ),
    "external_secrets": (
        *asks(SECRETS, SECRETS_WEBHOOK, SECRETS_CERTIFICATES),
        *hooked(SECRETS_WEBHOOK),
        Flow(source=SECRETS, target=WORLD, ports=(443,)),
        *acts(SECRETS),
        *asked(8080, SECRETS),
    ),
    "mesh": (
        *asks(ISTIOD),
        *hooked(ISTIOD, port=15017),
        Flow(source=NODE_AGENTS, target=ISTIOD, ports=(15012,)),
        *asked(15014, ISTIOD),
    ),
    "monitoring": (
        *asks(OPERATOR, PROMETHEUS, KUBE_STATE, GRAFANA),
        *hooked(OPERATOR),
        Flow(source=PROMETHEUS, target=ALERTMANAGER, ports=(9093,)),
        Flow(source=ALERTMANAGER, target=ALERTMANAGER, ports=(9094,)),
        Flow(source=ALERTMANAGER, target=WORLD, ports=(443, 587)),
        Flow(source=GRAFANA, target=PROMETHEUS, ports=(9090,)),
        Flow(source=GRAFANA, target=ALERTMANAGER, ports=(9093,)),
        *asked(8080, KUBE_STATE),
        *asked(10250, OPERATOR),
        *asked(3000, GRAFANA),
        *asked(9090, PROMETHEUS),
        Flow(source=PROMETHEUS, target=NODE_AGENTS, ports=(9100, 9153, 15020, 15014)),
    ),
    "logs": (
        *asks(ALLOY),
        Flow(source=ALLOY, target=LOKI, ports=(3100,)),
        Flow(source=GRAFANA, target=LOKI, ports=(3100,)),
        *asked(3100, LOKI),
        *asked(12345, ALLOY),
    ),
    "elk": (
        *asks(ELK_ALLOY),
        Flow(source=ELK_ALLOY, target=ELK_COLLECTOR, ports=(4317,)),
        *ask(ELASTICSEARCH, 9200, ELK_COLLECTOR, KIBANA, ELK_RETENTION),
        Flow(source=ELASTICSEARCH, target=ELASTICSEARCH, ports=(9300,)),
        *asked(12345, ELK_ALLOY),
        *asked(8888, ELK_COLLECTOR),
    ),
    "traces": (
        Flow(source=COLLECTOR, target=TEMPO, ports=(4317,)),
        Flow(source=GRAFANA, target=TEMPO, ports=(3200,)),
        *asked(3200, TEMPO),
        *asked(8888, COLLECTOR),
    ),
    "cost": (
        *asks(OPENCOST),
        Flow(source=OPENCOST, target=PROMETHEUS, ports=(9090,)),
        Flow(source=OPENCOST, target=WORLD, ports=(443,)),
        *acts(OPENCOST),
        *asked(9003, OPENCOST),
    ),
    "kubecost": (
        *asks(KUBECOST),
        Flow(source=KUBECOST, target=KUBECOST, ports=(9003, 9004, 9005, 9006, 9090)),
        Flow(source=KUBECOST, target=WORLD, ports=(443,)),
        *acts(KUBECOST),
        *asked(9003, KUBECOST_AGENT),
    ),
    "chaos": (
        *asks(CHAOS, CHAOS_DASHBOARD),
        *hooked(CHAOS, port=10250),
        Flow(source=CHAOS, target=CHAOS_DAEMON, ports=(31767,)),
        *asked(10080, CHAOS),
        *asked(31766, CHAOS_DAEMON),
    ),
    "probes": (
        Flow(source=BLACKBOX, target=WORLD, ports=(443,)),
        *asked(9115, BLACKBOX),
    ),
    "gatekeeper": (
        *asks(GUARD),
        *hooked(GUARD, port=8443),
        *asked(8888, GUARD),
    ),
    "kyverno": (
        *asks(KYVERNO, KYVERNO_REPORTS),
        *hooked(KYVERNO, port=9443),
        Flow(source=KYVERNO, target=WORLD, ports=(443,)),
        Flow(source=KYVERNO_REPORTS, target=WORLD, ports=(443,)),
        *asked(8000, KYVERNO, KYVERNO_REPORTS),
    ),
    "falco": asked(8765, FALCO),
    "trivy": (
        *asks(TRIVY, SCANS),
        Flow(source=TRIVY, target=WORLD, ports=(443,)),
        Flow(source=SCANS, target=WORLD, ports=(443,)),
        *asked(8080, TRIVY),
    ),
    "dns": (
        *asks(NAMES),
        Flow(source=NAMES, target=WORLD, ports=(443,)),
        *acts(NAMES),
        *asked(7979, NAMES),
    ),
    "backup": (
        *asks(BACKUP),
        Flow(source=BACKUP, target=WORLD, ports=(443,)),
        *acts(BACKUP),
        *asked(8085, VELERO, VOLUME_AGENTS),
    ),
    **DELIVERY,
    **DATABASE,
    **CACHE,
}
"""What each service needs. Ports: values.yaml of each chart at the versions of charts.lock, 2026-11."""


def of_mesh(wish: Mesh, tenants: tuple[str, ...]) -> Iterator[Flow]:
    """Yield the calls of the stack file, and what the gateway needs."""
    if wish.gateway:
        yield Flow(source=GATEWAY, target=ISTIOD, ports=(15012,))
        yield Flow(source=WORLD, target=GATEWAY, ports=(443, 80))
        yield Flow(source=PROMETHEUS, target=GATEWAY, ports=(15020,))
    if wish.federation is not None:
        yield from _between(wish, tenants)
    for call in wish.calls:
        namespace, app = call.target.split("/")
        home, account = call.caller.split("/")
        source = GATEWAY if call.caller == "istio-system/gateway" else Pods(namespace=home, account=account)
        target = Pods(namespace=namespace, labels={"app": app}, account=app)
        way = waypoint(namespace) if wish.mode == "ambient" else None
        yield Flow(
            source=source, target=target, ports=(call.port,), methods=call.methods, paths=call.paths, through=way
        )
    for namespace in tenants:
        if wish.mode == "ambient" and waypoint_of(wish, namespace):
            yield Flow(source=waypoint(namespace), target=ISTIOD, ports=(15012,))


def of_chaos(wish: Chaos) -> Iterator[Flow]:
    """Yield the one question after health, to the service that the stack file names or to the outside.

    It goes around the waypoint: a proxy of a pod's own does not know waypoints (istio.io/latest/docs/ambient/usage/
    waypoint, 2026-11), so in an ambient mesh the node of the target judges it, by identity and port.
    Where experiments make names unknown, the pods that they hit ask the server of Chaos Mesh for names.
    """
    health = asked_service(wish.abort_url)
    if wish.targets and health is not None:
        target = Pods(namespace=health.namespace, labels={"app": health.workload}, account=health.workload)
        yield Flow(source=CHAOS, target=target, ports=(health.port,), methods=("GET",), paths=(health.path,))
    elif wish.targets:
        yield Flow(source=CHAOS, target=WORLD, ports=(443,))
    lost = [each for each in wish.targets if each.experiment == "dns-error"]
    if lost:
        yield from asks(CHAOS_NAMES)
        yield Flow(source=CHAOS, target=CHAOS_NAMES, ports=(9288,))
    for each in lost:
        hit = Pods(namespace=each.namespace, labels={"app": each.workload}, account=each.workload)
        yield Flow(source=hit, target=CHAOS_NAMES, ports=(53,), protocol="UDP")


def _between(wish: Mesh, tenants: tuple[str, ...]) -> Iterator[Flow]:
    """Let clusters in by their gateway, tenants out to the gateways of others, and istiod read the other clusters."""
    port = 15008 if wish.mode == "ambient" else 15443
    yield Flow(source=EAST_WEST, target=ISTIOD, ports=(15012,))
    yield Flow(source=PEERS, target=EAST_WEST, ports=(port,))
    yield Flow(source=ISTIOD, target=PEERS, ports=API_PORTS)
    yield Flow(source=PROMETHEUS, target=EAST_WEST, ports=(15020,))
    for namespace in tenants:
        yield Flow(source=EAST_WEST, target=Pods(namespace=namespace), ports=(15008,))
        yield Flow(source=Pods(namespace=namespace), target=PEERS, ports=(port,))


def waypoint_of(wish: Mesh, namespace: str) -> bool:
    """Say whether a namespace needs a waypoint: something in it is called (retries and circuit breakers need one)."""
    return wish.mode == "ambient" and any(call.target.startswith(f"{namespace}/") for call in wish.calls)


def mesh_labels(services: Services) -> dict[str, str]:
    """Labels that put a namespace into the mesh; none without a mesh."""
    if services.mesh is None:
        return {}
    ambient = services.mesh.mode == "ambient"
    return {"istio.io/dataplane-mode": "ambient"} if ambient else {"istio-injection": "enabled"}


def tenant_labels(services: Services, namespace: str) -> dict[str, str]:
    """Labels that put a tenants' namespace into the mesh, and behind its waypoint where it has one."""
    if services.mesh is None or not waypoint_of(services.mesh, namespace):
        return mesh_labels(services)
    return {**mesh_labels(services), "istio.io/use-waypoint": "waypoint", "istio.io/ingress-use-waypoint": "true"}


def tenant_annotations(services: Services, namespace: str) -> dict[str, str]:
    """Let experiments into a tenants' namespace that has targets; no other one can be hit."""
    targets = services.chaos.targets if services.chaos is not None else ()
    return {"chaos-mesh.org/inject": "enabled"} if any(each.namespace == namespace for each in targets) else {}


def waypoint(namespace: str) -> Pods:
    """The waypoint of a namespace."""
    labels = {"gateway.networking.k8s.io/gateway-name": "waypoint"}
    return Pods(namespace=namespace, labels=labels, account="waypoint")


def of_stack(services: Services, tenants: tuple[str, ...] = ()) -> tuple[Flow, ...]:
    """Every flow of the services that are on; one whose other end is off is left out."""
    on = dict(services.on())
    here = {namespace for name in on for namespace in (TABLE[name].namespace, *TABLE[name].more)}
    present = here | set(tenants) | {"kube-system"}
    flows = [flow for name in on for flow in OF[name]]
    if services.mesh is not None:
        present |= {GATEWAY_NAMESPACE} if services.mesh.gateway else set()
        if services.mesh.mode == "sidecar":  # each proxy asks by itself; on an ambient node the agent does
            asking = sorted(present - {"kube-system", ISTIOD.namespace})
            flows += (Flow(source=Pods(namespace=each), target=ISTIOD, ports=(15012,)) for each in asking)
        flows += of_mesh(services.mesh, tenants)
    if services.chaos is not None:
        flows += of_chaos(services.chaos)
        if services.mesh is not None and services.mesh.mode == "ambient":
            flows.append(Flow(source=CHAOS, target=ISTIOD, ports=(15012,)))  # its pods have a proxy of their own
    if services.cloudnative_pg is not None:
        flows += of_databases(services.cloudnative_pg)
    if services.valkey is not None:
        flows += of_caches(services.valkey)
    if services.gitops is not None and services.gitops.host is not None:
        flows.append(Flow(source=GATEWAY, target=ARGO_SERVER, ports=(8080,)))
    if services.traces is not None:
        flows += (Flow(source=Pods(namespace=each), target=COLLECTOR, ports=(4317, 4318)) for each in (*tenants,))
    ends = ((flow, [end for end in (flow.source, flow.target) if isinstance(end, Pods)]) for flow in flows)
    return tuple(flow for flow, pods in ends if all(each.namespace in present for each in pods))


__all__ = [
    "API", "API_PORTS", "CLOUD", "COMPONENT", "CREDENTIALS", "DELIVERY", "ISTIOD", "NODES", "NODE_AGENTS", "OF",
    "PEERS", "PROMETHEUS", "WORLD", "Flow", "Outside", "Pods", "mesh_labels", "of_chaos", "of_mesh", "of_stack",
    "tenant_annotations", "tenant_labels", "waypoint", "waypoint_of",
]  # fmt: skip
