"""What a stack may cost, and which prices it is sized with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, PositiveFloat

from stacks.part import Day, FreezeMapping, Frozen, Name, Part

Email = Annotated[
    str,
    Field(
        pattern=r"^[^@\s]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$",
        json_schema_extra={"x-allowed": "an e-mail address"},
    ),
]


class Budget(Part):
    """Limit of the monthly cost, and who hears of it."""

    monthly_usd: PositiveFloat = Field(examples=[40000])
    """Most that the stack may cost, in US dollars a month."""
    alert_at: Annotated[tuple[Annotated[float, Field(gt=0, le=5)], ...], Field(min_length=1, max_length=5)] = (
        0.5,
        0.8,
        1.0,
    )
    """Shares of the budget at which the receivers are told; 0.8 means 80 %. AWS and Azure take five.

    https://docs.aws.amazon.com/cost-management/latest/userguide/management-limits.html
    """
    receivers: Annotated[tuple[Email, ...], Field(min_length=1, max_length=10)] = Field(
        examples=[["platform-team@example.org"]]
    )
    """E-mail addresses that are told; AWS takes ten for an alert."""
    clouds: Annotated[Mapping[Name, PositiveFloat], FreezeMapping] = Field(
        default=Frozen(), examples=[{"aws": 20000, "gcp": 10000}]
    )
    """Parts that a cloud itself watches, in US dollars a month: it tells at each share, and when it foresees more."""
    anomaly_usd: PositiveFloat = 100
    """A cost that is unlike other days and comes to this many US dollars is told too; AWS only."""
    starts: Day | None = Field(default=None, examples=["2026-12-01"])
    """First day of the month in which the clouds begin to watch; Azure needs it and never lets it change."""


class Prices(Part):
    """Age of prices is counted from `as_of`, an input: nothing expires by the calendar."""

    as_of: Day = Field(examples=["2026-11-21"])
    """The day from which the age of prices is counted."""
    max_age_days: Annotated[int, Field(ge=1, le=3650)] = 900
    """Older prices are listed as stale; days."""
