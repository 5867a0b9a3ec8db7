"""Who hears that a tunnel of Azure is down: one alert for each gateway, by e-mail."""

from __future__ import annotations

from typing import Final

import pulumi
from pulumi_azure_native import monitor

from components.azure.naming import scramble
from components.links import LinkGatewayArgs

HALF: Final = 0.4
"""A session is up on one instance and unknown to the other: half of the average is up, none when it is down."""
SHORT_NAME: Final = 12


def alarm(
    name: str,
    gateway: pulumi.Input[str],
    group: pulumi.Input[str],
    args: LinkGatewayArgs,
    opts: pulumi.ResourceOptions,
) -> monitor.MetricAlert:
    """Tell when the BGP session of a tunnel is down on both instances for five minutes.

    Source: https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics (Microsoft.Network,
    virtualNetworkGateways, BgpPeerStatus), 2026-11-21.
    """
    told = monitor.ActionGroup(
        name,
        monitor.ActionGroupInitArgs(
            resource_group_name=group,
            location="Global",
            enabled=True,
            group_short_name=f"ln-{scramble(name, SHORT_NAME - 3)}",
            email_receivers=[
                {"name": address, "email_address": address, "use_common_alert_schema": True}
                for address in args.receivers
            ],
        ),
        opts=opts,
    )
    peers = sorted({str(tunnel.far) for end in args.ends for tunnel in end.tunnels})
    criterion = monitor.MetricCriteriaArgs(
        name="down",
        criterion_type="StaticThresholdCriterion",
        metric_namespace="Microsoft.Network/virtualNetworkGateways",
        metric_name="BgpPeerStatus",
        operator="LessThan",
        threshold=HALF,
        time_aggregation="Average",
        dimensions=[monitor.MetricDimensionArgs(name="BgpPeerAddress", operator="Include", values=peers)],
    )
    return monitor.MetricAlert(
        name,
        monitor.MetricAlertArgs(
            resource_group_name=group,
            location="global",
            description=f"A tunnel of {args.site.name} is down: docs/runbooks/links.md",
            enabled=True,
            severity=1,
            scopes=[gateway],
            evaluation_frequency="PT1M",
            window_size="PT5M",
            auto_mitigate=True,
            criteria=monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
                odata_type="Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria", all_of=[criterion]
            ),
            actions=[monitor.MetricAlertActionArgs(action_group_id=told.id)],
        ),
        opts=opts,
    )
