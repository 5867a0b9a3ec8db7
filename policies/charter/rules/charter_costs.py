"""Charter: somebody hears of costs in time, and they stay within what was set."""

from __future__ import annotations

from collections.abc import Iterator

from charter.facts import Facts
from charter.graph import Graph
from charter.rule import HIGH, Finding, Found, Open, stack_rule
from charter.sidecars import some
from charter.values import Reader, Undetermined

BUDGETS = {
    "aws": "aws:budgets/budget:Budget",
    "gcp": "gcp:billing/budget:Budget",
    "azure-native": "azure-native:consumption:Budget",
}
AMOUNTS = {
    "aws:budgets/budget:Budget": "limitAmount",
    "gcp:billing/budget:Budget": "amount.specifiedAmount.units",
    "azure-native:consumption:Budget": "amount",
}
"""Where a budget says how much a month may cost."""


@stack_rule(
    "CH-23",
    "For each cloud somebody hears of costs before the month is over.",
    HIGH,
    ["pulumi:providers:*"],
    remediation="Add the cloud's budget to the stack, or name the one that exists in evidence.budgets.",
)
def budgets(graph: Graph, facts: Facts) -> Iterator[Found]:
    """A budget that another stack keeps is named in the evidence, and undetermined until it is.

    One of a cloud's budgets warns of what will be spent. Where `evidence.monthly_usd` says how much a month may cost,
    the largest budgets of the clouds are together no more.
    """
    named = facts.evidence.get("budgets")
    for provider in graph.of("pulumi:providers:*"):
        package = provider.kind
        if package not in BUDGETS or not graph.of(f"{package}:*"):
            continue
        held = graph.of(BUDGETS[package])
        if held:
            answer = some(held, FORECASTS[package], "")
            if isinstance(answer, Open):
                yield answer
            elif not answer:
                yield Finding("", "no budget of this cloud warns by forecast", held[0].urn)
        elif named is None:
            yield Open("evidence.budgets", provider.urn)
        elif not (isinstance(named, dict) and named.get(package)):
            yield Finding("", "no budget for this cloud", provider.urn)
    yield from _within(graph, facts)


def _within(graph: Graph, facts: Facts) -> Iterator[Found]:
    most = facts.evidence.get("monthly_usd")
    if not isinstance(most, int | float):
        return
    total, largest = 0.0, ""
    for kind, path in AMOUNTS.items():
        held = graph.of(kind)
        try:
            total += max((each.reader.number(path) for each in held), default=0.0)
        except Undetermined:
            return
        largest = largest or (held[0].urn if held else "")
    if total > most:
        yield Finding("", f"the clouds' budgets are together {total:g} USD a month; {most:g} may be spent", largest)


def _aws(budget: Reader) -> bool:
    return any(note.text("notificationType") == "FORECASTED" for note in budget.each("notifications"))


def _gcp(budget: Reader) -> bool:
    return any(rule.text("spendBasis") == "FORECASTED_SPEND" for rule in budget.each("thresholdRules"))


def _azure(budget: Reader) -> bool:
    notes = budget.map("notifications")
    return any(isinstance(note, dict) and note.get("thresholdType") == "Forecasted" for note in notes.values())


FORECASTS = {"aws": _aws, "gcp": _gcp, "azure-native": _azure}
"""How a cloud's budget says that it warns of what will be spent."""
