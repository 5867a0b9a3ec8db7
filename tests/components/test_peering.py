"""Two regions of one cloud, joined: both sides say it, and the way there is known on both."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pulumi

from components.aws.peering import peering as aws_peering
from components.azure.peering import peering as azure_peering
from components.gcp.peering import peering as gcp_peering
from components.links import MakePeering, Place
from stacks import addresses, links
from stacks.model import Stack
from tests.components.mock_cloud import Cloud
from tests.stacks.test_links import stack_of


def joined(cloud: Cloud, stack: Stack, make: MakePeering, network: Any) -> links.Peering:
    """Join the two regions of a stack, and return what was wished."""
    (wish,) = links.of_stack(stack, addresses.lay_out(stack.addresses, stack.regions())).peerings

    def nothing(*_: object) -> Any:
        raise AssertionError("no tunnel ends here")

    def build() -> None:
        opts = pulumi.ResourceOptions()
        one, other = (Place(network=network(site), cluster=None, make=nothing, peer=make, opts=opts)
                      for site in (wish.first, wish.second))  # fmt: skip
        make("links", wish, one, other, opts)

    cloud.build(build)
    return wish


def test_amazon_asks_in_one_region_accepts_in_the_other_and_both_route(cloud: Cloud) -> None:
    wish = joined(
        cloud,
        stack_of({"aws": {"eu-west-1": 0, "us-east-1": 1}}, (0, 4), None),
        aws_peering,
        lambda site: SimpleNamespace(
            network_id=f"vpc-{site.region}",
            inner_tables={"control": f"{site.region}-control", "private-a": f"{site.region}-private-a"},
        ),
    )
    (asked,) = cloud.of_type("aws:ec2/vpcPeeringConnection:VpcPeeringConnection").values()
    assert (asked["vpcId"], asked["peerVpcId"]) == ("vpc-eu-west-1", "vpc-us-east-1")
    assert (asked["region"], asked["peerRegion"], asked["autoAccept"]) == ("eu-west-1", "us-east-1", False)
    (accepted,) = cloud.of_type("aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter").values()
    assert (accepted["region"], accepted["autoAccept"]) == ("us-east-1", True)
    routes = cloud.of_type("aws:ec2/route:Route").values()
    ways = {(each["routeTableId"], each["destinationCidrBlock"], each["region"]) for each in routes}
    here, there = str(wish.first.plan.network), str(wish.second.plan.network)
    assert ways == {
        *((f"eu-west-1-{key}", there, "eu-west-1") for key in ("control", "private-a")),
        *((f"us-east-1-{key}", here, "us-east-1") for key in ("control", "private-a")),
    }


def test_google_says_it_on_both_sides_and_passes_no_routes_on(cloud: Cloud) -> None:
    stack = stack_of({"gcp": {"europe-west1": 0, "us-central1": 1}}, (0, 4), None)
    joined(cloud, stack, gcp_peering, lambda site: SimpleNamespace(vpc=SimpleNamespace(self_link=site.region)))
    made = cloud.of_type("gcp:compute/networkPeering:NetworkPeering").values()
    assert {(each["network"], each["peerNetwork"]) for each in made} == {
        ("europe-west1", "us-central1"), ("us-central1", "europe-west1"),
    }  # fmt: skip
    assert not any(each["exportCustomRoutes"] or each["importCustomRoutes"] for each in made)


def test_azure_says_it_on_both_sides_and_lends_no_gateway(cloud: Cloud) -> None:
    ready = pulumi.ComponentResource
    stack = stack_of({"azure": {"westeurope": 0, "eastus": 1}}, (0, 4), None)
    joined(
        cloud,
        stack,
        azure_peering,
        lambda site: SimpleNamespace(
            group=f"group-{site.region}",
            network_name=f"net-{site.region}",
            network_id=f"id-{site.region}",
            ready=ready("test:index:Ready", site.region),
        ),
    )
    made = cloud.of_type("azure-native:network:VirtualNetworkPeering").values()
    assert {(each["virtualNetworkName"], each["remoteVirtualNetwork"]["id"]) for each in made} == {
        ("net-eastus", "id-westeurope"), ("net-westeurope", "id-eastus"),
    }  # fmt: skip
    for each in made:
        assert not any(each[key] for key in ("allowGatewayTransit", "useRemoteGateways", "allowForwardedTraffic"))
