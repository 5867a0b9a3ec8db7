"""What scaling, deployment, delivery and runners say of themselves.

Figures: kube-state-metrics, keda.sh/docs/2.20/integrations/prometheus, kubernetes/autoscaler proposals/metrics.md,
argo-cd.readthedocs.io/en/stable/operator-manual/metrics, argo-rollouts.readthedocs.io/en/stable/features/
controller-metrics, docs.github.com on metrics of runner scale sets; read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator

from components.kubernetes.crds.prometheus import PrometheusRuleSpecGroups
from components.kubernetes.raised import Runbooks, group
from stacks.services.settings import Services


def scaling(_services: Services, runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    """Say which workload has grown as far as it may, and which one cannot be scaled by what was asked for."""
    yield group(
        "platform.scaling",
        runbooks.alert(
            "WorkloadAtItsMaximum",
            "kube_horizontalpodautoscaler_status_current_replicas >= kube_horizontalpodautoscaler_spec_max_replicas",
            "15m",
            "warning",
            "{{ $labels.horizontalpodautoscaler }} in {{ $labels.namespace }} has as many pods as it may have",
        ),
        runbooks.alert(
            "ScalingIsBlind",
            "sum by (exported_namespace, scaledObject) (rate(keda_scaler_detail_errors_total[5m])) > 0",
            "10m",
            "warning",
            "{{ $labels.scaledObject }} in {{ $labels.exported_namespace }}: its figures cannot be read",
        ),
    )


def node_scaling(_services: Services, runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    """Say when pods wait for nodes that do not come, and when no more may come."""
    nodes, most = "cluster_autoscaler_nodes_count", "cluster_autoscaler_max_nodes_count"
    yield group(
        "platform.nodes",
        runbooks.alert(
            "PodsWithoutRoom",
            "max(cluster_autoscaler_unschedulable_pods_count) > 0",
            "15m",
            "critical",
            "{{ $value }} pods wait for room and no pool grows for them",
        ),
        runbooks.alert(
            "NodesAtTheirMaximum",
            f"sum by (pod) ({nodes}) >= max by (pod) ({most})",
            "15m",
            "warning",
            "the cluster has as many nodes as it may have",
        ),
    )


def overflow(_services: Services, runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    """Say when overflow pools are full, when machines cannot be had, and when they are no overflow any more.

    Figures: karpenter.sh/v1.14/reference/metrics.
    """
    used, most = (
        f'max by (nodepool) (karpenter_nodepools_{what}{{resource_type="cpu"}})' for what in ("usage", "limit")
    )
    yield group(
        "platform.overflow",
        runbooks.alert(
            "OverflowAtItsLimit",
            f"{used} / {most} >= 0.9",
            "15m",
            "warning",
            "the overflow pool {{ $labels.nodepool }} uses {{ $value | humanizePercentage }} of its CPUs",
        ),
        runbooks.alert(
            "OverflowCannotStart",
            'sum by (error) (increase(karpenter_cloudprovider_errors_total{method="Create"}[10m])) > 0',
            "15m",
            "critical",
            "no machine can be had for overflow: {{ $labels.error }}",
        ),
        runbooks.alert(
            "OverflowIsNoOverflow",
            f"{used} > 0",
            "24h",
            "warning",
            "the overflow pool {{ $labels.nodepool }} has had nodes for a day: the plan is too small",
        ),
    )


def gitops(_services: Services, runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    """Say which application is not what its repository says, and which one does not live."""
    yield group(
        "platform.gitops",
        runbooks.alert(
            "ApplicationNotSynced",
            'argocd_app_info{sync_status!="Synced"} == 1',
            "30m",
            "warning",
            "{{ $labels.name }} is not what its repository says",
        ),
        runbooks.alert(
            "ApplicationNotHealthy",
            'argocd_app_info{health_status!~"Healthy|Progressing|Suspended"} == 1',
            "15m",
            "critical",
            "{{ $labels.name }} is {{ $labels.health_status }}",
        ),
    )


def rollouts(_services: Services, runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    """Say which new version was sent back."""
    yield group(
        "platform.rollouts",
        runbooks.alert(
            "RolloutAborted",
            'rollout_info{phase="Degraded"} == 1',
            "1m",
            "warning",
            "the new version of {{ $labels.name }} in {{ $labels.exported_namespace }} was sent back",
        ),
    )


def runners(_services: Services, runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    """Say which set of runners is used up."""
    yield group(
        "platform.runners",
        runbooks.alert(
            "RunnersUsedUp",
            "gha_assigned_jobs > gha_max_runners",
            "30m",
            "warning",
            "jobs wait for {{ $labels.name }}: all its runners are at work",
        ),
    )
