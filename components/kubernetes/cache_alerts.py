"""What caches in the cluster say of themselves: that they answer, are followed, and have room.

Figures: github.com/oliver006/redis_exporter v1.79, exporter/metrics.go; read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from components.kubernetes.crds.prometheus import PrometheusRuleSpecGroups
from components.kubernetes.raised import Runbooks, group
from stacks.services.settings import Services

FULL: Final = 0.9


def caches(services: Services, runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    """Say of each cache when it does not answer, when nobody follows it, and when it will refuse writes."""
    wish = services.valkey
    if wish is None or not wish.caches:
        return
    first = "|".join(wish.caches)
    keeping = "|".join(name for name, each in wish.caches.items() if not each.evict)
    used, most = (f'redis_memory_{what}_bytes{{pod=~"({keeping})-[0-9]+"}}' for what in ("used", "max"))
    full = runbooks.alert(
        "CacheFull",
        f"{used} / {most} > {FULL}",
        "15m",
        "warning",
        "{{ $labels.pod }} uses {{ $value | humanizePercentage }} of its memory, and refuses writes when it is full",
    )
    yield group(
        "platform.caches",
        runbooks.alert(
            "CacheDown", "redis_up == 0", "2m", "critical", "the Valkey of {{ $labels.pod }} does not answer"
        ),
        runbooks.alert(
            "CacheWithoutCopy",
            f'redis_connected_slaves{{pod=~"({first})-0"}} == 0',
            "10m",
            "warning",
            "nobody follows {{ $labels.pod }}: what it holds stands on one volume only",
        ),
        *([full] if keeping else []),
    )
