"""What traffic costs: who sends how many GB where in a month, at dated list prices, tier by tier."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Final, Literal

from sizing.services import ServicePrice, ServicePrices

TB: Final = 1024
"""GB of a TB in the clouds' tiers (the first 10 TB of AWS's price list end at 10,240 GB)."""
GIB: Final = 1.073741824
"""GB of a GiB: where a price is per GiB, fewer of them are counted."""
INTERNET: Final[Mapping[str, tuple[tuple[str, float], ...]]] = {
    **dict.fromkeys(
        ("aws", "azure"),
        (
            ("internet egress, first 10 TB", 10 * TB),
            ("internet egress, next 40 TB", 40 * TB),
            ("internet egress, next 100 TB", 100 * TB),
            ("internet egress, over 150 TB", math.inf),
        ),
    ),
    "gcp": (
        ("Premium tier, first 1 TB", 1 * TB),
        ("Premium tier, next 9 TB", 9 * TB),
        ("Premium tier, over 10 TB", math.inf),
    ),
}
"""Names and widths of the tiers of what leaves a cloud, as the price file has them (GCP: its default network tier)."""
REGIONS: Final[Mapping[str, str]] = {"aws": "to most other regions", "azure": "to other regions"}
"""Between two regions of a cloud; the file has no price for traffic between virtual machines of GCP's regions."""
ZONES: Final = "between zones"
BOTH: Final = "each direction"
"""In a price's condition: sender and receiver pay, so a GB costs it twice."""

Kind = Literal["internet", "region", "zone"]


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where a cluster stands."""

    cluster: str
    cloud: str
    region: str
    zones: int


@dataclass(frozen=True, kw_only=True)
class Flow:
    """GB a month that leave a site, and how: to the internet or another cloud, to another region, to another zone."""

    sender: str
    kind: Kind
    gb: float
    told: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One tier of one price: GB a month of a site at it, and what they cost."""

    cluster: str
    kind: Kind
    sku: str
    gb: float
    usd_month: float
    usd_per_unit: float
    unit: str
    price_region: str
    approximate: bool
    source: str
    source_date: str


class Unpriced(ValueError):  # noqa: N818 - a fact, not a failure
    """Traffic without a dated price; the text says which, and why."""


@dataclass(frozen=True)
class Tariff:
    """Dated prices of traffic as a stack may use them: none that is older than it allows."""

    as_of: date
    max_age_days: int

    def tiers(self, site: Site, kind: Kind, to: str = "") -> tuple[tuple[ServicePrice, float], ...]:
        """Prices and widths (GB a month) of a way out of a site. Raises Unpriced where one is missing or too old."""
        return _tiers(self, site.cloud, site.region, kind, to)

    def first(self, site: Site, kind: Kind, to: str = "") -> float:
        """USD of the first GB. Raises Unpriced."""
        return _per_gb(self.tiers(site, kind, to)[0][0])

    def lines(self, sites: Mapping[str, Site], flows: Sequence[Flow]) -> list[Line]:
        """Cost of flows: those of one site and kind climb the tiers together. Raises Unpriced.

        What an account has free (100 GB on AWS and Azure) is left to the account: it may be used up elsewhere.
        """
        total: dict[tuple[str, Kind], float] = {}
        for flow in flows:
            total[flow.sender, flow.kind] = total.get((flow.sender, flow.kind), 0.0) + flow.gb
        made = []
        for (cluster, kind), gb in sorted(total.items()):
            left = gb
            for price, width in self.tiers(sites[cluster], kind):
                part = min(left, width)
                if part > 0:
                    made.append(_line(cluster, kind, price, part))
                left -= part
        return made


@cache
def _prices() -> ServicePrices:
    return ServicePrices.load()


@cache
def _tiers(tariff: Tariff, cloud: str, region: str, kind: Kind, to: str) -> tuple[tuple[ServicePrice, float], ...]:
    names: tuple[tuple[str, float], ...]
    if kind == "internet":
        names = INTERNET[cloud]
    elif kind == "zone":
        names = ((ZONES, math.inf),)
    else:
        names = ((REGIONS[cloud], math.inf),) if cloud in REGIONS else ()
    way = {
        "internet": "to the internet or another cloud",
        "zone": "between zones",
        "region": f"to {to or 'another region'}",
    }
    made = []
    for sku, width in names:
        row = _prices().lookup(cloud, f"egress_{'inter_' if kind != 'internet' else ''}{kind}", sku, region)
        if row is None or (row.approximate and kind != "internet"):
            break
        age = (tariff.as_of - row.source_date).days
        if age > tariff.max_age_days:
            raise Unpriced(
                f"{cloud} {region} {way[kind]}: the price is {age} days old, allowed are {tariff.max_age_days} "
                "(prices.max_age_days)"
            )
        made.append((row, width))
    if not made or len(made) < len(names):
        raise Unpriced(f"{cloud} {region} {way[kind]}: sizing/data/service_prices.csv has no dated price")
    return tuple(made)


def _per_gb(price: ServicePrice) -> float:
    return price.price_usd / (GIB if price.unit == "GiB" else 1.0) * (2 if BOTH in price.condition else 1)


def _line(cluster: str, kind: Kind, price: ServicePrice, gb: float) -> Line:
    return Line(
        cluster=cluster,
        kind=kind,
        sku=price.sku,
        gb=round(gb, 6),
        usd_month=round(gb * _per_gb(price), 6),
        usd_per_unit=price.price_usd,
        unit=price.unit + (", each way" if BOTH in price.condition else ""),
        price_region=price.region,
        approximate=price.approximate,
        source=price.source,
        source_date=price.source_date.isoformat(),
    )


def crossing(zones: int) -> float:
    """Share of what pods exchange within a cluster that crosses a zone: both ends stand evenly over the zones."""
    return (zones - 1) / zones


def cost(lines: Sequence[Line] | Sequence[Mapping[str, Any]]) -> float:
    """USD a month of lines, or of lines as plain data."""
    return round(sum(each.usd_month if isinstance(each, Line) else float(each["usd_month"]) for each in lines), 6)
