"""Hours in which nobody works: what rests then, and how the clock says so to those who obey it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field

from stacks.part import Day, FreezeMapping, Frozen, Name, Part

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONG: Final[Mapping[str, str]] = dict(
    zip(WEEK, ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), strict=True)
)
HOURS_OF_A_WEEK: Final = 168


@cache
def _zones() -> frozenset[str]:
    """Names that this machine's database has; none where it has no database."""
    return frozenset(available_timezones())


def _zone(value: str) -> str:
    if _zones() and value not in _zones():
        raise ValueError("is no time zone: write its name in the IANA database, Europe/Berlin or Etc/UTC")
    return value


TimeZone = Annotated[
    str,
    AfterValidator(_zone),
    Field(pattern=r"^[A-Za-z0-9_+/-]{2,50}$", json_schema_extra={"x-allowed": "a name of the IANA database"}),
]
Clock = Annotated[
    str,
    Field(
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        json_schema_extra={"x-allowed": 'a time of the day in quotes, "07:30"'},
    ),
]


class Resting(Part):
    """A workload that rests: its Deployment, or its Rollout, which has the workload's name."""

    namespace: Name = Field(examples=["platform"])
    """Tenant namespace of the workload."""
    pods: Annotated[int, Field(ge=0, le=1000)] = 0
    """Pods that stay."""


class OffHours(Part):
    """When nobody works here, and what rests then."""

    time_zone: TimeZone = Field(examples=["Europe/Berlin"])
    """Where the clock stands; summer time is followed."""
    days: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)] = ("mon", "tue", "wed", "thu", "fri")
    """Days on which people work."""
    opens: Clock = "07:00"
    """When work begins: everything stands again soon after."""
    closes: Clock = "20:00"
    """When work ends, on the same day."""
    exceptions: Annotated[tuple[Day, ...], Field(max_length=30)] = Field(default=(), examples=[["2026-12-05"]])
    """Other dates on which people work at the same hours."""
    workloads: Annotated[Mapping[Name, Resting], FreezeMapping] = Frozen()
    """Workloads of the stack that rest, by name; KEDA scales them."""
    pools: Annotated[Mapping[Name, Annotated[int, Field(ge=0, le=1000)]], FreezeMapping] = Frozen()
    """Nodes that stay in each slot of a pool on EKS, by the pool's name: its least number is lowered for these hours.
    GKE and AKS know no hours: there pools shrink to their `min` when their pods are gone."""
    in_production: bool = False
    """Whether a production stack may rest too."""

    @property
    def worked(self) -> float:
        """Hours of a week in which people work, without the exceptions."""
        return len(set(self.days)) * (_minutes(self.closes) - _minutes(self.opens)) / 60

    @property
    def rest_share(self) -> float:
        """Share of the time in which nobody works."""
        return 1 - self.worked / HOURS_OF_A_WEEK

    def crons(self) -> tuple[tuple[str, str], ...]:
        """When work begins and when it ends, as pairs of cron expressions in the time zone.

        A cron expression knows no year: an exception comes again each year until its line is removed.
        """
        first, last = _at(self.opens), _at(self.closes)
        usual = ",".join(str((WEEK.index(day) + 1) % 7) for day in WEEK if day in self.days)
        pairs = [(f"{first} * * {usual}", f"{last} * * {usual}")]
        pairs += [(f"{first} {d.day} {d.month} *", f"{last} {d.day} {d.month} *") for d in sorted(set(self.exceptions))]
        return tuple(pairs)

    def moment(self, day: date, clock: str) -> str:
        """Say a time of a day in the time zone as a moment of UTC."""
        there = datetime.combine(day, time.fromisoformat(clock), ZoneInfo(self.time_zone))
        return there.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _at(clock: str) -> str:
    """Minute and hour of a cron expression."""
    hours, minutes = clock.split(":")
    return f"{int(minutes)} {int(hours)}"
