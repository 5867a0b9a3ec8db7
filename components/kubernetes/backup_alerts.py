"""What backups say of themselves: that they are made, and that they can be restored.

Figures: velero pkg/metrics/metrics.go at v1.18 (a backup's last status is 1 only when all of it was copied),
kube-state-metrics docs/metrics/workload/cronjob-metrics.md; read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from components.kubernetes.crds.prometheus import PrometheusRuleSpecGroups
from components.kubernetes.raised import Runbooks, group
from components.kubernetes.restore_test import DAILY, NAME
from stacks.services.settings import Services

LATE_SECONDS: Final = 26 * 3600
"""A day, and as long as a backup may take."""
OF_DAILY: Final = f'{{schedule="{DAILY}"}}'
OF_TEST: Final = f'{{namespace="velero", cronjob="{NAME}"}}'
SUCCEEDED: Final = f"velero_backup_last_successful_timestamp{OF_DAILY}"
TRIED: Final = f"kube_cronjob_status_last_schedule_time{OF_TEST}"
PROVED: Final = f"kube_cronjob_status_last_successful_time{OF_TEST}"


def backup(_services: Services, runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    """Say when a backup is not whole, when there is none, and when nobody knows whether it can be restored."""
    yield group(
        "platform.backups",
        runbooks.alert(
            "BackupFailed",
            f"max by (schedule) (velero_backup_last_status{OF_DAILY}) == 0",
            "15m",
            "critical",
            "the last backup {{ $labels.schedule }} failed, or left something out",
        ),
        runbooks.alert(
            "BackupLate",
            f"time() - max({SUCCEEDED}) > {LATE_SECONDS} or absent({SUCCEEDED})",
            "1h",
            "critical",
            "no backup of the cluster was whole for more than a day",
        ),
        runbooks.alert(
            "BackupsOutOfReach",
            "min by (backup_location_name) (velero_backup_location_status_gauge) == 0",
            "2h",
            "critical",
            "Velero cannot reach the bucket of its backups",
        ),
        runbooks.alert(
            "RestoreTestFailed",
            f"{TRIED} > {PROVED} or {TRIED} unless {PROVED}",
            "4h",
            "critical",
            "the newest backup was restored for a try, and it was not what had been written",
        ),
        runbooks.alert(
            "RestoreTestLate",
            f"time() - {TRIED} > {LATE_SECONDS} or absent({TRIED})",
            "6h",
            "warning",
            "nobody has tried for more than a day whether a backup can be restored",
        ),
    )
