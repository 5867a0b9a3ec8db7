"""Rules over the service mesh: who may talk to whom, and only encrypted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from charter.cluster_kinds import NAMESPACE, NOWHERE, by_namespace, ours
from charter.facts import Facts
from charter.graph import Graph
from charter.network import cover_world
from charter.pods import AGENT_SPACES, ANY_KIND, merged, name_of, pods
from charter.rule import (
    CRITICAL,
    HIGH,
    Excused,
    Finding,
    Found,
    Open,
    Resource,
    apart,
    located,
    over_stack,
    resource_rule,
    stack_rule,
)
from charter.values import UNKNOWN, Reader

SECURITY = "kubernetes:security.istio.io/v1:"
PEER = f"{SECURITY}PeerAuthentication"
AUTHORIZATION = f"{SECURITY}AuthorizationPolicy"
ROUTING = "kubernetes:networking.istio.io/v1:"
API_GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
MESH_ROOT = "istio-system"
CHARTS = ("kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v4:Chart")
CAPTURED, PASSED_BY = (f"traffic.sidecar.istio.io/{name}OutboundIPRanges" for name in ("include", "exclude"))
"""Notes that say what of a pod's traffic the sidecar takes, and what not.

Source: istio.io/latest/docs/reference/config/annotations, 2026-11.
"""
WORLD = "0.0.0.0/0"
LABELS = ("istio-injection", "istio.io/rev", "istio.io/dataplane-mode")


@resource_rule(
    "K8S-IST-01",
    "Everything in the mesh speaks mutual TLS, without exception.",
    CRITICAL,
    [PEER, f"{PEER}Patch"],
    remediation="Set spec.mtls.mode STRICT; no PERMISSIVE or DISABLE at any port.",
)
def strict(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """At mesh, namespace, selector and port level."""
    for found in apart(_mode(resource.reader), _port_modes(resource.reader)):
        yield merged(resource, found)


def _mode(reader: Reader) -> Iterator[Found]:
    if reader.text("spec.mtls.mode", "UNSET") != "STRICT" and not _inherits(reader):
        yield Finding("spec.mtls.mode", "must be STRICT")


def _inherits(reader: Reader) -> bool:
    """Say whether it only sets ports of a selection and leaves the rest to the namespace."""
    return reader.has("spec.selector") and not reader.has("spec.mtls")


def _port_modes(reader: Reader) -> Iterator[Found]:
    for port, setting in reader.map("spec.portLevelMtls").items():
        mode = setting.get("mode") if isinstance(setting, dict) else setting
        if mode is UNKNOWN:
            yield Open(f"spec.portLevelMtls.{port}.mode")
        elif mode != "STRICT":
            yield Finding(f"spec.portLevelMtls.{port}.mode", "must be STRICT")


@stack_rule(
    "K8S-IST-02",
    "In the mesh nothing is allowed that is not written down.",
    HIGH,
    [AUTHORIZATION, NAMESPACE],
    remediation="Add an AuthorizationPolicy with an empty spec; give each ALLOW rule from and to, in one rule.",
)
def authorization(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """`from` and `to` as two rules of one list are two permissions: anybody to there, and they to anywhere."""
    policies = by_namespace(graph, AUTHORIZATION)
    for key, namespace in ours(graph).items():
        labels = namespace.reader.map("metadata.labels")
        if not any(label in labels for label in LABELS):
            continue  # K8S-IST-04 tells
        if policies.get((key[0], NOWHERE)) or any(each.props.get("spec") is UNKNOWN for each in policies.get(key, [])):
            yield Open("spec", namespace.urn)
        elif not any(denies_all(each.reader) for each in policies.get(key, [])):
            yield Finding("", "no AuthorizationPolicy with an empty spec denies by default", namespace.urn)
    for policy in graph.of(AUTHORIZATION):
        for found in apart(_allows(policy.reader)):
            yield located(found, policy.urn)


def denies_all(policy: Reader) -> bool:
    """Say whether a policy turns everything away: it allows and names nothing, or denies without a condition."""
    spec = policy.inside("spec")
    if any(spec.has(name) for name in ("selector", "targetRef", "targetRefs")):
        return False
    if spec.text("action", "ALLOW") == "ALLOW":
        return not spec.has("rules")
    return spec.text("action") == "DENY" and spec.read("rules", []) == [{}]


EVERYBODY = frozenset({"*", "*/*", "/*", "cluster.local/*", "cluster.local/ns/*"})
"""Patterns that every identity of a mesh fits, or every path."""


def _allows(reader: Reader) -> Iterator[Found]:
    if reader.text("spec.action", "ALLOW") != "ALLOW":
        return
    for rule in reader.each("spec.rules"):
        yield from apart(
            _names(rule, "from", "source", ("principals", "namespaces", "serviceAccounts", "requestPrincipals"))
        )
        yield from apart(_names(rule, "to", "operation", ("methods", "paths", "ports", "hosts")))


def _names(rule: Reader, side: str, inner: str, keys: tuple[str, ...]) -> Iterator[Found]:
    if not rule.has(side):
        yield Finding(
            rule.at(side),
            "is missing: the rule is for everybody" if side == "from" else "is missing: it allows everything",
        )
    for part in rule.each(side):
        yield from apart(_part(part, inner, keys))


def _part(part: Reader, inner: str, keys: tuple[str, ...]) -> Iterator[Found]:
    told = [part.inside(inner).sure(key) for key in keys]
    values = [value for found, _ in told for _, value in found]
    unclear = next((path for _, path in told if path), "")
    if any(value in EVERYBODY for value in values if isinstance(value, str)):
        yield Finding(part.at(inner), "holds * or a pattern of everybody")
    elif unclear:
        yield Open(unclear)
    elif not values:
        yield Finding(part.at(inner), "names nothing")


@resource_rule(
    "K8S-IST-03",
    "Clients and gateways of the mesh encrypt, with today's versions.",
    HIGH,
    [f"{ROUTING}DestinationRule", f"{ROUTING}Gateway", API_GATEWAY, ROUTE],
    remediation="Set tls.mode ISTIO_MUTUAL (SIMPLE to the outside); minProtocolVersion TLSV1_2; httpsRedirect.",
)
def encrypted(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Judge traffic policies, their subsets and ports, and each server of a gateway."""
    reader = resource.reader
    if resource.kind == "DestinationRule":
        places = [reader.inside("spec.trafficPolicy")]
        places += [each.inside("trafficPolicy") for each in reader.each("spec.subsets")]
        places += [port for place in list(places) for port in place.each("portLevelSettings")]
        for place in places:
            yield from apart(_client(place, inner=_inner(reader)))
        return
    if resource.type == API_GATEWAY:
        return  # judged with its routes
    for server in reader.each("spec.servers"):
        yield from apart(_server(server))


