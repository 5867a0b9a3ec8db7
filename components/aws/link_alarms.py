"""Who hears that a tunnel of AWS is down: an alarm per connection, and mail by an encrypted topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.account import account_of
from components.aws.documents import allow, document_output
from components.aws.key import Key, KeyArgs

PERIOD_SECONDS: Final = 300
PERIODS: Final = 3
"""AWS replaces the ends of a connection one after the other now and then: a quarter of an hour tells that from a fault.

Source: docs.aws.amazon.com/vpn/latest/s2svpn/monitoring-cloudwatch-vpn.html (TunnelState), 2026-11-21.
"""


@dataclass(frozen=True, kw_only=True)
class LinkTopicArgs:
    """`receivers` are e-mail addresses; each has to confirm once."""

    environment: str
    region: str
    receivers: tuple[str, ...]
    protect: bool = False


class LinkTopic(pulumi.ComponentResource):
    """A topic that only alarms of this account write to, encrypted with a key of its own."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: LinkTopicArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:LinkTopic", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        account = account_of(self)
        alarms = {"Service": f"cloudwatch.{account.dns_suffix}"}
        here = {"StringEquals": {"aws:SourceAccount": account.account_id}}
        key = Key(
            name,
            KeyArgs(
                description=f"Alarms of links of {args.environment} in {args.region}",
                region=args.region,
                users=[allow("Alarms", ("kms:Decrypt", "kms:GenerateDataKey*"), condition=here, principal=alarms)],
                protect=args.protect,
            ),
            child,
        )
        topic = aws.sns.Topic(name, kms_master_key_id=key.arn, region=args.region, opts=child)
        aws.sns.TopicPolicy(
            name,
            arn=topic.arn,
            policy=document_output(allow("Alarms", ("sns:Publish",), topic.arn, here, alarms)),
            region=args.region,
            opts=child,
        )
        for address in args.receivers:
            aws.sns.TopicSubscription(
                f"{name}-{address}", topic=topic.arn, protocol="email", endpoint=address, region=args.region, opts=child
            )
        self.arn = topic.arn
        self.register_outputs({"arn": self.arn})


def alarm(  # noqa: PLR0913, PLR0917 - what an alarm says
    name: str,
    connection: pulumi.Input[str],
    what: str,
    region: str,
    topic: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> aws.cloudwatch.MetricAlarm:
    """Tell when one of a connection's tunnels is down for a quarter of an hour, or says nothing at all."""
    return aws.cloudwatch.MetricAlarm(
        name,
        alarm_description=f"A tunnel of {what} is down: docs/runbooks/links.md",
        namespace="AWS/VPN",
        metric_name="TunnelState",
        dimensions={"VpnId": connection},
        statistic="Minimum",
        comparison_operator="LessThanThreshold",
        threshold=1,
        period=PERIOD_SECONDS,
        evaluation_periods=PERIODS,
        treat_missing_data="breaching",
        alarm_actions=[topic],
        ok_actions=[topic],
        region=region,
        opts=opts,
    )
