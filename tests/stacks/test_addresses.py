"""The address plan: no overlap anywhere, nothing moves, every cloud's sizes respected."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.addresses import (
    LARGEST_SLOT,
    RESERVED_IN_SUBNET,
    SMALLEST_SLOT,
    RegionPlan,
    lay_out,
    plan_region,
    region_slot,
    slots_in,
)
from stacks.clouds import CLOUDS, REGION_SLOTS, Cloud
from stacks.model import Addresses, Region, Share

BLOCKS = st.one_of(
    st.integers(8, 16).map(lambda prefix: IPv4Network(("10.0.0.0", prefix))),
    st.integers(12, 16).map(lambda prefix: IPv4Network(("172.16.0.0", prefix))),
    st.just(IPv4Network("192.168.0.0/16")),
)
SHARES = st.sampled_from([1, 2, 4, 8, 16])
ZONES = st.integers(1, 3)
REGIONS = st.fixed_dictionaries(
    {cloud: st.dictionaries(st.sampled_from(sorted(REGION_SLOTS[cloud])), ZONES, max_size=3) for cloud in CLOUDS}
)
Wish = dict[Cloud, dict[str, Region]]


def wish(zones: dict[Cloud, dict[str, int]]) -> Wish:
    return {cloud: {name: Region(zones=count) for name, count in regions.items()} for cloud, regions in zones.items()}


def plans(block: IPv4Network, index: int, of: int, regions: Wish) -> list[RegionPlan]:
    addresses = Addresses(block=block, share=Share(index=index, of=of))  # type: ignore[arg-type]
    return [plan for by_name in lay_out(addresses, regions).values() for plan in by_name.values()]


def fits(block: IPv4Network, of: int) -> bool:
    return block.prefixlen + of.bit_length() - 1 <= SMALLEST_SLOT - 4


def parts(plan: RegionPlan) -> Iterator[IPv4Network]:
    """Yield the leaves of a region: what resources are made of."""
    for zone in plan.zones:
        yield from (zone.public, zone.private)
    yield from plan.control_plane
    yield from (plan.endpoints, plan.services)
    if plan.cloud != "aws":
        yield from (plan.nodes, plan.pods)


def disjoint(networks: list[IPv4Network]) -> bool:
    ordered = sorted(networks)
    return all(left.broadcast_address < right.network_address for left, right in pairwise(ordered))


@given(BLOCKS, SHARES, REGIONS)
def test_nothing_overlaps_across_stacks_clouds_regions_and_inside(
    block: IPv4Network, of: int, zones: dict[Cloud, dict[str, int]]
) -> None:
    if not fits(block, of):
        return
    everything = [plan for index in range(of) for plan in plans(block, index, of, wish(zones))]
    assert disjoint([plan.slot for plan in everything])
    for plan in everything:
        assert plan.slot.subnet_of(block)
        assert disjoint(list(parts(plan)))
        assert all(part.subnet_of(plan.slot) for part in parts(plan))


@given(BLOCKS, SHARES, REGIONS, st.sampled_from(CLOUDS), st.data())
def test_adding_a_region_or_a_zone_moves_nothing(
    block: IPv4Network, of: int, zones: dict[Cloud, dict[str, int]], cloud: Cloud, data: st.DataObject
) -> None:
    if not fits(block, of):
        return
    before = {(plan.cloud, plan.region): plan for plan in plans(block, 0, of, wish(zones))}
    added = data.draw(st.sampled_from(sorted(REGION_SLOTS[cloud])))
    more = {**zones, cloud: dict.fromkeys({*zones[cloud], added}, 3)}
    after = {(plan.cloud, plan.region): plan for plan in plans(block, 0, of, wish(more))}
    for key, plan in before.items():
        later = after[key]
        assert (later.network, later.nodes, later.endpoints, later.pods, later.services, later.master) == (
            plan.network, plan.nodes, plan.endpoints, plan.pods, plan.services, plan.master,
        )  # fmt: skip
        assert later.zones[: len(plan.zones)] == plan.zones
        assert later.control_plane[: len(plan.control_plane)] == plan.control_plane


@given(BLOCKS, SHARES, st.sampled_from(CLOUDS), ZONES)
def test_each_clouds_sizes(block: IPv4Network, of: int, cloud: Cloud, zones: int) -> None:
    if not fits(block, of):
        return
    region = next(iter(REGION_SLOTS[cloud]))
    addresses = Addresses(block=block, share=Share(index=of - 1, of=of))  # type: ignore[arg-type]
    plan = plan_region(addresses, cloud, region, Region(zones=zones))
    smallest = {"aws": 28, "gcp": 29, "azure": 29}[cloud]
    subnets = [part for part in parts(plan) if part not in (plan.pods, plan.services)]
    assert all(subnet.prefixlen <= smallest for subnet in subnets)
    assert 16 <= plan.network.prefixlen <= 28
    assert len(plan.zones) == zones
    assert [zone.key for zone in plan.zones] == list("abc")[:zones]
    assert not plan.services.overlaps(plan.network), "EKS and AKS refuse a service range inside the network"
    assert 12 <= plan.services.prefixlen <= 24, "EKS takes /12 to /24"
    assert plan.nodes_that_fit() >= 8
    if cloud == "aws":
        assert len(plan.control_plane) == max(2, zones)
        assert all(zone.private.num_addresses - 5 >= 128 for zone in plan.zones), "a node and 110 pods"
        assert plan.pods == plan.network
        assert plan.master is None
    else:
        assert len(plan.control_plane) == 1
        assert plan.control_plane[0].prefixlen == 28
        assert plan.nodes.subnet_of(plan.network)
        assert not plan.pods.overlaps(plan.network), "AKS refuses an overlay range inside the network"
        assert 14 <= plan.pods.prefixlen <= 21
        assert plan.nodes.num_addresses - RESERVED_IN_SUBNET[cloud] >= plan.nodes_that_fit()
        assert (plan.master == plan.control_plane[0]) == (cloud == "gcp")


@given(st.integers(8, 30), SHARES, st.integers(0, 20))
def test_too_small_says_what_is_needed(prefix: int, of: int, number: int) -> None:
    addresses = Addresses(block=IPv4Network(("10.0.0.0", prefix)), share=Share(index=0, of=of))  # type: ignore[arg-type]
    share = prefix + of.bit_length() - 1
    if share <= 16 and number < slots_in(share):
        slot = region_slot(addresses, "gcp", number)
        assert LARGEST_SLOT <= slot.prefixlen <= SMALLEST_SLOT
        return
    with pytest.raises(
        ValueError, match=r"must be a /\d+ or larger|needs a block of /\d+|no block has|fewer"
    ) as caught:
        region_slot(addresses, "gcp", number)
    if "needs a block of" in str(caught.value):
        needed = int(str(caught.value).rpartition("/")[2].split()[0])
        larger = addresses.model_copy(update={"block": IPv4Network(("10.0.0.0", needed))})
        assert region_slot(larger, "gcp", number)
    elif "must be a" in str(caught.value):
        needed = int(str(caught.value).rpartition("/")[2].split()[0])
        assert region_slot(addresses.model_copy(update={"block": IPv4Network(("10.0.0.0", needed))}), "gcp", 0)


def test_slots_depend_on_the_size_of_the_share_only() -> None:
    assert [slots_in(prefix) for prefix in (8, 9, 10, 11, 12, 16)] == [16, 8, 4, 4, 4, 4]


def test_the_stacks_of_the_project_fit_together() -> None:
    everything = [
        plan.slot
        for index in range(4)
        for plan in plans(
            IPv4Network("10.0.0.0/8"), index, 4, wish({c: dict.fromkeys(REGION_SLOTS[c], 3) for c in CLOUDS})
        )
    ]
    assert all(not left.overlaps(right) for left, right in combinations(everything, 2))


def test_an_unknown_region_needs_a_slot() -> None:
    addresses = Addresses(block=IPv4Network("10.0.0.0/8"))
    with pytest.raises(ValueError, match="give it a `slot` of its own"):
        plan_region(addresses, "aws", "eu-north-1", Region(zones=1))
    assert plan_region(addresses, "aws", "eu-north-1", Region(zones=1, slot=9)).region == "eu-north-1"
