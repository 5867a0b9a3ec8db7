"""Instance types with dated list prices: what a node may be and what it costs."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Final

from sizing.allocatable import NO_AGENTS, Room, room

DATA: Final = Path(__file__).parent / "data" / "instance_prices.csv"
HOURS_PER_MONTH: Final = 730
SPOT_RISK: Final[tuple[float, ...]] = (0.0, 0.05, 0.10, 0.20, 0.40)
"""Mark-up on the spot price by interruption band (0 = under 5 % a month ... 4 = over 20 %)."""
UNKNOWN_BAND: Final = 2
"""Clouds that publish no interruption band count as the middle one."""

_DATE = re.compile(r"@(\d{4}-\d{2}-\d{2})")
_BURSTABLE = re.compile(
    r"^(t1|t2|t3a?|t4g)\.|^(Standard|Basic)_B\d|^Basic_|^(e2-(micro|small|medium)|f1-micro|g1-small)$"
)
_UNFIT = re.compile(r"\.metal|_Promo$|^Standard_A\d")


class UnknownPrice(LookupError):  # noqa: N818 - part of the interface
    """No dated price for what was asked; unknown is an error, never zero."""


@dataclass(frozen=True, kw_only=True)
class InstanceType:
    """One instance type in one region; prices in USD per hour, memory in GiB."""

    cloud: str
    region: str
    name: str
    family: str
    vcpu: int
    memory_gib: float
    gpu: int
    arch: str
    price_usd_hour: float
    spot_price_usd_hour: float | None
    spot_band: int | None
    max_pods: int
    price_source: str
    spot_source: str
    agents: Room = NO_AGENTS
    """What the services' own daemon sets take of every node; the problem sets it."""

    @cached_property
    def room(self) -> Room:
        """Room for pods on one node."""
        return room(self.cloud, self.name, self.vcpu, self.memory_gib, self.gpu, self.max_pods, self.agents)

    @property
    def price_date(self) -> date:
        """The oldest date among the joined sources of the on-demand price."""
        return oldest_date(self.price_source)

    @property
    def spot_date(self) -> date | None:
        """The oldest date of the spot price, None where there is none."""
        return oldest_date(self.spot_source) if self.spot_source and self.spot_price_usd_hour else None

    @property
    def spot_effective_usd_hour(self) -> float | None:
        """Spot price marked up by the risk of interruption; an estimate, never a quote."""
        if not self.spot_price_usd_hour:
            return None
        band = UNKNOWN_BAND if self.spot_band is None else self.spot_band
        return self.spot_price_usd_hour * (1 + SPOT_RISK[band])


def oldest_date(source: str) -> date:
    """The oldest `@date` in a joined source name; UnknownPrice when none is given."""
    dates = _DATE.findall(source)
    if not dates:
        raise UnknownPrice(f"price source {source!r} carries no date; write NAME@YYYY-MM-DD")
    return min(date.fromisoformat(found) for found in dates)


@dataclass(frozen=True)
class Catalogue:
    """All priced instance types, by cloud and region."""

    rows: Mapping[tuple[str, str], tuple[InstanceType, ...]]

    def types(self, cloud: str, region: str) -> tuple[InstanceType, ...]:
        """Every priced type of a region, sorted by name; UnknownPrice when the region has no prices."""
        found = self.rows.get((cloud, region))
        if not found:
            known = ", ".join(sorted(r for c, r in self.rows if c == cloud)) or "none"
            raise UnknownPrice(
                f"no instance prices for {cloud} region {region!r}; priced regions of {cloud}: {known}. "
                "Add rows with a dated source to sizing/data/instance_prices.csv"
            )
        return found

    def price(self, cloud: str, region: str, instance_type: str) -> InstanceType:
        """The row of one type; UnknownPrice when there is none."""
        for row in self.types(cloud, region):
            if row.name == instance_type:
                return row
        raise UnknownPrice(f"no price for {instance_type!r} in {cloud} {region}")


