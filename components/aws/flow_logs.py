"""What went through a network: flow logs, encrypted, kept for a year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.account import account_of
from components.aws.documents import allow, document_output, trust
from components.aws.identity import Identity, IdentityArgs

RETENTION_DAYS: Final = 365
INTERVAL_SECONDS: Final = 600


@dataclass(frozen=True, kw_only=True)
class FlowLogsArgs:
    """`key_arn` encrypts the log group."""

    region: str
    vpc_id: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    protect: bool = False


class FlowLogs(pulumi.ComponentResource):
    """All traffic of one VPC, accepted and rejected, in a log group of its own."""

    log_group_name: pulumi.Output[str]

    def __init__(self, name: str, args: FlowLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:FlowLogs", name, {}, opts)
        account = account_of(self)
        keep = pulumi.ResourceOptions(parent=self, protect=args.protect or None)
        group = aws.cloudwatch.LogGroup(
            name, retention_in_days=RETENTION_DAYS, kms_key_id=args.key_arn, region=args.region, opts=keep
        )
        source = f"arn:{account.partition}:ec2:{args.region}:{account.account_id}:vpc-flow-log/*"
        writer = Identity(
            f"{name}-writer",
            IdentityArgs(
                description="Writes flow logs of a VPC to its log group",
                trust=trust("vpc-flow-logs.amazonaws.com", account_id=account.account_id, source_arn=source),
                inline={"write": self._write(group.arn)},
            ),
            pulumi.ResourceOptions(parent=self),
        )
        aws.ec2.FlowLog(
            name,
            vpc_id=args.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=writer.arn,
            max_aggregation_interval=INTERVAL_SECONDS,
            region=args.region,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect or None, depends_on=[*writer.ready]),
        )
        self.log_group_name = group.name
        self.register_outputs({"log_group_name": self.log_group_name})

    @staticmethod
    def _write(group_arn: pulumi.Output[str]) -> pulumi.Output[str]:
        """Source: docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html, 2026-11."""
        write = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
        return document_output(allow("Write", write, [group_arn, pulumi.Output.concat(group_arn, ":*")]))
