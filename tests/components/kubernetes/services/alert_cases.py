"""Series under which each alert fires, and others under which it does not: one line per alert and claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Case:
    """`series` stand at one sample a minute; the alert is looked for at `at`, and `firing` of it are expected."""

    alert: str
    why: str
    series: dict[str, str]
    at: str
    firing: int


@dataclass(frozen=True)
class Figure:
    """A recorded figure: its value at a time."""

    record: str
    series: dict[str, str]
    at: str
    samples: dict[str, float]


def requests(*parts: tuple[int, float]) -> dict[str, str]:
    """Count 1000 requests a minute; each part is so many minutes with such a share of errors."""
    good = " ".join(f"{_start(index, parts, ok=True)}+{1000 * (1 - share):g}x{minutes}"
                    for index, (minutes, share) in enumerate(parts))  # fmt: skip
    bad = " ".join(f"{_start(index, parts, ok=False)}+{1000 * share:g}x{minutes}"
                   for index, (minutes, share) in enumerate(parts))  # fmt: skip
    return {
        'istio_requests_total{response_code="200", destination_service_name="gateway"}': good,
        'istio_requests_total{response_code="503", destination_service_name="gateway"}': bad,
    }


def _start(index: int, parts: tuple[tuple[int, float], ...], *, ok: bool) -> str:
    counted = 0.0
    for minutes, share in parts[:index]:
        counted += (minutes + 1) * 1000 * ((1 - share) if ok else share)
    return f"{counted:g}"


def latency(slow_percent: int) -> dict[str, str]:
    """Tell of requests, so many of which took between 250 and 500 ms."""
    where = 'destination_service_name="gateway", destination_service_namespace="platform"'
    name = "istio_request_duration_milliseconds_bucket"
    fast = 100 - slow_percent
    return {
        f'{name}{{le="100", {where}}}': f"0+{fast}x40",
        f'{name}{{le="250", {where}}}': f"0+{fast}x40",
        f'{name}{{le="500", {where}}}': "0+100x40",
        f'{name}{{le="+Inf", {where}}}': "0+100x40",
    }


def money(cpus: int) -> dict[str, str]:
    """A namespace with so many processors at 0.03 USD and 40 GiB at 0.004 USD an hour."""
    pod = 'namespace="platform", node="a", pod="p"'
    return {
        f"container_cpu_allocation{{{pod}}}": f"{cpus}x500",
        f"container_memory_allocation_bytes{{{pod}}}": f"{40 * 1024**3}x500",
        'node_cpu_hourly_cost{node="a", instance="a"}': "0.03x500",
        'node_ram_hourly_cost{node="a", instance="a"}': "0.004x500",
        'node_total_hourly_cost{node="a", instance="a"}': "2x500",
    }


DAY: Final = 86400
UP: Final = 'up{job="agent", namespace="platform"}'
CERTIFICATE: Final = 'certmanager_certificate_ready_status{name="gateway", exported_namespace="istio-system", '
ENDS: Final = 'certmanager_certificate_expiration_timestamp_seconds{name="gateway", exported_namespace="istio-system"}'
SECRET: Final = 'externalsecret_status_condition{name="grafana-admin", exported_namespace="monitoring", '
FALCO: Final = 'falcosecurity_falco_rules_matches_total{rule_name="Terminal shell in container", '
CVE: Final = 'trivy_image_vulnerabilities{exported_namespace="platform", image_repository="agent", '
AUDITED: Final = 'gatekeeper_audit_last_run_time{pod="audit"}'
DROPS: Final = 'falcosecurity_scap_n_drops_total{pod="a"}'
HAS: Final = (
    'kube_horizontalpodautoscaler_status_current_replicas{horizontalpodautoscaler="gateway", namespace="platform"}'
)
MAY: Final = 'kube_horizontalpodautoscaler_spec_max_replicas{horizontalpodautoscaler="gateway", namespace="platform"}'
KEDA: Final = 'keda_scaler_detail_errors_total{scaledObject="gateway", exported_namespace="platform"}'
READY: Final = 'cluster_autoscaler_nodes_count{pod="a", state="ready"}'
STARTING: Final = 'cluster_autoscaler_nodes_count{pod="a", state="notStarted"}'
MOST: Final = 'cluster_autoscaler_max_nodes_count{pod="a"}'
WAITING: Final = 'cluster_autoscaler_unschedulable_pods_count{pod="a"}'
BEYOND: Final = 'karpenter_nodepools_usage{nodepool="beyond", resource_type="cpu"}'
BEYOND_MOST: Final = 'karpenter_nodepools_limit{nodepool="beyond", resource_type="cpu"}'
NOT_HAD: Final = 'karpenter_cloudprovider_errors_total{method="Create", error="InsufficientCapacityError"}'
NOT_ENDED: Final = 'karpenter_cloudprovider_errors_total{method="Delete", error="InsufficientCapacityError"}'
APP: Final = 'argocd_app_info{name="gateway", '
ROLLOUT: Final = 'rollout_info{name="gateway", exported_namespace="platform", '
JOBS: Final = 'gha_assigned_jobs{name="small"}'
RUNNERS: Final = 'gha_max_runners{name="small"}'
BACKUP: Final = 'velero_backup_last_status{schedule="daily"}'
WHOLE: Final = 'velero_backup_last_successful_timestamp{schedule="daily"}'
BUCKET: Final = 'velero_backup_location_status_gauge{backup_location_name="default"}'
TRIED: Final = 'kube_cronjob_status_last_schedule_time{namespace="velero", cronjob="restore-test"}'
PROVED: Final = 'kube_cronjob_status_last_successful_time{namespace="velero", cronjob="restore-test"}'
CACHE: Final = 'redis_up{pod="sessions-0"}'
COPIES: Final = "redis_connected_slaves{pod="
USED: Final = "redis_memory_used_bytes{pod="
ROOM: Final = "redis_memory_max_bytes{pod="
SERVER: Final = 'cnpg_collector_up{cluster="orders", pod="orders-1"}'
FOLLOWED: Final = 'cnpg_pg_replication_streaming_replicas{pod="orders-1"}'
FOLLOWED_ALONE: Final = 'cnpg_pg_replication_streaming_replicas{pod="small-1"}'
STANDBY: Final = 'cnpg_pg_replication_in_recovery{pod="orders-1"}'
BEHIND: Final = 'cnpg_pg_replication_lag{pod="orders-2"}'
FAILED: Final = 'cnpg_pg_stat_archiver_last_failed_time{pod="orders-1"}'
ARCHIVED: Final = 'cnpg_pg_stat_archiver_last_archived_time{pod="orders-1"}'
BASE: Final = 'barman_cloud_cloudnative_pg_io_last_available_backup_timestamp{job="monitoring/databases-orders"}'
EVENTS: Final = 'falcosecurity_scap_n_evts_total{pod="a"}'

CASES: Final = (
    Case("TargetDown", "down for two minutes", {UP: "1x10 0x10"}, "13m", 1),
    Case("TargetDown", "down for half a minute: too early", {UP: "1x10 0x10"}, "11m30s", 0),
    Case("TargetDown", "up", {UP: "1x20"}, "13m", 0),
    Case("NothingIsAsked", "no figure of Prometheus itself", {UP: "1x20"}, "7m", 1),
    Case("NothingIsAsked", "four minutes are too early", {UP: "1x20"}, "4m", 0),
    Case("NothingIsAsked", "it asks itself", {'up{job="platform-prometheus"}': "1x20"}, "7m", 0),
    Case("SlowRequests", "one in ten takes 250 ms and more", latency(10), "20m", 1),
    Case("SlowRequests", "not yet for five minutes", latency(10), "4m", 0),
    Case("SlowRequests", "one in fifty does: the 95th percentile is fast", latency(2), "20m", 0),
    Case("ErrorBudgetBurns1h", "2 % errors", requests((70, 0.02)), "65m", 1),
    Case("ErrorBudgetBurns1h", "1 % errors are below 14.4 budgets", requests((70, 0.01)), "65m", 0),
    Case("ErrorBudgetBurns1h", "the errors are over: the short window says so", requests((60, 0.1), (20, 0)), "75m", 0),
    Case(
        "ErrorBudgetBurns1h",
        "the errors have just begun: the long window says so",
        requests((60, 0), (2, 0.2)),
        "62m",
        0,
    ),
    Case("ErrorBudgetBurns6h", "0.7 % errors", requests((400, 0.007)), "390m", 1),
    Case("ErrorBudgetBurns6h", "0.5 % errors", requests((400, 0.005)), "390m", 0),
    Case("ErrorBudgetBurns6h", "the errors are over", requests((300, 0.05), (90, 0)), "385m", 0),
    Case("ErrorBudgetBurns1d", "0.35 % errors", requests((1500, 0.0035)), "1485m", 1),
    Case("ErrorBudgetBurns1d", "0.25 % errors", requests((1500, 0.0025)), "1485m", 0),
    Case("ErrorBudgetBurns3d", "0.12 % errors", requests((4500, 0.0012)), "4485m", 1),
    Case("ErrorBudgetBurns3d", "0.08 % errors: the budget lasts", requests((4500, 0.0008)), "4485m", 0),
    Case("CertificateNotReady", "for half an hour", {CERTIFICATE + 'condition="False"}': "1x60"}, "30m", 1),
    Case("CertificateNotReady", "for ten minutes", {CERTIFICATE + 'condition="False"}': "1x60"}, "10m", 0),
    Case("CertificateNotReady", "it is ready", {CERTIFICATE + 'condition="True"}': "1x60"}, "30m", 0),
    Case("CertificateExpires", "within 13 days", {ENDS: f"{13 * DAY}x100"}, "70m", 1),
    Case("CertificateExpires", "within 30 days", {ENDS: f"{30 * DAY}x100"}, "70m", 0),
    Case("SecretNotRead", "for twenty minutes", {SECRET + 'condition="Ready", status="False"}': "1x60"}, "20m", 1),
    Case("SecretNotRead", "for ten minutes", {SECRET + 'condition="Ready", status="False"}': "1x60"}, "10m", 0),
    Case("SecretNotRead", "it was read", {SECRET + 'condition="Ready", status="False"}': "0x60"}, "20m", 0),
    Case("LogsAreLost", "some each minute", {'loki_write_dropped_entries_total{pod="a"}': "0+5x60"}, "30m", 1),
    Case("LogsAreLost", "none", {'loki_write_dropped_entries_total{pod="a"}': "7x60"}, "30m", 0),
    Case("NamespaceOverBudget", "40 processors are 993 USD a month of 900", money(40), "120m", 1),
    Case("NamespaceOverBudget", "30 processors are 774 USD a month", money(30), "120m", 0),
    Case("ProbeFails", "for two minutes", {'probe_success{instance="https://example.org"}': "1x5 0x10"}, "8m", 1),
    Case("ProbeFails", "it answers", {'probe_success{instance="https://example.org"}': "1x20"}, "8m", 0),
    Case("ProbedCertificateExpires", "within 13 days", {"probe_ssl_earliest_cert_expiry": f"{13 * DAY}x100"}, "70m", 1),
    Case("ProbedCertificateExpires", "within 30 days", {"probe_ssl_earliest_cert_expiry": f"{30 * DAY}x100"}, "70m", 0),
    Case("ClusterBreaksTheLaw", "two objects", {'gatekeeper_violations{enforcement_action="deny"}': "2x30"}, "15m", 1),
    Case("ClusterBreaksTheLaw", "only told", {'gatekeeper_violations{enforcement_action="dryrun"}': "2x30"}, "15m", 0),
    Case("ClusterBreaksTheLaw", "none", {'gatekeeper_violations{enforcement_action="deny"}': "0x30"}, "15m", 0),
    Case("AuditStands", "the last one was an hour ago", {AUDITED: "0x90"}, "60m", 1),
    Case("AuditStands", "one each minute", {AUDITED: "0+60x90"}, "60m", 0),
    Case("RuntimeThreat", "seen for the first time", {FALCO + 'priority="2"}': "_x10 1x10"}, "12m", 1),
    Case("RuntimeThreat", "once more", {FALCO + 'priority="3"}': "4x10 5x10"}, "12m", 1),
    Case("RuntimeThreat", "said for a quarter of an hour", {FALCO + 'priority="2"}': "4x10 5x40"}, "25m", 1),
    Case("RuntimeThreat", "not for ever", {FALCO + 'priority="2"}': "4x10 5x60"}, "45m", 0),
    Case("RuntimeThreat", "long ago", {FALCO + 'priority="2"}': "4x60"}, "30m", 0),
    Case("RuntimeThreat", "a notice only", {FALCO + 'priority="5"}': "0+1x60"}, "12m", 0),
    Case("EventsAreLost", "one in fifty", {DROPS: "0+20x60", EVENTS: "0+1000x60"}, "30m", 1),
    Case("EventsAreLost", "one in a thousand", {DROPS: "0+1x60", EVENTS: "0+1000x60"}, "30m", 0),
    Case("CriticalVulnerability", "two for hours", {CVE + 'severity="Critical"}': "2x200"}, "120m", 1),
    Case("WorkloadAtItsMaximum", "for half an hour", {HAS: "100x60", MAY: "100x60"}, "30m", 1),
    Case("WorkloadAtItsMaximum", "for ten minutes", {HAS: "100x60", MAY: "100x60"}, "10m", 0),
    Case("WorkloadAtItsMaximum", "one less", {HAS: "99x60", MAY: "100x60"}, "30m", 0),
    Case("ScalingIsBlind", "an error each minute", {KEDA: "0+1x60"}, "30m", 1),
    Case("ScalingIsBlind", "errors of yesterday", {KEDA: "50x60"}, "30m", 0),
    Case("PodsWithoutRoom", "for half an hour", {WAITING: "2x60"}, "30m", 1),
    Case("PodsWithoutRoom", "a node came", {WAITING: "2x10 0x50"}, "30m", 0),
    Case("NodesAtTheirMaximum", "with one that starts", {READY: "99x60", STARTING: "1x60", MOST: "100x60"}, "30m", 1),
    Case("NodesAtTheirMaximum", "one less", {READY: "98x60", STARTING: "1x60", MOST: "100x60"}, "30m", 0),
    Case("OverflowAtItsLimit", "60 of 64 CPUs for twenty minutes", {BEYOND: "60x60", BEYOND_MOST: "64x60"}, "20m", 1),
    Case("OverflowAtItsLimit", "for ten minutes", {BEYOND: "60x60", BEYOND_MOST: "64x60"}, "10m", 0),
    Case("OverflowAtItsLimit", "half of it", {BEYOND: "32x60", BEYOND_MOST: "64x60"}, "20m", 0),
    Case("OverflowCannotStart", "one failure a minute", {NOT_HAD: "0+1x60"}, "30m", 1),
    Case("OverflowCannotStart", "a single failure", {NOT_HAD: "0x5 1x60"}, "30m", 0),
    Case("OverflowCannotStart", "machines that do not end", {NOT_ENDED: "0+1x60"}, "30m", 0),
    Case("OverflowIsNoOverflow", "nodes for a day", {BEYOND: "8x1600"}, "1500m", 1),
    Case("OverflowIsNoOverflow", "nodes for half a day", {BEYOND: "8x700 0x900"}, "1500m", 0),
    Case("ApplicationNotSynced", "for an hour", {APP + 'sync_status="OutOfSync"}': "1x90"}, "60m", 1),
    Case("ApplicationNotSynced", "being synced", {APP + 'sync_status="OutOfSync"}': "1x20"}, "20m", 0),
    Case("ApplicationNotSynced", "it is", {APP + 'sync_status="Synced"}': "1x90"}, "60m", 0),
    Case("ApplicationNotHealthy", "for half an hour", {APP + 'health_status="Degraded"}': "1x60"}, "30m", 1),
    Case("ApplicationNotHealthy", "it starts", {APP + 'health_status="Progressing"}': "1x60"}, "30m", 0),
    Case("RolloutAborted", "sent back", {ROLLOUT + 'phase="Degraded"}': "1x20"}, "10m", 1),
    Case("RolloutAborted", "on its way", {ROLLOUT + 'phase="Progressing"}': "1x20"}, "10m", 0),
    Case("RunnersUsedUp", "twelve jobs for ten", {JOBS: "12x90", RUNNERS: "10x90"}, "60m", 1),
    Case("RunnersUsedUp", "ten for ten", {JOBS: "10x90", RUNNERS: "10x90"}, "60m", 0),
    Case("BackupFailed", "the last one left something out", {BACKUP: "1x10 0x60"}, "40m", 1),
    Case("BackupFailed", "the next one was whole", {BACKUP: "0x10 1x60"}, "40m", 0),
    Case("BackupLate", "the last whole one is 28 hours old", {WHOLE: "0x1800"}, "1695m", 1),
    Case("BackupLate", "there never was one", {UP: "1x120"}, "90m", 1),
    Case("BackupLate", "one each day", {WHOLE: "0x1440 86400x400"}, "1695m", 0),
    Case("BackupsOutOfReach", "for hours", {BUCKET: "0x300"}, "200m", 1),
    Case("BackupsOutOfReach", "for one hour", {BUCKET: "0x60 1x240"}, "200m", 0),
    Case("RestoreTestFailed", "tried later than it was proved", {TRIED: "90000x600", PROVED: "3600x600"}, "300m", 1),
    Case("RestoreTestFailed", "never proved", {TRIED: "90000x600"}, "300m", 1),
    Case("RestoreTestFailed", "it is still running", {TRIED: "90000x600", PROVED: "3600x600"}, "200m", 0),
    Case("RestoreTestFailed", "proved", {TRIED: "90000x600", PROVED: "91000x600"}, "300m", 0),
    Case("RestoreTestLate", "32 hours ago", {TRIED: "0x2400"}, "1980m", 1),
    Case("RestoreTestLate", "nobody ever tried", {UP: "1x500"}, "400m", 1),
    Case("RestoreTestLate", "each day", {TRIED: "0x1440 86400x1000"}, "1980m", 0),
    Case("CriticalVulnerability", "only high ones", {CVE + 'severity="High"}': "2x200"}, "120m", 0),
    Case("CacheDown", "for three minutes", {CACHE: "1x10 0x10"}, "14m", 1),
    Case("CacheDown", "it answers", {CACHE: "1x30"}, "14m", 0),
    Case("CacheWithoutCopy", "the primary has none", {COPIES + '"sessions-0"}': "0x30"}, "15m", 1),
    Case("CacheWithoutCopy", "one follows", {COPIES + '"sessions-0"}': "1x30"}, "15m", 0),
    Case("CacheWithoutCopy", "a copy has none itself", {COPIES + '"sessions-1"}': "0x30"}, "15m", 0),
    Case("CacheFull", "95 of 100 bytes", {USED + '"locks-0"}': "95x40", ROOM + '"locks-0"}': "100x40"}, "20m", 1),
    Case("CacheFull", "half", {USED + '"locks-0"}': "50x40", ROOM + '"locks-0"}': "100x40"}, "20m", 0),
    Case("CacheFull", "it makes room", {USED + '"sessions-0"}': "99x40", ROOM + '"sessions-0"}': "100x40"}, "20m", 0),
    Case("DatabaseServerDown", "for three minutes", {SERVER: "1x10 0x10"}, "14m", 1),
    Case("DatabaseServerDown", "for one minute", {SERVER: "1x10 0x10"}, "12m", 0),
    Case("DatabaseServerDown", "it answers", {SERVER: "1x30"}, "14m", 0),
    Case("DatabaseWithoutStandby", "a primary that nobody follows", {FOLLOWED: "0x30", STANDBY: "0x30"}, "12m", 1),
    Case("DatabaseWithoutStandby", "one follows", {FOLLOWED: "1x30", STANDBY: "0x30"}, "12m", 0),
    Case("DatabaseWithoutStandby", "a standby has no followers", {FOLLOWED: "0x30", STANDBY: "1x30"}, "12m", 0),
    Case("DatabaseWithoutStandby", "one server was asked for", {FOLLOWED_ALONE: "0x30"}, "12m", 0),
    Case("DatabaseStandbyBehind", "two minutes behind", {BEHIND: "120x30"}, "15m", 1),
    Case("DatabaseStandbyBehind", "a moment behind", {BEHIND: "5x30"}, "15m", 0),
    Case("DatabaseNotArchived", "since twenty minutes", {FAILED: "2000x60", ARCHIVED: "1000x60"}, "20m", 1),
    Case("DatabaseNotArchived", "it went well afterwards", {FAILED: "2000x60", ARCHIVED: "2100x60"}, "20m", 0),
    Case("DatabaseBackupLate", "none for two days", {BASE: "0x3000"}, "2880m", 1),
    Case("DatabaseBackupLate", "nobody says anything", {UP: "1x500"}, "120m", 1),
    Case("DatabaseBackupLate", "each day", {BASE: "0x1440 86400x1500"}, "2700m", 0),
)

FIGURES: Final = (
    *(
        Figure(f"platform:request_errors:ratio_rate{window}", requests((70, 0.02)), "60m", {"{}": 0.02})
        for window in ("5m", "1h", "30m", "6h", "2h", "1d", "3d")
    ),
    Figure(
        "platform:request_errors:ratio_rate5m",
        {k: v for k, v in requests((60, 0)).items() if "200" in k},
        "30m",
        {"{}": 0},
    ),
    Figure("platform:request_errors:ratio_rate5m", {UP: "1x60"}, "30m", {}),
    Figure("platform:namespace_cost:usd_hour", money(40), "30m", {'{namespace="platform"}': 1.36}),
    Figure("platform:cluster_cost:usd_hour", money(40), "30m", {"{}": 2}),
)
