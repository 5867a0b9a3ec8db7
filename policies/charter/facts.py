"""The facts of a stack that rules may know: they come as policy configuration, never from a stack's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError

CONFIG_SCHEMA: dict[str, Any] = {
    "production": {"type": "boolean"},
    "sandbox": {"type": "boolean"},
    "accounts": {"type": "object"},
    "regions": {"type": "object"},
    "owners": {"type": "array", "items": {"type": "string"}},
    "environment": {"type": "string"},
    "provider_versions": {"type": "object"},
    "counts_file": {"type": "string"},
    "commit": {"type": "string"},
    "waivers": {"type": "array", "items": {"type": "object"}},
    "today": {"type": "string"},
    "dynamic": {"type": "array", "items": {"type": "string"}},
    "code": {"type": "string"},
}
"""What the engine is told; it must name the fields of `Facts`, no more and no less."""


class Facts(BaseModel):
    """What the pack is told; unknown keys are refused, so that a misspelt fact cannot weaken a rule."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    production: StrictBool = False
    sandbox: StrictBool = False  # only the stand-in clouds' own backend says so
    accounts: Mapping[str, tuple[str, ...]] = {}  # per package: allowed account, project, subscription ids
    regions: Mapping[str, tuple[str, ...]] = {}  # per package
    owners: tuple[str, ...] = ()
    environment: str = ""
    provider_versions: Mapping[str, str] = {}
    counts_file: Annotated[str, Field(description="where counts of evaluated and undetermined pairs are written")] = ""
    commit: str = ""
    waivers: tuple[Mapping[str, str], ...] = ()  # read by charter.waivers
    today: str = ""  # ISO date that waivers' ends are compared with; empty: the day of the run
    dynamic: tuple[str, ...] = ("Sizing",)  # dynamic resources that may exist, by type name
    code: str = ""  # hash of the solver's sources that dynamic resources must carry; empty: any hash


def read_facts(config: Mapping[str, Any]) -> Facts:
    """Validate the pack's configuration; raise ValueError that names what is wrong, so that the run fails closed."""
    try:
        return Facts.model_validate(config)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        known = ", ".join(sorted(Facts.model_fields))
        raise ValueError(
            f"the configuration of the policy pack is refused, nothing is judged by half: {wrong}; it may hold {known}"
        ) from None
