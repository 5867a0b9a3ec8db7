"""Gates of the delivery: each with its own reason code and one sentence; law, budget and stateful loss have theirs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from automation.events import QUIET
from automation.gate import Refusal
from automation.pipeline.settings import Gates


def judge(gates: Gates, made: Mapping[str, Any], at: datetime, *, real: bool) -> list[Refusal]:
    """Everything the gates have against a previewed change, in the order of the configuration."""
    return [
        *_undetermined(gates, made, real=real),
        *_size(gates, made),
        *_rise(gates, made),
        *_availability(gates, made),
        *_freeze(gates, made, at),
    ]


def _changes(made: Mapping[str, Any]) -> int:
    return sum(count for op, count in made.get("preview_steps", {}).items() if op not in QUIET)


def _undetermined(gates: Gates, made: Mapping[str, Any], *, real: bool) -> list[Refusal]:
    count = made["policy"]["undetermined"]
    if not real or gates.undetermined_max is None or count <= gates.undetermined_max:
        return []
    return [
        Refusal(
            "undetermined",
            f"{count} pairs of rule and resource could not be judged, gates.undetermined_max is "
            f"{gates.undetermined_max}: resolve digests and unknown values first",
        )
    ]


def _size(gates: Gates, made: Mapping[str, Any]) -> list[Refusal]:
    count = _changes(made)
    if gates.changes_max is None or count <= gates.changes_max:
        return []
    return [
        Refusal(
            "change-size", f"{count} steps in one change, gates.changes_max is {gates.changes_max}: split the change"
        )
    ]


def _rise(gates: Gates, made: Mapping[str, Any]) -> list[Refusal]:
    bill = made["cost_monthly_usd"]
    rise = bill["after"] - bill["before"]
    if gates.cost_rise_max_usd is None or rise <= gates.cost_rise_max_usd:
        return []
    return [
        Refusal(
            "cost-rise",
            f"the change adds {rise:,.2f} USD a month, gates.cost_rise_max_usd is {gates.cost_rise_max_usd:,.2f}: "
            "ask for less, or have the limit raised",
        )
    ]


def _availability(gates: Gates, made: Mapping[str, Any]) -> list[Refusal]:
    given = made.get("availability") or {}
    after, target = given.get("after"), given.get("target")
    if gates.availability == "report" or after is None or after >= target:
        return []
    return [
        Refusal(
            "availability",
            f"the computed availability of {after:.4%} is below stack.availability_target = {target:.4%}: "
            "add zones, nodes or ways out, or lower the target",
            tuple(given.get("shared", ())),
        )
    ]


def _freeze(gates: Gates, made: Mapping[str, Any], at: datetime) -> list[Refusal]:
    if not _changes(made):
        return []
    return [
        Refusal(
            "freeze",
            f"nothing is deployed from {one.begin:%Y-%m-%d %H:%M %Z} to {one.end:%Y-%m-%d %H:%M %Z}: {one.reason}",
        )
        for one in gates.freezes
        if one.begin <= at < one.end
    ]
