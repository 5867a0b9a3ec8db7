"""Charter: claims are proved by checks that exist, and alarms are real."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from charter.facts import Facts
from charter.graph import Graph
from charter.rule import HIGH, Finding, Found, Open, Resource, apart, located, stack_rule
from charter.rules.charter_chaos import ALERTS
from charter.values import UNKNOWN, Reader


@stack_rule(
    "CH-19",
    "A claim is proved by a check that exists, and an alert can fire, reach somebody and be answered.",
    HIGH,
    [ALERTS, "*"],
    remediation="Name an alert or test in verified-by; use rate() of _bucket; add runbook_url and severity.",
    applies=lambda resource: resource.kind == "PrometheusRule" or bool(_claim(resource)),
)
def live_proof(graph: Graph, facts: Facts) -> Iterator[Found]:
    """A quantile over something that is no rate of buckets is a number without meaning."""
    names = set(map(str, facts.evidence.get("checks", ())))
    unclear = False
    for rules in graph.of(ALERTS):
        for found in apart(_alerts(rules.reader, names)):
            unclear = unclear or isinstance(found, Open)
            yield located(found, rules.urn)
    for resource in graph.resources:
        claim = _claim(resource)
        if claim is UNKNOWN or (claim and unclear and str(claim) not in names):
            yield Open("verified-by", resource.urn)
        elif claim and str(claim) not in names:
            yield Finding("verified-by", "names no check that exists", resource.urn)


def _claim(resource: Resource) -> Any:
    for path in ("tags", "labels", "metadata.annotations"):
        held = resource.reader.raw(path)
        if isinstance(held, dict) and (held.get("verified-by") or held.get("ecosystem.dev/verified-by")):
            return held.get("verified-by") or held.get("ecosystem.dev/verified-by")
    return None


RAW_SERIES: Final = r"\b(?!probe_)\w*(latency|duration)\w*_(seconds|milliseconds|ms)\s*(\{[^}]*\})?\s*[<>]"
"""A histogram of durations compared as it is; `probe_duration_seconds` is a gauge."""


def _alerts(reader: Reader, names: set[str]) -> Iterator[Found]:
    for group in reader.each("spec.groups"):
        for rule in group.each("rules"):
            name = rule.text("alert")
            if not name:
                continue
            names.add(name)
            yield from apart(_alert(rule))


def _alert(rule: Reader) -> Iterator[Found]:
    expression = rule.text("expr")
    if "histogram_quantile" in expression and not re.search(r"rate\([^)]*_bucket", expression):
        yield Finding(rule.at("expr"), "takes a quantile of something that is no rate of buckets")
    elif re.search(RAW_SERIES, expression):
        yield Finding(rule.at("expr"), "compares a histogram's raw series; use histogram_quantile of rate of _bucket")
    if not rule.map("annotations").get("runbook_url"):
        yield Finding(rule.at("annotations.runbook_url"), "is missing")
    if not rule.map("labels").get("severity"):
        yield Finding(rule.at("labels.severity"), "is missing: nobody would be told")
