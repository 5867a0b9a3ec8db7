"""Pods that a set of objects brings, and selectors over them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from components.kubernetes.references.things import Thing, at, flat

TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "Rollout": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
"""Where the template of pods stands in each kind that makes some."""
GATEWAY: Final = "gateway.networking.k8s.io/gateway-name"
DATABASE: Final = "cnpg.io/cluster"


@dataclass(frozen=True, kw_only=True)
class PodSet:
    """Pods of one maker: their labels as far as they are known, and the ports that they name."""

    namespace: str
    labels: Mapping[str, str]
    whole: bool = True
    """Whether these are all of their labels; of a chart's pods only some are known."""
    ports: Mapping[str, int] = field(default_factory=dict)
    maker: str = ""


def made(thing: Thing) -> Iterator[PodSet]:
    """Yield the pods of an object: of its template, or those that an operator makes for it."""
    if thing.kind in TEMPLATES and (template := thing.at(*TEMPLATES[thing.kind])) is not None:
        ports = {
            str(port["name"]): int(port["containerPort"])
            for container in at(template, "spec", "containers") or ()
            for port in at(container, "ports") or ()
            if "name" in port
        }
        labels = flat(at(template, "metadata", "labels"))
        yield PodSet(namespace=thing.namespace, labels=labels, ports=ports, maker=str(thing))
    elif thing.kind == "Gateway" and thing.group == "gateway.networking.k8s.io":
        yield PodSet(namespace=thing.namespace, labels={GATEWAY: thing.name}, whole=False, maker=str(thing))
    elif thing.kind == "Cluster" and thing.group == "postgresql.cnpg.io":
        yield PodSet(namespace=thing.namespace, labels={DATABASE: thing.name}, whole=False, maker=str(thing))
    elif thing.kind == "Release":
        labels = {"app.kubernetes.io/instance": thing.name}
        yield PodSet(namespace=thing.namespace, labels=labels, whole=False, maker=str(thing))


def could(selector: Any, pods: PodSet) -> bool:
    """Say whether a label selector can hold for pods; what is not known of a chart's labels may be anything."""
    labels = pods.labels
    for key, wanted in flat(at(selector, "matchLabels")).items():
        if labels.get(key) != wanted:
            return False
    for rule in at(selector, "matchExpressions") or ():
        key, operator = str(rule.get("key")), rule.get("operator")
        values = [str(each) for each in rule.get("values") or ()]
        here = labels.get(key)
        good = {
            "In": here in values,
            "NotIn": here not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }
        if not good.get(str(operator), False):
            return False
    return True


def chosen(selector: Any, pods: Iterable[PodSet], namespaces: Iterable[str] | None) -> list[PodSet]:
    """Return the pods of namespaces (None: of all) that a selector can hold for."""
    within = None if namespaces is None else set(namespaces)
    return [each for each in pods if (within is None or each.namespace in within) and could(selector, each)]


def empty(selector: Any) -> bool:
    """Say whether a selector names no label: it holds for everything."""
    return not (at(selector, "matchLabels") or at(selector, "matchExpressions"))
