"""Names of node pools: what cannot change in place changes the name."""

from __future__ import annotations

from components.azure.node_pool import pool_name, subnet_key
from tests.components.azure.region import POOLS, sized


def test_size_and_place_are_part_of_the_name() -> None:
    pool = sized(POOLS)["general-0"]
    name = pool_name(pool, "Standard_D4s_v5", "a/3")
    assert name == pool_name(pool, "Standard_D4s_v5", "a/3")
    others = {pool_name(pool, "Standard_D8s_v5", "a/3"), pool_name(pool, "Standard_D4s_v5", "b/3")}
    assert name not in others
    assert len(others) == 2


def test_a_lone_subnet_takes_every_pool() -> None:
    assert {subnet_key(pool, slot, ("a",)) for pool in POOLS for slot in range(3)} == {"a"}
