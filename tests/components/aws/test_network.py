"""The network of a region, as a cloud of memory was asked for it."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from itertools import pairwise
from typing import Any

import pulumi
import pytest

from components.aws.account import Account, AccountArgs, partition_of
from components.aws.boundary import boundary
from components.aws.endpoints import INTERFACE
from components.aws.network import Network
from components.contracts import NetworkArgs
from stacks.addresses import plan_region
from stacks.model import Addresses, Region
from tests.components.mock_cloud import Cloud

ACCOUNT = "123456789012"
SUBNET = "aws:ec2/subnet:Subnet"


def build(cloud: Cloud, zones: int = 3, nat: str = "per_zone", **more: Any) -> Cloud:
    """Build the network of eu-west-1."""

    def program() -> None:
        account = Account("aws", AccountArgs(account_id=ACCOUNT, region="eu-west-1"))
        wish = Region(zones=zones, nat=nat)  # type: ignore[arg-type]
        plan = plan_region(Addresses(block=IPv4Network("10.0.0.0/8")), "aws", "eu-west-1", wish)
        args = NetworkArgs(
            environment="test", region="eu-west-1", wish=wish, plan=plan, clusters=("aws-eu-west-1",), **more
        )
        Network("aws-eu-west-1-network", args, pulumi.ResourceOptions(provider=account.provider))

    return cloud.build(program)


@pytest.mark.parametrize(("zones", "control"), [(1, 2), (2, 2), (3, 3)])
def test_every_zone_has_two_subnets_and_control_planes_always_two_zones(cloud: Cloud, zones: int, control: int) -> None:
    subnets = build(cloud, zones, "single").of_type(SUBNET).values()

    by_tier: dict[str, list[dict[str, Any]]] = {}
    for subnet in subnets:
        by_tier.setdefault(subnet["tags"]["ecosystem.dev/tier"], []).append(subnet)
    assert {tier: len(of_tier) for tier, of_tier in by_tier.items()} == {
        "public": zones,
        "private": zones,
        "control": control,
    }
    assert len({subnet["availabilityZone"] for subnet in by_tier["control"]}) == control
    assert {subnet["availabilityZone"] for subnet in by_tier["private"]} <= {f"eu-west-1{key}" for key in "abc"}
    assert not any(subnet["mapPublicIpOnLaunch"] for subnet in subnets)
    networks = sorted(IPv4Network(subnet["cidrBlock"]) for subnet in subnets)
    assert not any(one.overlaps(two) for one, two in pairwise(networks))


@pytest.mark.parametrize(("nat", "gateways", "ways_out"), [("none", 0, 0), ("single", 1, 3), ("per_zone", 3, 3)])
def test_nat_is_what_the_file_wishes(cloud: Cloud, nat: str, gateways: int, ways_out: int) -> None:
    counts = build(cloud, 3, nat).counts()

    assert counts.get("aws:ec2/natGateway:NatGateway", 0) == gateways
    assert counts.get("aws:ec2/eip:Eip", 0) == gateways
    routes = cloud.of_type("aws:ec2/route:Route")
    assert sum("natGatewayId" in route for route in routes.values()) == ways_out
    assert "natGatewayId" not in routes["aws-eu-west-1-network-public"]


def test_a_single_nat_serves_every_zone(cloud: Cloud) -> None:
    routes = build(cloud, 3, "single").of_type("aws:ec2/route:Route")
    assert {route["natGatewayId"] for route in routes.values() if "natGatewayId" in route} == {
        "aws-eu-west-1-network-nat-a-id"
    }


def test_subnets_carry_what_controllers_look_for(cloud: Cloud) -> None:
    subnets = build(cloud, 1).of_type(SUBNET)
    private = subnets["aws-eu-west-1-network-private-a"]["tags"]
    assert private["kubernetes.io/role/internal-elb"] == "1"
    assert private["karpenter.sh/discovery"] == "test-eu-west-1"
    assert private["kubernetes.io/cluster/test-eu-west-1"] == "shared"
    assert subnets["aws-eu-west-1-network-public-a"]["tags"]["kubernetes.io/role/elb"] == "1"
    assert not any("kubernetes.io" in key for key in subnets["aws-eu-west-1-network-control-a"]["tags"])


def test_endpoints_are_private_and_open_to_this_account_only(cloud: Cloud) -> None:
    endpoints = build(cloud, 1, "none").of_type("aws:ec2/vpcEndpoint:VpcEndpoint").values()

    services = {endpoint["serviceName"].removeprefix("com.amazonaws.eu-west-1.") for endpoint in endpoints}
    assert services == {"s3", "dynamodb", *INTERFACE}
    for endpoint in endpoints:
        for statement in json.loads(endpoint["policy"])["Statement"]:
            assert "*" not in statement["Action"]
            assert statement.get("Condition") or statement["Resource"] != "*"
        assert endpoint.get("privateDnsEnabled", True) is True


def test_the_default_group_is_locked_and_comes_last(cloud: Cloud) -> None:
    (group,) = build(cloud, 1).of_type("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup").values()
    assert (group["ingress"], group["egress"]) == ([], [])


def test_flow_logs_are_encrypted_and_kept_for_a_year(cloud: Cloud) -> None:
    build(cloud, 1)
    (group,) = cloud.of_type("aws:cloudwatch/logGroup:LogGroup").values()
    (flow,) = cloud.of_type("aws:ec2/flowLog:FlowLog").values()
    (key,) = cloud.of_type("aws:kms/key:Key").values()
    assert group["retentionInDays"] >= 365
    assert group["kmsKeyId"].startswith("arn:aws:kms:")
    assert flow["trafficType"] == "ALL"
    assert (key["enableKeyRotation"], key["rotationPeriodInDays"], key["deletionWindowInDays"]) == (True, 365, 30)


def test_keepers_of_a_key_do_not_use_it(cloud: Cloud) -> None:
    (key,) = build(cloud, 1).of_type("aws:kms/key:Key").values()
    keepers, logs = json.loads(key["policy"])["Statement"]
    assert keepers["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert not any("crypt" in action for action in keepers["Action"])
    assert logs["Condition"]


def test_roles_are_bounded_and_trusted_for_this_account_only(cloud: Cloud) -> None:
    for role in build(cloud, 1).of_type("aws:iam/role:Role").values():
        assert role["permissionsBoundary"].startswith("arn:aws:iam:")
        assert role["maxSessionDuration"] <= 14400
        (statement,) = json.loads(role["assumeRolePolicy"])["Statement"]
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


def test_everything_names_its_region_and_has_an_explicit_provider(cloud: Cloud) -> None:
    build(cloud, 3)
    assert cloud.without_provider() == []
    for asked in cloud.asked:
        if asked.custom and asked.typ.startswith("aws:") and not asked.typ.startswith("aws:iam/"):
            assert asked.inputs.get("region") == "eu-west-1", asked.name
        assert asked.name.startswith("aws"), asked.name


def test_a_wrong_account_is_refused(cloud: Cloud) -> None:
    cloud.answers["aws:index/getCallerIdentity:getCallerIdentity"] = {
        "accountId": "999999999999",
        "id": "9",
        "arn": "a",
    }

    def program() -> pulumi.Output[str]:
        return Account("aws", AccountArgs(account_id=ACCOUNT, region="eu-west-1")).identity

    with pytest.raises(pulumi.RunError, match="these credentials belong to 999999999999"):
        cloud.run(program)


def test_a_network_without_an_account_is_refused(cloud: Cloud) -> None:
    def program() -> None:
        wish = Region(zones=1)
        plan = plan_region(Addresses(block=IPv4Network("10.0.0.0/8")), "aws", "eu-west-1", wish)
        Network("n", NetworkArgs(environment="t", region="eu-west-1", wish=wish, plan=plan, clusters=()))

    with pytest.raises(TypeError, match="without an account"):
        cloud.build(program)


def test_the_boundary_fits_and_has_no_wildcard_service() -> None:
    text = boundary(f"arn:aws:iam::{ACCOUNT}")
    assert len(text.replace(" ", "")) <= 6144
    actions = [action for statement in json.loads(text)["Statement"] for action in statement["Action"]]
    assert not [action for action in actions if action.endswith(":*") or action == "*"]


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_partition_of_a_region(region: str, partition: str) -> None:
    assert partition_of(region) == partition
