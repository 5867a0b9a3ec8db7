"""The part of the estate that stands in a cluster: a namespace with its guards, and what runs in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

Made = Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]
"""Resources of a cell: name, type, properties, and which of them other resources feed."""
DIGEST: Final = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"


def cluster(cell: str) -> Made:
    """Yield the objects of a cell."""
    enforce = "pod-security.kubernetes.io/enforce"
    labels = {enforce: "restricted", f"{enforce}-version": "v1.34", "istio-injection": "enabled", "owner": "payments"}
    yield "space", "kubernetes:core/v1:Namespace", {"metadata": {"name": cell, "labels": labels}}, {}
    here = {"namespace": cell}
    deny = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    yield (
        "deny",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        {"metadata": {"name": "deny", **here}, "spec": deny},
        {},
    )
    names = {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}]}
    ask = {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [{**names, "ports": [{"port": 53, "protocol": "UDP"}]}],
    }
    yield "dns", "kubernetes:networking.k8s.io/v1:NetworkPolicy", {"metadata": {"name": "dns", **here}, "spec": ask}, {}
    yield "quota", "kubernetes:core/v1:ResourceQuota", {"metadata": {"name": "quota", **here}, "spec": {"hard": {}}}, {}
    yield (
        "limits",
        "kubernetes:core/v1:LimitRange",
        {"metadata": {"name": "limits", **here}, "spec": {"limits": []}},
        {},
    )
    closed = {"metadata": {"name": "closed", **here}, "spec": {}}
    yield "closed", "kubernetes:security.istio.io/v1:AuthorizationPolicy", closed, {}
    strict = {"metadata": {"name": "strict", **here}, "spec": {"mtls": {"mode": "STRICT"}}}
    yield "strict", "kubernetes:security.istio.io/v1:PeerAuthentication", strict, {}
    yield "account", "kubernetes:core/v1:ServiceAccount", {"metadata": {"name": "api", **here}}, {}
    yield "api", "kubernetes:apps/v1:Deployment", {"metadata": {"name": "api", **here}, "spec": workload("api")}, {}
    budget = {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "api"}}}
    yield "pdb", "kubernetes:policy/v1:PodDisruptionBudget", {"metadata": {"name": "api", **here}, "spec": budget}, {}
    service = {"type": "ClusterIP", "selector": {"app": "api"}, "ports": [{"name": "http", "port": 80}]}
    yield "service", "kubernetes:core/v1:Service", {"metadata": {"name": "api", **here}, "spec": service}, {}
    reads = [{"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["t"], "verbs": ["get"]}]
    yield (
        "reader",
        "kubernetes:rbac.authorization.k8s.io/v1:Role",
        {"metadata": {"name": "r", **here}, "rules": reads},
        {},
    )
    bound = {
        "metadata": {"name": "r", **here}, "roleRef": {"kind": "Role", "name": "r"},
        "subjects": [{"kind": "ServiceAccount", "name": "api", **here}],
    }  # fmt: skip
    yield "bound", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", bound, {}
    job = {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": workload("job")["template"]}}}
    yield "job", "kubernetes:batch/v1:CronJob", {"metadata": {"name": "job", **here}, "spec": job}, {}


def workload(name: str) -> dict[str, Any]:
    """Return the spec of a workload as the restricted standard and this charter want it."""
    container = {
        "name": name, "image": f"registry.pay.example/{name}@{DIGEST}",
        "securityContext": {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "128Mi", "ephemeral-storage": "1Gi"},
        },
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
        "livenessProbe": {"httpGet": {"path": "/live", "port": 8080}},
        "env": [
            {"name": "LOG_LEVEL", "value": "info"},
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "t"}}},
        ],
    }  # fmt: skip
    pod = {
        "serviceAccountName": "api", "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "topologySpreadConstraints": [
            {
                "topologyKey": "topology.kubernetes.io/zone", "maxSkew": 1,
                "labelSelector": {"matchLabels": {"app": name}},
            },
        ],
        "containers": [container], "volumes": [{"name": "tmp", "emptyDir": {}}],
    }  # fmt: skip
    return {"replicas": 2, "template": {"metadata": {"labels": {"app": name}}, "spec": pod}}
