"""Dashboards as code: small, with panels that ask only for figures that something of ours exports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from stacks.services.settings import Services

WIDTH, HEIGHT = 12, 8


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One graph: a title, a unit of Grafana, and a query."""

    title: str
    query: str
    unit: str = "short"
    legend: str = ""


REQUESTS: Final[tuple[Panel, ...]] = (
    Panel(
        title="Requests per second",
        query="sum by (destination_service_name) (rate(istio_requests_total[5m]))",
        unit="reqps",
        legend="{{destination_service_name}}",
    ),
    Panel(
        title="Errors, share of requests",
        query=(
            'sum by (destination_service_name) (rate(istio_requests_total{response_code=~"5.."}[5m]))'
            " / sum by (destination_service_name) (rate(istio_requests_total[5m]))"
        ),
        unit="percentunit",
        legend="{{destination_service_name}}",
    ),
    Panel(
        title="Latency, 95th percentile",
        query=(
            "histogram_quantile(0.95, sum by (le, destination_service_name)"
            " (rate(istio_request_duration_milliseconds_bucket[5m])))"
        ),
        unit="ms",
        legend="{{destination_service_name}}",
    ),
    Panel(title="Error budget, burn of an hour", query="platform:request_errors:ratio_rate1h", unit="percentunit"),
)
NODES: Final[tuple[Panel, ...]] = (
    Panel(
        title="CPU in use",
        query='1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))',
        unit="percentunit",
        legend="{{instance}}",
    ),
    Panel(
        title="Memory in use",
        query="1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
        unit="percentunit",
        legend="{{instance}}",
    ),
    Panel(
        title="Pods that wait",
        query='sum by (namespace) (kube_pod_status_phase{phase="Pending"})',
        legend="{{namespace}}",
    ),
    Panel(
        title="Restarts in an hour",
        query="sum by (namespace) (increase(kube_pod_container_status_restarts_total[1h]))",
        legend="{{namespace}}",
    ),
    Panel(title="Targets that are down", query="count by (job) (up == 0)", legend="{{job}}"),
)


COST: Final[tuple[Panel, ...]] = (
    Panel(
        title="Cost of a namespace, USD a month",
        query="platform:namespace_cost:usd_hour * 730",
        unit="currencyUSD",
        legend="{{namespace}}",
    ),
    Panel(title="Cost of all nodes, USD a month", query="platform:cluster_cost:usd_hour * 730", unit="currencyUSD"),
)
PROBES: Final[tuple[Panel, ...]] = (
    Panel(title="Answers", query="avg by (instance) (probe_success)", unit="percentunit", legend="{{instance}}"),
    Panel(title="How long an answer takes", query="probe_duration_seconds", unit="s", legend="{{instance}}"),
    Panel(
        title="Days that certificates are good for",
        query="(probe_ssl_earliest_cert_expiry - time()) / 86400",
        unit="d",
        legend="{{instance}}",
    ),
)
OVERFLOW: Final[tuple[Panel, ...]] = (
    Panel(
        title="CPUs of overflow nodes, share of the limit",
        query=(
            'max by (nodepool) (karpenter_nodepools_usage{resource_type="cpu"})'
            ' / max by (nodepool) (karpenter_nodepools_limit{resource_type="cpu"})'
        ),
        unit="percentunit",
        legend="{{nodepool}}",
    ),
    Panel(
        title="Nodes taken away in an hour, by reason",
        query="sum by (reason) (increase(karpenter_nodeclaims_disrupted_total[1h]))",
        legend="{{reason}}",
    ),
    Panel(
        title="Warnings of interruption in an hour",
        query="sum by (message_type) (increase(karpenter_interruption_received_messages_total[1h]))",
        legend="{{message_type}}",
    ),
)
SECURITY: Final[Mapping[str, tuple[Panel, ...]]] = {
    "gatekeeper": (
        Panel(
            title="Objects that break the law",
            query="sum by (enforcement_action) (gatekeeper_violations)",
            legend="{{enforcement_action}}",
        ),
    ),
    "falco": (
        Panel(
            title="Findings of Falco in an hour",
            query="sum by (rule_name) (increase(falcosecurity_falco_rules_matches_total[1h]))",
            legend="{{rule_name}}",
        ),
    ),
    "trivy": (
        Panel(
            title="Weaknesses of images",
            query="sum by (severity) (trivy_image_vulnerabilities)",
            legend="{{severity}}",
        ),
    ),
}


