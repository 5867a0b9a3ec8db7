"""Small problems for the tests."""

from __future__ import annotations

from datetime import date
from typing import Any

from sizing.catalogue import InstanceType, fit_for_nodes, load
from sizing.problem import PoolWish, Problem, WorkloadDemand

AS_OF = date(2026, 11, 21)
CATALOGUE = load()


def kind(name: str, vcpu: int, memory_gib: float, price: float, **more: Any) -> InstanceType:
    """A made-up AWS type of the newest generation, with a fresh price."""
    fields: dict[str, Any] = {
        "cloud": "aws",
        "region": "eu-west-1",
        "family": "general",
        "gpu": 0,
        "arch": "amd64",
        "spot_price_usd_hour": price * 0.4,
        "spot_band": 1,
        "max_pods": 110,
        "price_source": "test@2026-11-01",
        "spot_source": "test@2026-11-01",
    }
    return InstanceType(name=name, vcpu=vcpu, memory_gib=memory_gib, price_usd_hour=price, **(fields | more))


TINY = (kind("m5.large", 2, 8, 0.1), kind("c5.xlarge", 4, 8, 0.17), kind("m5.xlarge", 4, 16, 0.2))

POOLS = (
    PoolWish(name="burst", spot=True, max=40),
    PoolWish(name="general", min=1, max=40, arch=("amd64", "arm64")),
    PoolWish(name="system", purpose="system", min=1, max=6),
)


def job(name: str, cpu: int, memory: int, replicas: int, **more: Any) -> WorkloadDemand:
    """A workload of the general pool unless told otherwise."""
    return WorkloadDemand(
        **({"name": name, "cpu_milli": cpu, "memory_mib": memory, "replicas": replicas, "pools": ("general",)} | more)
    )


JOBS = (
    job("api", 500, 1024, 6, spread="zone"),
    job("batch", 1000, 2048, 8, spot="tolerant", pools=("general", "burst")),
    job("cache", 250, 4096, 3, spread="host"),
    job("dns", 100, 128, 3, spread="zone", pools=("system",)),
    job("loader", 300, 256, 4, spot="only", pools=("burst",)),
)


def problem(**more: Any) -> Problem:
    """Three pools in three zones of eu-west-1, priced by the project's own catalogue."""
    fields: dict[str, Any] = {
        "cluster": "aws-eu-west-1",
        "cloud": "aws",
        "region": "eu-west-1",
        "zones": 3,
        "pools": POOLS,
        "workloads": JOBS,
        "types": fit_for_nodes(CATALOGUE.types("aws", "eu-west-1")),
        "as_of": AS_OF,
        "quality": "fast",
    }
    return Problem(**(fields | more))
