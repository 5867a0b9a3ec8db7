"""What a rule asks of one Kubernetes object, in CEL, and how it says which objects it asks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from charter.rule import RULES, Rule


@dataclass(frozen=True)
class Kind:
    """A kind of object: how an object names it, and how a request does."""

    group: str
    version: str
    kind: str
    plural: str
    beside: tuple[str, ...] = ()
    """Subresources through which the same object is changed."""


POD: Final = Kind("", "v1", "Pod", "pods", ("pods/ephemeralcontainers",))
PODS: Final = (
    POD,
    Kind("", "v1", "PodTemplate", "podtemplates"),
    Kind("", "v1", "ReplicationController", "replicationcontrollers"),
    Kind("apps", "v1", "Deployment", "deployments"),
    Kind("apps", "v1", "ReplicaSet", "replicasets"),
    Kind("apps", "v1", "StatefulSet", "statefulsets"),
    Kind("apps", "v1", "DaemonSet", "daemonsets"),
    Kind("batch", "v1", "Job", "jobs"),
    Kind("batch", "v1", "CronJob", "cronjobs"),
)
RBAC: Final = "rbac.authorization.k8s.io"
NETWORK: Final = "networking.k8s.io"
NAMESPACE: Final = Kind("", "v1", "Namespace", "namespaces")
SERVICE: Final = Kind("", "v1", "Service", "services")
SECRET: Final = Kind("", "v1", "Secret", "secrets")
POLICY: Final = Kind(NETWORK, "v1", "NetworkPolicy", "networkpolicies")
INGRESS: Final = Kind(NETWORK, "v1", "Ingress", "ingresses")
SCALER: Final = Kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
ROLES: Final = (Kind(RBAC, "v1", "ClusterRole", "clusterroles"), Kind(RBAC, "v1", "Role", "roles"))
BINDINGS: Final = (
    Kind(RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings"),
    Kind(RBAC, "v1", "RoleBinding", "rolebindings"),
)
PEER: Final = Kind("security.istio.io", "v1", "PeerAuthentication", "peerauthentications")
AUTHORIZATION: Final = Kind("security.istio.io", "v1", "AuthorizationPolicy", "authorizationpolicies")
DESTINATION: Final = Kind("networking.istio.io", "v1", "DestinationRule", "destinationrules")
GATEWAY: Final = Kind("networking.istio.io", "v1", "Gateway", "gateways")
STORES: Final = (
    Kind("external-secrets.io", "v1", "ExternalSecret", "externalsecrets"),
    Kind("external-secrets.io", "v1", "SecretStore", "secretstores"),
    Kind("external-secrets.io", "v1", "ClusterSecretStore", "clustersecretstores"),
    Kind("external-secrets.io", "v1", "ClusterExternalSecret", "clusterexternalsecrets"),
)
CHAOS: Final = (
    Kind("chaos-mesh.org", "v1alpha1", "Schedule", "schedules"),
    Kind("chaos-mesh.org", "v1alpha1", "Workflow", "workflows"),
    *(
        Kind("chaos-mesh.org", "v1alpha1", f"{name}Chaos", f"{name.lower()}chaos")
        for name in (
            "AWS",
            "Azure",
            "Block",
            "DNS",
            "GCP",
            "HTTP",
            "IO",
            "JVM",
            "Kernel",
            "Network",
            "PhysicalMachine",
            "Pod",
            "Stress",
            "Time",
        )
    ),
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One rule in CEL: each expression must be true of each object of these kinds.

    A rule that a single object can only decide in part says what is left (`beside`) and at which paths the part that
    is decided finds something (`covers`, a regular expression); a whole one says neither.
    """

    rule: str
    kinds: tuple[Kind, ...]
    expressions: tuple[str, ...]
    beside: str = ""
    covers: str = ""

    @property
    def law(self) -> Rule:
        """Return the rule of the charter that this is."""
        return RULES[self.rule]

    @property
    def tests(self) -> tuple[str, ...]:
        """Return the expressions as a cluster gets them."""
        return tuple(map(shielded, self.expressions))

    def variables(self, known: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that the expressions need, each after those that it needs itself."""
        found: dict[str, str] = {}
        for expression in self.expressions:
            _collect(expression, known, found)
        return {name: shielded(expression) for name, expression in found.items()}


NAMED: Final = re.compile(r"variables\.(\w+)")


def _collect(expression: str, known: Mapping[str, str], found: dict[str, str]) -> None:
    for name in NAMED.findall(expression):
        if name not in found:
            _collect(known[name], known, found)
            found[name] = known[name]


def shielded(expression: str) -> str:
    """Let a list or map that is written as null be an empty one: a manifest may say so, and an error is no verdict."""
    for empty in ("([])", "({})"):
        expression = expression.replace(
            f".orValue{empty}", f".optFlatMap(z, optional.ofNonZeroValue(z)).orValue{empty}"
        )
    return expression


def cel(value: str | float | Iterable[str]) -> str:
    """Write a text, a number or a collection of texts as CEL; collections in a fixed order."""
    if isinstance(value, str | int | float):
        return json.dumps(value)
    return json.dumps(sorted(value))
