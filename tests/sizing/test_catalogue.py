"""Prices are dated, unknown is an error, and pruning loses nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from sizing import catalogue
from sizing.allocatable import aks_reserved, eks_reserved, gke_reserved, pods_per_node, room
from sizing.services import ServicePrices
from stacks.clouds import REGION_SLOTS
from tests.sizing.factory import AS_OF, CATALOGUE, TINY, kind


def test_every_region_of_the_address_plan_has_prices() -> None:
    for cloud, regions in REGION_SLOTS.items():
        for region in regions:
            assert CATALOGUE.types(cloud, region)


def test_an_unpriced_region_is_an_error_that_names_the_priced_ones() -> None:
    with pytest.raises(catalogue.UnknownPrice, match=r"'eu-north-1'.*eu-west-1"):
        CATALOGUE.types("aws", "eu-north-1")
    with pytest.raises(catalogue.UnknownPrice, match=r"m9\.huge"):
        CATALOGUE.price("aws", "eu-west-1", "m9.huge")


def test_of_joined_sources_the_oldest_date_counts() -> None:
    assert catalogue.oldest_date("a@2026-07-20*b@2024-08-09") == date(2024, 8, 9)
    with pytest.raises(catalogue.UnknownPrice, match="no date"):
        catalogue.oldest_date("somebody said so")


def test_old_prices_are_set_apart_never_used() -> None:
    old = replace(TINY[0], price_source="test@2020-01-01")
    young, stale = catalogue.fresh((old, *TINY[1:]), AS_OF, 900)
    assert stale == (old,)
    assert old not in young


@pytest.mark.parametrize("price", ["0", "-1", "", "nan"])
def test_a_price_that_is_none_is_refused(tmp_path: Path, price: str) -> None:
    header = "cloud,region,instance_type,family,vcpu,memory_gib,gpu,arch,price_usd_hour,spot_price_usd_hour,"
    file = tmp_path / "prices.csv"
    file.write_text(
        f"{header}spot_interruption_band,max_pods,price_source,spot_source\n"
        f"aws,eu-west-1,m5.large,general,2,8,0,amd64,{price},,,110,test@2026-01-01,\n"
    )
    with pytest.raises(ValueError, match="line 2"):
        catalogue.load(file)


def test_pruning_keeps_a_type_at_least_as_good_for_every_type() -> None:
    for rows in CATALOGUE.rows.values():
        fit = catalogue.fit_for_nodes(rows)
        for spot in (False, True):
            kept = catalogue.prune(fit, spot=spot)
            for row in fit:
                mine = row.spot_effective_usd_hour if spot else row.price_usd_hour
                if mine is None:
                    continue
                assert any(
                    (other.spot_effective_usd_hour if spot else other.price_usd_hour) <= mine
                    and other.vcpu <= row.vcpu
                    and all(a >= b for a, b in zip(other.room, row.room, strict=True))
                    for other in kept
                )


def test_of_equal_types_one_stays() -> None:
    twin = kind("m5a.large", 2, 8, 0.1)
    assert [t.name for t in catalogue.prune((TINY[0], twin))] == ["m5.large"]


def test_burstable_and_bare_metal_make_no_nodes() -> None:
    names = {t.name for t in catalogue.fit_for_nodes(CATALOGUE.types("azure", "westeurope"))}
    assert not any(name.startswith("Standard_B") for name in names)
    assert not any("t3." in t.name for t in catalogue.fit_for_nodes(CATALOGUE.types("aws", "eu-west-1")))


def test_reservations_follow_the_vendors_formulas() -> None:
    assert eks_reserved(4, 58) == (80, 11 * 58 + 255)
    assert eks_reserved(2, 29)[0] == 70
    assert gke_reserved(4, 16 * 1024) == (80, round((1 + 0.8 + 0.8) * 1024))
    assert gke_reserved(96, 360 * 1024)[0] == 310
    assert aks_reserved(2, 8192, 30) == (100, round(650e6 / 2**20))
    assert aks_reserved(64, 262144, 110)[0] == 740
    assert aks_reserved(2, 4096, 250)[1] == 1024


def test_pods_per_node() -> None:
    assert pods_per_node("aws", "m5.large", 2, 29) == 110
    assert pods_per_node("aws", "m5.16xlarge", 64, 250) == 250
    assert pods_per_node("aws", "m4.large", 2, 20) == 20
    assert pods_per_node("gcp", "e2-standard-4", 4, 110) == 110
    assert pods_per_node("azure", "Standard_D4s_v5", 4, 250) == 110


def test_room_is_never_negative() -> None:
    assert min(room("gcp", "tiny", 1, 0.5, 0, 110)) >= 0
    with pytest.raises(ValueError, match="mars"):
        room("mars", "tiny", 1, 1, 0, 110)


def test_service_prices_tell_exact_approximate_and_unknown_apart() -> None:
    prices = ServicePrices.load()
    sku = "EKS standard support"
    exact = prices.lookup("aws", "kubernetes_control_plane", sku, "eu-west-1")
    assert exact is not None
    assert not exact.approximate
    assert prices.lookup("aws", "kubernetes_control_plane", "no such thing", "eu-west-1") is None
    key, rows = next((k, r) for k, r in prices.rows.items() if all(row.region not in ("*", "nowhere") for row in r))
    near = prices.lookup(*key, "nowhere")
    assert near is not None
    assert near.approximate
    assert near.price_usd in {row.price_usd for row in rows}