def load(path: Path | None = None) -> Catalogue:
    """Read a price file (default: the project's own); ValueError names file, line and column of a wrong value."""
    path = path or DATA
    rows: dict[tuple[str, str], list[InstanceType]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                made = _row(row)
            except (KeyError, TypeError, ValueError, LookupError) as wrong:
                raise ValueError(
                    f"{path} line {number}: {wrong}; see sizing/data/PROVENANCE.md for the columns"
                ) from wrong
            rows.setdefault((made.cloud, made.region), []).append(made)
    return Catalogue({key: tuple(sorted(found, key=lambda t: t.name)) for key, found in sorted(rows.items())})


def _row(row: Mapping[str, str]) -> InstanceType:
    made = InstanceType(
        cloud=row["cloud"],
        region=row["region"],
        name=row["instance_type"],
        family=row["family"],
        vcpu=int(float(row["vcpu"])),
        memory_gib=float(row["memory_gib"]),
        gpu=int(float(row["gpu"] or 0)),
        arch=row["arch"],
        price_usd_hour=float(row["price_usd_hour"]),
        spot_price_usd_hour=float(row["spot_price_usd_hour"]) if row["spot_price_usd_hour"] else None,
        spot_band=int(float(row["spot_interruption_band"])) if row["spot_interruption_band"] else None,
        max_pods=int(float(row["max_pods"])),
        price_source=row["price_source"],
        spot_source=row["spot_source"],
    )
    if not made.price_usd_hour > 0:
        raise ValueError(f"price_usd_hour of {made.name} is {row['price_usd_hour']!r}; a price is above zero")
    if made.spot_price_usd_hour is not None and not made.spot_price_usd_hour > 0:
        raise ValueError(f"spot_price_usd_hour of {made.name} is not above zero; leave it empty when unknown")
    if made.spot_band is not None and not 0 <= made.spot_band < len(SPOT_RISK):
        raise ValueError(f"spot_interruption_band of {made.name} is {made.spot_band}; allowed 0-4")
    _ = made.price_date
    return made


def fit_for_nodes(types: Iterable[InstanceType]) -> tuple[InstanceType, ...]:
    """Types that make honest nodes: no burstable CPU credits, bare metal or promotions; >= 2 vCPU and 4 GiB."""
    return tuple(
        t
        for t in types
        if t.vcpu >= 2 and t.memory_gib >= 4 and not _BURSTABLE.search(t.name) and not _UNFIT.search(t.name)  # noqa: PLR2004
    )


def fresh(
    types: Iterable[InstanceType], as_of: date, max_age_days: int
) -> tuple[tuple[InstanceType, ...], tuple[InstanceType, ...]]:
    """Split into (fresh, stale): a row older than `max_age_days` at `as_of` is stale and never chosen from."""
    young: list[InstanceType] = []
    old: list[InstanceType] = []
    for row in types:
        (old if (as_of - row.price_date).days > max_age_days else young).append(row)
    return tuple(young), tuple(old)


def prune(
    types: Iterable[InstanceType], *, spot: bool = False, slack: float = 0.0, running: Collection[str] = ()
) -> tuple[InstanceType, ...]:
    """Drop a type when another gives at least its room and GPUs for at most its price and vCPUs; sorted by name.

    `slack`: only when the other is cheaper by this share; `running`: names that stay in any case.

    `types` are those one pool may use, at its kind of price (on demand or spot; types without it are dropped). No
    optimum is lost: every node of the dropped type can become one of the other without raising cost, number of nodes,
    number of types or use of vCPU quota. Of equals the first by name stays.
    """
    best: list[tuple[float, Room, int, InstanceType]] = []
    priced = [(t.spot_effective_usd_hour if spot else t.price_usd_hour, t.room, t.vcpu, t) for t in types]
    rows = sorted(
        ((price, room_, vcpu, t) for price, room_, vcpu, t in priced if price is not None),
        key=lambda r: (r[0], -r[1].cpu_milli, -r[1].memory_mib, -r[1].pods, -r[1].gpu, r[2], r[3].name),
    )
    for price, room_, vcpu, row in rows:
        if row.name in running or not any(
            p <= price * (1 - slack) and v <= vcpu and all(a >= b for a, b in zip(r, room_, strict=True))
            for p, r, v, _ in best
        ):
            best.append((price, room_, vcpu, row))
    return tuple(sorted((row for _, _, _, row in best), key=lambda t: t.name))
