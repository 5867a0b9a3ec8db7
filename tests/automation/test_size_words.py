"""What `size` says limits a plan: also that nodes stand idle, before the law refuses them."""

from __future__ import annotations

from typing import Any

import pytest
from charter.rules.charter_room import FLOOR

from automation.size_words import WORTH, binding


def asked(cpu: int, memory: int, replicas: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """One pool of two nodes of 2,000m and 8,000 MiB, and one workload, or none."""
    room = {"cpu_milli": 2000, "memory_mib": 8000, "gpu": 0, "pods": 100}
    wish = {"name": "general", "min": 2, "max": 9, "slots": 1, "spot": False}
    job = {"name": "w", "cpu_milli": cpu, "memory_mib": memory, "replicas": replicas, "spread": "none", "pools": []}
    row = {"pool": "general", "instance_type": "m5.large", "min": 2, "desired": 2, "spare": 1}
    problem = {
        "types": [{"name": "m5.large", "vcpu": 2, "allocatable": room}],
        "vcpu_quota": None,
        "zones": 1,
        "pools": [wish],
        "workloads": [job] if replicas else [],
    }
    return problem, {"cost_usd_month": 100.0, "pools": [row]}


@pytest.mark.parametrize(
    ("cpu", "memory", "replicas", "says"),
    [
        (0, 0, 0, "stands idle: no pods are asked for"),
        (100, 700, 2, "stands idle: pods ask for 8.8% of its nodes"),
        (100, 100, 3, "stands idle: pods ask for 7.5% of its nodes"),
        (100, 800, 2, ""),
        (400, 10, 1, ""),
    ],
)
def test_a_cluster_that_the_law_would_refuse_as_idle_is_told(cpu: int, memory: int, replicas: int, says: str) -> None:
    assert WORTH == FLOOR
    told = [line for line in binding(*asked(cpu, memory, replicas)) if "idle" in line]
    assert len(told) == bool(says)
    assert all(says in line and "rule CH-16" in line and "lower the pools' min" in line for line in told)
