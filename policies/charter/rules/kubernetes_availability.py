"""Rules over how workloads outlive the loss of a part, and who sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from charter.cluster_kinds import (
    HPA,
    MONITORS,
    NOWHERE,
    PDB,
    SCALERS,
    SERVICE,
    by_namespace,
    delivered,
    labels_of,
    replicas_of,
    targets_of,
    workloads,
)
from charter.facts import Facts
from charter.graph import Graph
from charter.pods import name_of, namespace_of
from charter.rule import (
    MEDIUM,
    Finding,
    Found,
    Open,
    Resource,
    apart,
    located,
    stack_rule,
)
from charter.selectors import selects
from charter.values import UNKNOWN, Reader, Undetermined, walk


@stack_rule(
    "K8S-POD-13",
    "What serves users stands more than once, in more than one zone.",
    MEDIUM,
    ["kubernetes:apps/v1:*", *SCALERS],
    remediation="Set replicas >= 2 or an autoscaler, and topologySpreadConstraints over zones.",
)
def spread(graph: Graph, facts: Facts) -> Iterator[Found]:
    """Only where the facts say production."""
    if not facts.production:
        return
    scaled = {target.urn for hpa in graph.of(*SCALERS) for target in targets_of(graph, hpa)}
    for workload in graph.of("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet"):
        for found in apart(_spread(workload, scaled=workload.urn in scaled)):
            yield located(found, workload.urn)


def _spread(workload: Resource, *, scaled: bool) -> Iterator[Found]:
    reader = workload.reader
    if not scaled and reader.number("spec.replicas", 1) < 2:  # noqa: PLR2004  one may fail
        yield Finding("spec.replicas", "is less than 2, and no autoscaler names it")
    spec = reader.inside("spec.template.spec")
    labels = reader.raw("spec.template.metadata.labels")
    keys = [each.text("topologyKey") for each in spec.each("topologySpreadConstraints") if _of_itself(each, labels)]
    anti = list(walk(spec.map("affinity").get("podAntiAffinity", {})))
    if not any("zone" in key for key in keys) and not any("zone" in str(value) for _, value in anti):
        yield Finding(spec.at("topologySpreadConstraints"), "do not spread it over zones")


def _of_itself(constraint: Reader, labels: Any) -> bool:
    """Say whether a constraint counts the workload's own pods; one that selects none, or others, spreads nothing."""
    selector = constraint.raw("labelSelector")
    return selector is not None and selects(selector, labels, constraint.at("labelSelector"))


