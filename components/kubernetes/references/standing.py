"""What a set of objects brings, by name: what references may lead to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from components.kubernetes.references.pods import PodSet, made
from components.kubernetes.references.things import Thing, at, flat, nodes, text

Name = tuple[str, str]
"""Namespace and name."""
GIVEN_NAMESPACES: Final = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
GIVEN_PRIORITIES: Final = frozenset({"system-cluster-critical", "system-node-critical"})
GIVEN_STORAGE: Final = frozenset(
    {"gp2", "standard", "standard-rwo", "premium-rwo", "default", "managed", "managed-csi", "managed-csi-premium",
     "managed-premium", "azurefile-csi", "azurefile-csi-premium"}
)  # fmt: skip
"""Classes that EKS, GKE and AKS bring (docs of each, 2026-11)."""
GIVEN_ROLES: Final = frozenset({"admin", "cluster-admin", "edit", "view"})
GIVEN_PODS: Final = (PodSet(namespace="kube-system", labels={"k8s-app": "kube-dns"}, whole=False, maker="the cloud"),)
CHART_SERVICES: Final[Mapping[str, Mapping[str, tuple[int, ...]]]] = {
    "argo-cd": {"-server": (80, 443)},
    "kube-prometheus-stack": {"-prometheus": (9090,), "-alertmanager": (9093,), "-grafana": (80,)},
    "loki": {"": (3100, 9095)},
    "opentelemetry-collector": {"": (4317, 4318)},
    "prometheus-blackbox-exporter": {"": (9115,)},
    "tempo": {"": (3200, 4317, 4318)},
    "valkey": {"": (6379,), "-read": (6379,), "-headless": (6379,)},
}
"""Services that others name: by chart, what follows the full name, and the ports. Templates and values.yaml of each
chart at the versions of charts.lock, 2026-11."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What stands there and is in no object: pods and accounts of charts, workloads of tenants' repositories."""

    pods: tuple[PodSet, ...] = ()
    accounts: frozenset[Name] = frozenset()
    tenants: frozenset[str] = frozenset()
    apps: frozenset[Name] = frozenset()
    """Workloads of tenants: namespace and the label `app`, which is the name of Service, account and Deployment too."""
    series: frozenset[str] | None = None
    """Names of figures that something exports; None when they are not known."""


@dataclass
class Standing:
    """The index over objects."""

    things: list[Thing]
    known: Known
    names: dict[tuple[str, str], set[Name]] = field(default_factory=dict)
    """By kind and group."""
    secrets: dict[Name, set[str] | None] = field(default_factory=dict)
    """With their keys; None where not all of them are known."""
    settings: dict[Name, set[str] | None] = field(default_factory=dict)
    services: dict[Name, set[int | str] | None] = field(default_factory=dict)
    accounts: set[Name] = field(default_factory=set)
    pods: list[PodSet] = field(default_factory=list)
    charts: dict[str, list[Thing]] = field(default_factory=dict)
    """Releases by namespace."""

    def __post_init__(self) -> None:
        """Read every object once."""
        for thing in self.things:
            self.names.setdefault((thing.kind, thing.group), set()).add((thing.namespace, thing.name))
            self._take(thing)
            self.pods += made(thing)
        here = self.namespaces
        self.pods += [each for each in (*GIVEN_PODS, *self.known.pods) if each.namespace in here]
        self.accounts |= {each for each in self.known.accounts if each[0] in here}
        for namespace, app in self.known.apps:
            self.pods.append(PodSet(namespace=namespace, labels={"app": app}, whole=False, maker="a workload"))
            self.services.setdefault((namespace, app), None)
            self.accounts.add((namespace, app))
        self.accounts |= {(each, "default") for each in here}

    @property
    def namespaces(self) -> set[str]:
        """Every namespace that is there."""
        return {name for _, name in self.names.get(("Namespace", ""), ())} | GIVEN_NAMESPACES

    def has(self, kind: str, group: str, namespace: str, name: str) -> bool:
        """Say whether an object is among them."""
        return (namespace, name) in self.names.get((kind, group), ())

    def of(self, kind: str, group: str) -> set[Name]:
        """Return namespaces and names of a kind."""
        return self.names.get((kind, group), set())

    def _take(self, thing: Thing) -> None:
        take = getattr(self, f"_take_{thing.kind.lower()}", None)
        if take is not None:
            take(thing)

    def _take_secret(self, thing: Thing) -> None:
        keys = set(flat(thing.at("data"))) | set(flat(thing.at("stringData")))
        self.secrets[thing.namespace, thing.name] = keys or None

    def _take_configmap(self, thing: Thing) -> None:
        self.settings[thing.namespace, thing.name] = set(flat(thing.at("data"))) | set(flat(thing.at("binaryData")))

    def _take_externalsecret(self, thing: Thing) -> None:
        keys = {str(each.get("secretKey")) for each in thing.items("spec", "data")}
        shaped = thing.at("spec", "dataFrom") or thing.at("spec", "target", "template")
        name = text(thing.at("spec", "target", "name")) or thing.name
        self.secrets[thing.namespace, name] = None if shaped else keys

    def _take_certificate(self, thing: Thing) -> None:
        if (name := text(thing.at("spec", "secretName"))) and thing.group == "cert-manager.io":
            shaped = thing.at("spec", "keystores") or thing.at("spec", "additionalOutputFormats")
            self.secrets[thing.namespace, name] = None if shaped else {"tls.crt", "tls.key", "ca.crt"}

    def _take_serviceaccount(self, thing: Thing) -> None:
        self.accounts.add((thing.namespace, thing.name))

    def _take_service(self, thing: Thing) -> None:
        if thing.group:
            return
        ports: set[int | str] = set()
        for each in thing.items("spec", "ports"):
            ports |= {int(each["port"])} if isinstance(each.get("port"), int | float) else set()
            ports |= {each["name"]} if isinstance(each.get("name"), str) else set()
        self.services[thing.namespace, thing.name] = ports

    def _take_gateway(self, thing: Thing) -> None:
        """Istio calls account and Service of a gateway after it and the class `istio`, of another class after it."""
        if thing.group != "gateway.networking.k8s.io":
            return
        of_class = thing.at("spec", "gatewayClassName") == "istio"
        name = f"{thing.name}-istio" if of_class else thing.name
        self.accounts.add((thing.namespace, name))
        self.services[thing.namespace, name] = None

    def _take_cluster(self, thing: Thing) -> None:
        if thing.group != "postgresql.cnpg.io":
            return
        for end in ("rw", "ro", "r"):
            self.services[thing.namespace, f"{thing.name}-{end}"] = {5432, "postgres"}
        for end in ("app", "superuser", "ca", "server", "replication"):
            self.secrets[thing.namespace, f"{thing.name}-{end}"] = None
        self.accounts.add((thing.namespace, thing.name))

    def _take_release(self, thing: Thing) -> None:
        self.charts.setdefault(thing.namespace, []).append(thing)
        whole = text(thing.at("fullnameOverride")) or thing.name
        for end, ports in CHART_SERVICES.get(thing.chart, {}).items():
            self.services[thing.namespace, whole + end] = set(ports)
        for name in accounts_of(thing.body):
            self.accounts.add((thing.namespace, name))


def accounts_of(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the accounts that a chart is told to make, or to find."""
    for path, value in nodes(values):
        if path and str(path[-1]).lower().endswith("serviceaccount") and (name := text(at(value, "name"))):
            if at(value, "create") is False or at(value, "namespace"):
                continue
            yield name


def index(things: Iterable[Thing], known: Known) -> Standing:
    """Index what is there."""
    return Standing(list(things), known)
