"""The facts of a stack that rules may know: they come as policy configuration, never from a stack's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

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
}


class Facts(BaseModel):
    """What the pack is told; unknown keys are refused, so that a misspelt fact cannot weaken a rule."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    production: bool = False
    sandbox: bool = False  # only the stand-in clouds' own backend says so
    accounts: Mapping[str, tuple[str, ...]] = {}  # per package: allowed account, project, subscription ids
    regions: Mapping[str, tuple[str, ...]] = {}  # per package
    owners: tuple[str, ...] = ()
    environment: str = ""
    provider_versions: Mapping[str, str] = {}
    counts_file: Annotated[str, Field(description="where counts of evaluated and undetermined pairs are written")] = ""
    commit: str = ""
