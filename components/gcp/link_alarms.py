"""Who hears that a tunnel of Google is down: one alert policy for each gateway, by e-mail."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.gcp import channel
from components.gcp.account import Account
from components.links import LinkGatewayArgs

DOWN_SECONDS: Final = 300
ALIGNED_SECONDS: Final = 60


def alarm(
    name: str,
    gateway: pulumi.Output[str],
    args: LinkGatewayArgs,
    account: Account,
    opts: pulumi.ResourceOptions,
) -> gcp.monitoring.AlertPolicy:
    """Tell when a tunnel of the gateway is not established for five minutes, or says nothing at all.

    Source: cloud.google.com/monitoring/api/metrics_gcp_p_z (vpn, tunnel_established and its labels), 2026-11-21.
    """
    channels = [
        channel.email(f"{name}-{address}", f"Links of {args.environment}", address, account, opts)
        for address in args.receivers
    ]
    threshold = gcp.monitoring.AlertPolicyConditionConditionThresholdArgs(
        filter=pulumi.Output.concat(
            'resource.type = "vpn_gateway" AND metric.type = "vpn.googleapis.com/tunnel_established" ',
            'AND metric.labels.gateway_name = "',
            gateway,
            '"',
        ),
        comparison="COMPARISON_LT",
        threshold_value=1,
        duration=f"{DOWN_SECONDS}s",
        evaluation_missing_data="EVALUATION_MISSING_DATA_ACTIVE",
        aggregations=[
            gcp.monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(
                alignment_period=f"{ALIGNED_SECONDS}s", per_series_aligner="ALIGN_NEXT_OLDER"
            )
        ],
        trigger=gcp.monitoring.AlertPolicyConditionConditionThresholdTriggerArgs(count=1),
    )
    return gcp.monitoring.AlertPolicy(
        name,
        project=account.project,
        display_name=f"Tunnel down in {args.site.name} of {args.environment}",
        combiner="OR",
        severity="CRITICAL",
        conditions=[
            gcp.monitoring.AlertPolicyConditionArgs(display_name="not established", condition_threshold=threshold)
        ],
        notification_channels=channels,
        documentation=gcp.monitoring.AlertPolicyDocumentationArgs(
            content="docs/runbooks/links.md says what to look at.", mime_type="text/markdown"
        ),
        opts=opts,
    )
