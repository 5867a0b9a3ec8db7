"""Alerts and recording rules, as data: what is down, what is slow, and how fast the error budget burns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from components.kubernetes.crds.prometheus import (
    PrometheusRule,
    PrometheusRuleSpec,
    PrometheusRuleSpecGroups,
    PrometheusRuleSpecGroupsRules,
)

RUNBOOKS: Final = "docs/runbooks/alerts.md"
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


def rules(*, availability: float, latency_ms: int, meshed: bool) -> PrometheusRule:
    """All groups; those about requests only where the mesh counts them."""
    groups = [_down()]
    if meshed:
        groups += [_latency(latency_ms), recorded(), burning(availability)]
    return PrometheusRule(spec=PrometheusRuleSpec(groups=groups))


def _alert(name: str, expr: str, wait: str, severity: str, summary: str) -> PrometheusRuleSpecGroupsRules:
    return PrometheusRuleSpecGroupsRules(
        alert=name,
        expr=expr,
        for_=wait,
        labels={"severity": severity},
        annotations={"summary": summary, "runbook_url": f"{RUNBOOKS}#{name.lower()}"},
    )


def _down() -> PrometheusRuleSpecGroups:
    alert = _alert("TargetDown", "up == 0", "1m", "critical", "{{ $labels.job }} in {{ $labels.namespace }} is down")
    absent = _alert(
        "NothingIsAsked", 'absent(up{job="platform-prometheus"})', "5m", "critical", "Prometheus asks not even itself"
    )
    return PrometheusRuleSpecGroups(name="platform.up", rules=[alert, absent])


def _latency(milliseconds: int) -> PrometheusRuleSpecGroups:
    quantile = (
        "histogram_quantile(0.95, sum by (le, destination_service_name, destination_service_namespace) "
        "(rate(istio_request_duration_milliseconds_bucket[5m])))"
    )
    where = "{{ $labels.destination_service_name }}.{{ $labels.destination_service_namespace }}"
    alert = _alert(
        "SlowRequests", f"{quantile} > {milliseconds}", "5m", "warning", f"p95 of {where} is above {milliseconds} ms"
    )
    return PrometheusRuleSpecGroups(name="platform.latency", rules=[alert])


def recorded() -> PrometheusRuleSpecGroups:
    """Share of failed requests over each window."""
    windows = dict.fromkeys(window for burn in BURNS for window in (burn.short, burn.long))
    return PrometheusRuleSpecGroups(
        name="platform.slo.ratios",
        interval="30s",
        rules=[
            PrometheusRuleSpecGroupsRules(
                record=f"platform:request_errors:ratio_rate{window}",
                expr=(
                    f'sum(rate(istio_requests_total{{response_code=~"5.."}}[{window}]))'
                    f" / sum(rate(istio_requests_total[{window}]))"
                ),
            )
            for window in windows
        ],
    )


def burning(availability: float) -> PrometheusRuleSpecGroups:
    """One alert for each pair of windows, from the availability that the stack file promises."""
    allowed = 1 - availability
    return PrometheusRuleSpecGroups(
        name="platform.slo.burn",
        rules=[
            _alert(
                f"ErrorBudgetBurns{burn.long}",
                f"platform:request_errors:ratio_rate{burn.long} > {burn.rate * allowed:.6g}"
                f" and platform:request_errors:ratio_rate{burn.short} > {burn.rate * allowed:.6g}",
                burn.wait,
                burn.severity,
                f"{burn.rate:g} times the error budget of {BUDGET_DAYS} days at {availability:.6g}",
            )
            for burn in BURNS
        ],
    )
