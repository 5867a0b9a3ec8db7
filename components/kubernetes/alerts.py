"""Alerts as data: what is down, what is slow, and what each service that is on says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from components.kubernetes import backup_alerts, cache_alerts, database_alerts, delivery_alerts, spending
from components.kubernetes.crds.prometheus import PrometheusRule, PrometheusRuleSpec, PrometheusRuleSpecGroups
from components.kubernetes.objectives import objectives
from components.kubernetes.raised import Runbooks, group
from stacks.services.settings import Services

EXPIRES_DAYS: Final = 14
"""cert-manager renews with a third of the time left: what is this old was not renewed."""


def rules(services: Services, *, availability: float) -> PrometheusRule:
    """All groups; those about requests only where the mesh counts them. Raises ValueError without monitoring."""
    wish = services.monitoring
    if wish is None:
        raise ValueError("monitoring is off: nothing would read the rules")
    runbooks = Runbooks(wish.runbooks or "")
    groups = [_down(runbooks)]
    if services.mesh is not None:
        groups += [_latency(wish.latency_ms, runbooks), *objectives(availability, runbooks)]
    for name, _ in services.on():
        groups += OF[name](services, runbooks) if name in OF else ()
    return PrometheusRule(spec=PrometheusRuleSpec(groups=groups))


def _down(runbooks: Runbooks) -> PrometheusRuleSpecGroups:
    return group(
        "platform.up",
        runbooks.alert(
            "TargetDown", "up == 0", "1m", "critical", "{{ $labels.job }} in {{ $labels.namespace }} is down"
        ),
        runbooks.alert(
            "NothingIsAsked",
            'absent(up{job="platform-prometheus"})',
            "5m",
            "critical",
            "Prometheus asks not even itself",
        ),
    )


def _latency(milliseconds: int, runbooks: Runbooks) -> PrometheusRuleSpecGroups:
    quantile = (
        "histogram_quantile(0.95, sum by (le, destination_service_name, destination_service_namespace) "
        "(rate(istio_request_duration_milliseconds_bucket[5m])))"
    )
    where = "{{ $labels.destination_service_name }}.{{ $labels.destination_service_namespace }}"
    return group(
        "platform.latency",
        runbooks.alert(
            "SlowRequests",
            f"{quantile} > {milliseconds}",
            "5m",
            "warning",
            f"p95 of {where} is above {milliseconds} ms",
        ),
    )


def _certificates(_services: Services, runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    name = "{{ $labels.name }} in {{ $labels.exported_namespace }}"
    yield group(
        "platform.certificates",
        runbooks.alert(
            "CertificateNotReady",
            'certmanager_certificate_ready_status{condition="False"} == 1',
            "15m",
            "warning",
            f"the certificate {name} is not ready",
        ),
        runbooks.alert(
            "CertificateExpires",
            f"certmanager_certificate_expiration_timestamp_seconds - time() < {EXPIRES_DAYS} * 86400",
            "1h",
            "critical",
            f"the certificate {name} was not renewed, it ends within {EXPIRES_DAYS} days",
        ),
    )


def _secrets(_services: Services, runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    yield group(
        "platform.secrets",
        runbooks.alert(
            "SecretNotRead",
            'externalsecret_status_condition{condition="Ready", status="False"} == 1',
            "15m",
            "critical",
            "{{ $labels.name }} in {{ $labels.exported_namespace }} cannot be read from the store",
        ),
    )


def _logs(_services: Services, runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    yield group(
        "platform.logs",
        runbooks.alert(
            "LogsAreLost",
            "sum(rate(loki_write_dropped_entries_total[5m])) > 0",
            "10m",
            "warning",
            "the collector drops lines that Loki does not take",
        ),
    )


def _elk(_services: Services, runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    failed = "otelcol_exporter_send_failed_log_records_total"
    refused = "otelcol_exporter_enqueue_failed_log_records_total"
    yield group(
        "platform.logs",
        runbooks.alert(
            "LogsAreLost",
            f"(sum(rate({failed}[5m])) or vector(0)) + (sum(rate({refused}[5m])) or vector(0)) > 0",
            "10m",
            "warning",
            "the collector drops lines that Elasticsearch does not take",
        ),
    )


def _probes(_services: Services, runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    yield group(
        "platform.probes",
        runbooks.alert("ProbeFails", "probe_success == 0", "1m", "critical", "{{ $labels.instance }} does not answer"),
        runbooks.alert(
            "ProbedCertificateExpires",
            f"probe_ssl_earliest_cert_expiry - time() < {EXPIRES_DAYS} * 86400",
            "1h",
            "critical",
            f"{{{{ $labels.instance }}}} shows a certificate that ends within {EXPIRES_DAYS} days",
        ),
    )


def _gatekeeper(_services: Services, runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    yield group(
        "platform.admission",
        runbooks.alert(
            "ClusterBreaksTheLaw",
            'sum by (enforcement_action) (gatekeeper_violations{enforcement_action="deny"}) > 0',
            "10m",
            "warning",
            "{{ $value }} objects of the cluster break a rule that would refuse them today",
        ),
        runbooks.alert(
            "AuditStands",
            "time() - max(gatekeeper_audit_last_run_time) > 600",
            "5m",
            "warning",
            "nothing was audited for ten minutes",
        ),
    )


def _falco(_services: Services, runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    counter = 'falcosecurity_falco_rules_matches_total{priority=~"[0-3]"}'
    now, before = (f"sum by (rule_name) ({counter}{back})" for back in ("", " offset 5m"))
    yield group(
        "platform.runtime",
        runbooks.alert(
            "RuntimeThreat",
            f"({now} - {before} > 0) or ({now} > 0 unless {before})",
            "0s",
            "critical",
            "{{ $labels.rule_name }}: {{ $value }} times in five minutes",
            keep="15m",
        ),
        runbooks.alert(
            "EventsAreLost",
            "sum(rate(falcosecurity_scap_n_drops_total[5m])) / sum(rate(falcosecurity_scap_n_evts_total[5m])) > 0.01",
            "10m",
            "warning",
            "{{ $value | humanizePercentage }} of the system calls were not looked at",
        ),
    )


def _trivy(_services: Services, runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    yield group(
        "platform.images",
        runbooks.alert(
            "CriticalVulnerability",
            'sum by (exported_namespace, image_repository) (trivy_image_vulnerabilities{severity="Critical"}) > 0',
            "1h",
            "warning",
            "{{ $labels.image_repository }} in {{ $labels.exported_namespace }} has {{ $value }} critical weaknesses",
        ),
    )


def _cost(services: Services, runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    wish = services.cost or services.kubecost
    assert wish is not None  # noqa: S101 - asked by `rules`
    yield from spending.groups(wish.budgets, runbooks)


OF: Final[Mapping[str, Callable[[Services, Runbooks], Iterator[PrometheusRuleSpecGroups]]]] = {
    "cert_manager": _certificates,
    "external_secrets": _secrets,
    "logs": _logs,
    "elk": _elk,
    "probes": _probes,
    "cost": _cost,
    "kubecost": _cost,
    "gatekeeper": _gatekeeper,
    "falco": _falco,
    "trivy": _trivy,
    "scaling": delivery_alerts.scaling,
    "node_scaling": delivery_alerts.node_scaling,
    "overflow": delivery_alerts.overflow,
    "gitops": delivery_alerts.gitops,
    "rollouts": delivery_alerts.rollouts,
    "runners": delivery_alerts.runners,
    "backup": backup_alerts.backup,
    "cloudnative_pg": database_alerts.databases,
    "valkey": cache_alerts.caches,
}
"""Alerts of each service. Figures: the exporters' own documentation at the versions of charts.lock, 2026-11."""
