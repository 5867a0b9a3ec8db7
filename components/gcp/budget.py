"""Who hears of the cost of a Google project: a budget on its billing account, with forecast."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from components.contracts import BudgetArgs
from components.gcp import channel
from components.gcp.account import account_of


class Budget(pulumi.ComponentResource):
    """A monthly budget of the project alone; whoever deploys needs `roles/billing.costsManager` on the account.

    Source: cloud.google.com/billing/docs/how-to/budgets-notification-recipients (five channels at most, read
    2026-11-21).
    """

    def __init__(
        self, name: str, args: BudgetArgs, billing_account: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ecosystem:gcp:Budget", name, {"monthly_usd": args.monthly_usd}, opts)
        account = account_of(opts)
        child = pulumi.ResourceOptions(parent=self, provider=account.provider)
        channels = [
            channel.email(f"{name}-{place}", f"Cost of {args.environment}", address, account, child)
            for place, address in enumerate(args.receivers)
        ]
        rules = [("CURRENT_SPEND", share) for share in args.alert_at] + [("FORECASTED_SPEND", 1.0)]
        gcp.billing.Budget(
            name,
            billing_account=billing_account,
            display_name=f"{args.environment} a month",
            amount={"specified_amount": {"currency_code": "USD", "units": str(round(args.monthly_usd))}},
            budget_filter={
                "projects": [pulumi.Output.concat("projects/", account.number)],
                "calendar_period": "MONTH",
                "credit_types_treatment": "INCLUDE_ALL_CREDITS",
            },
            threshold_rules=[{"threshold_percent": share, "spend_basis": basis} for basis, share in rules],
            all_updates_rule={
                "monitoring_notification_channels": channels,
                "disable_default_iam_recipients": True,
            },
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[account.ready])),
        )
        self.register_outputs({})
