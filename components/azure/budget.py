"""Who hears of the cost of an Azure subscription: a budget with forecast."""

from __future__ import annotations

from datetime import date
from typing import Final

import pulumi
from pulumi_azure_native import consumption

from components.azure.old_names import spared
from components.contracts import BudgetArgs

PERCENT: Final = 100
ENDS_AFTER_YEARS: Final = 10
"""An end is part of the API; a budget that ended tells nobody anything."""


class Budget(pulumi.ComponentResource):
    """A monthly budget of the subscription, which is the stack's own."""

    def __init__(
        self, name: str, args: BudgetArgs, subscription: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ecosystem:azure:Budget", name, {"monthly_usd": args.monthly_usd}, spared(opts))
        if args.starts is None:
            raise ValueError("budget.starts: Azure needs the first day of a month; the stack file says none")
        wanted = [("Actual", share) for share in args.alert_at] + [("Forecasted", 1.0)]
        consumption.Budget(
            name,
            consumption.BudgetArgs(
                budget_name=f"{args.environment}-month",
                scope=pulumi.Output.concat("/subscriptions/", subscription),
                amount=args.monthly_usd,
                category="Cost",
                time_grain="Monthly",
                time_period=consumption.BudgetTimePeriodArgs(
                    start_date=_moment(args.starts),
                    end_date=_moment(args.starts.replace(year=args.starts.year + ENDS_AFTER_YEARS)),
                ),
                notifications={
                    f"{kind.lower()}-{share * PERCENT:g}": consumption.NotificationArgs(
                        enabled=True,
                        operator="GreaterThan",
                        threshold=share * PERCENT,
                        threshold_type=kind,
                        contact_emails=list(args.receivers),
                    )
                    for kind, share in wanted
                },
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def _moment(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
