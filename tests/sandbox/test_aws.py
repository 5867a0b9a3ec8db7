"""Amazon's stand-in: references, refusals, shapes."""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from cryptography import x509
from pulumi.runtime.proto import provider_pb2

from sandbox.wire import UNKNOWN, encode
from tests.sandbox.engine import Engine, Made

VPC, SUBNET, ROLE = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:iam/role:Role"
CLUSTER, NODES = "aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "eks.amazonaws.com"}}],
    }
)
_numbers = itertools.count()


@pytest.fixture
def aws(connect: Callable[..., Engine]) -> Engine:
    return connect("aws")


def fresh(text: str) -> str:
    return f"{text}-{next(_numbers)}"


def vpc(aws: Engine, cidr: str = "10.0.0.0/16") -> Made:
    return aws.create(VPC, fresh("net"), {"cidrBlock": cidr})


def subnet(aws: Engine, net: Made, cidr: str, zone: str = "eu-west-1a") -> Made:
    return aws.create(SUBNET, fresh("sub"), {"vpcId": net.id, "cidrBlock": cidr, "availabilityZone": zone})


def cluster(aws: Engine, **more: Any) -> tuple[Made, list[Made]]:
    net = vpc(aws)
    subnets = [subnet(aws, net, f"10.0.{n}.0/24", f"eu-west-1{letter}") for n, letter in enumerate("ab")]
    role = aws.create(ROLE, fresh("role"), {"assumeRolePolicy": TRUST})
    inputs = {
        "name": fresh("cluster"), "roleArn": role.outputs["arn"], "version": "1.34",
        "vpcConfig": {"subnetIds": [item.id for item in subnets], "endpointPrivateAccess": True}, **more,
    }  # fmt: skip
    return aws.create(CLUSTER, inputs["name"], inputs), [net, *subnets, role]


def refused(call: Callable[[], Any], code: str) -> str:
    with pytest.raises(grpc.RpcError) as problem:
        call()
    text = str(problem.value.details())  # type: ignore[attr-defined]
    assert text.startswith(f"{code}:"), text
    assert problem.value.code() not in {grpc.StatusCode.INTERNAL, grpc.StatusCode.DATA_LOSS}  # type: ignore[attr-defined]
    return text


def test_ids_and_arns_have_amazons_shape_and_never_change(aws: Engine) -> None:
    made = vpc(aws)
    assert re.fullmatch(r"vpc-[0-9a-f]{17}", made.id)
    assert made.outputs["arn"] == f"arn:aws:ec2:eu-west-1:123456789012:vpc/{made.id}"
    assert re.fullmatch(r"sg-[0-9a-f]{17}", made.outputs["defaultSecurityGroupId"])


def test_the_same_urn_made_twice_is_two_things(aws: Engine) -> None:
    first, second = (aws.create(VPC, "twice", {"cidrBlock": "10.0.0.0/16"}) for _ in range(2))
    assert first.id != second.id
    assert aws.read(first)[0] == first.id
    assert aws.read(second)[0] == second.id


def test_region_of_a_resource_wins_over_the_providers(aws: Engine) -> None:
    made = aws.create(VPC, fresh("net"), {"cidrBlock": "10.0.0.0/16", "region": "us-east-1"})
    assert ":us-east-1:" in made.outputs["arn"]
    refused(lambda: subnet(aws, made, "10.0.0.0/24"), "InvalidVpcID.NotFound")


def test_in_a_preview_computed_outputs_are_unknown_and_nothing_is_made(aws: Engine) -> None:
    seen = aws.preview(VPC, "previewed", {"cidrBlock": "10.0.0.0/16", "tags": {"a": "b"}}).values
    assert (seen["arn"], seen["defaultSecurityGroupId"], seen["cidrBlock"]) == (UNKNOWN, UNKNOWN, "10.0.0.0/16")
    assert seen["tags"] == {"a": "b"}


