"""One experiment of the stack file as a schedule: what is broken, for how long, and what ends it early."""

from __future__ import annotations

from typing import Any, Final

from components.kubernetes.crds.chaos import (
    Schedule,
    ScheduleSpec,
    ScheduleSpecWorkflow,
    ScheduleSpecWorkflowTemplates,
    ScheduleSpecWorkflowTemplatesDnsChaos,
    ScheduleSpecWorkflowTemplatesDnsChaosSelector,
    ScheduleSpecWorkflowTemplatesIoChaos,
    ScheduleSpecWorkflowTemplatesIoChaosSelector,
    ScheduleSpecWorkflowTemplatesNetworkChaos,
    ScheduleSpecWorkflowTemplatesNetworkChaosDelay,
    ScheduleSpecWorkflowTemplatesNetworkChaosLoss,
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
    ScheduleSpecWorkflowTemplatesStressChaosStressorsMemory,
)
from stacks.services.experiments import Chaos, Target

LATENCY: Final = "100ms"
LOST: Final = "20"
"""Percent of the packets."""
LOAD: Final = 80
"""Percent of one processor."""
FILLED: Final = "128MB"
SLOW: Final = "50ms"
HALF: Final = 50
"""Percent of the calls to files."""
PATIENCE: Final = 3
EVERY_SECONDS: Final = 5
WITHIN_SECONDS: Final = 2


def experiment(wish: Chaos, target: Target, offset: int = 0) -> Schedule:
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
            interval_seconds=EVERY_SECONDS,
            timeout_seconds=WITHIN_SECONDS,
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
    made: dict[str, Any]
    match target.experiment:
        case "pod-kill":
            kill = ScheduleSpecWorkflowTemplatesPodChaos(
                action="pod-kill", mode="one", selector=ScheduleSpecWorkflowTemplatesPodChaosSelector(**where)
            )
            made = {"template_type": "PodChaos", "pod_chaos": kill}
        case "network-delay" | "network-loss":
            made = {"template_type": "NetworkChaos", "network_chaos": _network(target, where)}
        case "cpu-stress" | "memory-stress":
            made = {"template_type": "StressChaos", "stress_chaos": _stress(target, where)}
        case "io-delay":
            slow = ScheduleSpecWorkflowTemplatesIoChaos(
                action="latency",
                mode="one",
                delay=SLOW,
                percent=HALF,
                volume_path=target.volume or "",
                selector=ScheduleSpecWorkflowTemplatesIoChaosSelector(**where),
            )
            made = {"template_type": "IOChaos", "io_chaos": slow}
        case "dns-error":
            lost = ScheduleSpecWorkflowTemplatesDnsChaos(
                action="error",
                mode="one",
                patterns=list(target.hosts),
                selector=ScheduleSpecWorkflowTemplatesDnsChaosSelector(**where),
            )
            made = {"template_type": "DNSChaos", "dns_chaos": lost}
    return ScheduleSpecWorkflowTemplates(name="fault", deadline=deadline, **made)


def _network(target: Target, where: dict[str, Any]) -> ScheduleSpecWorkflowTemplatesNetworkChaos:
    selector = ScheduleSpecWorkflowTemplatesNetworkChaosSelector(**where)
    if target.experiment == "network-loss":
        loss = ScheduleSpecWorkflowTemplatesNetworkChaosLoss(loss=LOST)
        return ScheduleSpecWorkflowTemplatesNetworkChaos(
            action="loss", mode="one", direction="to", loss=loss, selector=selector
        )
    delay = ScheduleSpecWorkflowTemplatesNetworkChaosDelay(latency=LATENCY, jitter="10ms")
    return ScheduleSpecWorkflowTemplatesNetworkChaos(
        action="delay", mode="one", direction="to", delay=delay, selector=selector
    )


def _stress(target: Target, where: dict[str, Any]) -> ScheduleSpecWorkflowTemplatesStressChaos:
    """One worker on one processor, or one that fills memory: neither takes more than the pod's own limit lets it."""
    cpu = ScheduleSpecWorkflowTemplatesStressChaosStressorsCpu(workers=1, load=LOAD)
    memory = ScheduleSpecWorkflowTemplatesStressChaosStressorsMemory(workers=1, size=FILLED)
    filled = target.experiment == "memory-stress"
    stressors = ScheduleSpecWorkflowTemplatesStressChaosStressors(
        cpu=None if filled else cpu, memory=memory if filled else None
    )
    selector = ScheduleSpecWorkflowTemplatesStressChaosSelector(**where)
    return ScheduleSpecWorkflowTemplatesStressChaos(mode="one", selector=selector, stressors=stressors)
