"""The plan of links: what both ends are told agrees, whatever is joined, and nothing of it is given out twice."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stacks import addresses, links
from stacks.clouds import CLOUDS, REGION_SLOTS, Cloud
from stacks.links import Plan
from stacks.load import read_file
from stacks.model import Stack

FILE = Path(__file__).parents[1] / "stackfiles" / "happy.links.yaml"
BASE = read_file(FILE).model_dump(mode="json", exclude_none=True)
KEPT_BY_AWS = [*(IPv4Network(f"169.254.{third}.0/30") for third in range(6)), IPv4Network("169.254.169.252/30")]


def stack_of(regions: dict[Cloud, dict[str, int]], share: tuple[int, int], pairs: list[list[str]] | None) -> Stack:
    """Make a stack with these regions, by their slot."""
    tree = dict(BASE)
    tree["addresses"] = {"block": "10.0.0.0/8", "share": {"index": share[0], "of": share[1]}}
    tree["clouds"] = {
        cloud: {**BASE["clouds"][cloud], "regions": {name: {"zones": 2, "slot": slot} for name, slot in held.items()}}
        for cloud, held in regions.items()
    }
    tree["links"] = {} if pairs is None else {"pairs": pairs}
    return Stack.model_validate(tree, strict=False, context={"checked": True})


def planned(stack: Stack) -> Plan:
    return links.of_stack(stack, addresses.lay_out(stack.addresses, stack.regions()))


@st.composite
def stacks(draw: st.DrawFn) -> Stack:
    of = draw(st.sampled_from([1, 2, 4, 8, 16]))
    slots = addresses.slots_in(8 + of.bit_length() - 1)
    clouds: list[Cloud] = draw(st.lists(st.sampled_from(CLOUDS), min_size=2, max_size=3, unique=True))
    held: dict[Cloud, dict[str, int]] = {}
    for cloud in sorted(clouds, key=CLOUDS.index):
        names = draw(st.lists(st.sampled_from(sorted(REGION_SLOTS[cloud])), min_size=1, max_size=3, unique=True))
        places = draw(st.lists(st.integers(0, slots - 1), min_size=len(names), max_size=len(names), unique=True))
        held[cloud] = dict(zip(names, places, strict=True))
    return stack_of(held, (draw(st.integers(0, of - 1)), of), None)


@settings(max_examples=60, deadline=None)
@given(stack=stacks())
def test_every_link_of_a_full_mesh_agrees_and_takes_nothing_of_another(stack: Stack) -> None:
    plan = planned(stack)
    made, names = plan.links, stack.cluster_names()
    wanted = {"--".join(pair) for pair in combinations(names, 2)}
    apart = {name for name in wanted if len({each.split("-")[0] for each in name.split("--")}) > 1}
    assert [link.name for link in made] == sorted(apart)
    assert {each.name for each in plan.peerings} == wanted - apart
    asns = {end.near.name: end.near.asn for link in made for end in (link.first, link.second)}
    assert len(set(asns.values())) == len(asns)
    assert all(64512 <= asn <= 65279 for asn in asns.values())
    for link in made:
        assert CLOUDS.index(link.first.near.cloud) < CLOUDS.index(link.second.near.cloud)
        for here, there in zip(link.first.tunnels, link.second.tunnels, strict=True):
            assert (here.near, here.far, here.inside) == (there.far, there.near, there.inside)
            assert (here.near_interface, here.far_interface) == (there.far_interface, there.near_interface)
            assert here.half == there.half
            assert [here.near, here.far] == list(here.inside.hosts())  # the first is AWS's, where there is one
            assert not any(here.inside.overlaps(each) for each in KEPT_BY_AWS)
            if link.second.near.cloud == "azure":
                assert here.inside.network_address.packed[2] in {21, 22}
        assert {each.half for each in link.first.tunnels} == {"first", "second"}
    for name in names:
        inside = [each.inside for end in plan.ends_of(name) for each in end.tunnels]
        assert len(set(inside)) == len(inside), "one gateway cannot have a block twice"


@settings(max_examples=60, deadline=None)
@given(stack=stacks())
def test_networks_that_are_joined_overlap_nowhere(stack: Stack) -> None:
    plan = planned(stack)
    sites = {end.near.name: end.near for link in plan.links for end in (link.first, link.second)}
    for one, other in combinations(sites.values(), 2):
        for mine in one.advertised:
            for theirs in other.advertised:
                assert not IPv4Network(mine).overlaps(IPv4Network(theirs))
    for site in sites.values():
        gateway = site.plan.gateway
        assert (gateway is not None) == (site.cloud == "azure")
        if gateway is not None:
            assert gateway.prefixlen == 27
            assert gateway.subnet_of(site.plan.network)
            others = (site.plan.nodes, site.plan.endpoints, *site.plan.control_plane)
            assert not any(gateway.overlaps(each) for each in others)


@pytest.mark.parametrize("block", ["10.0.0.0/16", "192.168.0.0/16"])
def test_the_smallest_block_has_room_for_azure_s_gateway(block: str) -> None:
    tree = {**BASE, "addresses": {"block": block}}
    stack = Stack.model_validate(tree, strict=False, context={"checked": True})
    gateways = [end.near.plan.gateway for link in planned(stack).links for end in (link.first, link.second)]
    assert [each.prefixlen for each in gateways if each is not None] == [27, 27]


def test_a_link_that_comes_renumbers_no_other() -> None:
    regions: dict[Cloud, dict[str, int]] = {"aws": {"eu-west-1": 0}, "gcp": {"europe-west1": 0}}
    before = planned(stack_of(regions, (0, 4), None))
    more = planned(stack_of({**regions, "azure": {"westeurope": 0, "eastus": 1}}, (0, 4), None))
    assert before.links[0] in more.links
    assert len(more.links) == 5
    assert [each.name for each in more.peerings] == ["azure-eastus--azure-westeurope"]


def test_pairs_are_made_in_the_order_of_clouds_whatever_the_file_says() -> None:
    regions: dict[Cloud, dict[str, int]] = {
        "aws": {"eu-west-1": 0}, "gcp": {"europe-west1": 0}, "azure": {"westeurope": 0},
    }  # fmt: skip
    stack = stack_of(regions, (0, 4), [["azure-westeurope", "aws-eu-west-1"]])
    plan = planned(stack)
    assert [each.name for each in plan.links] == ["aws-eu-west-1--azure-westeurope"]
    assert links.beyond(stack, plan, "gcp-europe-west1") is None


def test_regions_of_one_cloud_are_beside_each_other_and_end_no_tunnel() -> None:
    stack = stack_of({"azure": {"westeurope": 0, "eastus": 1}}, (0, 4), None)
    plan = planned(stack)
    assert plan.links == ()
    here = links.beyond(stack, plan, "azure-westeurope")
    (other,) = plan.beside("azure-westeurope")
    assert here is not None
    assert (here.linked, here.beside, here.routed) == (False, True, ())
    assert here.callers == (str(other.plan.nodes),)
    assert here.apis == tuple(map(str, other.plan.control_plane))


def test_who_hears_of_a_tunnel_is_whoever_hears_of_alerts() -> None:
    assert links.told(Stack.model_validate(BASE, strict=False)) == ("team@example.org",)
    monitoring = {"receivers": {"oncall": {"kind": "email", "to": "oncall@example.org"}},
                  "smarthost": "smtp.example.org:587", "sender": "alerts@example.org"}  # fmt: skip
    tree = {**BASE, "services": {**BASE["services"], "monitoring": monitoring}}
    watched = Stack.model_validate(tree, strict=False, context={"checked": True})
    assert links.told(watched) == ("oncall@example.org",)
    own = Stack.model_validate({**tree, "links": {"receivers": ["net@example.org"]}}, strict=False,
                               context={"checked": True})  # fmt: skip
    assert links.told(own) == ("net@example.org",)
