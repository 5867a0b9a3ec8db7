"""Selectors that nothing answers: of services, budgets, monitors, network policies, permissions, experiments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from components.kubernetes.references.by_key import missing
from components.kubernetes.references.pods import TEMPLATES, PodSet, chosen, could, empty, made
from components.kubernetes.references.standing import Standing
from components.kubernetes.references.things import Dangling, Path, Thing, at, flat, nodes, text, written

NAME: Final = "kubernetes.io/metadata.name"
Found = Iterator[Dangling]


def check(thing: Thing, there: Standing) -> Found:
    """Yield the selectors of one object that hold for nothing."""
    if thing.kind in TEMPLATES and thing.kind != "Pod":
        yield from _own(thing)
    if (judge := JUDGES.get(thing.kind)) is not None:
        yield from judge(thing, there)


def _nothing(thing: Thing, path: Path, selector: Any, where: Iterable[str] | None) -> Dangling:
    words = ", ".join(f"{key}={value}" for key, value in flat(at(selector, "matchLabels")).items()) or str(selector)
    place = "any namespace" if where is None else ", ".join(sorted(where)) or "no namespace"
    what = f"no pod of {place} carries {words}"
    return Dangling(who=str(thing), path=written(path), what=what, fix="write labels that its pods carry")


def _answer(there: Standing, selector: Any, where: set[str] | None) -> list[PodSet] | None:
    """Return the pods that a selector holds for; None where it names no label, and so holds for whatever comes."""
    return None if empty(selector) else chosen(selector, there.pods, where)


def _own(thing: Thing) -> Found:
    selector = thing.at("spec", "selector")
    if thing.kind != "CronJob" and selector and not any(could(selector, each) for each in made(thing)):
        if thing.kind == "Rollout" and thing.at("spec", "template") is None:
            return
        what = "selects other labels than its own template gives"
        yield Dangling(who=str(thing), path="spec.selector", what=what, fix="write the labels of the template")
    template = TEMPLATES[thing.kind]
    for kind in ("containers", "initContainers"):
        volumes = {each.get("name") for each in thing.items(*template, "spec", "volumes")}
        volumes |= {at(each, "metadata", "name") for each in thing.items("spec", "volumeClaimTemplates")}
        for place, container in enumerate(thing.items(*template, "spec", kind)):
            for at_, mount in enumerate(at(container, "volumeMounts") or ()):
                if mount.get("name") not in volumes:
                    path = (*template, "spec", kind, place, "volumeMounts", at_, "name")
                    yield missing(thing, path, "the volume", str(mount.get("name")), volumes - {None}, "add it")


def _ports(pods: Iterable[PodSet]) -> set[str] | None:
    """Return the ports that pods name; None where no template of theirs is at hand."""
    own = [each for each in pods if each.whole]
    return {name for each in own for name in each.ports} if own else None


def _service(thing: Thing, there: Standing) -> Found:
    labels = flat(thing.at("spec", "selector"))
    if not labels or thing.group:
        return
    found = chosen({"matchLabels": labels}, there.pods, {thing.namespace})
    if not found:
        yield _nothing(thing, ("spec", "selector"), {"matchLabels": labels}, {thing.namespace})
    for place, port in enumerate(thing.items("spec", "ports")):
        name = port.get("targetPort")
        told = _ports(found)
        if isinstance(name, str) and told is not None and name not in told:
            path: Path = ("spec", "ports", place, "targetPort")
            yield missing(thing, path, "the port of its pods", name, told, "name one of their ports")


def _one(thing: Thing, there: Standing) -> Found:
    """Read `spec.selector` over the object's own namespace."""
    found = _answer(there, thing.at("spec", "selector"), {thing.namespace})
    if found == []:
        yield _nothing(thing, ("spec", "selector"), thing.at("spec", "selector"), {thing.namespace})


def _spaces(thing: Thing, there: Standing) -> tuple[set[str] | None, list[Dangling]]:
    """Return where a monitor looks (None: everywhere), and the namespaces that are not there."""
    if thing.at("spec", "namespaceSelector", "any"):
        return None, []
    names = thing.items("spec", "namespaceSelector", "matchNames")
    path: Path = ("spec", "namespaceSelector", "matchNames")
    lost = [
        missing(thing, (*path, place), "the Namespace", str(each), there.namespaces, "add it, or name another")
        for place, each in enumerate(names)
        if text(each) and each not in there.namespaces
    ]
    return {str(each) for each in names} or {thing.namespace}, lost


