"""Charter: claims are proved by checks that exist, and alarms are real."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from charter.alerting import SILENT, WAITS, Routes, routes
from charter.facts import Facts
from charter.graph import Graph
from charter.rule import HIGH, Excused, Finding, Found, Open, Resource, apart, located, stack_rule
from charter.rules.charter_chaos import ALERTS
from charter.series import series
from charter.values import UNKNOWN, Reader, hazy


@stack_rule(
    "CH-19",
    "A claim is proved by a check that exists, and an alert can fire, reach somebody and be answered.",
    HIGH,
    [ALERTS, "*"],
    remediation="Name a check in verified-by; rate() of _bucket; a runbook_url that exists; a route that tells.",
    applies=lambda resource: resource.kind == "PrometheusRule" or bool(_claim(resource)),
)
def live_proof(graph: Graph, facts: Facts) -> Iterator[Found]:
    """A quantile over something that is no rate of buckets is a number without meaning.

    An alert is followed through the routes of its cluster's Alertmanager to somebody who is told. A runbook inside the
    repository is one that `evidence.runbooks` names; a series is recorded here, or one of `evidence.series` where that
    is given.
    """
    names = set(map(str, facts.evidence.get("checks", ())))
    unclear = False
    for rules in graph.of(ALERTS):
        for found in apart(_alerts(rules.reader, names), _answered(graph, rules, facts)):
            unclear = unclear or (isinstance(found, Open) and found.path.startswith("spec"))
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


BUCKETS: Final = re.compile(r"(rate|increase)\([^)]*_bucket|_bucket:(\w+:)*\w*(rate|increase)")
"""A rate of buckets, or a series that a rule recorded of one (prometheus.io/docs/practices/rules, 2026-11)."""


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
    if "histogram_quantile" in expression and not BUCKETS.search(expression):
        yield Finding(rule.at("expr"), "takes a quantile of something that is no rate of buckets")
    elif re.search(RAW_SERIES, expression):
        yield Finding(rule.at("expr"), "compares a histogram's raw series; use histogram_quantile of rate of _bucket")
    if not rule.map("annotations").get("runbook_url"):
        yield Finding(rule.at("annotations.runbook_url"), "is missing")
    if not rule.map("labels").get("severity"):
        yield Finding(rule.at("labels.severity"), "is missing: nobody would be told")


def _each_alert(reader: Reader) -> Iterator[Reader]:
    for group in reader.each("spec.groups"):
        yield from (rule for rule in group.each("rules") if rule.text("alert"))


def _answered(graph: Graph, rules: Resource, facts: Facts) -> Iterator[Found]:
    """Judge where each alert of an object goes, what is read there, and whether its series exist."""
    ways = routes(graph, rules)
    exported = facts.evidence.get("series")
    known = set(map(str, exported)) | _recorded(graph, rules) if isinstance(exported, list) else None
    for rule in _each_alert(rules.reader):
        yield from apart(_heard(rule, ways), _runbook(rule, facts.evidence.get("runbooks")), _exported(rule, known))


def _heard(rule: Reader, ways: list[Routes] | None) -> Iterator[Found]:
    severity = rule.map("labels").get("severity")
    if not isinstance(severity, str) or not severity or severity in SILENT:
        return
    if not ways:
        yield Open("alertmanager")  # its cluster's Alertmanager is not in this stack, or not known yet
    elif not any(way.reach({**rule.map("labels"), "alertname": rule.text("alert")}) for way in ways):
        where = rule.at("labels.severity")
        told = "leads to a receiver that tells nobody, or to none"
        yield Excused(where, f"{severity}: {told}; it waits to be seen") if severity in WAITS else Finding(where, told)


def _runbook(rule: Reader, runbooks: Any) -> Iterator[Found]:
    where = rule.map("annotations").get("runbook_url")
    if not isinstance(where, str) or "://" in where or "{{" in where:
        return
    if not isinstance(runbooks, list):
        yield Open("evidence.runbooks")
    elif where not in runbooks:
        yield Finding(rule.at("annotations.runbook_url"), "is no runbook of this repository")


def _exported(rule: Reader, known: set[str] | None) -> Iterator[Found]:
    missing = sorted(series(rule.text("expr")) - known) if known is not None else []
    if missing:
        yield Finding(rule.at("expr"), f"asks for {', '.join(missing)}, which nothing exports")


def _recorded(graph: Graph, rules: Resource) -> set[str]:
    """Return the series that rules of the same cluster record."""
    return {
        str(rule.raw("record"))
        for other in graph.of(ALERTS)
        if other.provider_urn == rules.provider_urn and not hazy(other.props.get("spec"))
        for group in other.reader.each("spec.groups")
        for rule in group.each("rules")
    }
