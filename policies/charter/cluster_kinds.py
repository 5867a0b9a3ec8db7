"""Kinds of a cluster, where objects live, and which workloads others name: what rules over clusters share."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from charter.graph import Graph
from charter.pods import LONG_RUNNING, name_of, namespace_of
from charter.rule import (
    Resource,
)
from charter.values import UNKNOWN, Undetermined

NAMESPACE = "kubernetes:core/v1:Namespace"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
QUOTA = "kubernetes:core/v1:ResourceQuota"
LIMITS = "kubernetes:core/v1:LimitRange"
SERVICE = "kubernetes:core/v1:Service"
INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
HPA = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
SCALED = "kubernetes:keda.sh/v1alpha1:ScaledObject"
SCALERS = (HPA, SCALED)
"""What moves the replicas of a workload: Kubernetes' own autoscaler, and KEDA, which makes one."""
PDB = "kubernetes:policy/v1:PodDisruptionBudget"
RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"
BINDINGS = (f"{RBAC}ClusterRoleBinding", f"{RBAC}RoleBinding")
ROLES = (f"{RBAC}ClusterRole", f"{RBAC}Role")
MONITORS = "kubernetes:monitoring.coreos.com/v1:*"
PSS = "pod-security.kubernetes.io/enforce"
WARN = "pod-security.kubernetes.io/warn"
SYSTEM_NAMESPACES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
CLUSTER_WIDE = frozenset(
    [
        "Namespace",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "StorageClass",
        "PersistentVolume",
        "PriorityClass",
        "IngressClass",
        "RuntimeClass",
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
        "APIService",
        "Node",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "CSIDriver",
        "GatewayClass",
        "ClusterSecretStore",
        "ClusterIssuer",
        "ClusterPolicy",
        "VolumeSnapshotClass",
    ]
)
GATEWAYS = frozenset({"istio-ingress", "istio-system", "gateway", "ingress", "edge"})
DNS_PORT = 53
NOBODY = (
    "system:anonymous",
    "system:unauthenticated",
    "system:authenticated",
    "system:serviceaccounts",
    "system:masters",
)
UNRESOLVED = {"verify": "chart", "description": "rendered"}
"""What the description of a Release says of a digest, by the path at which its absence is found."""
EXACT_VERSION = re.compile(r"^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$")

NOWHERE = "?"
Key = tuple[str, str]
"""A namespace of a cluster: provider URN and name."""


def by_namespace(graph: Graph, *kinds: str) -> dict[Key, list[Resource]]:
    """Return objects by the namespace they live in; those whose namespace is not known stand under NOWHERE."""
    found: dict[Key, list[Resource]] = defaultdict(list)
    for resource in graph.of(*kinds):
        try:
            found[resource.provider_urn, namespace_of(resource)].append(resource)
        except Undetermined:
            found[resource.provider_urn, NOWHERE].append(resource)
    return found


def ours(graph: Graph) -> dict[Key, Resource]:
    """Return the namespaces that the stack makes."""
    return {
        (each.provider_urn, name_of(each)): each
        for each in graph.of(NAMESPACE)
        if each.reader.raw("metadata.name") is not UNKNOWN
    }


def workloads(graph: Graph) -> Iterator[Resource]:
    for resource in graph.resources:
        if resource.package == "kubernetes" and resource.kind in LONG_RUNNING:
            yield resource


def labels_of(workload: Resource) -> Any:
    return workload.reader.raw("spec.template.metadata.labels")


DELIVERIES = (
    "kubernetes:argoproj.io/v1alpha1:Application",
    "kubernetes:argoproj.io/v1alpha1:ApplicationSet",
    "kubernetes:kustomize.toolkit.fluxcd.io/v1:Kustomization",
    "kubernetes:helm.toolkit.fluxcd.io/v2:HelmRelease",
)
"""What brings workloads into a cluster from a repository that nobody sees here."""


def delivered(graph: Graph, resource: Resource) -> bool:
    """Say whether something may bring workloads into a resource's cluster that nobody sees here."""
    return any(each.provider_urn == resource.provider_urn for each in graph.of(*DELIVERIES))


BOUNDS = {
    HPA: (("spec.minReplicas", 1), ("spec.maxReplicas", 0)),
    SCALED: (("spec.minReplicaCount", 0), ("spec.maxReplicaCount", 100)),
}
"""Where autoscalers say the fewest and the most copies, and what holds where they do not.

Source: keda.sh/docs/latest/reference/scaledobject-spec, 2026-11.
"""


def replicas_of(scaler: Resource) -> tuple[Any, Any]:
    """Return the fewest and the most copies that an autoscaler keeps."""
    least, most = (
        default if scaler.reader.raw(path) is None else scaler.reader.raw(path) for path, default in BOUNDS[scaler.type]
    )
    return least, most


def targets_of(graph: Graph, hpa: Resource) -> list[Resource]:
    """Return the workloads that an autoscaler names, in its own namespace as far as both are known."""
    ref = hpa.reader.inside("spec.scaleTargetRef")
    kind, name, space = ref.raw("kind"), ref.raw("name"), hpa.reader.raw("metadata.namespace")
    kind = "Deployment" if kind is None and hpa.type == SCALED else kind
    return [
        each
        for each in workloads(graph)
        if each.provider_urn == hpa.provider_urn and each.kind == kind and name_of(each) == name
        if space is UNKNOWN or each.reader.raw("metadata.namespace") in (space, UNKNOWN)
    ]
