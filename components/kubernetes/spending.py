"""What each namespace spends, as recording rules, and an alert for each share of its budget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from components.kubernetes.crds.prometheus import PrometheusRuleSpecGroups, PrometheusRuleSpecGroupsRules
from components.kubernetes.raised import Runbooks, group

HOURS_OF_A_MONTH: Final = 730
"""As the clouds' price lists count."""
GIBIBYTE: Final = 1024**3
HOURLY: Final = "platform:namespace_cost:usd_hour"
CLUSTER: Final = "platform:cluster_cost:usd_hour"


def groups(budgets: Mapping[str, float], runbooks: Runbooks) -> Iterator[PrometheusRuleSpecGroups]:
    """Yield the figures of every namespace, and an alert for those that have a budget of USD a month."""
    cpu = "sum by (namespace) (container_cpu_allocation * on (node) group_left () max by (node) (node_cpu_hourly_cost))"
    memory = (
        f"sum by (namespace) (container_memory_allocation_bytes / {GIBIBYTE}"
        " * on (node) group_left () max by (node) (node_ram_hourly_cost))"
    )
    yield group(
        "platform.cost",
        PrometheusRuleSpecGroupsRules(record=HOURLY, expr=f"{cpu} + {memory}"),
        PrometheusRuleSpecGroupsRules(record=CLUSTER, expr="sum(max by (node) (node_total_hourly_cost))"),
        *(
            runbooks.alert(
                "NamespaceOverBudget",
                f'avg_over_time({HOURLY}{{namespace="{name}"}}[6h]) * {HOURS_OF_A_MONTH} > {monthly:g}',
                "1h",
                "warning",
                f"{{{{ $labels.namespace }}}} costs {{{{ $value }}}} USD a month, its budget is {monthly:g}",
            )
            for name, monthly in budgets.items()
        ),
    )
