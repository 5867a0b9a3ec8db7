"""What an alert is made of: an expression, how long it must hold, how grave it is, and where it is explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from components.kubernetes.crds.prometheus import PrometheusRuleSpecGroups, PrometheusRuleSpecGroupsRules

PAGE: Final = "docs/runbooks/alerts.md"
"""The page with a section for each alert; relative to the project, or below the address of the stack file."""


@dataclass(frozen=True)
class Runbooks:
    """Where the page is found: `base` is an address without its last slash, or empty."""

    base: str = ""

    def alert(  # noqa: PLR0913 - what an alert has
        self, name: str, expr: str, wait: str, severity: str, summary: str, *, keep: str | None = None
    ) -> PrometheusRuleSpecGroupsRules:
        """Make one; `keep` is how long it goes on after its reason has gone."""
        place = f"{self.base.rstrip('/')}/{PAGE}" if self.base else PAGE
        return PrometheusRuleSpecGroupsRules(
            alert=name,
            expr=expr,
            for_=wait,
            keep_firing_for=keep,
            labels={"severity": severity},
            annotations={"summary": summary, "runbook_url": f"{place}#{name.lower()}"},
        )


def group(name: str, *rules: PrometheusRuleSpecGroupsRules) -> PrometheusRuleSpecGroups:
    """Rules that are judged together."""
    return PrometheusRuleSpecGroups(name=name, rules=list(rules))
