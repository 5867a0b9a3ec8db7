"""Who talks to whom: one list, from which network policies and the mesh's permissions are both made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from stacks.services.settings import Mesh, Services
from stacks.services.table import TABLE

GATEWAY_NAMESPACE: Final = "istio-system"
GATEWAY_ACCOUNT: Final = "gateway-istio"
"""Istio names the account of a gateway after it and its class (istio.io/latest/docs/tasks/traffic-management/ingress/
gateway-api, 2026-11)."""


@dataclass(frozen=True, kw_only=True)
class Pods:
    """Pods of a namespace, by labels and by the account that they run under."""

    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)
    account: str = ""


@dataclass(frozen=True)
class Outside:
    """What is no pod of ours: the API server, the internet without private ranges, or a place of the cloud."""

    name: str


API: Final = Outside("api-server")
WORLD: Final = Outside("internet")
NODES: Final = Outside("nodes")
"""The machines themselves: kubelets, and pods that use the node's own network."""
PEERS: Final = Outside("other-clusters")
"""The other clusters of the stack."""
CLOUD: Final = Outside("cloud")
"""The cloud's own services at private addresses; a namespace is told which (`EnclosedArgs.places`)."""
CREDENTIALS: Final = Outside("credentials")
"""Where a pod gets the credentials of its identity."""


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One permission: from, to, and the ports of the target. With methods or paths, a waypoint judges."""

    source: Pods | Outside
    target: Pods | Outside
    ports: tuple[int, ...]
    methods: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


def _named(namespace: str, name: str, account: str = "", key: str = "app.kubernetes.io/name") -> Pods:
    return Pods(namespace=namespace, labels={key: name}, account=account or name)


COMPONENT: Final = "app.kubernetes.io/component"
CERT_CONTROLLER: Final = _named("cert-manager", "controller", "cert-manager", COMPONENT)
CERT_WEBHOOK: Final = _named("cert-manager", "webhook", "cert-manager-webhook", COMPONENT)
CERT_INJECTOR: Final = _named("cert-manager", "cainjector", "cert-manager-cainjector", COMPONENT)
SECRETS: Final = _named("external-secrets", "external-secrets")
SECRETS_WEBHOOK: Final = _named("external-secrets", "external-secrets-webhook")
SECRETS_CERTIFICATES: Final = _named("external-secrets", "external-secrets-cert-controller")
ISTIOD: Final = _named("istio-system", "istiod", key="app")
GATEWAY: Final = Pods(
    namespace=GATEWAY_NAMESPACE, labels={"gateway.networking.k8s.io/gateway-name": "gateway"}, account=GATEWAY_ACCOUNT
)
EAST_WEST: Final = Pods(
    namespace=GATEWAY_NAMESPACE, labels={"gateway.networking.k8s.io/gateway-name": "eastwest"}, account="eastwest"
)
NETWORK: Final = "topology.istio.io/network"
OPERATOR: Final = _named("monitoring", "platform-operator", "platform-operator", "app")
PROMETHEUS: Final = _named("monitoring", "prometheus")
ALERTMANAGER: Final = _named("monitoring", "alertmanager")
GRAFANA: Final = _named("monitoring", "grafana")
KUBE_STATE: Final = _named("monitoring", "kube-state-metrics")
LOKI: Final = _named("logs", "loki")
ALLOY: Final = _named("logs", "alloy")
TEMPO: Final = _named("traces", "tempo")
COLLECTOR: Final = _named("traces", "opentelemetry-collector")
OPENCOST: Final = _named("opencost", "opencost")
CHAOS: Final = _named("chaos-mesh", "controller-manager", "chaos-controller-manager", COMPONENT)
CHAOS_DASHBOARD: Final = _named("chaos-mesh", "chaos-dashboard", "chaos-dashboard", COMPONENT)
CHAOS_DAEMON: Final = _named("chaos-mesh", "chaos-daemon", "chaos-daemon", COMPONENT)
NODE_AGENTS: Final = Pods(namespace="kube-system")
KEDA: Final = _named("scaling", "keda-operator", "keda-operator", "app")
KEDA_METRICS: Final = _named("scaling", "keda-operator-metrics-apiserver", "keda-metrics-server", "app")
KEDA_WEBHOOKS: Final = _named("scaling", "keda-admission-webhooks", "keda-webhook", "app")
METRICS_SERVER: Final = _named("scaling", "metrics-server")
RECOMMENDER: Final = _named("scaling", "recommender", "vpa-recommender", COMPONENT)
UPDATER: Final = _named("scaling", "updater", "vpa-updater", COMPONENT)
VPA_ADMISSION: Final = _named("scaling", "admission-controller", "vpa-admission-controller", COMPONENT)
AUTOSCALER: Final = _named("node-scaling", "aws-cluster-autoscaler", "cluster-autoscaler")
BLACKBOX: Final = _named("probes", "prometheus-blackbox-exporter", "blackbox")
GUARD: Final = _named("gatekeeper-system", "gatekeeper", "gatekeeper-admin", "app")
KYVERNO: Final = _named("kyverno", "admission-controller", "kyverno-admission-controller", COMPONENT)
KYVERNO_REPORTS: Final = _named("kyverno", "reports-controller", "kyverno-reports-controller", COMPONENT)
FALCO: Final = _named("kube-system", "falco")
TRIVY: Final = _named("trivy-system", "trivy-operator")
SCANS: Final = _named("trivy-system", "trivy-scan", "trivy-operator", "ecosystem.dev/part")
NAMES: Final = _named("external-dns", "external-dns")
ARGO_CONTROLLER: Final = _named("argocd", "argocd-application-controller")
ARGO_SERVER: Final = _named("argocd", "argocd-server")
ARGO_REPOSITORIES: Final = _named("argocd", "argocd-repo-server")
ARGO_SETS: Final = _named("argocd", "argocd-applicationset-controller")
ARGO_REDIS: Final = _named("argocd", "argocd-redis")
ARGO_REDIS_SECRET: Final = _named("argocd", "argocd-redis-secret-init")
ROLLOUTS: Final = _named("argo-rollouts", "argo-rollouts")
RUNNERS_CONTROLLER: Final = _named("runners", "runners-controller", key="app")
RUNNERS_LISTENER: Final = _named("runners", "runners-listener", key="app")
RUNNER: Final = _named("runners", "runner", key="app")

_API: Final = (443, 6443)
_WEBHOOK: Final = 10250


def _asks(*pods: Pods) -> tuple[Flow, ...]:
    return tuple(Flow(source=each, target=API, ports=_API) for each in pods)


def _hooked(*pods: Pods, port: int = _WEBHOOK) -> tuple[Flow, ...]:
    """Let the API server in; managed control planes come through their agent in kube-system, or from their range."""
    return tuple(Flow(source=source, target=each, ports=(port,)) for each in pods for source in (API, NODE_AGENTS))


def _asked(port: int, *pods: Pods) -> tuple[Flow, ...]:
    """Let Prometheus ask for figures."""
    return tuple(Flow(source=PROMETHEUS, target=each, ports=(port,)) for each in pods)


def _ask(target: Pods, port: int, *pods: Pods) -> tuple[Flow, ...]:
    """Let each of them call one target."""
    return tuple(Flow(source=each, target=target, ports=(port,)) for each in pods)


def _acts(*pods: Pods) -> tuple[Flow, ...]:
    """Let pods with an identity of the cloud get its credentials and call the cloud's services."""
    places = ((CREDENTIALS, (80, 988)), (CLOUD, (443,)))
    return tuple(Flow(source=each, target=place, ports=ports) for each in pods for place, ports in places)


