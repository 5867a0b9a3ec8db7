"""Workloads that rest when nobody works: the clock as one more reason of an autoscaler to have pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from components.kubernetes.autoscalers import POLLED, measured, paced, target
from components.kubernetes.crds.keda import (
    ScaledObject,
    ScaledObjectSpec,
    ScaledObjectSpecScaleTargetRef,
    ScaledObjectSpecTriggers,
)
from components.kubernetes.service import Ground
from stacks.off_hours import LONG, OffHours, Resting
from stacks.services.scaling import Horizontal

WORKING: Final = "working-hours"
"""Name of the time interval of Alertmanager in which people work."""
COOLED_SECONDS: Final = 300
"""How long KEDA waits before it takes the last pod away."""
QUIET: Final = ("ErrorBudgetBurns.*", "ProbeFails", "SlowRequests")
"""Alerts that resting workloads may cause and that name no namespace."""


def clock(hours: OffHours, pods: int) -> Iterator[ScaledObjectSpecTriggers]:
    """Yield a trigger for the working week and one for each exception: so many pods while people work."""
    for index, (start, end) in enumerate(hours.crons()):
        yield ScaledObjectSpecTriggers(
            type="cron",
            name="work" if index == 0 else f"exception-{index}",
            metadata={"timezone": hours.time_zone, "start": start, "end": end, "desiredReplicas": str(pods)},
        )


def rested(ground: Ground, workload: str, rest: Resting, wish: Horizontal | None) -> ScaledObject:
    """Let a workload rest; while people work it has the pods that it would have without.

    What it is scaled by otherwise still holds at any hour: who works late wakes it up. No figure at all is no load.
    """
    hours = ground.off_hours
    if hours is None:
        raise ValueError("nobody said when people work")
    if wish is None:
        api, kind, name = target(ground, workload)
        usual = ground.workloads[workload].replicas
        return ScaledObject(
            spec=ScaledObjectSpec(
                scale_target_ref=ScaledObjectSpecScaleTargetRef(api_version=api, kind=kind, name=name),
                min_replica_count=rest.pods,
                max_replica_count=usual,
                polling_interval=POLLED,
                cooldown_period=COOLED_SECONDS,
                triggers=list(clock(hours, usual)),
                advanced=paced(workload),
            )
        )
    return measured(
        ground, workload, rest.namespace, wish,
        least=rest.pods, cooldown=COOLED_SECONDS, more=tuple(clock(hours, wish.min)),
    )  # fmt: skip


def intervals(hours: OffHours) -> list[dict[str, Any]]:
    """When people work, in Alertmanager's words (prometheus.io/docs/alerting/latest/configuration, 2026-11)."""
    when: dict[str, Any] = {
        "times": [{"start_time": hours.opens, "end_time": hours.closes}],
        "location": hours.time_zone,
    }
    usual = {**when, "weekdays": [LONG[day] for day in dict.fromkeys(hours.days)]}
    others = [
        {**when, "years": [str(day.year)], "months": [str(day.month)], "days_of_month": [str(day.day)]}
        for day in sorted(set(hours.exceptions))
    ]
    return [{"name": WORKING, "time_intervals": [usual, *others]}]
