"""New versions step by step: Argo Rollouts moves the mesh's traffic, Prometheus judges, the old version comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final

import pulumi
from pulumi_kubernetes.core.v1 import Service as KubernetesService
from pulumi_kubernetes.core.v1 import ServicePortArgs, ServiceSpecArgs
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, ObjectMetaArgs
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget, PodDisruptionBudgetSpecArgs

from components.kubernetes.autoscalers import PROMETHEUS
from components.kubernetes.crds.rollouts import (
    AnalysisTemplate,
    AnalysisTemplateSpec,
    AnalysisTemplateSpecArgs,
    AnalysisTemplateSpecMetrics,
    AnalysisTemplateSpecMetricsProvider,
    AnalysisTemplateSpecMetricsProviderPrometheus,
    Rollout,
    RolloutSpec,
    RolloutSpecStrategy,
    RolloutSpecStrategyBlueGreen,
    RolloutSpecStrategyBlueGreenPostPromotionAnalysis,
    RolloutSpecStrategyBlueGreenPostPromotionAnalysisArgs,
    RolloutSpecStrategyBlueGreenPostPromotionAnalysisTemplates,
    RolloutSpecStrategyCanary,
    RolloutSpecStrategyCanarySteps,
    RolloutSpecStrategyCanaryStepsAnalysis,
    RolloutSpecStrategyCanaryStepsAnalysisArgs,
    RolloutSpecStrategyCanaryStepsAnalysisTemplates,
    RolloutSpecStrategyCanaryStepsPause,
    RolloutSpecStrategyCanaryStepsSetCanaryScale,
    RolloutSpecStrategyCanaryStepsSetMirrorRoute,
    RolloutSpecStrategyCanaryStepsSetMirrorRouteMatch,
    RolloutSpecStrategyCanaryStepsSetMirrorRouteMatchMethod,
    RolloutSpecStrategyCanaryTrafficRouting,
    RolloutSpecStrategyCanaryTrafficRoutingIstio,
    RolloutSpecStrategyCanaryTrafficRoutingIstioVirtualService,
    RolloutSpecStrategyCanaryTrafficRoutingManagedRoutes,
    RolloutSpecWorkloadRef,
)
from components.kubernetes.service import Ground, Service, resources, spread
from components.kubernetes.traffic import CANARY, PRIMARY, breaker
from stacks.services.delivery import Delivered

ERRORS: Final = "error-rate"
SHADOW: Final = "shadow"
PREVIEW: Final = "-preview"
LOOK: Final = "1m"
LOOKS: Final = 5
WINDOW: Final = "2m"
SHADOW_PODS: Final = 1
READING: Final = "GET"
"""Only what changes nothing is sent twice."""
ALL: Final = 100


class Rollouts(Service):
    """The controller, and for each workload of this cluster a rollout, its second Service, its judge and its budget."""

    SERVICE: ClassVar[str] = "rollouts"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.rollouts
        assert wish is not None  # noqa: S101 - only made when it is on
        self.namespace()
        self.release("argo-rollouts", values(ground))
        here = {app: each for app, each in wish.workloads.items() if app in ground.workloads}
        for namespace in sorted({each.namespace for each in here.values()}):
            self.custom(ERRORS, judge(ground), namespace=namespace)
        for app, each in here.items():
            second = f"{app}{CANARY if each.strategy == 'canary' else PREVIEW}"
            self._second(app, second, each)
            if each.strategy == "canary":
                self.custom(second, breaker(each.namespace, second), namespace=each.namespace)
            self._budget(app, each.namespace)
            self.custom(app, rollout(ground, app, each), namespace=each.namespace, after=[*self.last, *self.made])
        self.done()

    def _second(self, app: str, name: str, wish: Delivered) -> None:
        """The Service of the new version; the controller narrows its selector to the new pods."""
        made = KubernetesService(
            f"{self.named}-service-{wish.namespace}-{name}",
            metadata=ObjectMetaArgs(
                name=name,
                namespace=wish.namespace,
                labels={"app": app},
                annotations={"pulumi.com/skipAwait": "true"},  # its pods come with the tenants' first deployment
            ),
            spec=ServiceSpecArgs(
                type="ClusterIP",
                selector={"app": app},
                ports=[ServicePortArgs(name="http", port=wish.port, target_port=wish.port, app_protocol="http")],
            ),
            opts=pulumi.ResourceOptions.merge(
                self.options(),
                pulumi.ResourceOptions(ignore_changes=["spec.selector"]),  # the controller adds to it
            ),
        )
        self.made.append(made)

    def _budget(self, app: str, namespace: str) -> None:
        made = PodDisruptionBudget(
            f"{self.named}-poddisruptionbudget-{namespace}-{app}",
            metadata=ObjectMetaArgs(name=app, namespace=namespace),
            spec=PodDisruptionBudgetSpecArgs(
                max_unavailable="25%",
                selector=LabelSelectorArgs(match_labels={"app": app}),
                unhealthy_pod_eviction_policy="AlwaysAllow",
            ),
            opts=self.options(),
        )
        self.made.append(made)


def values(ground: Ground) -> dict[str, Any]:
    """Values of the chart: Istio is the only way of moving traffic, and there is no dashboard."""
    room = ground.room("rollouts")["controller"]
    others = ("smi", "ambassador", "awsLoadBalancerController", "awsAppMesh", "traefik", "apisix", "contour",
              "glooPlatform", "gatewayAPI")  # fmt: skip
    return {
        "installCRDs": True,
        "keepCRDs": False,
        "controller": {
            "replicas": room.replicas,
            "resources": resources(room),
            "metrics": {"enabled": True},
            "logging": {"format": "json"},
            "pdb": {"enabled": True, "minAvailable": 1},
            "priorityClassName": "system-cluster-critical",
            "topologySpreadConstraints": spread({"app.kubernetes.io/name": "argo-rollouts"}),
        },
        "serviceAccount": {"create": True, "name": "argo-rollouts"},
        "providerRBAC": {"enabled": True, "providers": {"istio": True, **dict.fromkeys(others, False)}},
        "dashboard": {"enabled": False},
    }


def judge(ground: Ground) -> AnalysisTemplate:
    """Compare the share of errors with what is allowed; without answers nothing is decided."""
    mesh = ground.services.mesh
    reporter = "waypoint" if mesh is None or mesh.mode == "ambient" else "destination"
    where = (
        f'reporter="{reporter}",destination_service_name="{{{{args.service}}}}",'
        'destination_service_namespace="{{args.namespace}}"'
    )
    errors = f'sum(rate(istio_requests_total{{{where},response_code=~"5.."}}[{WINDOW}])) or vector(0)'
    query = f"({errors}) / sum(rate(istio_requests_total{{{where}}}[{WINDOW}]))"
    known = "len(result) > 0 && !isNaN(result[0])"
    return AnalysisTemplate(
        spec=AnalysisTemplateSpec(
            args=[AnalysisTemplateSpecArgs(name=each) for each in ("service", "namespace", "allowed")],
            metrics=[
                AnalysisTemplateSpecMetrics(
                    name=ERRORS,
                    initial_delay=LOOK,
                    interval=LOOK,
                    count=LOOKS,
                    success_condition=f"{known} && result[0] <= asFloat('{{{{args.allowed}}}}')",
                    failure_condition=f"{known} && result[0] > asFloat('{{{{args.allowed}}}}')",
                    failure_limit=1,
                    inconclusive_limit=LOOKS - 1,
                    consecutive_error_limit=LOOKS - 1,
                    provider=AnalysisTemplateSpecMetricsProvider(
                        prometheus=AnalysisTemplateSpecMetricsProviderPrometheus(address=PROMETHEUS, query=query)
                    ),
                )
            ],
        )
    )


def rollout(ground: Ground, app: str, wish: Delivered) -> Rollout:
    """Take the pods of the workload's Deployment over; how many there are is the autoscaler's, where there is one."""
    scaling = ground.services.scaling
    scaled = scaling is not None and app in scaling.workloads and scaling.workloads[app].horizontal is not None
    scaled = scaled or (ground.off_hours is not None and app in ground.off_hours.workloads)
    strategy = (
        RolloutSpecStrategy(canary=_canary(app, wish))
        if wish.strategy == "canary"
        else RolloutSpecStrategy(blue_green=_blue_green(app, wish))
    )
    return Rollout(
        spec=RolloutSpec(
            replicas=None if scaled else ground.workloads[app].replicas,
            revision_history_limit=5,
            progress_deadline_seconds=600,
            progress_deadline_abort=True,
            workload_ref=RolloutSpecWorkloadRef(
                api_version="apps/v1", kind="Deployment", name=app, scale_down="progressively"
            ),
            strategy=strategy,
        )
    )


def allowed(wish: Delivered) -> str:
    """Share of errors that is allowed, as a number between 0 and 1."""
    return f"{wish.error_percent / ALL:.6g}"


def _canary(app: str, wish: Delivered) -> RolloutSpecStrategyCanary:
    shadow = wish.canary.shadow_percent is not None
    return RolloutSpecStrategyCanary(
        stable_service=app,
        canary_service=f"{app}{CANARY}",
        max_surge="25%",
        max_unavailable=0,
        abort_scale_down_delay_seconds=30,
        traffic_routing=RolloutSpecStrategyCanaryTrafficRouting(
            istio=RolloutSpecStrategyCanaryTrafficRoutingIstio(
                virtual_service=RolloutSpecStrategyCanaryTrafficRoutingIstioVirtualService(name=app, routes=[PRIMARY])
            ),
            managed_routes=[RolloutSpecStrategyCanaryTrafficRoutingManagedRoutes(name=SHADOW)] if shadow else None,
        ),
        steps=list(_steps(app, wish)),
    )


def _steps(app: str, wish: Delivered) -> Iterator[RolloutSpecStrategyCanarySteps]:
    """Copies first where they are asked for, then a share of the traffic, watched, judged, and the next one."""
    step, wait = RolloutSpecStrategyCanarySteps, f"{wish.canary.minutes}m"
    pause = step(pause=RolloutSpecStrategyCanaryStepsPause(duration=wait))
    analysis = RolloutSpecStrategyCanaryStepsAnalysis(
        templates=[RolloutSpecStrategyCanaryStepsAnalysisTemplates(template_name=ERRORS)],
        args=[
            RolloutSpecStrategyCanaryStepsAnalysisArgs(name=name, value=value)
            for name, value in (
                ("service", f"{app}{CANARY}"),
                ("namespace", wish.namespace),
                ("allowed", allowed(wish)),
            )
        ],
    )
    if wish.canary.shadow_percent is not None:
        match = RolloutSpecStrategyCanaryStepsSetMirrorRouteMatch(
            method=RolloutSpecStrategyCanaryStepsSetMirrorRouteMatchMethod(exact=READING)
        )
        mirror = RolloutSpecStrategyCanaryStepsSetMirrorRoute
        yield step(set_canary_scale=RolloutSpecStrategyCanaryStepsSetCanaryScale(replicas=SHADOW_PODS))
        yield step(set_mirror_route=mirror(name=SHADOW, percentage=wish.canary.shadow_percent, match=[match]))
        yield pause
        yield step(set_mirror_route=mirror(name=SHADOW))
        yield step(set_canary_scale=RolloutSpecStrategyCanaryStepsSetCanaryScale(match_traffic_weight=True))
    for weight in wish.canary.weights:
        yield step(set_weight=weight)
        yield pause
        yield step(analysis=analysis)


def _blue_green(app: str, wish: Delivered) -> RolloutSpecStrategyBlueGreen:
    template = RolloutSpecStrategyBlueGreenPostPromotionAnalysisTemplates(template_name=ERRORS)
    args = (("service", app), ("namespace", wish.namespace), ("allowed", allowed(wish)))
    return RolloutSpecStrategyBlueGreen(
        active_service=app,
        preview_service=f"{app}{PREVIEW}",
        auto_promotion_enabled=wish.blue_green.automatic,
        scale_down_delay_seconds=wish.blue_green.minutes * 60,
        post_promotion_analysis=RolloutSpecStrategyBlueGreenPostPromotionAnalysis(
            templates=[template],
            args=[RolloutSpecStrategyBlueGreenPostPromotionAnalysisArgs(name=n, value=v) for n, v in args],
        ),
    )
