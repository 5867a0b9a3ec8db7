"""Charter: somebody hears of costs in time, and they stay within what was set."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from charter.cluster_kinds import NAMESPACE
from charter.facts import Facts
from charter.graph import Graph
from charter.rule import HIGH, Finding, Found, Open, Resource, apart, located, stack_rule
from charter.sidecars import some
from charter.values import UNKNOWN, Reader, Undetermined

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


def _gke(reader: Reader) -> bool:
    return reader.flag("costManagementConfig.enabled")


def _aks(reader: Reader) -> bool:
    return reader.flag("metricsProfile.costAnalysis.enabled")


CLUSTERS: Final[dict[str, Callable[[Reader], bool]]] = {
    "aws:eks/cluster:Cluster": lambda _: False,  # what EKS splits is switched on in the account's billing
    "gcp:container/cluster:Cluster": _gke,
    "azure-native:containerservice:ManagedCluster": _aks,
}
"""How a cluster says that its cloud tells what its namespaces cost."""


@stack_rule(
    "CH-23",
    "For each cloud somebody hears of costs before the month is over.",
    HIGH,
    ["pulumi:providers:*", NAMESPACE, *CLUSTERS],
    implies=("AWS-BUD-01", "GCP-BUD-01", "AZ-BUD-01"),
    remediation="Add the cloud's budget, or name it in evidence.budgets; run OpenCost; label namespaces with owners.",
)
def budgets(graph: Graph, facts: Facts) -> Iterator[Found]:
    """A budget that another stack keeps is named in the evidence, and undetermined until it is.

    The same holds of what splits a cluster's costs: OpenCost or Kubecost in it, or its cloud. One of a cloud's budgets
    warns of what will be spent. Where `evidence.monthly_usd` says how much a month may cost, the largest budgets of the
    clouds are together no more.
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
    yield from _split(graph, facts)
    for namespace in graph.of(NAMESPACE):
        for found in apart(_whose(namespace)):
            yield located(found, namespace.urn)


def _split(graph: Graph, facts: Facts) -> Iterator[Found]:
    """Judge whether each cluster's costs are told by namespace: by a program in it, or by its cloud."""
    named = facts.evidence.get("costs")
    for cluster in graph.of(*CLUSTERS):
        try:
            if CLUSTERS[cluster.type](cluster.reader) or _counted(graph, cluster):
                continue
        except Undetermined as unknown:
            yield Open(unknown.path, cluster.urn)
            continue
        if named is None:
            yield Open("evidence.costs", cluster.urn)
        elif not (isinstance(named, dict) and named.get(cluster.package)):
            yield Finding("", "nothing says what each of its namespaces costs", cluster.urn)


def _counted(graph: Graph, cluster: Resource) -> bool:
    """Say whether OpenCost or Kubecost runs in a cluster: in the one whose provider was made from it."""
    inside = {
        each.urn
        for each in graph.of("pulumi:providers:kubernetes")
        if cluster in graph.feeds(each, "kubeconfig") or each.name == cluster.name
    }
    charts = [each for each in graph.of(*CHARTS) if each.provider_urn in inside]
    return any(COUNTERS.search(str(each.reader.raw("chart"))) for each in charts)


CHARTS: Final = ("kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v4:Chart")
COUNTERS: Final = re.compile(r"(opencost|cost-analyzer|kubecost)(:|@|/|$)")
WHOSE: Final = re.compile(r"(^|[/_.-])(owner|team|cost[_-]?cent(re|er))$")
"""How labels end that say who pays for a namespace."""


def _whose(namespace: Resource) -> Iterator[Found]:
    labels = namespace.reader.map("metadata.labels")
    told = [value for key, value in labels.items() if WHOSE.search(str(key))]
    if UNKNOWN in told:
        yield Open("metadata.labels")
    elif not any(told):
        yield Finding("metadata.labels", "name no owner, team or cost centre: nobody would pay for it")


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