def test_nested_computed_outputs_are_unknown_in_a_preview_and_there_after_it(aws: Engine) -> None:
    made, _ = cluster(aws)
    assert made.outputs["vpcConfig"]["clusterSecurityGroupId"].startswith("sg-")
    certificate = base64.b64decode(made.outputs["certificateAuthority"]["data"])
    assert (
        x509.load_pem_x509_certificate(certificate).extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    )
    assert made.outputs["identities"][0]["oidcs"][0]["issuer"].startswith(
        "https://oidc.eks.eu-west-1.amazonaws.com/id/"
    )


@pytest.mark.parametrize(
    ("cidr", "code"),
    [
        ("10.9.0.0/24", "InvalidSubnet.Range"),
        ("10.0.0.128/25", "InvalidSubnet.Conflict"),
        ("10.0.5.0/29", "InvalidSubnet.Range"),
    ],
)
def test_a_subnet_lies_in_its_network_and_overlaps_nobody(aws: Engine, cidr: str, code: str) -> None:
    net = vpc(aws)
    subnet(aws, net, "10.0.0.0/24")
    refused(lambda: subnet(aws, net, cidr), code)


def test_a_network_that_does_not_exist_and_a_zone_that_does_not(aws: Engine) -> None:
    ghost = Made("", "vpc-00000000000000000", {}, {})
    assert "vpc-00000000000000000" in refused(lambda: subnet(aws, ghost, "10.0.0.0/24"), "InvalidVpcID.NotFound")
    net = vpc(aws)
    refused(lambda: subnet(aws, net, "10.0.0.0/24", "eu-west-1z"), "InvalidParameterValue")


def test_what_is_in_use_is_not_deleted(aws: Engine) -> None:
    net = vpc(aws)
    inside = subnet(aws, net, "10.0.0.0/24")
    assert "has dependencies and cannot be deleted" in refused(lambda: aws.delete(net), "DependencyViolation")
    aws.delete(inside)
    aws.delete(net)
    assert aws.read(net)[0] == ""
    aws.delete(net)  # gone already


def test_physical_names_are_taken_once(aws: Engine) -> None:
    inputs = {"name": fresh("role"), "assumeRolePolicy": TRUST}
    aws.create(ROLE, "one", inputs)
    refused(lambda: aws.create(ROLE, "two", inputs), "EntityAlreadyExists")


def test_names_are_made_kept_and_made_anew(aws: Engine) -> None:
    first, _ = aws.check(ROLE, "auto", {"assumeRolePolicy": TRUST})
    assert re.fullmatch(r"auto-[0-9a-f]{7}", first["name"])
    kept, _ = aws.check(ROLE, "auto", {"assumeRolePolicy": TRUST}, {**first, "name": "auto-0000000"})
    assert kept["name"] == "auto-0000000"


def test_a_role_that_was_deleted_is_missed(aws: Engine) -> None:
    _, (_, *subnets, role) = cluster(aws)
    aws.delete(role)
    inputs = {
        "name": fresh("c"),
        "roleArn": role.outputs["arn"],
        "vpcConfig": {"subnetIds": [item.id for item in subnets]},
    }
    refused(lambda: aws.create(CLUSTER, "late", inputs), "InvalidParameterException")


def test_a_control_plane_needs_two_zones(aws: Engine) -> None:
    net = vpc(aws)
    subnets = [subnet(aws, net, f"10.0.{n}.0/24") for n in range(2)]
    role = aws.create(ROLE, fresh("role"), {"assumeRolePolicy": TRUST})
    inputs = {
        "name": fresh("c"),
        "roleArn": role.outputs["arn"],
        "vpcConfig": {"subnetIds": [item.id for item in subnets]},
    }
    assert "two different AZs" in refused(lambda: aws.create(CLUSTER, "narrow", inputs), "InvalidParameterException")


def nodes(made: Made, others: list[Made], sizes: tuple[int, int, int], **more: Any) -> dict[str, Any]:
    low, wanted, high = sizes
    return {
        "clusterName": made.id, "nodeRoleArn": others[-1].outputs["arn"], "subnetIds": [others[1].id],
        "scalingConfig": {"minSize": low, "desiredSize": wanted, "maxSize": high}, **more,
    }  # fmt: skip


