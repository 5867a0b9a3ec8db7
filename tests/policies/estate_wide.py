"""The part of the estate that stands once: what watches the accounts, the edge, and what keeps a cluster honest."""

from __future__ import annotations

import hashlib
import json
from base64 import b32encode
from collections.abc import Iterator
from typing import Any, Final

from tests.policies.estate_cluster import DIGEST, workload

Wide = Iterator[tuple[str, str, str, dict[str, Any], dict[str, Any]]]
"""Resources: name, type, provider, properties, and which others feed them."""
HASH: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
LOCKED: Final = {"digest": f"sha256:{HASH}", "renderedSha256": HASH}
OBJECTS: Final = [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "agent"}}]
CHARTS: Final = {
    "cilium": {"version": "1.17.3", **LOCKED, "objects": OBJECTS},
    "kube-prometheus-stack": {"version": "88.5.3", **LOCKED, "objects": OBJECTS},
    "chaos-mesh": {"version": "2.8.3", **LOCKED},
}
HERE: Final = {"namespace": "cell0"}
CODE: Final = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
ROOM: Final = 310
"""Thousandths of a core per cell that the plan may buy: enough for what runs there, and for little more."""


def _hash(text: str) -> str:
    return b32encode(hashlib.sha256(text.encode()).digest()).decode().lower().rstrip("=")


def _accounts(tags: dict[str, str]) -> Wide:
    warns = {"threshold": 80, "thresholdType": "PERCENTAGE", "comparisonOperator": "GREATER_THAN"}
    notes = [
        {**warns, "notificationType": kind, "subscriberEmailAddresses": ["finance@pay.example"]}
        for kind in ("ACTUAL", "FORECASTED")
    ]
    yield "spent", "aws:budgets/budget:Budget", "aws", {"limitAmount": "90", "notifications": notes, "tags": tags}, {}
    yield "odd", "aws:costexplorer/anomalyMonitor:AnomalyMonitor", "aws", {"tags": tags}, {}
    yield "eyes", "aws:guardduty/detector:Detector", "aws", {"enable": True, "tags": tags}, {}
    for name in ("EKS_AUDIT_LOGS", "RUNTIME_MONITORING", "S3_DATA_EVENTS"):
        told = {"name": name, "status": "ENABLED"}
        yield f"eyes-{name.split('_')[0].lower()}", FEATURE, "aws", told, {"detectorId": "eyes"}
    opens = {"ruleAction": "allow", "protocol": "tcp", "cidrBlock": "0.0.0.0/0", "fromPort": 443, "toPort": 443}
    yield "listed", "aws:ec2/networkAclRule:NetworkAclRule", "aws", opens, {}
    rules = [{"thresholdPercent": 0.8}, {"thresholdPercent": 1.0, "spendBasis": "FORECASTED_SPEND"}]
    told = {"monitoringNotificationChannels": ["c"]}
    amount = {"specifiedAmount": {"units": "5"}}
    budget = {"thresholdRules": rules, "allUpdatesRule": told, "amount": amount}
    yield "spent-gcp", "gcp:billing/budget:Budget", "gcp", budget, {}
    kinds = {"early": "Actual", "late": "Forecasted"}
    told = {name: {"thresholdType": kind, "contactEmails": ["a"]} for name, kind in kinds.items()}
    yield "spent-azure", "azure-native:consumption:Budget", "azure", {"amount": 5, "notifications": told}, {}
    files = [{"name": "firestore.rules", "content": "match /a { allow read, write: if request.auth != null; }"}]
    yield "guard", "gcp:firebaserules/ruleset:Ruleset", "gcp", {"source": {"files": files}}, {}
    kind = "gcp:firebase/appCheckServiceConfig:AppCheckServiceConfig"
    yield "check", kind, "gcp", {"enforcementMode": "ENFORCED"}, {}


FEATURE: Final = "aws:guardduty/detectorFeature:DetectorFeature"


def _edge() -> Wide:
    for cloud in ("aws", "gcp"):
        kind = "cloudflare:index/loadBalancerPool:LoadBalancerPool"
        yield f"pool-{cloud}", kind, "cloudflare", {"monitor": "m"}, {}
    https = {"type": "https", "allowInsecure": False}
    yield "asks", "cloudflare:index/loadBalancerMonitor:LoadBalancerMonitor", "cloudflare", https, {}
    both = {"defaultPools": ["p", "q"], "fallbackPool": "q"}
    pools = {"defaultPools": ["pool-aws", "pool-gcp"]}
    yield "spread", "cloudflare:index/loadBalancer:LoadBalancer", "cloudflare", both, pools
    variables = {"API_TOKEN": {"type": "secret_text", "value": "[secret]"}}
    pages = {"productionBranch": "main", "deploymentConfigs": {"production": {"envVars": variables}}}
    yield "pages", "cloudflare:index/pagesProject:PagesProject", "cloudflare", pages, {}


