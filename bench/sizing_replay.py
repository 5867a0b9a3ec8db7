"""Replay of the measured fleet series: forecast-driven sizing beside static peak, reactive and perfect foresight.

The series (5-minute totals) is scaled so that its peak is 400 pods, split over eight workloads by the fixed shares
below. A demand level (twentieths of the peak) costs what the sizing's plan for it costs (effort fast; between levels
the next one up). How nodes come and go, and what each way does, is `sizing.replay`. The first seven days only teach.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import sizing
from bench.figure import Figure, rounded
from bench.sizing_instances import AS_OF
from sizing.catalogue import fit_for_nodes, load
from sizing.packing import Floats
from sizing.plan import Plan
from sizing.problem import PoolWish, Problem, WorkloadDemand
from sizing.replay import outcomes

SHARES = (("web", 250, 512, 0.3), ("api", 500, 1024, 0.2), ("cache", 500, 4096, 0.1), ("jobs", 1000, 2048, 0.1),
          ("search", 2000, 4096, 0.1), ("stream", 1000, 4096, 0.1), ("batch", 3000, 6144, 0.05),
          ("tools", 100, 256, 0.05))  # fmt: skip
PEAK = 400
LEVELS = 20
DAY = 288
TAUGHT = 7 * DAY


def series(name: str) -> Floats:
    """Demand in pods, peak 400."""
    path = Path(os.environ.get("SHARED", "../shared")) / "data" / "cluster-demand" / f"{name}_5min.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    column = "cpu_usage" if "cpu_usage" in rows[0] else "avg_cpu"
    values = np.array([float(row[column]) for row in rows])
    scaled: Floats = values / values.max() * PEAK
    return scaled


def costs() -> Floats:
    """USD a month of the plan for each level of demand."""
    types = fit_for_nodes(load().types("aws", "eu-west-1"))
    made = [0.0]
    for level in range(1, LEVELS + 1):
        jobs = tuple(
            WorkloadDemand(
                name=name,
                cpu_milli=cpu,
                memory_mib=memory,
                replicas=max(1, round(PEAK * share * level / LEVELS)),
                pools=("general",),
            )
            for name, cpu, memory, share in SHARES
        )
        pool = PoolWish(name="general", max=400, arch=("amd64", "arm64"))
        problem = Problem(
            cluster="replay", cloud="aws", region="eu-west-1", zones=3, pools=(pool,), workloads=jobs,
            types=types, quality="fast", as_of=AS_OF,
        )  # fmt: skip
        plan = sizing.solve(problem)
        if not isinstance(plan, Plan):
            raise ArithmeticError(  # noqa: TRY004 - not a wrong type, no plan
                f"no plan for level {level}: {plan.message}"
            )
        made.append(max(plan.cost_usd_month, made[-1]))
    return np.array(made)


def figures() -> Iterator[Figure]:
    """S14 for both series."""
    price = costs().tolist()
    for name in ("google2019", "azure_v2"):
        demand = series(name)
        ways = outcomes(demand.tolist(), price, DAY, TAUGHT)
        cost = {way: found.cost_usd_month for way, found in ways.items()}
        waits = {way: found.pending_pod_minutes for way, found in ways.items()}
        events = {way: found.scale_events for way, found in ways.items()}
        told = (
            f"{name}, {(len(demand) - TAUGHT) // DAY} days; USD a month: "
            + ", ".join(f"{way} {value:.0f}" for way, value in cost.items())
            + f"; pending-pod minutes: reactive {waits['reactive']:.0f}, forecast {waits['forecast']:.0f}"
            + f"; scale events: reactive {events['reactive']}, forecast {events['forecast']}"
        )
        ahead = cost["forecast"]
        yield Figure(f"S14-{name}-static", "< 1", rounded(ahead / cost["static"]), f"cost over static peak; {told}")
        yield Figure(f"S14-{name}-reactive", "< 1", rounded(ahead / cost["reactive"]), "cost over reactive")
        pending = waits["forecast"] / max(waits["reactive"], 1.0)
        yield Figure(f"S14-{name}-pending", "<= 1", rounded(pending), "pending-pod minutes over reactive's")
