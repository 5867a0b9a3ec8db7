"""One cluster's capacity problem: what must run, on which kinds of node, within which limits."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, Final, Literal

from sizing.allocatable import NO_AGENTS, Room
from sizing.canonical import canonical, sha256_hex
from sizing.catalogue import InstanceType
from sizing.sound import WrongProblem, check

__all__ = ["PoolWish", "Problem", "WorkloadDemand", "WrongProblem", "check"]

Quality = Literal["fast", "standard", "best"]
SPOT_POOL_SHARE: Final = 0.6
"""At most this share of spot-eligible CPU in one spot pool, where there are several."""
ON_DEMAND_SHARE: Final = 0.3
"""At least this share of each tolerant workload runs on demand."""


@dataclass(frozen=True, kw_only=True)
class WorkloadDemand:
    """Equal pods: requests of one pod, how many, how they spread, and where they may run.

    `survives` zone: seats are kept so that all of them find room when any one zone is lost. `zone`: the number (from 0)
    of the zone that their volumes are in.
    """

    name: str
    cpu_milli: int
    memory_mib: int
    gpu: int = 0
    replicas: int
    spread: str = "none"
    spot: str = "never"
    survives: str = "none"
    zone: int | None = None
    pools: tuple[str, ...]

    def seats(self, zones: int) -> int:
        """Pods to find room for: without any one of the zones, among which they stand evenly, all of them fit."""
        if self.survives == "none" or zones < 2:  # noqa: PLR2004
            return self.replicas
        return zones * -(-self.replicas // (zones - 1))


@dataclass(frozen=True, kw_only=True)
class PoolWish:
    """A pool of the stack file: caps for the pool as a whole, filled by `slots` node pools of one type each."""

    name: str
    purpose: str = "general"
    spot: bool = False
    min: int = 0
    max: int
    arch: tuple[str, ...] = ("amd64",)
    gpu: bool = False
    slots: int = 3


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Everything a plan of one cluster depends on, except the previous plan."""

    cluster: str
    cloud: str
    region: str
    zones: int
    pools: tuple[PoolWish, ...]
    workloads: tuple[WorkloadDemand, ...]
    types: tuple[InstanceType, ...]
    vcpu_quota: int | None = None
    budget_usd_month: float | None = None
    seed: int = 7
    quality: Quality = "standard"
    threshold: float = 0.03
    max_changed_nodes: int | None = None
    as_of: date
    max_age_days: int = 900
    agents: Room = NO_AGENTS  # what the daemon sets of the stack's services take of every node
    notes: Mapping[str, int] = field(default_factory=dict)  # counts, e.g. how many types were pruned
    running: tuple[str, ...] = ()
    """Types of the plan that runs: looked at even where a cheaper one does all they do. Not part of the question."""

    def __post_init__(self) -> None:
        check(self)
        if any(t.agents != self.agents for t in self.types):
            object.__setattr__(self, "types", tuple(replace(t, agents=self.agents) for t in self.types))

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no spaces; each type with its room and effective spot price."""
        return canonical(self.to_object())

    def to_object(self) -> dict[str, Any]:
        """The same as plain data."""
        made: dict[str, Any] = {
            key: getattr(self, key)
            for key in (
                "cluster",
                "cloud",
                "region",
                "zones",
                "vcpu_quota",
                "budget_usd_month",
                "seed",
                "quality",
                "threshold",
                "max_changed_nodes",
                "max_age_days",
            )
        }
        made["as_of"] = self.as_of.isoformat()
        made["pools"] = [asdict(pool) for pool in sorted(self.pools, key=lambda p: p.name)]
        made["workloads"] = [asdict(w) for w in sorted(self.workloads, key=lambda w: w.name)]
        made["types"] = [type_object(t) for t in sorted(self.types, key=lambda t: t.name)]
        made["agents"] = self.agents._asdict()
        made["notes"] = dict(self.notes)
        return made

    def to_compact(self, shown: Collection[str] = ()) -> dict[str, Any]:
        """The same with all types in the table `offered`, and only those of `shown` written out under `types`."""
        made = self.to_object()
        made["types"] = [t for t in made["types"] if t["name"] in shown]
        made["offered"] = compact(self.types)
        return made

    @classmethod
    def from_json(cls, text: str) -> Problem:
        """The problem back from its JSON; WrongProblem names what is missing or wrong."""
        return cls.from_object(json.loads(text))

    @classmethod
    def from_object(cls, made: Mapping[str, Any]) -> Problem:
        """The problem back from plain data."""
        try:
            return cls(
                cluster=made["cluster"],
                cloud=made["cloud"],
                region=made["region"],
                zones=int(made["zones"]),
                pools=tuple(
                    PoolWish(
                        **{
                            **p,
                            "min": int(p["min"]),
                            "max": int(p["max"]),
                            "slots": int(p["slots"]),
                            "arch": tuple(p["arch"]),
                        }
                    )
                    for p in made["pools"]
                ),
                workloads=tuple(
                    WorkloadDemand(
                        **{
                            **w,
                            **{key: int(w[key]) for key in ("cpu_milli", "memory_mib", "gpu", "replicas")},
                            "zone": None if w.get("zone") is None else int(w["zone"]),
                            "pools": tuple(w["pools"]),
                        }
                    )
                    for w in made["workloads"]
                ),
                types=tuple(type_from_object(t, made["cloud"], made["region"]) for t in offered(made)),
                vcpu_quota=None if made.get("vcpu_quota") is None else int(made["vcpu_quota"]),
                budget_usd_month=None if made.get("budget_usd_month") is None else float(made["budget_usd_month"]),
                seed=int(made["seed"]),
                quality=made["quality"],
                threshold=float(made["threshold"]),
                max_changed_nodes=None if made.get("max_changed_nodes") is None else int(made["max_changed_nodes"]),
                as_of=date.fromisoformat(made["as_of"]),
                max_age_days=int(made["max_age_days"]),
                agents=Room(**{key: int(value) for key, value in made.get("agents", NO_AGENTS._asdict()).items()}),
                notes={key: int(value) for key, value in made.get("notes", {}).items()},
            )
        except (KeyError, TypeError) as wrong:
            raise WrongProblem(f"the problem's JSON is not a problem: {wrong}") from wrong

    @cached_property
    def input_hash(self) -> str:
        """sha256 of the canonical JSON, in hex."""
        return sha256_hex(self.to_json())


def type_object(row: InstanceType) -> dict[str, Any]:
    """One type as the evidence shows it: prices in USD per hour and the room it leaves for pods."""
    return {
        "name": row.name,
        "family": row.family,
        "vcpu": row.vcpu,
        "memory_gib": row.memory_gib,
        "gpu": row.gpu,
        "arch": row.arch,
        "price_usd_hour": row.price_usd_hour,
        "spot_price_usd_hour": row.spot_price_usd_hour,
        "spot_effective_usd_hour": row.spot_effective_usd_hour,
        "spot_band": row.spot_band,
        "max_pods": row.max_pods,
        "price_source": row.price_source,
        "spot_source": row.spot_source,
        "allocatable": row.room._asdict(),
    }


COLUMNS: Final = (
    "name", "family", "vcpu", "memory_gib", "gpu", "arch", "price_usd_hour", "spot_price_usd_hour", "spot_band",
    "max_pods", "price_source", "spot_source",
)  # fmt: skip
"""What a type is made of; the rest of its object follows from these."""


def compact(types: Sequence[InstanceType]) -> dict[str, Any]:
    """Types as a table, a quarter of the size: names of columns, one row per type, sources by number."""
    rows = sorted(types, key=lambda t: t.name)
    sources = sorted({source for t in rows for source in (t.price_source, t.spot_source)})
    made = []
    for t in rows:
        row = [getattr(t, column) for column in COLUMNS[:-2]]
        made.append([*row, sources.index(t.price_source), sources.index(t.spot_source)])
    return {"columns": list(COLUMNS), "sources": sources, "rows": made}


def offered(made: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The types of a problem's plain data: from its table `offered`, else from the list `types`."""
    table = made.get("offered")
    if table is None:
        return list(made["types"])
    found = []
    for row in table["rows"]:
        one = dict(zip(table["columns"], row, strict=True))
        one["price_source"] = table["sources"][int(one["price_source"])]
        one["spot_source"] = table["sources"][int(one["spot_source"])]
        found.append(one)
    return found


def type_from_object(made: Mapping[str, Any], cloud: str, region: str) -> InstanceType:
    """A type back from its JSON; what follows from the rest (room, effective price) is worked out again."""
    spot, band = made.get("spot_price_usd_hour"), made.get("spot_band")
    return InstanceType(
        cloud=cloud,
        region=region,
        name=made["name"],
        family=made["family"],
        vcpu=int(made["vcpu"]),
        memory_gib=float(made["memory_gib"]),
        gpu=int(made["gpu"]),
        arch=made["arch"],
        price_usd_hour=float(made["price_usd_hour"]),
        spot_price_usd_hour=None if spot is None else float(spot),
        spot_band=None if band is None else int(band),
        max_pods=int(made["max_pods"]),
        price_source=made["price_source"],
        spot_source=made["spot_source"],
    )