@pytest.mark.parametrize("sizes", [(2, 1, 3), (1, 4, 3), (5, 5, 4)])
def test_bounds_of_a_node_group_are_in_order(aws: Engine, sizes: tuple[int, int, int]) -> None:
    made, others = cluster(aws)
    refused(lambda: aws.create(NODES, fresh("nodes"), nodes(made, others, sizes)), "InvalidParameterException")


def test_node_groups_hold_their_cluster_and_follow_its_version(aws: Engine) -> None:
    made, others = cluster(aws)
    group = aws.create(NODES, fresh("nodes"), nodes(made, others, (0, 0, 1)))
    assert group.id == f"{made.id}:{group.inputs['nodeGroupName']}"
    refused(lambda: aws.delete(made), "ResourceInUseException")
    refused(
        lambda: aws.create(NODES, fresh("new"), nodes(made, others, (0, 0, 1), version="1.35")),
        "InvalidParameterException",
    )
    ghost = Made("", "ghost", {}, {})
    refused(lambda: aws.create(NODES, fresh("lost"), nodes(ghost, others, (0, 0, 1))), "ResourceNotFoundException")


def test_a_cluster_goes_up_one_minor_version_at_a_time(aws: Engine) -> None:
    made, _ = cluster(aws)
    refused(lambda: aws.update(made, {**made.inputs, "version": "1.36"}), "InvalidParameterException")
    assert aws.update(made, {**made.inputs, "version": "1.35"})["version"] == "1.35"
    refused(lambda: aws.update(made, {**made.inputs, "version": "1.34"}), "InvalidParameterException")


def test_an_update_keeps_what_the_cloud_computed_inside(aws: Engine) -> None:
    made, _ = cluster(aws)
    changed = {**made.inputs, "vpcConfig": {**made.inputs["vpcConfig"], "endpointPublicAccess": False}}
    before = made.outputs["vpcConfig"]["clusterSecurityGroupId"]
    seen = aws.update(made, changed, preview=True)
    assert seen["vpcConfig"]["clusterSecurityGroupId"] == before
    assert seen["endpoint"] == made.outputs["endpoint"]
    done = aws.update(made, changed)
    assert done["vpcConfig"]["clusterSecurityGroupId"] == before
    assert done["vpcConfig"]["endpointPublicAccess"] is False


def test_deletion_protection_is_obeyed(aws: Engine) -> None:
    made, _ = cluster(aws, deletionProtection=True)
    refused(lambda: aws.delete(made), "InvalidRequestException")
    aws.update(made, {**made.inputs, "deletionProtection": False})
    aws.delete(made)


def test_diffs_name_paths_and_replacements(aws: Engine) -> None:
    made, _ = cluster(aws)
    changed = {**made.inputs, "version": "1.35", "tags": {"a.b/c": "d"}}
    found = aws.diff(made, changed)
    assert {key: item.kind for key, item in found.detailedDiff.items()} == {"version": 4, "tags": 0}
    assert not found.replaces
    other = {**made.inputs, "roleArn": "arn:aws:iam::123456789012:role/other"}
    found = aws.diff(made, other)
    assert (list(found.replaces), found.deleteBeforeReplace) == (["roleArn"], True)
    found = aws.diff(
        made,
        {
            **made.inputs,
            "vpcConfig": {**made.inputs["vpcConfig"], "subnetIds": [made.inputs["vpcConfig"]["subnetIds"][0]]},
        },
    )
    assert list(found.detailedDiff) == ["vpcConfig.subnetIds[1]"]


def test_autonamed_things_are_replaced_side_by_side(aws: Engine) -> None:
    net = vpc(aws)
    group = aws.create("aws:ec2/securityGroup:SecurityGroup", fresh("group"), {"vpcId": net.id, "description": "a"})
    found = aws.diff(group, {**group.inputs, "description": "b", "name": group.inputs["name"] + "x"})
    assert "description" in found.replaces
    assert not found.deleteBeforeReplace


