"""What Karpenter may do on AWS: start and end machines of its own cluster, with the role that is theirs. Pure.

Source: karpenter.sh/v1.14/reference/cloudformation, section KarpenterControllerPolicy, read 2026-11. Left out is what
makes and changes instance profiles: ours is made here, with everything else that is fixed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from components.aws.account import Account
from components.aws.documents import Statement, allow

READ: Final = tuple(
    f"ec2:Describe{what}"
    for what in (
        "CapacityReservations",
        "Images",
        "InstanceStatus",
        "InstanceTypeOfferings",
        "InstanceTypes",
        "Instances",
        "LaunchTemplates",
        "PlacementGroups",
        "SecurityGroups",
        "SpotPriceHistory",
        "Subnets",
    )
)
USED: Final = ("capacity-reservation", "placement-group", "security-group", "subnet")
MADE: Final = ("fleet", "instance", "launch-template", "network-interface", "spot-instances-request", "volume")
START: Final = ("ec2:CreateFleet", "ec2:RunInstances")
NODE_POOL: Final = "karpenter.sh/nodepool"
ON_DISKS: Final = tuple(
    f"kms:{verb}"
    for verb in ("Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo")
)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The cluster, and what was made for its machines."""

    cluster: str
    cluster_arn: str
    region: str
    node_role_arn: pulumi.Input[str]
    profile_arn: pulumi.Input[str]
    queue_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]


def rights(account: Account, bounds: Bounds) -> Iterator[Statement]:
    """Yield the statements of the controller's policy; nothing is changed that does not carry the cluster's tag."""
    root = f"arn:{account.partition}:ec2:{bounds.region}"
    own = f"{root}:{account.account_id}"
    subnets_and_groups = [f"{own}:{kind}/*" for kind in USED]
    yield allow("Use", START, [f"{root}::image/*", f"{root}::snapshot/*", *subnets_and_groups])
    tagged = _tagged("Resource", bounds.cluster)
    yield allow("UseTemplates", START, [f"{own}:launch-template/*"], tagged)
    made, asked = [f"{own}:{kind}/*" for kind in MADE], _tagged("Request", bounds.cluster)
    yield allow("Start", [*START, "ec2:CreateLaunchTemplate"], made, asked)
    created = {"ec2:CreateAction": ["RunInstances", "CreateFleet", "CreateLaunchTemplate"]}
    at_birth = {**asked, "StringEquals": {**asked["StringEquals"], **created}}
    yield allow("TagAtBirth", ["ec2:CreateTags"], made, at_birth)
    only = {"ForAllValues:StringEquals": {"aws:TagKeys": ["eks:eks-cluster-name", "karpenter.sh/nodeclaim", "Name"]}}
    yield allow("TagNodes", ["ec2:CreateTags"], [f"{own}:instance/*"], {**tagged, **only})
    ended = [f"{own}:{kind}/*" for kind in ("instance", "launch-template")]
    yield allow("End", ["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"], ended, tagged)
    yield allow("Look", READ, "*", {"StringEquals": {"aws:RequestedRegion": bounds.region}})
    yield allow("Prices", ["pricing:GetProducts"])
    images = f"arn:{account.partition}:ssm:{bounds.region}::parameter/aws/service/*"
    yield allow("Images", ["ssm:GetParameter"], [images])
    yield allow("Cluster", ["eks:DescribeCluster"], [bounds.cluster_arn])
    to_machines = {"StringEquals": {"iam:PassedToService": f"ec2.{account.dns_suffix}"}}
    yield allow("NodesOwnRole", ["iam:PassRole"], [bounds.node_role_arn], to_machines)
    yield allow("Profile", ["iam:GetInstanceProfile"], [bounds.profile_arn])
    yield allow("Profiles", ["iam:ListInstanceProfiles"])
    read = ["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"]
    yield allow("Queue", read, [bounds.queue_arn])
    yield allow("QueueKey", ["kms:Decrypt"], [bounds.key_arn], _via("sqs", bounds.region, account))
    yield from _disks(account, bounds)


def _disks(account: Account, bounds: Bounds) -> Iterator[Statement]:
    """Who starts a machine with an encrypted disk uses its key through EC2, and hands it on to EC2.

    Source: docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html, 2026-11.
    """
    through = _via("ec2", bounds.region, account)
    yield allow("DiskKey", ON_DISKS, [bounds.key_arn], through)
    handed_on = {**through, "Bool": {"kms:GrantIsForAWSResource": "true"}}
    yield allow("DiskKeyGrant", ["kms:CreateGrant"], [bounds.key_arn], handed_on)


def _via(service: str, region: str, account: Account) -> dict[str, Any]:
    return {"StringEquals": {"kms:ViaService": f"{service}.{region}.{account.dns_suffix}"}}


def _tagged(what: str, cluster: str) -> dict[str, dict[str, Any]]:
    """Match the tag of the cluster, and some pool's; of a resource that is there, or of one that is asked for."""
    owned: dict[str, Any] = {f"aws:{what}Tag/kubernetes.io/cluster/{cluster}": "owned"}
    if what == "Request":
        owned["aws:RequestTag/eks:eks-cluster-name"] = cluster
    return {"StringEquals": owned, "StringLike": {f"aws:{what}Tag/{NODE_POOL}": "*"}}
