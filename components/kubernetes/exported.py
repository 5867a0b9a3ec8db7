"""Figures that the pods of each service export: what alerts, dashboards and triggers may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

COSTS: Final = frozenset(
    {
        "container_cpu_allocation",
        "container_memory_allocation_bytes",
        "node_cpu_hourly_cost",
        "node_ram_hourly_cost",
        "node_total_hourly_cost",
    }
)
"""OpenCost's words, which Kubecost's agent speaks too."""
EXPORTED: Final[Mapping[str, frozenset[str]]] = {
    "monitoring": frozenset(
        {
            "up",
            "node_cpu_seconds_total",
            "node_memory_MemAvailable_bytes",
            "node_memory_MemTotal_bytes",
            "kube_pod_status_phase",
            "kube_pod_container_status_restarts_total",
            "kube_horizontalpodautoscaler_spec_max_replicas",
            "kube_horizontalpodautoscaler_status_current_replicas",
            "kube_cronjob_status_last_schedule_time",
            "kube_cronjob_status_last_successful_time",
        }
    ),
    "mesh": frozenset(
        {
            "istio_requests_total",
            "istio_request_duration_milliseconds_bucket",
        }
    ),
    "cert_manager": frozenset(
        {
            "certmanager_certificate_ready_status",
            "certmanager_certificate_expiration_timestamp_seconds",
        }
    ),
    "external_secrets": frozenset(
        {
            "externalsecret_status_condition",
        }
    ),
    "logs": frozenset(
        {
            "loki_write_dropped_entries_total",
        }
    ),
    "cost": COSTS,
    "elk": frozenset(
        {"otelcol_exporter_enqueue_failed_log_records_total", "otelcol_exporter_send_failed_log_records_total"}
    ),
    "kubecost": COSTS,
    "probes": frozenset(
        {
            "probe_success",
            "probe_ssl_earliest_cert_expiry",
            "probe_duration_seconds",
        }
    ),
    "gatekeeper": frozenset(
        {
            "gatekeeper_violations",
            "gatekeeper_audit_last_run_time",
        }
    ),
    "falco": frozenset(
        {
            "falcosecurity_falco_rules_matches_total",
            "falcosecurity_scap_n_drops_total",
            "falcosecurity_scap_n_evts_total",
        }
    ),
    "trivy": frozenset(
        {
            "trivy_image_vulnerabilities",
        }
    ),
    "scaling": frozenset(
        {
            "keda_scaler_detail_errors_total",
        }
    ),
    "node_scaling": frozenset(
        {
            "cluster_autoscaler_unschedulable_pods_count",
            "cluster_autoscaler_nodes_count",
            "cluster_autoscaler_max_nodes_count",
        }
    ),
    "overflow": frozenset(
        {
            "karpenter_nodepools_usage",
            "karpenter_nodepools_limit",
            "karpenter_nodeclaims_disrupted_total",
            "karpenter_interruption_received_messages_total",
            "karpenter_cloudprovider_errors_total",
        }
    ),
    "gitops": frozenset(
        {
            "argocd_app_info",
        }
    ),
    "rollouts": frozenset(
        {
            "rollout_info",
        }
    ),
    "runners": frozenset(
        {
            "gha_assigned_jobs",
            "gha_max_runners",
        }
    ),
    "backup": frozenset(
        {
            "velero_backup_last_status",
            "velero_backup_last_successful_timestamp",
            "velero_backup_location_status_gauge",
            "velero_backup_total",
            "velero_backup_duration_seconds_bucket",
        }
    ),
    "valkey": frozenset(
        {
            "redis_up",
            "redis_connected_slaves",
            "redis_memory_used_bytes",
            "redis_memory_max_bytes",
            "redis_commands_processed_total",
            "redis_connected_clients",
            "redis_evicted_keys_total",
        }
    ),
    "cloudnative_pg": frozenset(
        {
            "cnpg_collector_up",
            "cnpg_backends_total",
            "cnpg_pg_database_size_bytes",
            "cnpg_pg_replication_lag",
            "cnpg_pg_replication_in_recovery",
            "cnpg_pg_replication_streaming_replicas",
            "cnpg_pg_stat_archiver_last_archived_time",
            "cnpg_pg_stat_archiver_last_failed_time",
            "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp",
        }
    ),
}
"""By service: those that are asked for. Names: documentation of each exporter at the versions of charts.lock,
2026-11."""
