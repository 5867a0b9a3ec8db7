"""Who is told something by Google: e-mail addresses as channels of its monitoring."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from components.gcp.account import Account


def email(name: str, subject: str, address: str, account: Account, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """Make a channel to an address, and return the name by which alerts and budgets know it."""
    return gcp.monitoring.NotificationChannel(
        name,
        project=account.project,
        display_name=f"{subject}: {address}",
        type="email",
        labels={"email_address": address},
        opts=opts,
    ).name