def _charts() -> Wide:
    said = {"description": f"chart sha256:{HASH}, rendered sha256:{HASH}", "namespace": "cell0"}
    repository = {"repositoryOpts": {"repo": "https://charts.pay.example"}}
    release = "kubernetes:helm.sh/v3:Release"
    yield "net", release, "kubernetes", {"chart": "cilium", "version": "1.17.3", **said, **repository}, {}
    receivers = [{"name": "oncall", "email_configs": [{"to": "oncall@pay.example"}]}]
    values = {"alertmanager": {"config": {"route": {"receiver": "oncall"}, "receivers": receivers}}}
    told = {"chart": "kube-prometheus-stack", "version": "88.5.3", "values": values, **said, **repository}
    yield "sees", release, "kubernetes", told, {}
    closed = {"clusterScoped": False, "dashboard": {"securityMode": True, "service": {"type": "ClusterIP"}}}
    told = {"chart": "chaos-mesh", "version": "2.8.3", "values": closed, **said, **repository}
    yield "chaos", "kubernetes:helm.sh/v4:Chart", "kubernetes", told, {}


def _proofs() -> Wide:
    alert = {
        "alert": "ApiFails", "expr": "sum(rate(http_requests_total[5m])) == 0", "labels": {"severity": "critical"},
        "annotations": {"runbook_url": "https://runbooks.pay.example/api"},
    }  # fmt: skip
    rules = {"metadata": {"name": "api", **HERE}, "spec": {"groups": [{"name": "api", "rules": [alert]}]}}
    yield "alerts", "kubernetes:monitoring.coreos.com/v1:PrometheusRule", "kubernetes", rules, {}
    ends = {"ecosystem.dev/expires-at": "2026-12-05", "ecosystem.dev/approver": "a", "ecosystem.dev/ticket": "T-1"}
    small = {
        "mode": "one", "duration": "5m", "action": "pod-kill",
        "selector": {"namespaces": ["cell0"], "labelSelectors": {"app": "api"}},
    }  # fmt: skip
    told = {"metadata": {"name": "kill", "annotations": ends, **HERE}, "spec": small}
    yield "kill", "kubernetes:chaos-mesh.org/v1alpha1:PodChaos", "kubernetes", told, {}
    told = {"metadata": {"name": "stop", **HERE}, "spec": {"http": {"url": "http://api.cell0/healthz"}}}
    yield "stop", "kubernetes:chaos-mesh.org/v1alpha1:StatusCheck", "kubernetes", told, {}
    offers = {"selector": {"app": "api"}, "ports": [{"name": "http-metrics", "port": 9090}]}
    told = {"metadata": {"name": "figures", "labels": {"app": "api"}, **HERE}, "spec": offers}
    yield "figures", "kubernetes:core/v1:Service", "kubernetes", told, {}
    told = {"metadata": {"name": "figures", **HERE}, "spec": {"selector": {"matchLabels": {"app": "api"}}}}
    yield "monitor", "kubernetes:monitoring.coreos.com/v1:ServiceMonitor", "kubernetes", told, {}


def _workloads(cells: int) -> Wide:
    backend = {"path": "/", "backend": {"service": {"name": "api", "port": {"number": 80}}}}
    rule = {"host": "api.pay.example", "http": {"paths": [backend]}}
    told = {"metadata": {"name": "door", **HERE}, "spec": {"tls": [{"hosts": ["api.pay.example"]}], "rules": [rule]}}
    yield "door", "kubernetes:networking.k8s.io/v1:Ingress", "kubernetes", told, {}
    spec = workload("scaled")
    spec.pop("replicas")
    told = {"metadata": {"name": "scaled", **HERE}, "spec": spec}
    yield "scaled", "kubernetes:apps/v1:Deployment", "kubernetes", told, {}
    budget = {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "scaled"}}}
    told = {"metadata": {"name": "scaled", **HERE}, "spec": budget}
    yield "scaled-pdb", "kubernetes:policy/v1:PodDisruptionBudget", "kubernetes", told, {}
    bounds = {"minReplicas": 2, "maxReplicas": 2, "scaleTargetRef": {"kind": "Deployment", "name": "scaled"}}
    told = {"metadata": {"name": "scaled", **HERE}, "spec": bounds}
    yield "scaled-hpa", "kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "kubernetes", told, {}
    pod = workload("once")["template"]
    volumes = [{"name": "a", "configMap": {"name": "c"}}]
    told = {"metadata": {"name": "once", **HERE, **pod["metadata"]}, "spec": {**pod["spec"], "volumes": volumes}}
    told["spec"]["containers"][0]["ports"] = [{"containerPort": 8080}]
    yield "once", "kubernetes:core/v1:Pod", "kubernetes", told, {}
    size = {"cpu_milli": ROOM, "gpu": 0, "memory_mib": 4096}
    pool = {"allocatable": size, "cluster": "kubernetes", "desired": 0, "max": cells}
    objects = {"kubernetes": {"general-0": json.dumps(pool, separators=(",", ":"), sort_keys=True)}}
    document = json.dumps({"problems": {}, "plans": {}, "pool_objects": objects}, separators=(",", ":"))
    told = {"code": CODE, "document": document, "document_hash": _hash(document), "pool_objects": objects}
    yield "sizing", "pulumi-python:dynamic/sizing:Sizing", "python", told, {}


def once(cells: int, tags: dict[str, str]) -> Wide:
    """Yield what stands once, whatever the number of cells."""
    yield from _accounts(tags)
    yield from _edge()
    yield from _charts()
    yield from _proofs()
    yield from _workloads(cells)


IMAGES: Final = {DIGEST: {"signature": "s", "sbom": "b", "builder": "c"}}
