"""Experiments that break one thing at a time: Chaos Mesh, kept to the targets of the stack file."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pulumi

from components.kubernetes.crds.chaos import (
    Schedule,
    ScheduleSpec,
    ScheduleSpecWorkflow,
    ScheduleSpecWorkflowTemplates,
    ScheduleSpecWorkflowTemplatesNetworkChaos,
    ScheduleSpecWorkflowTemplatesNetworkChaosDelay,
    ScheduleSpecWorkflowTemplatesNetworkChaosSelector,
    ScheduleSpecWorkflowTemplatesPodChaos,
    ScheduleSpecWorkflowTemplatesPodChaosSelector,
    ScheduleSpecWorkflowTemplatesStatusCheck,
    ScheduleSpecWorkflowTemplatesStatusCheckHttp,
    ScheduleSpecWorkflowTemplatesStatusCheckHttpCriteria,
    ScheduleSpecWorkflowTemplatesStressChaos,
    ScheduleSpecWorkflowTemplatesStressChaosSelector,
    ScheduleSpecWorkflowTemplatesStressChaosStressors,
    ScheduleSpecWorkflowTemplatesStressChaosStressorsCpu,
)
from components.kubernetes.service import Ground, Service, resources
from stacks.services.settings import Chaos as Wish
from stacks.services.settings import Target

SOCKET: Final = "/run/containerd/containerd.sock"
"""Where containerd answers on EKS, GKE and AKS alike (each cloud's node images, 2026-11)."""
PRIVILEGED: Final = {"pod-security.kubernetes.io/enforce": "privileged"}
"""The daemon enters other pods' namespaces: no closer standard lets it."""
OUTSIDE: Final = {"istio.io/dataplane-mode": "none"}
"""The API server calls the controller, and the chart cannot label that pod alone: the namespace stays out."""
LATENCY: Final = "100ms"
LOAD: Final = 80
PATIENCE: Final = 3


class Chaos(Service):
    """Chaos Mesh with one schedule for each target; an experiment ends early when the health check fails."""

    SERVICE: ClassVar[str] = "chaos"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.chaos
        assert wish is not None  # noqa: S101 - only made when it is on
        self.namespace(meshed=False, labels={**PRIVILEGED, **(OUTSIDE if ground.services.mesh else {})})
        self.release("chaos-mesh", values(ground))
        for index, target in enumerate(wish.targets):
            schedule = experiment(wish, target, offset=index * 60 // max(len(wish.targets), 1))
            self.custom(
                f"{target.workload}-{target.experiment}",
                schedule,
                namespace=target.namespace,
                annotations=permission(wish),
            )
        self.done()


def permission(wish: Wish) -> dict[str, str]:
    """Until when experiments are permitted, by whom and under which ticket: the law's CH-21 reads it."""
    written = {
        "expires-at": wish.expires and wish.expires.isoformat(),
        "approver": wish.approver,
        "ticket": wish.ticket,
    }
    return {f"ecosystem.dev/{key}": value for key, value in written.items() if value}


def values(ground: Ground) -> dict[str, Any]:
    """Values of the chart."""
    room = ground.room("chaos")
    return {
        "clusterScoped": True,
        "enableProfiling": False,
        "controllerManager": {
            "enableFilterNamespace": True,
            "replicaCount": room["controller"].replicas,
            "resources": resources(room["controller"]),
            "leaderElection": {"enabled": True},
        },
        "chaosDaemon": {
            "runtime": "containerd",
            "socketPath": SOCKET,
            "mtls": {"enabled": True},
            "resources": resources(room["daemon"]),
        },
        "dashboard": {
            "securityMode": True,
            "service": {"type": "ClusterIP"},
            "resources": resources(room["dashboard"]),
        },
        "dnsServer": {"create": False},
        "webhook": {"certManager": {"enabled": True}, "FailurePolicy": "Fail"},
    }


def experiment(wish: Wish, target: Target, offset: int = 0) -> Schedule:
    """A schedule whose run is a health check beside the experiment: the check ends both when it fails.

    Targets of one stack start at different minutes.
    """
    deadline = f"{wish.duration_seconds}s"
    check = ScheduleSpecWorkflowTemplates(
        name="check",
        template_type="StatusCheck",
        deadline=deadline,
        abort_with_status_check=True,
        status_check=ScheduleSpecWorkflowTemplatesStatusCheck(
            mode="Continuous",
            type="HTTP",
            interval_seconds=5,
            timeout_seconds=2,
            failure_threshold=PATIENCE,
            http=ScheduleSpecWorkflowTemplatesStatusCheckHttp(
                url=wish.abort_url or "",
                method="GET",
                criteria=ScheduleSpecWorkflowTemplatesStatusCheckHttpCriteria(status_code="200-299"),
            ),
        ),
    )
    whole = ScheduleSpecWorkflowTemplates(
        name="whole", template_type="Parallel", deadline=deadline, children=["check", "fault"]
    )
    return Schedule(
        spec=ScheduleSpec(
            schedule=f"{offset} */{wish.hours} * * *",
            type="Workflow",
            concurrency_policy="Forbid",
            history_limit=5,
            starting_deadline_seconds=60,
            workflow=ScheduleSpecWorkflow(entry="whole", templates=[whole, check, _fault(target, deadline)]),
        )
    )


def _fault(target: Target, deadline: str) -> ScheduleSpecWorkflowTemplates:
    """What is done, to one pod of one workload in one namespace."""
    where: dict[str, Any] = {"namespaces": [target.namespace], "label_selectors": {"app": target.workload}}
    if target.experiment == "pod-kill":
        kill = ScheduleSpecWorkflowTemplatesPodChaos(
            action="pod-kill", mode="one", selector=ScheduleSpecWorkflowTemplatesPodChaosSelector(**where)
        )
        return ScheduleSpecWorkflowTemplates(name="fault", template_type="PodChaos", deadline=deadline, pod_chaos=kill)
    if target.experiment == "network-delay":
        delay = ScheduleSpecWorkflowTemplatesNetworkChaos(
            action="delay",
            mode="one",
            direction="to",
            delay=ScheduleSpecWorkflowTemplatesNetworkChaosDelay(latency=LATENCY, jitter="10ms"),
            selector=ScheduleSpecWorkflowTemplatesNetworkChaosSelector(**where),
        )
        return ScheduleSpecWorkflowTemplates(
            name="fault", template_type="NetworkChaos", deadline=deadline, network_chaos=delay
        )
    stress = ScheduleSpecWorkflowTemplatesStressChaos(
        mode="one",
        selector=ScheduleSpecWorkflowTemplatesStressChaosSelector(**where),
        stressors=ScheduleSpecWorkflowTemplatesStressChaosStressors(
            cpu=ScheduleSpecWorkflowTemplatesStressChaosStressorsCpu(workers=1, load=LOAD)
        ),
    )
    return ScheduleSpecWorkflowTemplates(
        name="fault", template_type="StressChaos", deadline=deadline, stress_chaos=stress
    )
