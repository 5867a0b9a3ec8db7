"""What overflow nodes stand on in AWS: who they are, who starts them, and how far that reaches."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from components.aws.boundary import boundary
from components.contracts import Launches, Launching
from components.grants import Holder
from tests.components.aws.test_cluster import ACCOUNT, build
from tests.components.mock_cloud import Cloud

ROOT = f"arn:aws:iam::{ACCOUNT}"
CLUSTER, POOL = "kubernetes.io/cluster/test-eu-west-1", "karpenter.sh/nodepool"
MINE = {f"aws:ResourceTag/{CLUSTER}": "owned", f"aws:ResourceTag/{POOL}": "beyond"}
BORN = {
    f"aws:RequestTag/{CLUSTER}": "owned",
    f"aws:RequestTag/{POOL}": "beyond",
    "aws:RequestTag/eks:eks-cluster-name": "test-eu-west-1",
}
INSTANCE = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-1"
KEY = "arn:aws:kms:eu-west-1:123456789012:aws-eu-west-1-overflow"
TEMPLATE = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:launch-template/lt-1"
NODES = "arn:aws:iam:eu-west-1:123456789012:aws-eu-west-1-overflow-nodes"


def launched(cloud: Cloud) -> Launching:
    """Ask the cluster of these tests for overflow nodes."""
    found: list[Launching] = []
    build(cloud, then=lambda cluster: found.append(cluster.launching_for(Holder("karpenter", "karpenter"))))
    return found[0]


def statements(cloud: Cloud, name: str) -> list[dict[str, Any]]:
    document = cloud.of_type("aws:iam/rolePolicy:RolePolicy")[name]["policy"]
    found: list[dict[str, Any]] = json.loads(document)["Statement"]
    return found


def holds(condition: dict[str, dict[str, Any]], context: dict[str, Any]) -> bool:
    """Evaluate a condition as IAM does, for the operators that are used here."""
    for operator, wanted in condition.items():
        for key, value in wanted.items():
            allowed = value if isinstance(value, list) else [value]
            asked = context.get(key)
            if operator == "ForAllValues:StringEquals":
                good = set(asked or ()) <= set(allowed)
            elif operator == "StringLike":
                good = asked is not None and any(fnmatchcase(asked, each) for each in allowed)
            else:
                good = asked in allowed
            if not good:
                return False
    return True


def may(found: list[dict[str, Any]], action: str, resource: str, context: dict[str, Any] | None = None) -> bool:
    """Say whether some statement allows it."""
    for each in found:
        on = each["Resource"] if isinstance(each["Resource"], list) else [each["Resource"]]
        does = any(fnmatchcase(action, pattern) for pattern in each["Action"])
        here = any(fnmatchcase(resource, pattern) for pattern in on)
        if does and here and holds(each.get("Condition", {}), context or {}):
            return True
    return False


def test_the_nodes_are_nobody_else(cloud: Cloud) -> None:
    launched(cloud)
    roles = cloud.of_type("aws:iam/role:Role")
    assert {"aws-eu-west-1-nodes", "aws-eu-west-1-overflow-nodes"} <= roles.keys()
    (profile,) = cloud.of_type("aws:iam/instanceProfile:InstanceProfile").values()
    assert profile["role"] == "aws-eu-west-1-overflow-nodes"
    entry = cloud.of_type("aws:eks/accessEntry:AccessEntry")["aws-eu-west-1-overflow"]
    assert (entry["type"], entry["principalArn"][-13:]) == ("EC2_LINUX", "overflow-nodes"[-13:])
    attached = cloud.of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    policies = {each["policyArn"].rpartition("/")[2] for each in attached.values() if "overflow" in each["role"]}
    assert policies == {"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"}


def test_the_cluster_says_what_machines_need(cloud: Cloud) -> None:
    found = launched(cloud)
    assert found.found_by == {"karpenter.sh/discovery": "test-eu-west-1"}
    assert found.image == "al2023@v20260415"
    groups = cloud.of_type("aws:ec2/securityGroup:SecurityGroup").values()
    subnets = cloud.of_type("aws:ec2/subnet:Subnet")
    tagged = [each for each in groups if each["tags"].get("karpenter.sh/discovery") == "test-eu-west-1"]
    assert len(tagged) == 1
    assert {name for name, each in subnets.items() if "karpenter.sh/discovery" in each["tags"]} == {
        f"aws-eu-west-1-network-private-{zone}" for zone in "abc"
    }
    assert issubclass(type(found.identity), object)
    assert len(found.identity.ready) > 8


def test_a_cluster_that_is_not_asked_has_none_of_it(cloud: Cloud) -> None:
    built = build(cloud)
    assert isinstance(built, Launches)
    assert not [each for each in cloud.asked if "overflow" in each.name]


CALLS: list[tuple[str, str, dict[str, Any], bool]] = [
    ("ec2:RunInstances", "arn:aws:ec2:eu-west-1::image/ami-1", {}, True),
    ("ec2:RunInstances", INSTANCE, BORN, True),
    ("ec2:RunInstances", INSTANCE, {}, False),
    ("ec2:RunInstances", INSTANCE, {**BORN, "aws:RequestTag/eks:eks-cluster-name": "other"}, False),
    ("ec2:RunInstances", INSTANCE.replace("eu-west-1", "us-east-1"), BORN, False),
    ("ec2:RunInstances", TEMPLATE, MINE, True),
    ("ec2:RunInstances", TEMPLATE, {}, False),
    ("ec2:TerminateInstances", INSTANCE, MINE, True),
    ("ec2:TerminateInstances", INSTANCE, {}, False),
    ("ec2:TerminateInstances", INSTANCE, {f"aws:ResourceTag/{CLUSTER}": "owned"}, False),
    ("ec2:DeleteLaunchTemplate", TEMPLATE, MINE, True),
    ("ec2:DeleteLaunchTemplate", TEMPLATE, {}, False),
    ("ec2:CreateTags", INSTANCE, {**BORN, "ec2:CreateAction": "RunInstances"}, True),
    ("ec2:CreateTags", INSTANCE, BORN, False),
    ("ec2:CreateTags", INSTANCE, {**MINE, "aws:TagKeys": ["Name"]}, True),
    ("ec2:CreateTags", INSTANCE, {**MINE, "aws:TagKeys": ["owner"]}, False),
    ("iam:PassRole", NODES, {"iam:PassedToService": "ec2.amazonaws.com"}, True),
    ("iam:PassRole", NODES, {"iam:PassedToService": "lambda.amazonaws.com"}, False),
    ("iam:PassRole", f"{ROOT}:role/admin", {"iam:PassedToService": "ec2.amazonaws.com"}, False),
    ("iam:CreateInstanceProfile", f"{ROOT}:instance-profile/x", {}, False),
    ("kms:CreateGrant", KEY, {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}, False),
    ("kms:Decrypt", KEY, {}, False),
    ("kms:Decrypt", KEY, {"kms:ViaService": "sqs.eu-west-1.amazonaws.com"}, True),
    ("ssm:GetParameter", f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/secret", {}, False),
    ("ssm:GetParameter", "arn:aws:ssm:eu-west-1::parameter/aws/service/eks/x", {}, True),
    ("sqs:DeleteMessage", "arn:aws:sqs:eu-west-1:123456789012:other", {}, False),
]
"""Action, resource, context of a request; and whether it may be made."""


def test_the_controller_changes_its_own_cluster_only(cloud: Cloud) -> None:
    launched(cloud)
    found = statements(cloud, "aws-eu-west-1-overflow-karpenter-grants")
    wrong = [call for call in CALLS if may(found, *call[:3]) is not call[3]]
    assert wrong == []
    assert {call[3] for call in CALLS} == {True, False}


def test_the_policy_fits_the_role_and_the_boundary_lets_it_through(cloud: Cloud) -> None:
    launched(cloud)
    found = statements(cloud, "aws-eu-west-1-overflow-karpenter-grants")
    assert len(json.dumps(found)) < 10_240
    limit = json.loads(boundary(ROOT, launches=True))["Statement"]
    actions = {action for each in found for action in each["Action"]}
    assert not [action for action in actions if "*" in action]
    edges = {"iam:PassedToService": "ec2.amazonaws.com"}
    nodes = f"{ROOT}:role/aws-eu-west-1-overflow-nodes-1234567"
    assert [each for each in sorted(actions) if not may(limit, each, nodes, edges)] == []


def test_the_boundary_opens_with_overflow_only_and_passes_no_other_role() -> None:
    shut, wide = (json.loads(boundary(ROOT, launches=launches))["Statement"] for launches in (False, True))
    machines = {"iam:PassedToService": "ec2.amazonaws.com"}
    nodes, other = (f"{ROOT}:role/aws-eu-west-1-{name}-1234567" for name in ("overflow-nodes", "nodes"))
    assert not may(shut, "ec2:RunInstances", "*")
    assert not may(shut, "iam:PassRole", nodes, machines)
    assert may(wide, "ec2:RunInstances", "*")
    assert may(wide, "iam:PassRole", nodes, machines)
    assert not may(wide, "iam:PassRole", other, machines)
    assert not may(wide, "iam:PassRole", nodes, {"iam:PassedToService": "lambda.amazonaws.com"})
    assert len(boundary(ROOT, launches=True).replace(" ", "")) < 6_144


def test_interruptions_are_told_encrypted_and_by_the_rules_of_this_region_only(cloud: Cloud) -> None:
    launched(cloud)
    (queue,) = cloud.of_type("aws:sqs/queue:Queue").values()
    assert (queue["kmsMasterKeyId"][:12], queue["messageRetentionSeconds"]) == ("arn:aws:kms:", 300)
    rules = cloud.of_type("aws:cloudwatch/eventRule:EventRule")
    told = {json.loads(each["eventPattern"])["detail-type"][0] for each in rules.values()}
    assert "EC2 Spot Instance Interruption Warning" in told
    assert len(told) == len(rules) == len(cloud.of_type("aws:cloudwatch/eventTarget:EventTarget")) == 5
    (policy,) = cloud.of_type("aws:sqs/queuePolicy:QueuePolicy").values()
    send, closed = json.loads(policy["policy"])["Statement"]
    assert send["Principal"] == {"Service": "events.amazonaws.com"}
    assert len(send["Condition"]["ArnEquals"]["aws:SourceArn"]) == 5
    assert (closed["Effect"], closed["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    key = cloud.of_type("aws:kms/key:Key")["aws-eu-west-1-overflow"]
    assert "events.amazonaws.com" in key["policy"]
    assert key["enableKeyRotation"] is True
