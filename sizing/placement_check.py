"""Judge the account of a placement again, without solving: wishes kept, traffic priced, sums right, problems agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from sizing.egress import Unpriced, cost
from sizing.placement import Question, whole

CENT: Final = 0.011


def judged(account: Mapping[str, Any], problems: Mapping[str, Any]) -> list[str]:
    """Everything wrong with the account, against the problems that were solved for it; empty is a pass."""
    try:
        question = Question.from_object(account["question"])
        return [f"placement: {one}" for one in _judged(account, question, whole(account["split"]), problems)]
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        return [f"placement: is not an account of one: {type(wrong).__name__}: {wrong}"]


def _judged(
    account: Mapping[str, Any], question: Question, split: Mapping[str, Mapping[str, int]], problems: Mapping[str, Any]
) -> Iterator[str]:
    if not question.allows(split):
        yield f"the split {split} does not keep the wishes"
    for wish in question.wishes:
        for cluster, problem in problems.items():
            asked = sum(int(job["replicas"]) for job in problem["workloads"] if job["name"] == wish.name)
            if asked != split[wish.name].get(cluster, 0):
                yield (
                    f"{cluster} was sized for {asked} pods of {wish.name}, the split says "
                    f"{split[wish.name].get(cluster, 0)}"
                )
    yield from _traffic(account, question, split)
    total = float(account["total_usd_month"])
    parts = sum(map(float, account["nodes_usd_month"].values())) + float(account["egress_usd_month"])
    if abs(parts - total) > CENT:
        yield f"total_usd_month {total} is not nodes and egress together ({parts:.4f})"
    bound = account["bound_usd_month"]
    if bound is not None and float(bound) > total + CENT:
        yield f"bound_usd_month {bound} lies above the total {total}"
    yield from _others(account, question, total)


def _traffic(account: Mapping[str, Any], question: Question, split: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    try:
        lines = [asdict(line) for line in question.egress(split)]
    except Unpriced as missing:
        yield f"some of its traffic has no price: {missing}"
        return
    if _plain(lines) != _plain(account["egress"]):
        yield f"egress lines are not those of its traffic: due are {lines}"
    if abs(cost(lines) - float(account["egress_usd_month"])) > CENT:
        yield f"egress_usd_month {account['egress_usd_month']} is not the sum of its lines ({cost(lines):.4f})"
    dates = sorted({line["source_date"] for line in lines})
    if account["oldest_price"] != (dates[0] if dates else None):
        yield f"oldest_price {account['oldest_price']} is not the oldest of its lines"


def _others(account: Mapping[str, Any], question: Question, total: float) -> Iterator[str]:
    """Rejected splits: each is dearer than what was chosen, unless that was kept by the threshold."""
    most = total * (1 - float(account["threshold"])) if account["kept"] else total
    for number, other in enumerate(account["considered"]):
        if "why" in other:
            continue
        if not question.allows(whole(other["split"])):
            yield f"considered[{number}] does not keep the wishes"
        if float(other["total_usd_month"]) < most - CENT and other["quality"] == account["quality"]:
            yield f"considered[{number}] costs {other['total_usd_month']}, less than the chosen {total}"


def _plain(lines: Any) -> list[tuple[Any, ...]]:
    numbers = ("gb", "usd_month", "usd_per_unit")
    return [
        tuple(round(float(line[key]), 4) if key in numbers else line[key] for key in sorted(line)) for line in lines
    ]
