"""The written-down generator of sizing problems: shapes, tails, pools and seeds, so that anyone rebuilds them.

A workload asks for CPU from {100, 250, 500, 750, 1000, 1500, 2000, 3000} milli and for 1 to 8 MiB per milli-CPU, drawn
log-uniformly. Replicas follow a Zipf law scaled to the number of pods asked for. With a heavy tail one shape in eight
has few (1 to 6) pods of 8, 16, 24 or 30 vCPU. 25 % spread over zones, 10 % over hosts (at most 24 pods), 40 % tolerate
interruption. Six pools: system, three on demand (two amd64, one with arm64 too), two on spot; 3 zones.
"""

from __future__ import annotations

import math
import random
from datetime import date
from typing import Final

from sizing.catalogue import Catalogue, fit_for_nodes, load
from sizing.problem import PoolWish, Problem, WorkloadDemand

AS_OF: Final = date(2026, 11, 21)
SEEDS: Final = (11, 23, 47)
SIZES: Final = (300, 600, 1000, 2000)
TINY_SEEDS: Final = tuple(range(101, 117))
SMALL: Final = (100, 250, 500, 750, 1000, 1500, 2000, 3000)
LARGE: Final = (8000, 16000, 24000, 30000)
SHAPES: Final = 24


def pools(slots: int, most: int) -> tuple[PoolWish, ...]:
    """The six pools of the instances."""
    both = ("amd64", "arm64")
    return (
        PoolWish(name="system", purpose="system", min=3, max=12, slots=1),
        PoolWish(name="general", max=most, arch=both, slots=slots),
        PoolWish(name="steady", max=most, slots=slots),
        PoolWish(name="large", max=most, slots=slots),
        PoolWish(name="burst", spot=True, max=most, slots=slots),
        PoolWish(name="flood", spot=True, max=most, arch=both, slots=slots),
    )


def workloads(pods: int, seed: int, *, heavy: bool) -> tuple[WorkloadDemand, ...]:
    """24 shapes with `pods` pods in all (the large ones come on top)."""
    rng = random.Random(seed)
    weight = [1 / (rank + 1) for rank in range(SHAPES)]
    made = []
    for number in range(SHAPES):
        big = heavy and number % 8 == 7
        cpu = rng.choice(LARGE if big else SMALL)
        memory = int(cpu * math.exp(rng.uniform(0, math.log(4 if big else 8))))
        count = rng.randint(1, 6) if big else max(1, round(pods * weight[number] / sum(weight)))
        tolerant = not big and rng.random() < 0.4
        drawn = rng.random()
        spread = "zone" if drawn < 0.25 and count > 2 else "host" if drawn < 0.35 and count <= 24 else "none"
        firm = ("large", "steady") if big else rng.choice((("general",), ("steady",), ("general", "steady")))
        made.append(
            WorkloadDemand(
                name=f"w{number:02d}",
                cpu_milli=cpu,
                memory_mib=memory,
                replicas=count,
                spread=spread,
                spot="tolerant" if tolerant else "never",
                pools=tuple(sorted({*firm, *(("burst", "flood") if tolerant else ())})),
            )
        )
    made.append(WorkloadDemand(name="dns", cpu_milli=100, memory_mib=128, replicas=3, spread="zone", pools=("system",)))
    return tuple(made)


def instance(
    pods: int,
    seed: int,
    *,
    heavy: bool = True,
    slots: int = 3,
    cloud: str = "aws",
    region: str = "eu-west-1",
    quality: str = "standard",
    catalogue: Catalogue | None = None,
) -> Problem:
    """One problem of the bench."""
    types = fit_for_nodes((catalogue or load()).types(cloud, region))
    return Problem(
        cluster=f"{cloud}-{region}",
        cloud=cloud,
        region=region,
        zones=3,
        pools=pools(slots, max(60, pods)),
        workloads=workloads(pods, seed, heavy=heavy),
        types=tuple(t for t in types if t.gpu == 0),
        seed=seed,
        quality=quality,  # type: ignore[arg-type]
        as_of=AS_OF,
    )


def tiny(seed: int) -> Problem:
    """About 40 pods of six shapes in one pool of six types, two zones: small enough to try every mix."""
    rng = random.Random(seed)
    names = ("m5.large", "c5.xlarge", "r5.large", "m5.xlarge")
    types = tuple(t for t in load().types("aws", "eu-west-1") if t.name in names)
    jobs = tuple(
        WorkloadDemand(
            name=f"w{n}",
            cpu_milli=rng.choice((250, 500, 750, 1000, 1500)),
            memory_mib=rng.choice((256, 1024, 2048, 3072, 6144)),
            replicas=rng.randint(1, 5),
            spread=rng.choice(("none", "none", "zone", "host")),
            pools=("general",),
        )
        for n in range(6)
    )
    return Problem(
        cluster="tiny", cloud="aws", region="eu-west-1", zones=2, pools=(PoolWish(name="general", max=12),),
        workloads=jobs, types=types, seed=seed, as_of=AS_OF,
    )  # fmt: skip
