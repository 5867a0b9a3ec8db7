"""What a flow is made of: pods, what is outside, and the usual permissions between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal


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
    through: Pods | None = None
    """The waypoint that packets really go to: the network lets both halves of the way pass."""
    protocol: Literal["TCP", "UDP"] = "TCP"


def named(namespace: str, name: str, account: str = "", key: str = "app.kubernetes.io/name") -> Pods:
    """Pods by one label, under an account that is called alike unless it is said."""
    return Pods(namespace=namespace, labels={key: name}, account=account or name)


COMPONENT: Final = "app.kubernetes.io/component"
ISTIOD: Final = named("istio-system", "istiod", key="app")
PROMETHEUS: Final = named("monitoring", "prometheus")
NODE_AGENTS: Final = Pods(namespace="kube-system")

API_PORTS: Final = (443, 6443)
WEBHOOK: Final = 10250


def asks(*pods: Pods) -> tuple[Flow, ...]:
    """Let them call the API server."""
    return tuple(Flow(source=each, target=API, ports=API_PORTS) for each in pods)


def hooked(*pods: Pods, port: int = WEBHOOK) -> tuple[Flow, ...]:
    """Let the API server in; managed control planes come through their agent in kube-system, or from their range."""
    return tuple(Flow(source=source, target=each, ports=(port,)) for each in pods for source in (API, NODE_AGENTS))


def asked(port: int, *pods: Pods) -> tuple[Flow, ...]:
    """Let Prometheus ask for figures."""
    return tuple(Flow(source=PROMETHEUS, target=each, ports=(port,)) for each in pods)


def ask(target: Pods, port: int, *pods: Pods) -> tuple[Flow, ...]:
    """Let each of them call one target."""
    return tuple(Flow(source=each, target=target, ports=(port,)) for each in pods)


def acts(*pods: Pods) -> tuple[Flow, ...]:
    """Let pods with an identity of the cloud get its credentials and call the cloud's services."""
    places = ((CREDENTIALS, (80, 988)), (CLOUD, (443,)))
    return tuple(Flow(source=each, target=place, ports=ports) for each in pods for place, ports in places)
