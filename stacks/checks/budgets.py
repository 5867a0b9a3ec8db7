"""Budgets that a cloud watches: what each cloud wants to know, and how much there is to give away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from stacks.problems import Problem, listed
from stacks.tree import Path, Tree

EARLY: Final = 0.8
"""The first warning comes while there is still something to be done (rule AWS-BUD-01)."""
SHARES: Final = 4
"""Five alerts a budget (AWS, Azure), one of them the forecast's.

https://docs.aws.amazon.com/cost-management/latest/userguide/management-limits.html
https://learn.microsoft.com/azure/cost-management-billing/costs/tutorial-acm-create-budgets
"""
CHANNELS: Final = 5
"""E-mail channels of a budget: https://cloud.google.com/billing/docs/how-to/budgets-notification-recipients"""


def check_budgets(tree: Tree) -> Iterator[Problem]:
    """Parts of the budget that cannot be watched as written."""
    path: Path = ("budget", "clouds")
    parts = {cloud: tree.at(*path, cloud) for cloud in tree.mapping(*path)}
    if not parts:
        return
    yield from _amounts(tree, path, parts)
    shares = [share for share in tree.items("budget", "alert_at") if isinstance(share, int | float)]
    if len(shares) > SHARES:
        what = "has five shares, but a cloud's budget keeps one of its five alerts for the forecast"
        yield Problem(path=("budget", "alert_at"), what=what, fix="leave one out, or remove `budget.clouds`")
    if shares and min(shares) > EARLY:
        what = f"warns at {min(shares)} first: too late to do anything"
        yield Problem(path=("budget", "alert_at"), what=what, fix=f"add a share of {EARLY} or less")
    if "gcp" in parts:
        yield from _google(tree)
    if "azure" in parts or tree.at("budget", "starts") is not None:
        yield from _start(tree)


def _amounts(tree: Tree, path: Path, parts: dict[str, object]) -> Iterator[Problem]:
    used = tree.clouds()
    for cloud in parts:
        if cloud not in used and isinstance(tree.at("clouds"), dict):
            what = "is a part for a cloud that the file does not use"
            fix = f"remove it, or add `clouds.{cloud}`"
            yield Problem(path=(*path, cloud), what=what, allowed=listed(used, "none"), fix=fix)
    whole = tree.at("budget", "monthly_usd")
    total = sum(part for part in parts.values() if isinstance(part, int | float))
    if isinstance(whole, int | float) and total > whole:
        what = f"come to {total:g} US dollars, more than `monthly_usd` ({whole:g})"
        yield Problem(path=path, what=what, fix="lower the parts, or raise the budget")


def _google(tree: Tree) -> Iterator[Problem]:
    account: Path = ("clouds", "gcp", "billing_account")
    if "gcp" in tree.clouds() and account not in tree.bad and tree.text(*account) is None:
        what = "is missing: a budget of Google stands on the account that pays"
        fix = "add it, for example `billing_account: 012345-6789AB-CDEF01` (`gcloud billing accounts list`)"
        yield Problem(path=account, what=what, fix=fix)
    receivers = tree.items("budget", "receivers")
    if len(receivers) > CHANNELS:
        what = f"are {len(receivers)}, and a budget of Google tells {CHANNELS} addresses at most"
        yield Problem(path=("budget", "receivers"), what=what, fix="use a mailing list, or leave `gcp` out")


def _start(tree: Tree) -> Iterator[Problem]:
    path: Path = ("budget", "starts")
    if path in tree.bad:
        return
    day = tree.text(*path)
    if day is None:
        what = "is missing: Azure wants to know in which month a budget begins"
        yield Problem(path=path, what=what, fix='add the first day of a month, for example `starts: "2026-12-01"`')
    elif date.fromisoformat(day[:10]).day != 1:
        what = "is not the first day of a month"
        yield Problem(path=path, what=what, found=day, fix=f'write "{day[:8]}01"')
