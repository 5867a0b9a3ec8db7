"""What the availability target promises, as recording rules and as alerts on how fast its error budget burns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from components.kubernetes.crds.prometheus import PrometheusRuleSpecGroups, PrometheusRuleSpecGroupsRules
from components.kubernetes.raised import Runbooks, group

BUDGET_DAYS: Final = 30


@dataclass(frozen=True, kw_only=True)
class Burn:
    """One pair of windows: how fast the budget of the period burns when both are above `rate`."""

    long: str
    short: str
    rate: float
    severity: str
    wait: str


BURNS: Final = (
    Burn(long="1h", short="5m", rate=14.4, severity="critical", wait="2m"),
    Burn(long="6h", short="30m", rate=6.0, severity="critical", wait="15m"),
    Burn(long="1d", short="2h", rate=3.0, severity="warning", wait="1h"),
    Burn(long="3d", short="6h", rate=1.0, severity="warning", wait="3h"),
)
"""Multi-window, multi-burn-rate: sre.google/workbook/alerting-on-slos, table 5-8, read 2026-11."""
LONGEST_DAYS: Final = 3
"""Figures must be kept for as long as the longest window."""


def objectives(availability: float, runbooks: Runbooks) -> Sequence[PrometheusRuleSpecGroups]:
    """Groups of the ratios and of the alerts that read them."""
    return [_recorded(), _burning(availability, runbooks)]


def _recorded() -> PrometheusRuleSpecGroups:
    """Share of failed requests over each window; no error at all is a share of 0, no request at all is nothing."""
    windows = dict.fromkeys(window for burn in BURNS for window in (burn.short, burn.long))
    failed, whole = (
        'sum(rate(istio_requests_total{{response_code=~"5.."}}[{0}]))',
        "sum(rate(istio_requests_total[{0}]))",
    )
    return PrometheusRuleSpecGroups(
        name="platform.slo.ratios",
        interval="30s",
        rules=[
            PrometheusRuleSpecGroupsRules(
                record=f"platform:request_errors:ratio_rate{window}",
                expr=f"({failed.format(window)} or vector(0)) / ({whole.format(window)} > 0)",
            )
            for window in windows
        ],
    )


def _burning(availability: float, runbooks: Runbooks) -> PrometheusRuleSpecGroups:
    """One alert for each pair of windows, from the availability that the stack file promises."""
    allowed = 1 - availability
    return group(
        "platform.slo.burn",
        *(
            runbooks.alert(
                f"ErrorBudgetBurns{burn.long}",
                f"platform:request_errors:ratio_rate{burn.long} > {burn.rate * allowed:.6g}"
                f" and platform:request_errors:ratio_rate{burn.short} > {burn.rate * allowed:.6g}",
                burn.wait,
                burn.severity,
                f"{burn.rate:g} times the error budget of {BUDGET_DAYS} days at {availability:.6g}",
            )
            for burn in BURNS
        ),
    )
