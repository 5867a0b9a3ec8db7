"""Controls of published standards, by rule: CIS, NIST 800-53, PCI DSS, SOC 2, ISO 27001, GDPR, HIPAA, SOX.

Numbers are those that public rule libraries (prowler, kubescape) give for the nearest check, 2026-11; a trailing `~`
marks our own reading, to be compared with the standard before it is relied upon.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path


@cache
def _table() -> dict[str, list[str]]:
    table: dict[str, list[str]] = json.loads((Path(__file__).parent / "data" / "controls.json").read_text("utf-8"))
    return table


def controls_of(rule: str) -> tuple[str, ...]:
    """Return the controls of a rule, in the table's order."""
    return tuple(_table().get(rule, ()))
