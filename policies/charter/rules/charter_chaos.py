"""Charter: experiments stay small, end, and meet what can bear them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from charter.cluster_kinds import PDB, SCALERS, delivered, replicas_of, targets_of
from charter.facts import Facts
from charter.graph import Graph
from charter.pods import LONG_RUNNING, name_of, namespace_of
from charter.rule import CRITICAL, HIGH, Finding, Found, Open, Resource, apart, located, resource_rule, stack_rule
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
TOUCHES_BOTH = frozenset({"from", "both"})
"""Directions in which a fault of the network is set up at the other end too.

Source: chaos-mesh.org/docs/simulate-network-chaos-on-kubernetes, 2026-11.
"""
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
        if spec.text("direction", "to") in TOUCHES_BOTH and spec.has("target"):
            target = spec.inside("target")
            yield from apart(_mode(target), _selector(target.inside("selector"), facts))


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
    if not selector.map("labelSelectors") and not selector.has("expressionSelectors"):
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
    if not re.fullmatch(r"\+?(\d+(\.\d+)?(ms|h|m|s))+", text):
        return 0.0
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
        namespaces = selector.values("namespaces")
        near = [each for each in _long_running(graph, experiment) if namespace_of(each) in namespaces]
        wanted = {
            "matchLabels": selector.map("labelSelectors"),
            "matchExpressions": selector.values("expressionSelectors"),
        }
        where = selector.at("labelSelectors")
        targets = [each for each in near if selects(wanted, each.reader.raw("spec.template.metadata.labels"))]
        if not targets and (not near or delivered(graph, experiment)):
            yield Open(where)  # what runs there comes from elsewhere: a chart, or a repository of deployments
        elif not targets:
            yield Finding(where, "selects no workload of this stack")
        for target in targets:
            yield from _bears(graph, experiment, target, where, seen)
    if not graph.of(ALERTS):
        yield Finding("", "no alert would tell")
    if not graph.of("kubernetes:chaos-mesh.org/v1alpha1:StatusCheck") and not _aborts(experiment.reader):
        yield Finding("", "no StatusCheck would stop it")


def _long_running(graph: Graph, experiment: Resource) -> list[Resource]:
    """Workloads of the experiment's cluster whose pods are written here: a Rollout may take over those of another."""
    of_cluster = (each for each in graph.of("kubernetes:*") if each.provider_urn == experiment.provider_urn)
    return [each for each in of_cluster if each.kind in LONG_RUNNING and not each.reader.has("spec.workloadRef")]


def _bears(
    graph: Graph, experiment: Resource, target: Resource, where: str, seen: dict[tuple[str, str, str], str]
) -> Iterator[Found]:
    """Judge whether a target can lose a part: one experiment, two replicas, a budget."""
    key = (target.provider_urn, namespace_of(target), name_of(target))
    if key in seen and seen[key] != experiment.urn:
        yield Finding(where, f"{target.name} has another experiment already")
    seen[key] = experiment.urn
    if _least(graph, target) < 2:  # noqa: PLR2004  one may fall
        yield Finding(where, f"{target.name} has fewer than 2 replicas")
    template = target.reader.raw("spec.template.metadata.labels")
    near = [pdb for pdb in graph.of(PDB) if pdb.provider_urn == target.provider_urn]
    near = [pdb for pdb in near if namespace_of(pdb) == namespace_of(target)]
    if not any(selects(pdb.reader.raw("spec.selector"), template) for pdb in near):
        yield Finding(where, f"{target.name} has no PodDisruptionBudget")


def _least(graph: Graph, target: Resource) -> float:
    """Return how many copies there are at least: as many as an autoscaler keeps, where one decides."""
    for scaler in graph.of(*SCALERS):
        if target in targets_of(graph, scaler):
            low, _ = replicas_of(scaler)
            if low is UNKNOWN:
                raise Undetermined(scaler.reader.at("spec.scaleTargetRef"))
            return float(low) if str(low).isdigit() else 1
    return target.reader.number("spec.replicas", 1)


def _aborts(experiment: Reader) -> bool:
    """Say whether a workflow, of its own or in a schedule, ends when its own check fails."""
    templates = [*experiment.each("spec.templates"), *experiment.each("spec.workflow.templates")]
    return any(each.text("templateType") == "StatusCheck" and each.flag("abortWithStatusCheck") for each in templates)
