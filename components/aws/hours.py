"""Hours of a node group: its least number of nodes is lowered when work ends, and raised again before it begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from stacks.off_hours import OffHours

UNCHANGED: Final = -1
"""AWS lets a number be (registry.terraform.io/providers/hashicorp/aws, autoscaling_schedule, 2026-11)."""


@dataclass(frozen=True, kw_only=True)
class HoursArgs:
    """`least` is the plan's number; `stays` is what is left of it when nobody works."""

    group: pulumi.Input[str]
    """Name of the autoscaling group behind the node group."""
    region: str
    hours: OffHours
    least: pulumi.Input[int]
    stays: int


@dataclass(frozen=True, kw_only=True)
class When:
    """A cron expression in the time zone, or one moment of UTC."""

    name: str
    recurrence: str | None = None
    moment: str | None = None


def keep(name: str, args: HoursArgs, opts: pulumi.ResourceOptions) -> list[aws.autoscaling.Schedule]:
    """Make the actions. Nodes go by the autoscaler, which moves their pods first: nothing is switched off here."""
    lowered = pulumi.Output.from_input(args.least).apply(lambda least: min(int(least), args.stays))
    made = []
    for opens, when in _times(args.hours):
        made.append(
            aws.autoscaling.Schedule(
                f"{name}-{when.name}",
                scheduled_action_name=f"{name}-{when.name}",
                autoscaling_group_name=args.group,
                min_size=args.least if opens else lowered,
                max_size=UNCHANGED,
                desired_capacity=UNCHANGED,
                recurrence=when.recurrence,
                start_time=when.moment,
                time_zone=args.hours.time_zone if when.recurrence else None,
                region=args.region,
                opts=opts,
            )
        )
    return made


def _times(hours: OffHours) -> Iterator[tuple[bool, When]]:
    """Yield whether work begins, and when: each week, and once for each exception."""
    (opens, closes), *_ = hours.crons()
    yield True, When(name="opens", recurrence=opens)
    yield False, When(name="closes", recurrence=closes)
    for day in sorted(set(hours.exceptions)):
        yield True, When(name=f"opens-{day.isoformat()}", moment=hours.moment(day, hours.opens))
        yield False, When(name=f"closes-{day.isoformat()}", moment=hours.moment(day, hours.closes))