def test_a_launch_template_counts_its_versions(aws: Engine) -> None:
    made = aws.create(
        "aws:ec2/launchTemplate:LaunchTemplate", fresh("lt"), {"updateDefaultVersion": True, "tags": {"a": "1"}}
    )
    assert (made.outputs["latestVersion"], made.outputs["defaultVersion"]) == (1, 1)
    assert aws.update(made, {**made.inputs, "tags": {"a": "2"}}, preview=True)["latestVersion"] == UNKNOWN
    after = aws.update(made, {**made.inputs, "tags": {"a": "2"}})
    assert (after["latestVersion"], after["defaultVersion"]) == (2, 2)


@pytest.mark.parametrize(
    ("token", "inputs", "path"),
    [
        (ROLE, {"assumeRolePolicy": "{"}, "assumeRolePolicy"),
        (ROLE, {"assumeRolePolicy": TRUST, "maxSessionDuration": 60}, "maxSessionDuration"),
        ("aws:kms/key:Key", {"deletionWindowInDays": 3}, "deletionWindowInDays"),
        ("aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 100}, "retentionInDays"),
        (VPC, {"cidrBlock": "10.0.0.1/16"}, "cidrBlock"),
        ("aws:ec2/route:Route", {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0"}, "gatewayId"),
        (NODES, {"clusterName": "c", "nodeRoleArn": "r", "subnetIds": ["s"], "capacityType": "SPOTTY",
                 "scalingConfig": {"minSize": 0, "maxSize": 1, "desiredSize": 0}}, "capacityType"),
        ("aws:ec2/nothing:Nothing", {}, "unknown resource type"),
    ],
)  # fmt: skip
def test_values_that_the_sdk_would_pass_are_refused(aws: Engine, token: str, inputs: dict[str, Any], path: str) -> None:
    _, failures = aws.check(token, "wrong", inputs)
    assert any(failure.startswith(path) for failure in failures), failures


def test_another_account_is_refused_at_configure(connect: Callable[..., Engine], play: Callable[..., Any]) -> None:
    with pytest.raises(grpc.RpcError, match="AWS account ID not allowed: 999999999999"):
        play({"accounts": {"aws": "999999999999"}})
    with pytest.raises(grpc.RpcError, match="missing region"):
        connect("aws", {})


def test_identity_and_policy_documents_are_looked_up(aws: Engine) -> None:
    assert aws.invoke("aws:index/getCallerIdentity:getCallerIdentity")["accountId"] == "123456789012"
    found = aws.invoke("aws:iam/getPolicyDocument:getPolicyDocument", statements=[
        {"actions": ["s3:GetObject"], "resources": ["*"], "conditions": [{"test": "StringEquals", "variable": "a", "values": ["b"]}]}])  # fmt: skip  # noqa: E501 - one message, one line
    (statement,) = json.loads(found["json"])["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": "*",
        "Condition": {"StringEquals": {"a": "b"}},
    }
    assert aws.invoke("aws:index/getAvailabilityZones:getAvailabilityZones")["names"][0] == "eu-west-1a"
    with pytest.raises(grpc.RpcError, match="does not serve the look-up aws:nothing"):
        aws.invoke("aws:nothing")


def test_secrets_stay_marked_and_are_compared(aws: Engine) -> None:
    token, name = "aws:iam/role:Role", fresh("secret")
    checked, _ = aws.check(token, name, {"assumeRolePolicy": TRUST, "description": "hush"})
    marked = encode(checked, frozenset({("description",)}))
    made = aws.stub.Create(
        provider_pb2.CreateRequest(urn=aws.urn(token, name), type=token, name=name, properties=marked)
    )
    assert made.properties.fields["description"].HasField("struct_value")
    read = aws.stub.Read(provider_pb2.ReadRequest(
        urn=aws.urn(token, name), type=token, id=made.id, properties=made.properties, inputs=marked))  # fmt: skip
    assert read.inputs.fields["description"].HasField("struct_value")
    same = aws.stub.Diff(provider_pb2.DiffRequest(
        urn=aws.urn(token, name), type=token, id=made.id, olds=made.properties, old_inputs=marked, news=encode(checked)))  # fmt: skip  # noqa: E501 - one message, one line
    assert same.changes == provider_pb2.DiffResponse.DIFF_NONE
