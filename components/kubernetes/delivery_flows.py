"""Who talks to whom in scaling, deployment, delivery and runners."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from components.kubernetes.flow import (
    COMPONENT,
    ISTIOD,
    NODES,
    PROMETHEUS,
    WORLD,
    Flow,
    acts,
    ask,
    asked,
    asks,
    hooked,
    named,
)

KEDA: Final = named("scaling", "keda-operator", "keda-operator", "app")
KEDA_METRICS: Final = named("scaling", "keda-operator-metrics-apiserver", "keda-metrics-server", "app")
KEDA_WEBHOOKS: Final = named("scaling", "keda-admission-webhooks", "keda-webhook", "app")
METRICS_SERVER: Final = named("scaling", "metrics-server")
RECOMMENDER: Final = named("scaling", "recommender", "vpa-recommender", COMPONENT)
UPDATER: Final = named("scaling", "updater", "vpa-updater", COMPONENT)
VPA_ADMISSION: Final = named("scaling", "admission-controller", "vpa-admission-controller", COMPONENT)
AUTOSCALER: Final = named("node-scaling", "aws-cluster-autoscaler", "cluster-autoscaler")
KARPENTER: Final = named("karpenter", "karpenter")
ARGO_CONTROLLER: Final = named("argocd", "argocd-application-controller")
ARGO_SERVER: Final = named("argocd", "argocd-server")
ARGO_REPOSITORIES: Final = named("argocd", "argocd-repo-server")
ARGO_SETS: Final = named("argocd", "argocd-applicationset-controller")
ARGO_REDIS: Final = named("argocd", "argocd-redis")
ARGO_REDIS_SECRET: Final = named("argocd", "argocd-redis-secret-init")
ROLLOUTS: Final = named("argo-rollouts", "argo-rollouts")
RUNNERS_CONTROLLER: Final = named("runners", "runners-controller", key="app")
RUNNERS_LISTENER: Final = named("runners", "runners-listener", key="app")
RUNNER: Final = named("runners", "runner", key="app")

DELIVERY: Final[Mapping[str, tuple[Flow, ...]]] = {
    "scaling": (
        *asks(KEDA, KEDA_METRICS, KEDA_WEBHOOKS, METRICS_SERVER, RECOMMENDER, UPDATER, VPA_ADMISSION),
        *hooked(KEDA_METRICS, port=6443),
        *hooked(KEDA_WEBHOOKS, port=9443),
        *hooked(METRICS_SERVER),
        *hooked(VPA_ADMISSION, port=8000),
        Flow(source=KEDA_METRICS, target=KEDA, ports=(9666,)),
        Flow(source=KEDA_METRICS, target=ISTIOD, ports=(15012,)),
        Flow(source=KEDA, target=PROMETHEUS, ports=(9090,)),
        Flow(source=METRICS_SERVER, target=NODES, ports=(10250,)),
        *asked(8080, KEDA, KEDA_METRICS, KEDA_WEBHOOKS),
        *asked(8942, RECOMMENDER),
    ),
    "node_scaling": (
        *asks(AUTOSCALER),
        Flow(source=AUTOSCALER, target=WORLD, ports=(443,)),
        *acts(AUTOSCALER),
        *asked(8085, AUTOSCALER),
    ),
    "overflow": (
        *asks(KARPENTER),
        Flow(source=KARPENTER, target=WORLD, ports=(443,)),
        *acts(KARPENTER),
        *asked(8080, KARPENTER),
    ),
    "gitops": (
        *asks(ARGO_CONTROLLER, ARGO_SERVER, ARGO_SETS, ARGO_REDIS_SECRET),
        *ask(ARGO_REDIS, 6379, ARGO_CONTROLLER, ARGO_SERVER, ARGO_REPOSITORIES),
        *ask(ARGO_REPOSITORIES, 8081, ARGO_CONTROLLER, ARGO_SERVER, ARGO_SETS),
        *(Flow(source=each, target=WORLD, ports=(443,)) for each in (ARGO_REPOSITORIES, ARGO_SERVER)),
        *asked(8082, ARGO_CONTROLLER),
        *asked(8083, ARGO_SERVER),
        *asked(8084, ARGO_REPOSITORIES),
        *asked(8080, ARGO_SETS),
    ),
    "rollouts": (
        *asks(ROLLOUTS),
        Flow(source=ROLLOUTS, target=PROMETHEUS, ports=(9090,)),
        *asked(8090, ROLLOUTS),
    ),
    "runners": (
        *asks(RUNNERS_CONTROLLER, RUNNERS_LISTENER),
        *(Flow(source=each, target=WORLD, ports=(443,)) for each in (RUNNERS_CONTROLLER, RUNNERS_LISTENER, RUNNER)),
        *acts(RUNNER),
        *asked(8080, RUNNERS_CONTROLLER, RUNNERS_LISTENER),
    ),
}
"""What each of them needs. Ports: values.yaml of each chart at the versions of charts.lock, 2026-11."""
