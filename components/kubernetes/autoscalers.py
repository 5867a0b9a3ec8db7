"""Autoscalers of workloads: how many pods, and how large; the numbers are the stack file's."""

from __future__ import annotations

from typing import Final

import pulumi
from pulumi_kubernetes.autoscaling.v2 import (
    CrossVersionObjectReferenceArgs,
    HorizontalPodAutoscaler,
    HorizontalPodAutoscalerBehaviorArgs,
    HorizontalPodAutoscalerSpecArgs,
    HPAScalingPolicyArgs,
    HPAScalingRulesArgs,
    MetricSpecArgs,
    MetricTargetArgs,
    ResourceMetricSourceArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.kubernetes.crds.keda import (
    ScaledObject,
    ScaledObjectSpec,
    ScaledObjectSpecAdvanced,
    ScaledObjectSpecAdvancedHorizontalPodAutoscalerConfig,
    ScaledObjectSpecAdvancedHorizontalPodAutoscalerConfigBehavior,
    ScaledObjectSpecAdvancedHorizontalPodAutoscalerConfigBehaviorScaleDown,
    ScaledObjectSpecAdvancedHorizontalPodAutoscalerConfigBehaviorScaleDownPolicies,
    ScaledObjectSpecAdvancedHorizontalPodAutoscalerConfigBehaviorScaleUp,
    ScaledObjectSpecAdvancedHorizontalPodAutoscalerConfigBehaviorScaleUpPolicies,
    ScaledObjectSpecFallback,
    ScaledObjectSpecScaleTargetRef,
    ScaledObjectSpecTriggers,
)
from components.kubernetes.crds.vertical import (
    VerticalPodAutoscaler,
    VerticalPodAutoscalerSpec,
    VerticalPodAutoscalerSpecResourcePolicy,
    VerticalPodAutoscalerSpecResourcePolicyContainerPolicies,
    VerticalPodAutoscalerSpecTargetRef,
    VerticalPodAutoscalerSpecUpdatePolicy,
)
from components.kubernetes.service import Ground, Service
from stacks.services.scaling import Horizontal, Vertical

CALM_SECONDS: Final = 300
"""A number of pods is only left after it was too high for so long: the highest wish of the window counts."""
STEP_SECONDS: Final = 15
DOWN_SECONDS: Final = 60
DOUBLED: Final = 100
FOUR: Final = 4
TENTH: Final = 10
"""Upwards twice as many or four more in 15 s, whichever is more; downwards a tenth in a minute."""
POLLED: Final = 15
MISSED: Final = 3
PROMETHEUS: Final = "http://platform-prometheus.monitoring.svc.cluster.local:9090"
WINDOW: Final = "2m"
"""Four times as long as figures are apart, so that a rate survives a lost one."""
MODES: Final = {"recommend": "Off", "initial": "Initial", "auto": "Recreate"}
"""`Auto` of the API is deprecated for the mode that it stands for (kubernetes/autoscaler docs/features.md, 2026-11)."""


def target(ground: Ground, workload: str) -> tuple[str, str, str]:
    """Say what is scaled: API version, kind and name; what rollouts deliver is scaled through its rollout."""
    rollouts = ground.services.rollouts
    if rollouts is not None and workload in rollouts.workloads:
        return "argoproj.io/v1alpha1", "Rollout", workload
    return "apps/v1", "Deployment", workload


def requests(ground: Ground, workload: str, namespace: str) -> str:
    """Ask how many requests a second a workload answers: counted once, by its waypoint or its own proxy."""
    mesh = ground.services.mesh
    reporter = "waypoint" if mesh is None or mesh.mode == "ambient" else "destination"
    where = f'reporter="{reporter}",destination_service_name="{workload}",destination_service_namespace="{namespace}"'
    return f"sum(rate(istio_requests_total{{{where}}}[{WINDOW}]))"


def measured(  # noqa: PLR0913 - what a clock adds
    ground: Ground,
    workload: str,
    namespace: str,
    wish: Horizontal,
    *,
    least: int | None = None,
    cooldown: int | None = None,
    more: tuple[ScaledObjectSpecTriggers, ...] = (),
) -> ScaledObject:
    """Scale by requests, CPU and memory, as asked: KEDA makes one autoscaler of all of them.

    `least` and `more` are those of a workload that rests: pods that stay, and the clock.
    """
    api, kind, name = target(ground, workload)
    triggers = [
        ScaledObjectSpecTriggers(type=each, metric_type="Utilization", metadata={"value": str(percent)})
        for each, percent in (("cpu", wish.cpu_percent), ("memory", wish.memory_percent))
        if percent is not None
    ]
    fallback = None
    if wish.requests_per_second is not None:
        triggers.append(
            ScaledObjectSpecTriggers(
                type="prometheus",
                name="requests",
                metric_type="AverageValue",
                metadata={
                    "serverAddress": PROMETHEUS,
                    "query": requests(ground, workload, namespace),
                    "threshold": str(wish.requests_per_second),
                    "ignoreNullValues": "true" if more else "false",
                },
            )
        )
        fallback = ScaledObjectSpecFallback(
            failure_threshold=MISSED, replicas=wish.min, behavior="currentReplicasIfHigher"
        )
    return ScaledObject(
        spec=ScaledObjectSpec(
            scale_target_ref=ScaledObjectSpecScaleTargetRef(api_version=api, kind=kind, name=name),
            min_replica_count=wish.min if least is None else least,
            max_replica_count=wish.max,
            polling_interval=POLLED,
            cooldown_period=cooldown,
            triggers=[*triggers, *more],
            fallback=fallback,
            advanced=paced(workload),
        )
    )


def paced(workload: str) -> ScaledObjectSpecAdvanced:
    """How fast the autoscaler of a workload goes, and what it is called."""
    return ScaledObjectSpecAdvanced(
        restore_to_original_replica_count=False,
        horizontal_pod_autoscaler_config=ScaledObjectSpecAdvancedHorizontalPodAutoscalerConfig(
            name=workload, behavior=_pace()
        ),
    )


def _pace() -> ScaledObjectSpecAdvancedHorizontalPodAutoscalerConfigBehavior:
    up = ScaledObjectSpecAdvancedHorizontalPodAutoscalerConfigBehaviorScaleUpPolicies
    down = ScaledObjectSpecAdvancedHorizontalPodAutoscalerConfigBehaviorScaleDownPolicies
    return ScaledObjectSpecAdvancedHorizontalPodAutoscalerConfigBehavior(
        scale_up=ScaledObjectSpecAdvancedHorizontalPodAutoscalerConfigBehaviorScaleUp(
            stabilization_window_seconds=0,
            select_policy="Max",
            policies=[
                up(type="Percent", value=DOUBLED, period_seconds=STEP_SECONDS),
                up(type="Pods", value=FOUR, period_seconds=STEP_SECONDS),
            ],
        ),
        scale_down=ScaledObjectSpecAdvancedHorizontalPodAutoscalerConfigBehaviorScaleDown(
            stabilization_window_seconds=CALM_SECONDS,
            select_policy="Max",
            policies=[
                down(type="Percent", value=TENTH, period_seconds=DOWN_SECONDS),
                down(type="Pods", value=1, period_seconds=DOWN_SECONDS),
            ],
        ),
    )


def horizontal(owner: Service, workload: str, namespace: str, wish: Horizontal) -> HorizontalPodAutoscaler:
    """Scale by CPU and memory alone: Kubernetes does it by itself."""
    api, kind, name = target(owner.ground, workload)
    metrics = [
        MetricSpecArgs(
            type="Resource",
            resource=ResourceMetricSourceArgs(
                name=each, target=MetricTargetArgs(type="Utilization", average_utilization=percent)
            ),
        )
        for each, percent in (("cpu", wish.cpu_percent), ("memory", wish.memory_percent))
        if percent is not None
    ]
    made = HorizontalPodAutoscaler(
        f"{owner.named}-horizontalpodautoscaler-{namespace}-{workload}",
        metadata=ObjectMetaArgs(name=workload, namespace=namespace),
        spec=HorizontalPodAutoscalerSpecArgs(
            scale_target_ref=CrossVersionObjectReferenceArgs(api_version=api, kind=kind, name=name),
            min_replicas=wish.min,
            max_replicas=wish.max,
            metrics=metrics,
            behavior=HorizontalPodAutoscalerBehaviorArgs(
                scale_up=_rules(0, ("Percent", DOUBLED, STEP_SECONDS), ("Pods", FOUR, STEP_SECONDS)),
                scale_down=_rules(CALM_SECONDS, ("Percent", TENTH, DOWN_SECONDS), ("Pods", 1, DOWN_SECONDS)),
            ),
        ),
        opts=owner.options(),
    )
    owner.made.append(made)
    return made


def _rules(window: int, *policies: tuple[str, int, int]) -> HPAScalingRulesArgs:
    return HPAScalingRulesArgs(
        stabilization_window_seconds=window,
        select_policy="Max",
        policies=[HPAScalingPolicyArgs(type=kind, value=value, period_seconds=s) for kind, value, s in policies],
    )


def vertical(ground: Ground, workload: str, wish: Vertical) -> VerticalPodAutoscaler:
    """Recommend requests within bounds, and give them to pods only where the mode says so."""
    api, kind, name = target(ground, workload)
    least: dict[str, pulumi.Input[int | str]] = {"cpu": wish.min_cpu, "memory": wish.min_memory}
    most: dict[str, pulumi.Input[int | str]] = {"cpu": wish.max_cpu, "memory": wish.max_memory}
    policy = VerticalPodAutoscalerSpecResourcePolicyContainerPolicies(
        container_name="*",
        controlled_resources=["cpu", "memory"],
        controlled_values="RequestsOnly",
        min_allowed=least,
        max_allowed=most,
    )
    sidecar = VerticalPodAutoscalerSpecResourcePolicyContainerPolicies(container_name="istio-proxy", mode="Off")
    return VerticalPodAutoscaler(
        spec=VerticalPodAutoscalerSpec(
            target_ref=VerticalPodAutoscalerSpecTargetRef(api_version=api, kind=kind, name=name),
            update_policy=VerticalPodAutoscalerSpecUpdatePolicy(
                update_mode=MODES[wish.mode],  # type: ignore[arg-type]  # a table of them
                min_replicas=2,
            ),
            resource_policy=VerticalPodAutoscalerSpecResourcePolicy(container_policies=[policy, sidecar]),
        )
    )
