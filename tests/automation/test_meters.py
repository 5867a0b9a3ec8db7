"""Databases and caches on the bill: sizes as multiples of the priced one, disks, standbys; the unknown is listed."""

from __future__ import annotations

from typing import Any

import pytest

from automation.meters import HOURS, METERS
from sizing.services import ServicePrices

PRICES = ServicePrices.load()
RDS, SQL, FLEXIBLE = (
    "aws:rds/instance:Instance",
    "gcp:sql/databaseInstance:DatabaseInstance",
    "azure-native:dbforpostgresql:Server",
)


def monthly(kind: str, inputs: dict[str, Any], region: str) -> float | None:
    """US dollars a month, or None as soon as one part has no price."""
    total = 0.0
    for meter in METERS[kind](inputs, 2):
        price = PRICES.lookup(meter.cloud, meter.service, meter.sku, region)
        if price is None or meter.quantity is None:
            return None
        total += price.price_usd * meter.quantity
    return total


@pytest.mark.parametrize(
    ("kind", "inputs", "region", "expected"),
    [
        (RDS, {"instanceClass": "db.m7g.large", "multiAz": True, "allocatedStorage": 64}, "eu-west-1",
         0.372 * HOURS + 0.23 * 64),
        (RDS, {"instanceClass": "db.m7g.2xlarge", "multiAz": False, "allocatedStorage": 20}, "us-east-1",
         0.168 * 4 * HOURS + 0.115 * 20),
        (SQL, {"settings": {"tier": "db-custom-8-30720", "availabilityType": "ZONAL", "diskSize": 64}}, "us-central1",
         0.1351 * 4 * HOURS + 0.17 * 64),
        (FLEXIBLE, {"sku": {"name": "Standard_D2ds_v5"}, "storage": {"storageSizeGB": 64},
                    "highAvailability": {"mode": "ZoneRedundant"}}, "eastus", 0.356 * HOURS + 0.23 * 64),
    ],
)  # fmt: skip
def test_a_database_costs_its_size_its_standby_and_its_disk(
    kind: str, inputs: dict[str, Any], region: str, expected: float
) -> None:
    assert monthly(kind, inputs, region) == pytest.approx(expected)


def test_a_cache_costs_every_node_of_it() -> None:
    cache = {"nodeType": "cache.m7g.xlarge", "numCacheClusters": 2}
    found = monthly("aws:elasticache/replicationGroup:ReplicationGroup", cache, "us-east-1")
    assert found == pytest.approx(0.1264 * 2 * 2 * HOURS)
    azure = {"sku": {"name": "Balanced_B5"}, "highAvailability": "Enabled"}
    assert monthly("azure-native:redisenterprise:RedisEnterprise", azure, "eastus") == pytest.approx(0.312 * HOURS)


def test_a_size_without_a_price_is_unknown_and_not_free() -> None:
    assert monthly(RDS, {"instanceClass": "db.r8g.48xlarge", "allocatedStorage": 20}, "eu-west-1") is None


@pytest.mark.parametrize(("sku", "priced"), [("Standard_LRS", "Blob Hot LRS"), ("Standard_ZRS", "Blob Hot ZRS")])
def test_blobs_are_priced_by_how_they_are_copied(sku: str, priced: str) -> None:
    (meter,) = METERS["azure-native:storage:StorageAccount"]({"sku": {"name": sku}}, 3)
    assert (meter.service, meter.sku, meter.quantity) == ("object_storage", priced, None)
