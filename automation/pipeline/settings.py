"""How this project delivers: one file, `config/delivery.yaml`, closed and typed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from automation.exits import Ending, Exit

FILE: Final = Path("config/delivery.yaml")


class Part(BaseModel):
    """Closed and immutable; an error never repeats the value it rejects."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Plans(Part):
    """When a signed plan is needed, and how many people besides its author sign it."""

    required: Literal["always", "production", "never"] = "production"
    """`production`: for real runs on stacks that say `production: true`."""
    approvals_production: Annotated[int, Field(ge=1, le=5)] = 1
    approvals_elsewhere: Annotated[int, Field(ge=0, le=5)] = 0
    life_hours: Annotated[int, Field(ge=1, le=168)] = 24


class Freeze(Part):
    """A window in which nothing is deployed; times carry their zone."""

    begin: datetime
    end: datetime
    reason: str

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.begin.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("begin and end need a zone, for example 2026-12-20T00:00:00Z")
        if self.end <= self.begin:
            raise ValueError("end is not after begin")
        return self


class Gates(Part):
    """Limits beyond the law and the budget."""

    undetermined_max: Annotated[int, Field(ge=0)] | None = None
    """Pairs of rule and resource that the law could not judge, in real runs."""
    changes_max: Annotated[int, Field(ge=1)] | None = None
    """Steps of one plan."""
    cost_rise_max_usd: Annotated[float, Field(ge=0)] | None = None
    """USD a month that one plan may add."""
    availability: Literal["report", "refuse"] = "report"
    """What a computed availability below the stack file's target does: it is reported always."""
    freezes: tuple[Freeze, ...] = ()


class Canary(Part):
    """How traffic moves, and what a version has to show at each step."""

    steps_percent: tuple[Annotated[int, Field(ge=1, le=100)], ...] = (10, 25, 50, 100)
    error_rate_max: Annotated[float, Field(gt=0, lt=1)] = 0.01
    latency_p95_ms_max: Annotated[float, Field(gt=0)] = 500
    worse_than_stable_max: Annotated[float, Field(ge=1)] = 1.5
    """Times the stable version's error rate and latency, where the series tells them."""
    samples_min: Annotated[int, Field(ge=1)] = 5
    order: tuple[str, ...] = ("gcp", "aws", "azure")
    """Primary, secondary, tertiary: all at once, named in this order."""

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if list(self.steps_percent) != sorted(set(self.steps_percent)) or self.steps_percent[-1] != 100:  # noqa: PLR2004
            raise ValueError("steps_percent has to rise and end at 100")
        return self


class Previews(Part):
    """Environments of pull requests."""

    stack: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")] = "dev"
    """The stack whose file they are cut from."""
    ttl_hours: Annotated[int, Field(ge=1, le=336)] = 48
    budget_monthly_usd: Annotated[float, Field(gt=0)] = 400
    at_once_max: Annotated[int, Field(ge=1)] = 5


class Images(Part):
    """Where images go, under which names they were built."""

    registries: dict[str, str] = {}
    """Cloud -> registry and path, for example `aws: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/platform`."""
    names: tuple[str, ...] = ("application", "fallback-agent", "optimizer")


class Settings(Part):
    """The whole file."""

    plans: Plans = Plans()
    gates: Gates = Gates()
    canary: Canary = Canary()
    previews: Previews = Previews()
    images: Images = Images()


def load(project: Path) -> Settings:
    """Read the file; an absent one means the defaults, a wrong one is wrong input (exit 2)."""
    path = project / FILE
    if not path.exists():
        return Settings()
    try:
        data: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        return Settings.model_validate(data or {})
    except ValidationError as error:
        details = tuple(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False))
        raise Ending(Exit.WRONG_INPUT, "settings", f"{path} is wrong ({len(details)} to fix):", details) from None
    except (OSError, yaml.YAMLError) as error:
        raise Ending(Exit.WRONG_INPUT, "settings", f"{path} cannot be read as YAML ({type(error).__name__})") from None
