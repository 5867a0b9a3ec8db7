"""Dated list prices of everything that is not a node: control planes, NAT, load balancers, keys, disks."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

DATA: Final = Path(__file__).parent / "data" / "service_prices.csv"
EVERYWHERE: Final = "*"


@dataclass(frozen=True, kw_only=True)
class ServicePrice:
    """One price: USD per `unit`; `approximate` when it was read for another region of the same cloud."""

    cloud: str
    service: str
    sku: str
    unit: str
    region: str
    price_usd: float
    condition: str
    source: str
    source_date: date
    approximate: bool = False


@dataclass(frozen=True)
class ServicePrices:
    """All service prices; a missing row is unknown (None), never free."""

    rows: Mapping[tuple[str, str, str], tuple[ServicePrice, ...]]

    @classmethod
    def load(cls, path: Path | None = None) -> ServicePrices:
        """Read the price file; ValueError names file and line of a wrong value."""
        path = path or DATA
        found: dict[tuple[str, str, str], list[ServicePrice]] = {}
        with path.open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), start=2):
                try:
                    made = ServicePrice(
                        cloud=row["cloud"],
                        service=row["service"],
                        sku=row["sku"],
                        unit=row["unit"],
                        region=row["region"],
                        price_usd=float(row["price_usd"]),
                        condition=row["condition"],
                        source=row["source"],
                        source_date=date.fromisoformat(row["source_date"]),
                    )
                except (KeyError, TypeError, ValueError) as wrong:
                    raise ValueError(f"{path} line {number}: {wrong}; see sizing/data/PROVENANCE.md") from wrong
                found.setdefault((made.cloud, made.service, made.sku), []).append(made)
        return cls({key: tuple(sorted(rows, key=lambda r: r.region)) for key, rows in sorted(found.items())})

    def lookup(self, cloud: str, service: str, sku: str, region: str) -> ServicePrice | None:
        """The price in the region, else for every region, else another region's marked approximate, else None."""
        rows = self.rows.get((cloud, service, sku), ())
        for wanted in (region, EVERYWHERE):
            for row in rows:
                if row.region == wanted:
                    return row
        if not rows:
            return None
        near = [row for row in rows if row.region[:2] == region[:2]] or list(rows)
        return replace(min(near, key=lambda r: r.region), approximate=True)

    def skus(self, cloud: str, service: str) -> tuple[str, ...]:
        """The names under which a service is priced."""
        return tuple(sku for c, s, sku in self.rows if (c, s) == (cloud, service))