BACKUPS: Final[tuple[Panel, ...]] = (
    Panel(
        title="Hours since the last whole backup",
        query="(time() - max by (schedule) (velero_backup_last_successful_timestamp)) / 3600",
        unit="h",
        legend="{{schedule}}",
    ),
    Panel(
        title="Hours since a restore was proved",
        query='(time() - kube_cronjob_status_last_successful_time{namespace="velero"}) / 3600',
        unit="h",
        legend="{{cronjob}}",
    ),
    Panel(title="Backups that are kept", query="max(velero_backup_total)"),
    Panel(
        title="How long a backup takes, 95th percentile",
        query="histogram_quantile(0.95, sum by (le) (rate(velero_backup_duration_seconds_bucket[1d])))",
        unit="s",
    ),
)


DATABASES: Final[tuple[Panel, ...]] = (
    Panel(title="Servers that answer", query="sum by (cluster) (cnpg_collector_up)", legend="{{cluster}}"),
    Panel(
        title="How far standbys are behind",
        query="max by (pod) (cnpg_pg_replication_lag)",
        unit="s",
        legend="{{pod}}",
    ),
    Panel(
        title="Size of each database",
        query="max by (job, datname) (cnpg_pg_database_size_bytes)",
        unit="bytes",
        legend="{{job}} {{datname}}",
    ),
    Panel(
        title="Connections",
        query="sum by (pod) (cnpg_backends_total)",
        legend="{{pod}}",
    ),
    Panel(
        title="Hours since the last base backup",
        query="(time() - max by (job) (barman_cloud_cloudnative_pg_io_last_available_backup_timestamp)) / 3600",
        unit="h",
        legend="{{job}}",
    ),
)


CACHES: Final[tuple[Panel, ...]] = (
    Panel(title="Servers that answer", query="sum by (job) (redis_up)", legend="{{job}}"),
    Panel(
        title="Memory in use",
        query="redis_memory_used_bytes / redis_memory_max_bytes",
        unit="percentunit",
        legend="{{pod}}",
    ),
    Panel(title="Commands a second", query="sum by (pod) (rate(redis_commands_processed_total[5m]))", legend="{{pod}}"),
    Panel(title="Clients", query="redis_connected_clients", legend="{{pod}}"),
    Panel(
        title="What made room in an hour",
        query="sum by (pod) (increase(redis_evicted_keys_total[1h]))",
        legend="{{pod}}",
    ),
)


def boards(services: Services) -> dict[str, str]:
    """JSON of each dashboard, by name; only what a service that is on exports."""
    on = {name for name, _ in services.on()}
    found: dict[str, tuple[Panel, ...]] = {"nodes": NODES, "requests": REQUESTS if "mesh" in on else ()}
    found |= {"cost": COST if {"cost", "kubecost"} & set(on) else (), "probes": PROBES if "probes" in on else ()}
    found["overflow"] = OVERFLOW if "overflow" in on else ()
    found["backups"] = BACKUPS if "backup" in on else ()
    wish = services.cloudnative_pg
    found["databases"] = DATABASES if wish is not None and wish.databases else ()
    found["caches"] = CACHES if services.valkey is not None and services.valkey.caches else ()
    found["security"] = tuple(panel for name, panels in SECURITY.items() if name in on for panel in panels)
    found = {name: panels for name, panels in found.items() if panels}
    return {name: json.dumps(board(name, panels), sort_keys=True) for name, panels in found.items()}


def board(name: str, panels: tuple[Panel, ...]) -> dict[str, Any]:
    """One dashboard, two panels a row."""
    return {
        "uid": f"platform-{name}",
        "title": f"Platform: {name}",
        "tags": ["platform"],
        "timezone": "utc",
        "editable": False,
        "refresh": "1m",
        "schemaVersion": 41,
        "time": {"from": "now-6h", "to": "now"},
        "panels": [_panel(index, panel) for index, panel in enumerate(panels)],
    }


def _panel(index: int, panel: Panel) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "prometheus"}
    return {
        "id": index + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": source,
        "gridPos": {"x": index % 2 * WIDTH, "y": index // 2 * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "targets": [{"refId": "A", "datasource": source, "expr": panel.query, "legendFormat": panel.legend}],
    }