def _inner(rule: Reader) -> bool:
    """Say whether a rule is about a service of the cluster; its API server stands outside of the mesh."""
    host = str(rule.raw("spec.host"))
    return ".svc." in host and not host.startswith("kubernetes.default.")


def _client(place: Reader, *, inner: bool) -> Iterator[Found]:
    if not place.has("tls"):
        return
    mode = place.read("tls.mode", "DISABLE")
    if mode not in ("ISTIO_MUTUAL", "MUTUAL", "SIMPLE"):
        yield Finding(place.at("tls.mode"), "is off")
    elif inner and mode != "ISTIO_MUTUAL":
        yield Finding(place.at("tls.mode"), "must be ISTIO_MUTUAL: inside the mesh both ends prove who they are")
    if place.flag("tls.insecureSkipVerify"):
        yield Finding(place.at("tls.insecureSkipVerify"), "is on: whoever answers is believed")


@over_stack("K8S-IST-03")
def listeners(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """A listener of Kubernetes' own gateways speaks TLS, or its routes only send callers to where it does."""
    routes = graph.of(ROUTE)
    for gateway in graph.of(API_GATEWAY):
        mine = [each for each in routes if each.provider_urn == gateway.provider_urn]
        for found in apart(_listeners(gateway, mine)):
            yield located(found, gateway.urn)


def _listeners(gateway: Resource, routes: list[Resource]) -> Iterator[Found]:
    for listener in gateway.reader.each("spec.listeners"):
        protocol = listener.text("protocol").upper()
        if protocol in ("HTTPS", "TLS") and not listener.has("tls"):
            yield Finding(listener.at("tls"), "is missing")
        if protocol == "HTTP":
            mine = [each for each in routes if _attached(each, gateway, listener)]
            if not mine or not all(_redirects(each.reader) for each in mine):
                yield Finding(listener.at("protocol"), "is HTTP: plain HTTP is served, and not only sent to HTTPS")


def _attached(route: Resource, gateway: Resource, listener: Reader) -> bool:
    """Say whether a route hangs on a listener: by its gateway's name, and by section or port where it says so."""
    space = gateway.reader.raw("metadata.namespace")
    for parent in route.reader.each("spec.parentRefs"):
        where = parent.raw("namespace") or route.reader.raw("metadata.namespace")
        section, port = parent.raw("sectionName"), parent.raw("port")
        if (
            parent.raw("name") == name_of(gateway)
            and (where == space or UNKNOWN in (where, space))
            and section in (None, listener.raw("name"))
            and port in (None, listener.raw("port"))
        ):
            return True
    return False


def _redirects(route: Reader) -> bool:
    rules = list(route.each("spec.rules"))
    return bool(rules) and all(
        any(each.text("requestRedirect.scheme") == "https" for each in rule.each("filters")) for rule in rules
    )


def _server(server: Reader) -> Iterator[Found]:
    if server.text("port.protocol").upper() in ("HTTP", "HTTP2", "GRPC", "GRPC-WEB"):
        if not server.flag("tls.httpsRedirect"):
            yield Finding(server.at("tls.httpsRedirect"), "is off: plain HTTP is served")
        return
    if server.text("tls.mode") in ("", "PASSTHROUGH") and not server.has("tls"):
        yield Finding(server.at("tls"), "is missing")
    if server.text("tls.minProtocolVersion", "TLS_AUTO") in ("TLSV1_0", "TLSV1_1"):
        yield Finding(server.at("tls.minProtocolVersion"), "must be TLSV1_2 or later")


@stack_rule(
    "K8S-IST-04",
    "Every workload is in the mesh, and leaves it through a written exit.",
    HIGH,
    [NAMESPACE, *ANY_KIND],
    remediation="Label the namespace; drop opt-outs from pods; use a ServiceEntry for what lies outside.",
)
def in_mesh(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Only where the cluster has a mesh: one of its objects, or its chart, is in the stack."""
    meshed = with_mesh(graph)
    for (provider, name), namespace in ours(graph).items():
        if provider not in meshed or name == MESH_ROOT or name.startswith("kube-"):
            continue
        for found in apart(_labelled(namespace.reader.map("metadata.labels"), name)):
            yield located(found, namespace.urn)
    for workload in graph.of("kubernetes:*"):
        if workload.provider_urn in meshed:
            yield from _opts_out(workload)
    for control in graph.of(*CHARTS):
        if control.reader.text("chart").rstrip("/").rpartition("/")[2].partition(":")[0] == "istiod":
            for found in apart(_exits(control.reader)):
                yield located(found, control.urn)


def _labelled(labels: dict[str, Any], name: str) -> Iterator[Found]:
    if UNKNOWN in [labels.get(label) for label in LABELS]:
        yield Open("metadata.labels")
    elif not meshed_by(labels) and name in AGENT_SPACES:
        yield Excused("metadata.labels", AGENT_SPACES[name])
    elif not meshed_by(labels):
        yield Finding("metadata.labels", "has no label that puts it into the mesh")


def with_mesh(graph: Graph) -> set[str]:
    """Return the clusters that have a mesh: an object of it, its chart, or a namespace that is put into one."""
    return {
        each.provider_urn
        for each in graph.of("kubernetes:*")
        if "istio.io" in each.type
        or (each.kind in ("Chart", "Release") and "istiod" in str(each.props.get("chart")))
        or (each.type == NAMESPACE and _put_in(each.reader.raw("metadata.labels")))
    }


def _put_in(labels: Any) -> bool:
    return isinstance(labels, dict) and UNKNOWN not in map(labels.get, LABELS) and meshed_by(labels)


def meshed_by(labels: dict[str, Any]) -> bool:
    """Say whether the labels of a namespace put its pods into the mesh."""
    injected, revision, plane = (labels.get(label) for label in LABELS)
    return plane != "none" and (injected == "enabled" or bool(revision) or bool(plane))


def _opts_out(workload: Resource) -> Iterator[Found]:
    for pod in pods(workload):
        held = {**pod.metadata.map("labels"), **pod.metadata.map("annotations")}
        injected = str(held.get("sidecar.istio.io/inject", "true")).lower()
        if injected == "false" or held.get("istio.io/dataplane-mode") == "none":
            yield Finding(pod.metadata.at("labels"), "opts out of the mesh", workload.urn)
        around = held.get(CAPTURED) == "" or cover_world(str(held.get(PASSED_BY, "")).replace("*", WORLD).split(","))
        if around:
            yield Finding(pod.metadata.at("annotations"), "sends everything past the mesh", workload.urn)


def _exits(control: Reader) -> Iterator[Found]:
    """What is not written as a ServiceEntry must not be reached."""
    mode = "values.meshConfig.outboundTrafficPolicy.mode"
    if control.text(mode, "ALLOW_ANY") != "REGISTRY_ONLY":
        yield Finding(mode, "must be REGISTRY_ONLY: pods reach any host outside")
