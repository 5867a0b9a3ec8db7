"""Replay of the measured fleet series: forecast-driven sizing beside static peak, reactive and perfect foresight.

The series (5-minute totals) is scaled so that its peak is 400 pods, split over eight workloads by the fixed shares
below. A demand level (twentieths of the peak) costs what the sizing's plan for it costs (effort fast; between levels
the next one up). Nodes are ready 90 s after they are asked for, so pods above the standing level wait 1.5 minutes at
most per step; nodes are given back after ten minutes. Forecast: at each hour the 0.95 quantile over the next hour
from the past only (seasonal naive, a day), topped up reactively. The first seven days only teach.
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
from sizing.forecast import quantile
from sizing.packing import Floats
from sizing.plan import Plan
from sizing.problem import PoolWish, Problem, WorkloadDemand

SHARES = (("web", 250, 512, 0.3), ("api", 500, 1024, 0.2), ("cache", 500, 4096, 0.1), ("jobs", 1000, 2048, 0.1),
          ("search", 2000, 4096, 0.1), ("stream", 1000, 4096, 0.1), ("batch", 3000, 6144, 0.05),
          ("tools", 100, 256, 0.05))  # fmt: skip
PEAK = 400
LEVELS = 20
DAY, HOUR, BACK = 288, 12, 2
STEP_MINUTES, READY_MINUTES = 5.0, 1.5
LEVEL = 0.95


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


def replay(demand: Floats, floor: Floats | None) -> tuple[Floats, float]:
    """Standing pods per step and pending-pod minutes: reactive, never below `floor`."""
    standing = np.zeros(len(demand))
    waiting, held, low = 0.0, float(demand[0]), 0
    for step, need in enumerate(demand):
        least = 0.0 if floor is None else float(floor[step])
        held = max(held, least)
        waiting += max(0.0, float(need) - held) * READY_MINUTES
        if need > held:
            held, low = float(need), 0
        elif max(need, least) < held:
            low += 1
            if low > BACK:
                held, low = max(float(need), least), 0
        else:
            low = 0
        standing[step] = held
    return standing, waiting


def figures() -> Iterator[Figure]:
    """S14 for both series."""
    price = costs()
    for name in ("google2019", "azure_v2"):
        demand = series(name)
        floor = np.zeros(len(demand))
        for start in range(7 * DAY, len(demand), HOUR):
            ahead = quantile(demand[:start].tolist(), DAY, HOUR, LEVEL)
            floor[start : start + HOUR] = ahead.max()
        late = slice(7 * DAY, None)
        known, lower = demand[late], floor[late]

        def month(standing: Floats) -> float:
            level = np.ceil(np.clip(standing / PEAK, 0, 1) * LEVELS - 1e-9).astype(int)
            return float(price[level].mean())

        reactive, waits = replay(known, None)
        driven, waits_driven = replay(known, lower)
        static, perfect = float(price[-1]), month(known)
        told = (
            f"{name}, {len(known) // DAY} days; USD a month: static peak {static:.0f}, reactive {month(reactive):.0f}, "
            f"forecast {month(driven):.0f}, perfect {perfect:.0f}; pending-pod minutes: reactive {waits:.0f}, "
            f"forecast {waits_driven:.0f}"
        )
        yield Figure(f"S14-{name}-static", "< 1", rounded(month(driven) / static), f"cost over static peak; {told}")
        yield Figure(f"S14-{name}-reactive", "< 1", rounded(month(driven) / month(reactive)), "cost over reactive")
        pending = waits_driven / waits if waits else 0.0
        yield Figure(f"S14-{name}-pending", "<= 1", rounded(pending), "pending-pod minutes over reactive's")
