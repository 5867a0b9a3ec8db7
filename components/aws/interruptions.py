"""What is going to happen to machines, told in time: events of a region in a queue that one reader empties."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.account import account_of
from components.aws.documents import allow, deny, document_output

EVENTS: Final[Mapping[str, tuple[str, str]]] = {
    "health": ("aws.health", "AWS Health Event"),
    "spot": ("aws.ec2", "EC2 Spot Instance Interruption Warning"),
    "rebalance": ("aws.ec2", "EC2 Instance Rebalance Recommendation"),
    "state": ("aws.ec2", "EC2 Instance State-change Notification"),
    "reservation": ("aws.ec2", "EC2 Capacity Reservation Instance Interruption Warning"),
}
"""Source and kind of the events that Karpenter acts on (karpenter.sh/v1.14/concepts/disruption#interruption)."""
KEPT_SECONDS: Final = 300
"""What is older than five minutes has happened already: a spot machine goes two minutes after its warning."""
SENDER: Final = "events.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class InterruptionsArgs:
    """`key_arn` encrypts the queue; its policy lets the events in (`sent_through`)."""

    region: str
    key_arn: pulumi.Input[str]


class Interruptions(pulumi.ComponentResource):
    """A queue, closed to everybody but the rules of this region, and one rule per kind of event."""

    arn: pulumi.Output[str]
    queue: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: InterruptionsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:Interruptions", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        account = account_of(self)
        queue = aws.sqs.Queue(
            name,
            message_retention_seconds=KEPT_SECONDS,
            kms_master_key_id=args.key_arn,
            kms_data_key_reuse_period_seconds=KEPT_SECONDS,
            region=args.region,
            opts=child,
        )
        rules = {
            key: aws.cloudwatch.EventRule(
                f"{name}-{key}",
                description=f"{detail} of {args.region}",
                event_pattern=json.dumps({"source": [source], "detail-type": [detail]}),
                region=args.region,
                opts=child,
            )
            for key, (source, detail) in EVENTS.items()
        }
        policy = aws.sqs.QueuePolicy(
            name,
            queue_url=queue.id,
            policy=document_output(
                allow(
                    "Events",
                    ["sqs:SendMessage"],
                    [queue.arn],
                    {
                        "StringEquals": {"aws:SourceAccount": account.account_id},
                        "ArnEquals": {"aws:SourceArn": [rule.arn for rule in rules.values()]},
                    },
                    {"Service": SENDER},
                ),
                deny(
                    "OnlyEncrypted",
                    ["sqs:*"],
                    [queue.arn],
                    {"Bool": {"aws:SecureTransport": "false"}},
                    {"AWS": "*"},
                ),
            ),
            region=args.region,
            opts=child,
        )
        targets = [
            aws.cloudwatch.EventTarget(
                f"{name}-{key}",
                rule=rule.name,
                arn=queue.arn,
                target_id="queue",
                region=args.region,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
            )
            for key, rule in rules.items()
        ]
        self.arn, self.queue, self.ready = queue.arn, queue.name, (policy, *targets)
        self.register_outputs({"arn": self.arn})
