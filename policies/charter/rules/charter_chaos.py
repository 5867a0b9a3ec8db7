"""Charter: experiments stay small, end, and are watched; alarms are real; the mesh closes over every workload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

from charter.cluster_kinds import (
    NAMESPACE,
    NOWHERE,
    PDB,
    POLICY,
    by_namespace,
    ours,
)
from charter.facts import Facts
from charter.graph import Graph
from charter.pods import LONG_RUNNING, holds_pods, name_of, namespace_of
from charter.rule import CRITICAL, HIGH, Finding, Found, Open, Resource, apart, located, resource_rule, stack_rule
from charter.rules.mesh import AUTHORIZATION, LABELS, PEER, denies_all
from charter.selectors import selects
from charter.values import UNKNOWN, Reader, Undetermined
from charter.waivers import day_of

CHAOS = "kubernetes:chaos-mesh.org/v1alpha1:*"
ALERTS = "kubernetes:monitoring.coreos.com/v1:PrometheusRule"
GUARDED_NAMESPACES = re.compile(r"^(kube-.*|istio-.*|.*(audit|monitoring|secrets|vault|falco|external-secrets).*)$")
PERCENT, FIXED = 25, 1
LONGEST = 15 * 60
LIFE = timedelta(days=30)
EXPIRES = "ecosystem.dev/expires-at"
WITHOUT_TARGET = frozenset({"StatusCheck", "RemoteCluster", "WorkflowNode"})


def _specs(resource: Resource) -> Iterator[Reader]:
    """Yield the specs of an experiment: its own, the one inside a Schedule, those of a Workflow's templates."""
    spec = resource.reader.inside("spec")
    if resource.kind == "Workflow":
        for template in spec.each("templates"):
            yield from _held(template)
    elif resource.kind == "Schedule":
        kind = spec.text("type")
        if kind == "Workflow":
            for template in spec.inside("workflow").each("templates"):
                yield from _held(template)
        else:
            yield spec.inside(kind[:1].lower() + kind[1:] if kind else "podChaos")
    else:
        yield spec


def _held(template: Reader) -> Iterator[Reader]:
    """Yield the experiments of a Workflow's template; `duration` stands beside them as `deadline`."""
    for name in template.props:
        if str(name).endswith("Chaos"):
            held = template.inside(str(name))
            yield Reader({"duration": template.raw("deadline"), **held.props}, held.path)
    if template.has("schedule"):
        kind = template.text("schedule.type")
        yield template.inside(f"schedule.{kind[:1].lower()}{kind[1:]}")


@resource_rule(
    "CH-20",
    "An experiment touches little, and never what keeps the platform alive.",
    CRITICAL,
    [CHAOS],
    remediation="Use mode one, fixed 1 or fixed-percent 25 at most; name namespaces and labels.",
    applies=lambda resource: resource.kind not in WITHOUT_TARGET,
)
def radius(resource: Resource, facts: Facts) -> Iterator[Found]:
    """A selector without labels is every pod; one without namespaces is every namespace."""
    for spec in _specs(resource):
        yield from apart(_mode(spec), _selector(spec.inside("selector"), facts))


def _mode(spec: Reader) -> Iterator[Found]:
    mode = spec.text("mode")
    value = spec.number("value", -1)
    allowed = (
        mode == "one"
        or (mode == "fixed" and 0 <= value <= FIXED)
        or (mode == "fixed-percent" and 0 <= value <= PERCENT)
    )
    if not allowed:
        yield Finding(spec.at("mode"), f"touches too much; allowed is one, fixed {FIXED} or fixed-percent {PERCENT}")


def _selector(selector: Reader, facts: Facts) -> Iterator[Found]:
    namespaces = selector.values("namespaces")
    if not namespaces:
        yield Finding(selector.at("namespaces"), "are missing: every namespace would be touched")
    for index, name in enumerate(namespaces):
        if GUARDED_NAMESPACES.match(str(name)):
            yield Finding(selector.at(f"namespaces[{index}]"), "keeps the platform alive; experiments stay out of it")
        elif facts.allowed_namespaces and name not in facts.allowed_namespaces:
            yield Finding(selector.at(f"namespaces[{index}]"), "is no namespace for experiments")
    if not selector.map("labelSelectors"):
        yield Finding(selector.at("labelSelectors"), "are missing: every pod would be touched")


@resource_rule(
    "CH-21",
    "An experiment ends, and so does the permission for it.",
    HIGH,
    [CHAOS],
    remediation=f"Set duration to 15m at most and the annotation {EXPIRES} within 30 days; Forbid concurrency.",
    applies=lambda resource: resource.kind not in WITHOUT_TARGET,
)
def expiry(resource: Resource, facts: Facts) -> Iterator[Found]:
    """In production somebody approved it, under a ticket."""
    for spec in _specs(resource):
        yield from apart(_duration(spec), _dates(resource.reader, facts))
    if resource.kind == "Schedule" and resource.reader.read("spec.concurrencyPolicy", "Forbid") != "Forbid":
        yield Finding("spec.concurrencyPolicy", "must be Forbid")


def _duration(spec: Reader) -> Iterator[Found]:
    seconds = _seconds(spec.text("duration"))
    if not 0 < seconds <= LONGEST:
        yield Finding(spec.at("duration"), "is missing or longer than 15m")


def _seconds(text: str) -> float:
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", text)
    return sum(float(number) * {"h": 3600, "m": 60, "s": 1, "ms": 0.001}[unit] for number, unit in parts)


