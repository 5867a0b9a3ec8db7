"""Who hears of the cost of an AWS account: a budget with forecast, and what looks unlike other days."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from components.contracts import BudgetArgs

PERCENT = 100


class Budget(pulumi.ComponentResource):
    """A monthly budget of the account; needs `opts.provider` to be the provider of an `Account`.

    The account is the stack's own. The monitor of anomalies looks at the tag `environment`: whoever pays for the
    account has to activate it as a cost allocation tag, once
    (docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html, 2026-11).
    """

    def __init__(self, name: str, args: BudgetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:Budget", name, {"monthly_usd": args.monthly_usd}, opts)
        child = pulumi.ResourceOptions(parent=self)
        wanted = [("ACTUAL", share) for share in args.alert_at] + [("FORECASTED", 1.0)]
        aws.budgets.Budget(
            name,
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=f"{args.monthly_usd:.1f}",
            limit_unit="USD",
            notifications=[
                {
                    "notification_type": kind,
                    "threshold": share * PERCENT,
                    "threshold_type": "PERCENTAGE",
                    "comparison_operator": "GREATER_THAN",
                    "subscriber_email_addresses": list(args.receivers),
                }
                for kind, share in wanted
            ],
            opts=child,
        )
        monitor = aws.costexplorer.AnomalyMonitor(
            name,
            name=f"{args.environment}-environment",
            monitor_type="CUSTOM",
            monitor_specification=json.dumps(_tagged(args.environment)),
            opts=child,
        )
        aws.costexplorer.AnomalySubscription(
            name,
            name=f"{args.environment}-anomalies",
            frequency="DAILY",
            monitor_arn_lists=[monitor.arn],
            subscribers=[{"type": "EMAIL", "address": each} for each in args.receivers],
            threshold_expression={
                "dimension": {
                    "key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE",
                    "match_options": ["GREATER_THAN_OR_EQUAL"],
                    "values": [f"{args.anomaly_usd:g}"],
                }
            },
            opts=child,
        )
        self.register_outputs({})


def _tagged(environment: str) -> dict[str, object]:
    """Write the expression as the API answers it, with what it leaves empty, so that nothing differs next time."""
    return {
        "And": None,
        "CostCategories": None,
        "Dimensions": None,
        "Not": None,
        "Or": None,
        "Tags": {"Key": "environment", "MatchOptions": None, "Values": [environment]},
    }
