"""Rules over the service mesh: who may talk to whom, and only encrypted."""

from __future__ import annotations

from collections.abc import Iterator

from charter.cluster_kinds import NAMESPACE, NOWHERE, by_namespace, ours
from charter.facts import Facts
from charter.graph import Graph
from charter.pods import ANY_KIND, pods
from charter.rule import CRITICAL, HIGH, Finding, Found, Open, Resource, apart, located, resource_rule, stack_rule
from charter.values import UNKNOWN, Reader

SECURITY = "kubernetes:security.istio.io/v1:"
PEER = f"{SECURITY}PeerAuthentication"
AUTHORIZATION = f"{SECURITY}AuthorizationPolicy"
ROUTING = "kubernetes:networking.istio.io/v1:"
MESH_ROOT = "istio-system"
LABELS = ("istio-injection", "istio.io/rev", "istio.io/dataplane-mode")


@resource_rule(
    "K8S-IST-01",
    "Everything in the mesh speaks mutual TLS, without exception.",
    CRITICAL,
    [PEER, "kubernetes:security.istio.io/v1beta1:PeerAuthentication"],
    remediation="Set spec.mtls.mode STRICT; no PERMISSIVE or DISABLE at any port.",
)
def strict(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """At mesh, namespace, selector and port level."""
    yield from apart(_mode(resource.reader), _port_modes(resource.reader))


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
        elif not any(each.props.get("spec") in ({}, None) for each in policies.get(key, [])):
            yield Finding("", "no AuthorizationPolicy with an empty spec denies by default", namespace.urn)
    for policy in graph.of(AUTHORIZATION):
        for found in apart(_allows(policy.reader)):
            yield located(found, policy.urn)


def _allows(reader: Reader) -> Iterator[Found]:
    if reader.text("spec.action", "ALLOW") != "ALLOW":
        return
    for rule in reader.each("spec.rules"):
        yield from apart(
            _names(rule, "from", "source", ("principals", "namespaces", "serviceAccounts", "requestPrincipals"))
        )
        yield from apart(_names(rule, "to", "operation", ("methods", "paths", "ports", "hosts")))


def _names(rule: Reader, side: str, inner: str, keys: tuple[str, ...]) -> Iterator[Found]:
    parts = list(rule.each(side))
    if not parts:
        yield Finding(
            rule.at(side),
            "is missing: the rule is for everybody" if side == "from" else "is missing: it allows everything",
        )
    for part in parts:
        values = [value for key in keys for value in part.inside(inner).values(key)]
        if not values:
            yield Finding(part.at(inner), "names nothing")
        elif any(value == "*" for value in values):
            yield Finding(part.at(inner), "holds *")


@resource_rule(
    "K8S-IST-03",
    "Clients and gateways of the mesh encrypt, with today's versions.",
    HIGH,
    [f"{ROUTING}DestinationRule", f"{ROUTING}Gateway"],
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
            if place.has("tls") and place.read("tls.mode", "DISABLE") not in ("ISTIO_MUTUAL", "MUTUAL", "SIMPLE"):
                yield Finding(place.at("tls.mode"), "is off")
        return
    for server in reader.each("spec.servers"):
        yield from apart(_server(server))


def _server(server: Reader) -> Iterator[Found]:
    if server.text("port.protocol").upper() in ("HTTP", "HTTP2"):
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
    meshed = {
        each.provider_urn
        for each in graph.of("kubernetes:*")
        if "istio.io" in each.type or (each.kind in ("Chart", "Release") and "istiod" in str(each.props.get("chart")))
    }
    for (provider, name), namespace in ours(graph).items():
        if provider not in meshed or name == MESH_ROOT or name.startswith("kube-"):
            continue
        labels = namespace.reader.map("metadata.labels")
        if UNKNOWN in [labels.get(label) for label in LABELS]:
            yield Open("metadata.labels", namespace.urn)
        elif labels.get("istio-injection") != "enabled" and not any(labels.get(label) for label in LABELS[1:]):
            yield Finding("metadata.labels", "has no label that puts it into the mesh", namespace.urn)
    for workload in graph.of("kubernetes:*"):
        if workload.provider_urn not in meshed:
            continue
        for pod in pods(workload):
            held = {**pod.metadata.map("labels"), **pod.metadata.map("annotations")}
            if (
                str(held.get("sidecar.istio.io/inject", "true")).lower() == "false"
                or held.get("istio.io/dataplane-mode") == "none"
            ):
                yield Finding(
                    pod.metadata.at("labels"), "opts out of the mesh in (namespace_of(workload),)", workload.urn
                )
