"""The settings of each service: few, meaningful, and right for production when left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from stacks.part import Cidr, FreezeMapping, Frozen, Memory, Name, Part
from stacks.services.backup import Backup
from stacks.services.caches import Valkey
from stacks.services.costing import Cost, Kubecost, Prices
from stacks.services.databases import CloudnativePg
from stacks.services.delivery import Gitops, Rollouts
from stacks.services.experiments import Chaos, Target
from stacks.services.federation import MultiCluster
from stacks.services.guarding import Dns, Falco, Gatekeeper, Https, Kyverno, Probes, Trivy
from stacks.services.overflow import Overflow
from stacks.services.runners import Runners
from stacks.services.scaling import NodeScaling, Scaling
from stacks.services.searching import Elk
from stacks.services.service import Account, Days, HostPort, HttpPath, Mail, Method, Service


class CertManager(Service):
    """Certificates: issued and renewed by cert-manager."""

    email: Mail | None = Field(default=None, examples=["platform@example.org"])
    """Contact of the account at Let's Encrypt; absent means own authority only, nothing public."""


class ExternalSecrets(Service):
    """Secrets from the cloud's secret manager, by the identity of the workload."""

    refresh_minutes: Annotated[int, Field(ge=1, le=60)] = 60
    """How often a secret is read again."""


class Call(Part):
    """Permission for one workload to call another; what is not written down is denied."""

    caller: Account = Field(examples=["platform/gateway"])
    """NAMESPACE/SERVICE ACCOUNT of who calls; `istio-system/gateway` is the traffic from outside."""
    target: Account = Field(examples=["platform/agent"])
    """NAMESPACE/APP of what is called: the label `app` of its pods, and the name of its Service."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    """Port of the target."""
    methods: tuple[Method, ...] = ()
    """HTTP methods; none means any."""
    paths: tuple[HttpPath, ...] = ()
    """HTTP paths; a * at the end stands for anything; none means any."""


class Mesh(Service):
    """Mutual TLS between all workloads, permissions, retries and circuit breakers: Istio."""

    mode: Literal["ambient", "sidecar"] = "ambient"
    """Whether the node carries the mesh's traffic, or a proxy in each pod."""
    trust_domain: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")] = "cluster.local"
    """First part of every identity of the mesh."""
    calls: tuple[Call, ...] = ()
    """Who may call whom in the tenant namespaces."""
    gateway: bool = True
    """Whether the mesh brings a gateway for traffic from outside."""
    gateway_reach: Literal["network", "internet"] = "network"
    """Whether the gateway is called from the stack's own networks only, or from the internet too."""
    gateway_from: tuple[Cidr, ...] = Field(default=(), examples=[["203.0.113.0/24"]], max_length=30)
    """Ranges that may call a gateway on the internet; 0.0.0.0/0 is everybody and has to be written."""
    federation: MultiCluster | None = None
    """Whether the clusters of the stack are one mesh."""


class Receiver(Part):
    """Where alerts go; what is secret about it is an ExternalSecret of that name."""

    kind: Literal["email", "telegram", "webhook"] = Field(examples=["email"])
    """How they are sent."""
    to: str = Field(examples=["oncall@example.org"])
    """Address, chat number or https address."""
    severities: tuple[Literal["critical", "warning"], ...] = ("critical", "warning")
    """Which alerts."""


class Monitoring(Service):
    """Figures, alerts and dashboards: Prometheus, Alertmanager, Grafana."""

    retention_days: Days = 15
    """How long figures are kept."""
    storage: Memory = "50Gi"
    """Size of the volume of each Prometheus."""
    receivers: Annotated[Mapping[Name, Receiver], FreezeMapping] = Frozen()
    """Who hears of alerts, by name."""
    smarthost: HostPort | None = Field(default=None, examples=["smtp.example.org:587"])
    """Mail server and port, for receivers by e-mail; it must speak TLS."""
    sender: Mail | None = Field(default=None, examples=["alerts@example.org"])
    """Address that mails come from, and account at the mail server."""
    latency_ms: Annotated[int, Field(ge=1, le=60000)] = 200
    """95th percentile of latency above which there is a warning."""
    runbooks: Https | None = Field(default=None, examples=["https://github.com/example/platform/blob/main"])
    """Address below which this project is read: alerts point at its docs/runbooks/alerts.md."""


class Logs(Service):
    """Logs of all pods: Loki, sent by Alloy."""

    retention_days: Days = 30
    """How long logs are kept."""
    storage: Memory = "50Gi"
    """Size of Loki's volume."""


class Traces(Service):
    """Traces: Tempo behind an OpenTelemetry collector."""

    sampling_percent: Annotated[float, Field(gt=0, le=100)] = 10
    """Share of the requests that is traced."""
    retention_days: Days = 7
    """How long traces are kept."""
    storage: Memory = "20Gi"
    """Size of Tempo's volume."""


class Services(Part):
    """The platform on the clusters: a service is on when it has a line, and be it `mesh: {}`."""

    cert_manager: CertManager | None = None
    """Certificates, issued and renewed."""
    external_secrets: ExternalSecrets | None = None
    """Secrets from the cloud's own manager."""
    mesh: Mesh | None = None
    """Mutual TLS and permissions."""
    monitoring: Monitoring | None = None
    """Figures, alerts, dashboards."""
    logs: Logs | None = None
    """Logs of all pods."""
    elk: Elk | None = None
    """Logs of all pods, the other way."""
    traces: Traces | None = None
    """Traces of requests."""
    cost: Cost | None = None
    """Cost per namespace."""
    kubecost: Kubecost | None = None
    """Cost per namespace, the other way."""
    chaos: Chaos | None = None
    """Experiments."""
    scaling: Scaling | None = None
    """Pods by load."""
    node_scaling: NodeScaling | None = None
    """Nodes by need, on EKS."""
    overflow: Overflow | None = None
    """Nodes beyond the plan, on EKS."""
    gitops: Gitops | None = None
    """Deployment from repositories."""
    rollouts: Rollouts | None = None
    """New versions step by step."""
    runners: Runners | None = None
    """Jobs of GitHub Actions."""
    probes: Probes | None = None
    """Questions from outside."""
    gatekeeper: Gatekeeper | None = None
    """The law at the door of clusters."""
    kyverno: Kyverno | None = None
    """Signatures of images, and the law at the door of clusters."""
    falco: Falco | None = None
    """System calls."""
    trivy: Trivy | None = None
    """Weaknesses of images."""
    dns: Dns | None = None
    """Names of the gateway."""
    backup: Backup | None = None
    """Copies of everything on the cluster."""
    cloudnative_pg: CloudnativePg | None = None
    """Databases in the cluster."""
    valkey: Valkey | None = None
    """Caches in the cluster."""

    def on(self) -> Iterator[tuple[str, Service]]:
        """Yield names and settings of the services that are switched on, in the order of installation."""
        for name in type(self).model_fields:
            settings = getattr(self, name)
            if settings is not None:
                yield name, settings


__all__ = [
    "Account", "Backup", "Call", "CertManager", "Chaos", "CloudnativePg", "Cost", "Dns", "Elk", "ExternalSecrets",
    "Falco", "Gatekeeper", "Kubecost", "Kyverno", "Logs", "Mesh", "Monitoring", "NodeScaling", "Overflow", "Prices",
    "Probes", "Receiver", "Scaling", "Service", "Services", "Target", "Traces", "Trivy",
    "Valkey",
]  # fmt: skip
