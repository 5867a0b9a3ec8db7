"""The permissions boundary: what no role of ours may exceed, whatever is attached to it later."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.documents import Statement, allow, document

COMPUTE: Final = (
    *(f"ec2:{verb}*" for verb in ("Assign", "Attach", "Authorize", "Create", "Delete", "Describe", "Detach")),
    *(f"ec2:{verb}*" for verb in ("Get", "Modify", "Revoke", "Unassign", "Release", "EnableFast")),
    *(f"autoscaling:{verb}*" for verb in ("Describe", "SetDesiredCapacity", "Terminate", "Update")),
    *(f"elasticloadbalancing:{verb}*" for verb in ("Add", "Create", "Delete", "Deregister", "Describe", "Modify")),
    *(
        f"elasticloadbalancing:{verb}*"
        for verb in ("Apply", "Attach", "Configure", "Detach", "Register", "Remove", "Set")
    ),
    *(f"eks:{verb}*" for verb in ("Describe", "List", "AccessKubernetesApi")),
    "eks-auth:AssumeRoleForPodIdentity",
)
STORAGE: Final = (
    *(f"ecr:{verb}*" for verb in ("BatchCheck", "BatchGet", "BatchImport", "Describe", "Get", "List")),
    *(f"kms:{verb}*" for verb in ("CreateGrant", "Decrypt", "Describe", "Encrypt", "Generate", "List", "ReEncrypt")),
    *(f"s3:{verb}*" for verb in ("GetObject", "List")),
    "elasticache:Connect",
    *(f"secretsmanager:{verb}*" for verb in ("Describe", "GetSecretValue", "List")),
)
OBJECTS: Final = tuple(f"s3:{verb}*" for verb in ("AbortMultipart", "DeleteObject", "PutObject"))
BUCKETS: Final = ("aws-*-data-*", "aws-*-backups-*")
"""Buckets of stores and of backups only: what the account records about itself is nobody's to change."""
BACKUPS: Final = (
    *(f"rds:{verb}*" for verb in ("AddTags", "CopyDBSnapshot", "CreateDBSnapshot", "DeleteDB", "Describe", "ListTags")),
    *(f"rds:{verb}*" for verb in ("ModifyDBSnapshot", "RestoreDBInstance")),
    *(f"backup:{verb}*" for verb in ("CopyFrom", "CopyInto", "Describe", "Get", "List")),
)
WATCHING: Final = (
    *(f"logs:{verb}*" for verb in ("CreateLog", "Describe", "Get", "Put", "Start", "Stop", "Filter")),
    *(f"cloudwatch:{verb}*" for verb in ("Describe", "Get", "List", "Put")),
    *(f"route53:{verb}*" for verb in ("ChangeResourceRecordSets", "Get", "List")),
    "pricing:GetProducts",
    "tag:GetResources",
)


LAUNCHING: Final = (
    *(f"ec2:{verb}" for verb in ("RunInstances", "TerminateInstances")),
    *(f"iam:{verb}" for verb in ("GetInstanceProfile", "ListInstanceProfiles")),
    *(f"sqs:{verb}" for verb in ("DeleteMessage", "GetQueueUrl", "ReceiveMessage")),
    "ssm:GetParameter",
)
"""Only where a stack has overflow pools."""
NODE_ROLE: Final = "overflow-nodes"
"""Part of the name of every role that overflow nodes take."""


class Boundary(pulumi.ComponentResource):
    """One managed policy per account: no IAM, no organisation, no billing; sessions of other roles not at all."""

    arn: pulumi.Output[str]

    def __init__(
        self, name: str, arn_root: str, opts: pulumi.ResourceOptions | None = None, *, launches: bool = False
    ) -> None:
        super().__init__("ecosystem:aws:Boundary", name, {}, opts)
        policy = aws.iam.Policy(
            name,
            description="The most that a role of this platform may ever do",
            policy=boundary(arn_root, launches=launches),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = policy.arn
        self.register_outputs({"arn": self.arn})


def boundary(arn_root: str, *, launches: bool = False) -> str:
    """Write the boundary; a managed policy holds at most 6,144 characters without white space.

    `launches` says that pods may start machines.
    Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, 2026-11.
    """
    return document(
        allow("Compute", COMPUTE),
        allow("Storage", STORAGE),
        allow("Objects", OBJECTS, [f"arn:{arn_root.split(':')[1]}:s3:::{each}" for each in BUCKETS]),
        allow("Backups", BACKUPS),
        allow("Watching", WATCHING),
        allow(
            "LoadBalancersOwnRole",
            ["iam:CreateServiceLinkedRole"],
            f"{arn_root}:role/aws-service-role/*",
            {"StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}},
        ),
        *(_launching(arn_root) if launches else ()),
    )


def _launching(arn_root: str) -> tuple[Statement, ...]:
    """Start and end machines, and give them the role of overflow nodes and no other."""
    to_machines = {"StringLike": {"iam:PassedToService": "ec2.amazonaws.com*"}}
    return (
        allow("Launching", LAUNCHING),
        allow("NodesOwnRole", ["iam:PassRole"], f"{arn_root}:role/*{NODE_ROLE}-*", to_machines),
    )
