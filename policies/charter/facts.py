"""The facts of a stack that rules may know: they come as policy configuration, never from a stack's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from charter.evidence import fault_of_day, faults_of
from charter.waivers import read_waivers
from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError

Texts = tuple[Annotated[str, Field(strict=True)], ...]


class Facts(BaseModel):
    """What the pack is told; unknown keys are refused, so that a misspelt fact cannot weaken a rule.

    A fact that is not told leaves what needs it undetermined; it never lets it pass.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    production: StrictBool = False
    sandbox: StrictBool = False
    """Only the stand-in clouds' own backend says so."""
    accounts: Mapping[str, Texts] = {}
    """Per package: the account, project and subscription ids that the stack may touch."""
    regions: Mapping[str, Texts] = {}
    """Per package: the regions that the stack declares."""
    owners: Texts = ()
    environment: str = ""
    provider_versions: Mapping[str, str] = {}
    counts_file: str = ""
    """Where counts of evaluated and undetermined pairs are written."""
    commit: str = ""
    waivers: tuple[Mapping[str, Any], ...] = ()
    """Exceptions with an end; charter.waivers reads them."""
    today: str = ""
    """The ISO date with which ends are compared; empty: the day of the run."""
    dynamic: Texts = ("Sizing", "PresharedKeys")
    """Dynamic resources that may exist, by type name."""
    code: str = ""
    """Hash of the solver's sources that dynamic resources must carry; empty: any hash."""
    registries: Texts = ()
    """Registries that images may come from."""
    plugin_sources: Texts = ()
    """Addresses that provider plug-ins may be downloaded from, beside the default one."""
    remediate: StrictBool | None = None
    """Whether the law puts right what it safely can; without a word: outside of production."""
    secrets_visible: StrictBool = False
    """True where the door shows which values are secret: an exported state."""
    allowed_namespaces: Texts = ()
    """Namespaces in which chaos experiments may run."""
    evidence: Mapping[str, Any] = {}
    """What `lock` resolved: `images` by digest, `charts` by name, `data`, `sinks`, `budgets`, `checks`."""


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
    "registries": {"type": "array", "items": {"type": "string"}},
    "plugin_sources": {"type": "array", "items": {"type": "string"}},
    "remediate": {"type": "boolean"},
    "secrets_visible": {"type": "boolean"},
    "allowed_namespaces": {"type": "array", "items": {"type": "string"}},
    "evidence": {"type": "object"},
}
"""What the engine is told; a test compares it with the fields of `Facts`."""


def read_facts(config: Mapping[str, Any]) -> Facts:
    """Validate the pack's configuration; raise ValueError that names what is wrong, so that the run fails closed."""
    try:
        facts = Facts.model_validate(config)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        known = ", ".join(sorted(Facts.model_fields))
        raise ValueError(
            f"the configuration of the policy pack is refused, nothing is judged by half: {wrong}; it may hold {known}"
        ) from None
    wrong_parts = [*faults_of(facts.evidence), fault_of_day(facts.today)]
    told = "; ".join(each for each in wrong_parts if each)
    if told:
        raise ValueError(f"the configuration of the policy pack is refused, nothing is judged by half: {told}")
    read_waivers(facts.waivers)
    return facts