def _pod_monitor(thing: Thing, there: Standing) -> Found:
    where, lost = _spaces(thing, there)
    yield from lost
    found = _answer(there, thing.at("spec", "selector"), where)
    if found == [] and not lost:
        yield _nothing(thing, ("spec", "selector"), thing.at("spec", "selector"), where)
    for place, each in enumerate(thing.items("spec", "podMetricsEndpoints")):
        port = text(each.get("port"))
        told = _ports(found or ())
        if port and told is not None and port not in told:
            path: Path = ("spec", "podMetricsEndpoints", place, "port")
            yield missing(thing, path, "the port of the pods", port, told, "name one of their ports")


def _service_monitor(thing: Thing, there: Standing) -> Found:
    where, lost = _spaces(thing, there)
    yield from lost
    selector = thing.at("spec", "selector")
    found = [
        each
        for each in there.things
        if (each.kind, each.group) == ("Service", "") and (where is None or each.namespace in where)
        and could(selector, PodSet(namespace=each.namespace, labels=each.labels))
    ]  # fmt: skip
    tenants = where is None or bool(where & there.known.tenants)
    charts = where is None or any(space in there.charts for space in where)
    if not found and not tenants and not charts and not lost:
        what = "no Service carries these labels"
        yield Dangling(who=str(thing), path="spec.selector", what=what, fix="write labels that its Services carry")
    for place, each in enumerate(thing.items("spec", "endpoints")):
        named = {name for service in found for port in service.items("spec", "ports") if (name := port.get("name"))}
        port = text(each.get("port"))
        if port and found and not tenants and port not in named:
            path = ("spec", "endpoints", place, "port")
            yield missing(thing, path, "the port of the Services", port, named, "name one of their ports")


def _policy(thing: Thing, there: Standing) -> Found:
    own = thing.at("spec", "podSelector")
    if _answer(there, own, {thing.namespace}) == []:
        yield _nothing(thing, ("spec", "podSelector"), own, {thing.namespace})
    for side, ends in (("ingress", "from"), ("egress", "to")):
        for place, rule in enumerate(thing.items("spec", side)):
            for end, peer in enumerate(at(rule, ends) or ()):
                yield from _peer(thing, there, ("spec", side, place, ends, end), peer)


def _peer(thing: Thing, there: Standing, path: Path, peer: Any) -> Found:
    if at(peer, "ipBlock") is not None:
        return
    where: set[str] | None = {thing.namespace}
    if (spaces := at(peer, "namespaceSelector")) is not None:
        name = flat(at(spaces, "matchLabels")).get(NAME)
        where = {name} if name else None
        if name and name not in there.namespaces:
            yield missing(thing, path, "the Namespace", name, there.namespaces, "add it, or name another")
            return
    selector = at(peer, "podSelector")
    if _answer(there, selector, where) == []:
        yield _nothing(thing, (*path, "podSelector"), selector, where)


def _experiment(thing: Thing, there: Standing) -> Found:
    """Read the selectors of Chaos Mesh: namespaces, and labels as a map."""
    if thing.group != "chaos-mesh.org":
        return
    for path, value in nodes(thing.at("spec"), ("spec",)):
        if path[-1] != "selector":
            continue
        where = {str(each) for each in at(value, "namespaces") or ()}
        for each in sorted(where - there.namespaces):
            yield missing(
                thing, (*path, "namespaces"), "the Namespace", each, there.namespaces, "name one that is there"
            )
        labels = {"matchLabels": at(value, "labelSelectors") or {}}
        if where <= there.namespaces and _answer(there, labels, where or None) == []:
            yield _nothing(thing, (*path, "labelSelectors"), labels, where or None)


JUDGES: Final[Mapping[str, Callable[[Thing, Standing], Found]]] = {
    "AuthorizationPolicy": _one,
    "NetworkPolicy": _policy,
    "PeerAuthentication": _one,
    "PodDisruptionBudget": _one,
    "PodMonitor": _pod_monitor,
    "RequestAuthentication": _one,
    "Schedule": _experiment,
    "Service": _service,
    "ServiceMonitor": _service_monitor,
}
