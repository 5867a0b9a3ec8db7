"""What databases in the cluster say of themselves: that they run, are followed, and could be brought back.

Figures: cloudnative-pg.io/docs/1.30/monitoring, the chart's default queries (values.yaml at the version of
charts.lock), cloudnative-pg.io/plugin-barman-cloud/docs/observability; read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from components.kubernetes.crds.prometheus import PrometheusRuleSpecGroups
from components.kubernetes.raised import Runbooks, group
from stacks.services.settings import Services

LATE_SECONDS: Final = 26 * 3600
"""A day, and as long as a base backup may take."""
BEHIND_SECONDS: Final = 60
BACKED_UP: Final = "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp"


def databases(services: Services, runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    """Say of each database when a server is down, when nobody follows, and when its past cannot be brought back."""
    wish = services.cloudnative_pg
    if wish is None or not wish.databases:
        return
    followed = "|".join(name for name, each in wish.databases.items() if each.instances > 1)
    followers = f'cnpg_pg_replication_streaming_replicas{{pod=~"({followed})-[0-9]+"}} == 0'
    alone = [
        runbooks.alert(
            "DatabaseWithoutStandby",
            f"{followers} unless on (pod) cnpg_pg_replication_in_recovery == 1",
            "10m",
            "critical",
            "nobody follows {{ $labels.pod }}: what it holds is lost with it up to its last archived file",
        )
    ]
    yield group(
        "platform.databases",
        runbooks.alert(
            "DatabaseServerDown",
            "cnpg_collector_up == 0",
            "2m",
            "critical",
            "the PostgreSQL of {{ $labels.pod }} does not answer",
        ),
        *(alone if followed else []),
        runbooks.alert(
            "DatabaseStandbyBehind",
            f"max by (pod) (cnpg_pg_replication_lag) > {BEHIND_SECONDS}",
            "10m",
            "warning",
            "{{ $labels.pod }} is {{ $value }} seconds behind its primary",
        ),
        runbooks.alert(
            "DatabaseNotArchived",
            "cnpg_pg_stat_archiver_last_failed_time > cnpg_pg_stat_archiver_last_archived_time",
            "15m",
            "critical",
            "{{ $labels.pod }} cannot write what it logs into its bucket",
        ),
        runbooks.alert(
            "DatabaseBackupLate",
            f"time() - max by (job) ({BACKED_UP}) > {LATE_SECONDS} or absent({BACKED_UP})",
            "1h",
            "critical",
            "{{ $labels.job }} has no base backup of the last day",
        ),
    )