def _dates(reader: Reader, facts: Facts) -> Iterator[Found]:
    notes = reader.map("metadata.annotations")
    where = f"metadata.annotations.{EXPIRES}"
    text = notes.get(EXPIRES)
    if text is UNKNOWN:
        yield Open(where)
        return
    try:
        end = date.fromisoformat(str(text)[:10])
    except ValueError:
        yield Finding(where, "is missing or no date")
        return
    today = day_of(facts)
    if not today < end <= today + LIFE:
        yield Finding(where, f"must be after {today.isoformat()} and within {LIFE.days} days")
    for key in ("ecosystem.dev/approver", "ecosystem.dev/ticket") if facts.production else ():
        if not notes.get(key):
            yield Finding(f"metadata.annotations.{key}", "is missing; production needs it")


@stack_rule(
    "CH-22",
    "An experiment meets something that can bear it, and is stopped when it does not.",
    HIGH,
    [CHAOS],
    remediation="Target two replicas with a PodDisruptionBudget, an alert and a StatusCheck; one at a time.",
    applies=lambda resource: resource.kind not in WITHOUT_TARGET,
)
def guarded(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Replicas, budget, alert and abort condition are looked for in the graph."""
    seen: dict[tuple[str, str, str], str] = {}
    for experiment in graph.of(CHAOS):
        if experiment.kind not in WITHOUT_TARGET:
            for found in apart(_guard(graph, experiment, seen)):
                yield located(found, experiment.urn)


def _guard(graph: Graph, experiment: Resource, seen: dict[tuple[str, str, str], str]) -> Iterator[Found]:
    for spec in _specs(experiment):
        selector = spec.inside("selector")
        labels, namespaces = selector.map("labelSelectors"), selector.values("namespaces")
        targets = [
            each
            for each in graph.of("kubernetes:*")
            if each.kind in LONG_RUNNING
            and each.provider_urn == experiment.provider_urn
            and namespace_of(each) in namespaces
            and selects({"matchLabels": labels}, each.reader.raw("spec.template.metadata.labels"))
        ]
        if not targets:
            yield Finding(selector.at("labelSelectors"), "selects no workload of this stack")
        for target in targets:
            key = (target.provider_urn, namespace_of(target), name_of(target))
            if key in seen and seen[key] != experiment.urn:
                yield Finding(selector.at("labelSelectors"), f"{target.name} has another experiment already")
            seen[key] = experiment.urn
            if target.reader.number("spec.replicas", 1) < 2:  # noqa: PLR2004  one may fall
                yield Finding(selector.at("labelSelectors"), f"{target.name} has fewer than 2 replicas")
            if UNKNOWN in labels.values():
                raise Undetermined(selector.at("labelSelectors"))
            template = target.reader.raw("spec.template.metadata.labels")
            budgets = [
                pdb
                for pdb in graph.of(PDB)
                if pdb.provider_urn == target.provider_urn
                and namespace_of(pdb) == namespace_of(target)
                and selects(pdb.reader.raw("spec.selector"), template)
            ]
            if not budgets:
                yield Finding(selector.at("labelSelectors"), f"{target.name} has no PodDisruptionBudget")
    if not graph.of(ALERTS):
        yield Finding("", "no alert would tell")
    if not graph.of("kubernetes:chaos-mesh.org/v1alpha1:StatusCheck"):
        yield Finding("", "no StatusCheck would stop it")


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


@stack_rule(
    "CH-25",
    "In the mesh every namespace with workloads is closed four times.",
    HIGH,
    [NAMESPACE],
    remediation="Add STRICT PeerAuthentication, the deny AuthorizationPolicy and NetworkPolicy, and the label.",
)
def closed(graph: Graph, _facts: Facts) -> Iterator[Found]:  # noqa: C901  four conditions, each asked once
    """The result is a set difference per cluster and namespace, only where the cluster has a mesh."""
    meshed = {each.provider_urn for each in graph.of("kubernetes:*") if "istio.io" in each.type}
    busy: set[tuple[str, str]] = set()
    for each in graph.of("kubernetes:*"):
        if holds_pods(each):
            try:
                busy.add((each.provider_urn, namespace_of(each)))
            except Undetermined:
                busy.add((each.provider_urn, NOWHERE))
    strict = {(each.provider_urn, namespace_of(each)) for each in graph.of(PEER) if _strict(each)}
    open_peers = {each.provider_urn for each in graph.of(PEER) if each.reader.raw("spec.mtls.mode") is UNKNOWN}
    denied = by_namespace(graph, AUTHORIZATION)
    policies = by_namespace(graph, POLICY)
    for key, namespace in ours(graph).items():
        if key[0] not in meshed or key not in busy:
            continue
        labels = namespace.reader.raw("metadata.labels")
        undecided = open_peers & {key[0]} or any(
            held.get((key[0], NOWHERE)) or any(each.props.get("spec") is UNKNOWN for each in held.get(key, []))
            for held in (denied, policies)
        )
        if labels is UNKNOWN or undecided:
            yield Open("metadata.labels", namespace.urn)
            continue
        missing = []
        if key not in strict and (key[0], "istio-system") not in strict:
            missing.append("STRICT")
        if not any(_denied(each) for each in denied.get(key, [])):
            missing.append("deny AuthorizationPolicy")
        if not policies.get(key):
            missing.append("NetworkPolicy")
        if not any(label in labels for label in LABELS if isinstance(labels, dict)):
            missing.append("injection")
        if missing:
            yield Finding("", f"lacks {', '.join(missing)}", namespace.urn)


def _denied(policy: Resource) -> bool:
    try:
        return denies_all(policy.reader)
    except Undetermined:
        return False


def _strict(peer: Resource) -> bool:
    return peer.reader.raw("spec.mtls.mode") == "STRICT" and not peer.reader.has("spec.selector")