OF: Final[Mapping[str, tuple[Flow, ...]]] = {
    "cert_manager": (
        *_asks(CERT_CONTROLLER, CERT_WEBHOOK, CERT_INJECTOR),
        *_hooked(CERT_WEBHOOK),
        Flow(source=CERT_CONTROLLER, target=WORLD, ports=(443,)),
        *_asked(9402, CERT_CONTROLLER, CERT_INJECTOR),
    ),
    "external_secrets": (
        *_asks(SECRETS, SECRETS_WEBHOOK, SECRETS_CERTIFICATES),
        *_hooked(SECRETS_WEBHOOK),
        Flow(source=SECRETS, target=WORLD, ports=(443,)),
        *_acts(SECRETS),
        *_asked(8080, SECRETS),
    ),
    "mesh": (
        *_asks(ISTIOD),
        *_hooked(ISTIOD, port=15017),
        Flow(source=NODE_AGENTS, target=ISTIOD, ports=(15012,)),
        *_asked(15014, ISTIOD),
    ),
    "monitoring": (
        *_asks(OPERATOR, PROMETHEUS, KUBE_STATE, GRAFANA),
        *_hooked(OPERATOR),
        Flow(source=PROMETHEUS, target=ALERTMANAGER, ports=(9093,)),
        Flow(source=ALERTMANAGER, target=ALERTMANAGER, ports=(9094,)),
        Flow(source=ALERTMANAGER, target=WORLD, ports=(443, 587)),
        Flow(source=GRAFANA, target=PROMETHEUS, ports=(9090,)),
        Flow(source=GRAFANA, target=ALERTMANAGER, ports=(9093,)),
        *_asked(8080, KUBE_STATE),
        *_asked(10250, OPERATOR),
        *_asked(3000, GRAFANA),
        *_asked(9090, PROMETHEUS),
        Flow(source=PROMETHEUS, target=NODE_AGENTS, ports=(9100, 9153, 15020, 15014, 31766)),
    ),
    "logs": (
        *_asks(ALLOY),
        Flow(source=ALLOY, target=LOKI, ports=(3100,)),
        Flow(source=GRAFANA, target=LOKI, ports=(3100,)),
        *_asked(3100, LOKI),
        *_asked(12345, ALLOY),
    ),
    "traces": (
        Flow(source=COLLECTOR, target=TEMPO, ports=(4317,)),
        Flow(source=GRAFANA, target=TEMPO, ports=(3200,)),
        *_asked(3200, TEMPO),
        *_asked(8888, COLLECTOR),
    ),
    "cost": (
        *_asks(OPENCOST),
        Flow(source=OPENCOST, target=PROMETHEUS, ports=(9090,)),
        Flow(source=OPENCOST, target=WORLD, ports=(443,)),
        *_acts(OPENCOST),
        *_asked(9003, OPENCOST),
    ),
    "chaos": (
        *_asks(CHAOS, CHAOS_DASHBOARD),
        *_hooked(CHAOS, port=10250),
        Flow(source=CHAOS, target=CHAOS_DAEMON, ports=(31767,)),
        *_asked(10080, CHAOS),
    ),
    "scaling": (
        *_asks(KEDA, KEDA_METRICS, KEDA_WEBHOOKS, METRICS_SERVER, RECOMMENDER, UPDATER, VPA_ADMISSION),
        *_hooked(KEDA_METRICS, port=6443),
        *_hooked(KEDA_WEBHOOKS, port=9443),
        *_hooked(METRICS_SERVER),
        *_hooked(VPA_ADMISSION, port=8000),
        Flow(source=KEDA_METRICS, target=KEDA, ports=(9666,)),
        Flow(source=KEDA_METRICS, target=ISTIOD, ports=(15012,)),
        Flow(source=KEDA, target=PROMETHEUS, ports=(9090,)),
        Flow(source=METRICS_SERVER, target=NODES, ports=(10250,)),
        *_asked(8080, KEDA, KEDA_METRICS, KEDA_WEBHOOKS),
        *_asked(8942, RECOMMENDER),
    ),
    "node_scaling": (
        *_asks(AUTOSCALER),
        Flow(source=AUTOSCALER, target=WORLD, ports=(443,)),
        *_acts(AUTOSCALER),
        *_asked(8085, AUTOSCALER),
    ),
    "gitops": (
        *_asks(ARGO_CONTROLLER, ARGO_SERVER, ARGO_SETS, ARGO_REDIS_SECRET),
        *(
            Flow(source=each, target=ARGO_REDIS, ports=(6379,))
            for each in (ARGO_CONTROLLER, ARGO_SERVER, ARGO_REPOSITORIES)
        ),
        *(
            Flow(source=each, target=ARGO_REPOSITORIES, ports=(8081,))
            for each in (ARGO_CONTROLLER, ARGO_SERVER, ARGO_SETS)
        ),
        *(Flow(source=each, target=WORLD, ports=(443,)) for each in (ARGO_REPOSITORIES, ARGO_SERVER)),
        *_asked(8082, ARGO_CONTROLLER),
        *_asked(8083, ARGO_SERVER),
        *_asked(8084, ARGO_REPOSITORIES),
        *_asked(8080, ARGO_SETS),
    ),
    "rollouts": (
        *_asks(ROLLOUTS),
        Flow(source=ROLLOUTS, target=PROMETHEUS, ports=(9090,)),
        *_asked(8090, ROLLOUTS),
    ),
    "runners": (
        *_asks(RUNNERS_CONTROLLER, RUNNERS_LISTENER),
        *(Flow(source=each, target=WORLD, ports=(443,)) for each in (RUNNERS_CONTROLLER, RUNNERS_LISTENER, RUNNER)),
        *_acts(RUNNER),
        *_asked(8080, RUNNERS_CONTROLLER, RUNNERS_LISTENER),
    ),
    "probes": (
        Flow(source=BLACKBOX, target=WORLD, ports=(443,)),
        *_asked(9115, BLACKBOX),
    ),
    "gatekeeper": (
        *_asks(GUARD),
        *_hooked(GUARD, port=8443),
        *_asked(8888, GUARD),
    ),
    "kyverno": (
        *_asks(KYVERNO, KYVERNO_REPORTS),
        *_hooked(KYVERNO, port=9443),
        Flow(source=KYVERNO, target=WORLD, ports=(443,)),
        Flow(source=KYVERNO_REPORTS, target=WORLD, ports=(443,)),
        *_asked(8000, KYVERNO, KYVERNO_REPORTS),
    ),
    "falco": _asked(8765, FALCO),
    "trivy": (
        *_asks(TRIVY, SCANS),
        Flow(source=TRIVY, target=WORLD, ports=(443,)),
        Flow(source=SCANS, target=WORLD, ports=(443,)),
        *_asked(8080, TRIVY),
    ),
    "dns": (
        *_asks(NAMES),
        Flow(source=NAMES, target=WORLD, ports=(443,)),
        *_acts(NAMES),
        *_asked(7979, NAMES),
    ),
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
        yield Flow(source=source, target=target, ports=(call.port,), methods=call.methods, paths=call.paths)
    for namespace in tenants:
        if wish.mode == "ambient" and waypoint_of(wish, namespace):
            yield Flow(source=waypoint(namespace), target=ISTIOD, ports=(15012,))


def _between(wish: Mesh, tenants: tuple[str, ...]) -> Iterator[Flow]:
    """Let clusters in by their gateway, tenants out to the gateways of others, and istiod read the other clusters."""
    port = 15008 if wish.mode == "ambient" else 15443
    yield Flow(source=EAST_WEST, target=ISTIOD, ports=(15012,))
    yield Flow(source=PEERS, target=EAST_WEST, ports=(port,))
    yield Flow(source=ISTIOD, target=PEERS, ports=_API)
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
    present = {TABLE[name].namespace for name in on} | set(tenants) | {"kube-system"}
    flows = [flow for name in on for flow in OF[name]]
    if services.mesh is not None:
        present |= {GATEWAY_NAMESPACE} if services.mesh.gateway else set()
        if services.mesh.mode == "sidecar":  # each proxy asks by itself; on an ambient node the agent does
            asking = sorted(present - {"kube-system", ISTIOD.namespace})
            flows += (Flow(source=Pods(namespace=each), target=ISTIOD, ports=(15012,)) for each in asking)
        flows += of_mesh(services.mesh, tenants)
    if services.gitops is not None and services.gitops.host is not None:
        flows.append(Flow(source=GATEWAY, target=ARGO_SERVER, ports=(8080,)))
    if services.traces is not None:
        flows += (Flow(source=Pods(namespace=each), target=COLLECTOR, ports=(4317, 4318)) for each in (*tenants,))
    ends = ((flow, [end for end in (flow.source, flow.target) if isinstance(end, Pods)]) for flow in flows)
    return tuple(flow for flow, pods in ends if all(each.namespace in present for each in pods))
