"""What traffic costs, against figures worked out by hand from the rows of the price file."""

from __future__ import annotations

from datetime import date

import pytest

from sizing.egress import Flow, Kind, Site, Tariff, Unpriced, cost, crossing

TARIFF = Tariff(date(2026, 11, 21), 1000)
SITES = {
    "aws": Site(cluster="aws", cloud="aws", region="eu-west-1", zones=3),
    "gcp": Site(cluster="gcp", cloud="gcp", region="europe-west1", zones=3),
    "azure": Site(cluster="azure", cloud="azure", region="westeurope", zones=3),
    "eastus": Site(cluster="eastus", cloud="azure", region="eastus", zones=3),
}


def usd(cluster: str, kind: Kind, *gb: float) -> float:
    return cost(TARIFF.lines(SITES, [Flow(sender=cluster, kind=kind, gb=each, told="x") for each in gb]))


@pytest.mark.parametrize(
    ("cluster", "gb", "due"),
    [
        ("aws", 1000, 1000 * 0.09),
        ("aws", 10_240, 921.60),
        ("aws", 10_241, 921.60 + 0.085),
        ("aws", 60_000, 921.60 + 40_960 * 0.085 + 8_800 * 0.07),
        ("aws", 200_000, 921.60 + 40_960 * 0.085 + 102_400 * 0.07 + 46_400 * 0.05),
        ("gcp", 1024, 1024 * 0.12),
        ("gcp", 20_000, 1024 * 0.12 + 9216 * 0.11 + 9760 * 0.085),
        ("eastus", 20_000, 10_240 * 0.087 + 9760 * 0.083),
    ],
)
def test_what_goes_to_the_internet_climbs_the_tiers(cluster: str, gb: float, due: float) -> None:
    assert usd(cluster, "internet", gb) == pytest.approx(due, abs=1e-4)
    assert usd(cluster, "internet", gb / 4, gb * 3 / 4) == pytest.approx(due, abs=1e-4)  # together, not each alone


def test_between_zones_aws_charges_both_ends_gcp_a_gib_and_azure_nothing() -> None:
    assert usd("aws", "zone", 300) == pytest.approx(300 * 0.02)
    assert usd("gcp", "zone", 300) == pytest.approx(300 / 1.073741824 * 0.01, abs=1e-5)
    assert usd("azure", "zone", 300) == 0
    assert crossing(1) == 0
    assert crossing(3) == pytest.approx(2 / 3)


def test_between_regions_only_a_row_of_the_region_itself_counts() -> None:
    assert usd("aws", "region", 100) == pytest.approx(2)
    assert usd("eastus", "region", 100) == pytest.approx(2)
    for cluster in ("gcp", "azure"):
        with pytest.raises(Unpriced, match=r"to another region: sizing/data/service_prices\.csv has no dated price"):
            usd(cluster, "region", 1)


def test_each_line_says_which_price_it_is_and_of_which_day() -> None:
    near, own = (
        TARIFF.lines(SITES, [Flow(sender=name, kind="internet", gb=1, told="x")])[0] for name in ("azure", "aws")
    )
    assert (near.price_region, near.approximate, near.source_date) == ("eastus", True, "2026-05-06")
    assert (own.price_region, own.approximate, own.source_date) == ("eu-west-1", False, "2026-10-02")


def test_a_price_that_is_too_old_is_none() -> None:
    young = Tariff(date(2026, 11, 21), 900)
    with pytest.raises(Unpriced, match=r"the price is 904 days old, allowed are 900 \(prices.max_age_days\)"):
        young.first(SITES["azure"], "zone")
    assert young.first(SITES["azure"], "internet") == 0.087