@stack_rule(
    "K8S-AVL-01",
    "Maintenance never takes the last one away, and is never blocked.",
    MEDIUM,
    [PDB, "kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet"],
    remediation="Add a PodDisruptionBudget with maxUnavailable 1 (or minAvailable below the replicas).",
)
def budgets(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """One per workload with two replicas or more, which leaves one disruption at least."""
    held = by_namespace(graph, PDB)
    least = {target.urn: replicas_of(each)[0] for each in graph.of(*SCALERS) for target in targets_of(graph, each)}
    for workload in graph.of("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet"):
        replicas = workload.reader.raw("spec.replicas")
        replicas = least.get(workload.urn, 1) if replicas is None else replicas
        if replicas is UNKNOWN:
            yield Open("spec.replicas", workload.urn)
            continue
        if not str(replicas).isdigit() or (replicas := int(replicas)) < 2:  # noqa: PLR2004
            continue
        try:
            candidates = held.get((workload.provider_urn, namespace_of(workload)), [])
            mine = [pdb for pdb in candidates if selects(pdb.reader.raw("spec.selector"), labels_of(workload))]
            if not mine and held.get((workload.provider_urn, NOWHERE)):
                raise Undetermined("metadata.namespace")  # noqa: TRY301  caught with what selects() raises
        except Undetermined as unknown:
            yield Open(unknown.path, workload.urn)
            continue
        if not mine:
            yield Finding("", "no PodDisruptionBudget selects it", workload.urn)
        for pdb in mine[1:]:
            yield Finding("spec.selector", "selects pods of another budget: none of them may be moved", pdb.urn)
        for pdb in mine:
            if _blocks(pdb.reader, replicas):
                yield Finding("spec", "leaves no voluntary disruption: nodes could never be drained", pdb.urn)


def _blocks(pdb: Reader, replicas: int) -> bool:
    most, least = pdb.raw("spec.maxUnavailable"), pdb.raw("spec.minAvailable")
    if most is not None:
        return str(most) in ("0", "0%")
    text = str(least)
    if text.endswith("%") and text[:-1].isdigit():
        return -(-replicas * int(text[:-1]) // 100) >= replicas
    return text.isdigit() and int(text) >= replicas


@stack_rule(
    "K8S-AVL-02",
    "An autoscaler has something to scale, within bounds.",
    MEDIUM,
    [*SCALERS],
    remediation="Point scaleTargetRef to a workload; 2 <= min <= max; no fixed replicas; no VPA on the same metric.",
)
def autoscalers(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """A fixed number of replicas fights the autoscaler; so does a vertical one on the same metric."""
    vertical = graph.of("kubernetes:autoscaling.k8s.io/v1:VerticalPodAutoscaler")
    for hpa in graph.of(*SCALERS):
        for found in apart(_bounds(hpa.reader) if hpa.type == HPA else _idles(hpa)):
            yield located(found, hpa.urn)
        targets = targets_of(graph, hpa)
        ref = hpa.reader.inside("spec.scaleTargetRef")
        if not targets and UNKNOWN in (ref.raw("name"), ref.raw("kind"), *_workload_names(graph, hpa)):
            yield Open("spec.scaleTargetRef.name", hpa.urn)
        elif not targets and delivered(graph, hpa):
            yield Open("spec.scaleTargetRef.name", hpa.urn)  # it may come from a repository
        elif not targets and not _of_another_kind(graph, hpa):
            yield Finding("spec.scaleTargetRef", "names nothing of this stack", hpa.urn)
        for target in targets:
            if target.reader.has("spec.replicas"):
                yield Finding("spec.replicas", "is fixed, and an autoscaler moves it", target.urn)
        for vpa in vertical:
            same = vpa.reader.raw("spec.targetRef.name") == ref.raw("name") and vpa.provider_urn == hpa.provider_urn
            moves = vpa.reader.raw("spec.updatePolicy.updateMode") not in ("Off", "Initial")
            if same and moves and _moved(vpa.reader) & _watched(hpa.reader):
                yield Finding("spec.updatePolicy.updateMode", "fights the horizontal one on the same metric", vpa.urn)


def _of_another_kind(graph: Graph, scaler: Resource) -> bool:
    """Say whether an autoscaler names a custom object of its namespace, which scales what it makes."""
    ref, space = scaler.reader.inside("spec.scaleTargetRef"), scaler.reader.raw("metadata.namespace")
    return any(
        each.kind == ref.raw("kind")
        and name_of(each) == ref.raw("name")
        and each.provider_urn == scaler.provider_urn
        and each.reader.raw("metadata.namespace") in (space, UNKNOWN)
        for each in graph.of("kubernetes:*")
    )


def _moved(vpa: Reader) -> set[str]:
    """Return which resources a vertical autoscaler changes: both, unless every container names fewer."""
    policies = list(vpa.each("spec.resourcePolicy.containerPolicies"))
    if not any(policy.text("containerName") == "*" for policy in policies):
        return {"cpu", "memory"}
    return {
        name
        for policy in policies
        if policy.text("mode") != "Off"
        for name in policy.texts("controlledResources") or ["cpu", "memory"]
    }


def _watched(hpa: Reader) -> set[str]:
    """Return which resources a horizontal autoscaler goes by; without metrics it is the processor."""
    metrics = list(hpa.each("spec.metrics"))
    names = {metric.text(f"{kind}.name") for metric in metrics for kind in ("resource", "containerResource")}
    return names if metrics else {"cpu"}


def _workload_names(graph: Graph, hpa: Resource) -> list[Any]:
    return [each.reader.raw("metadata.name") for each in workloads(graph) if each.provider_urn == hpa.provider_urn]


def _idles(scaled: Resource) -> Iterator[Found]:
    """KEDA may let what waits for work rest with no copy at all; the bounds must be some all the same."""
    low, high = replicas_of(scaled)
    if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
        yield Finding("spec.minReplicaCount", f"{low:g} to {high:g}; needed is min <= max")


def _bounds(hpa: Reader) -> Iterator[Found]:
    low, high = hpa.number("spec.minReplicas", 1), hpa.number("spec.maxReplicas")
    if not 2 <= low <= high:  # noqa: PLR2004
        yield Finding("spec.minReplicas", f"{low:g} to {high:g}; needed is 2 <= min <= max")


@stack_rule(
    "K8S-MON-01",
    "What offers figures is asked for them.",
    MEDIUM,
    [SERVICE, MONITORS],
    remediation="Add a ServiceMonitor whose selector holds for the Service's labels.",
)
def monitored(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """A Service with a port called metrics, or http-metrics, is selected by a monitor of the same cluster."""
    monitors = graph.of(*SEEING)
    for service in graph.of(SERVICE):
        ports = service.reader.raw("spec.ports")
        names = [port.get("name") for port in ports if isinstance(port, dict)] if isinstance(ports, list) else []
        if not any(isinstance(name, str) and "metrics" in name for name in names):
            continue
        labels = service.reader.raw("metadata.labels")
        if labels is UNKNOWN:
            yield Open("metadata.labels", service.urn)
            continue
        try:
            mine = [each for each in monitors if each.provider_urn == service.provider_urn and _sees(each, service)]
            chosen = [
                each
                for each in mine
                if selects(each.reader.raw("spec.selector"), _labels_seen(each, service)) and _asks(each.reader, names)
            ]
        except Undetermined as unknown:
            yield Open(unknown.path, service.urn)
            continue
        if not chosen:
            yield Finding("", "offers metrics, and no ServiceMonitor selects it", service.urn)


SEEING = ("kubernetes:monitoring.coreos.com/v1:ServiceMonitor", "kubernetes:monitoring.coreos.com/v1:PodMonitor")


def _asks(monitor: Reader, names: list[Any]) -> bool:
    """Say whether a monitor asks one of a service's ports; one of pods names ports of containers."""
    held = list(monitor.each("spec.endpoints"))
    return not held or any(each.raw("targetPort") is not None or each.raw("port") in (None, *names) for each in held)


def _labels_seen(monitor: Resource, service: Resource) -> Any:
    """Return the labels that a monitor selects by: a Service's own, or those of the pods behind it."""
    return service.reader.raw("metadata.labels" if monitor.kind == "ServiceMonitor" else "spec.selector")


def _sees(monitor: Resource, service: Resource) -> bool:
    """Say whether a monitor looks into a service's namespace: its own, unless it names others."""
    spaces = monitor.reader.inside("spec.namespaceSelector")
    named = spaces.texts("matchNames")
    if spaces.flag("any") or namespace_of(service) in named:
        return True
    return not named and namespace_of(monitor) == namespace_of(service)
