"""Charter: the mesh closes over every namespace with workloads."""

from __future__ import annotations

from collections.abc import Iterator

from charter.cluster_kinds import NAMESPACE, NOWHERE, POLICY, by_namespace, ours
from charter.facts import Facts
from charter.graph import Graph
from charter.pods import holds_pods, namespace_of
from charter.rule import HIGH, Finding, Found, Open, Resource, stack_rule
from charter.rules.kubernetes_namespaces import denies
from charter.rules.mesh import AUTHORIZATION, LABELS, MESH_ROOT, PEER, denies_all, meshed_by, with_mesh
from charter.values import UNKNOWN, Undetermined


@stack_rule(
    "CH-25",
    "In the mesh every namespace with workloads is closed four times.",
    HIGH,
    [NAMESPACE],
    remediation="Add STRICT PeerAuthentication, the deny AuthorizationPolicy and NetworkPolicy, and the label.",
    implies=("K8S-IST-01", "K8S-IST-02", "K8S-IST-04", "K8S-NS-03"),
)
def closed(graph: Graph, _facts: Facts) -> Iterator[Found]:  # noqa: C901  four conditions, each asked once
    """The result is a set difference per cluster and namespace, only where the cluster has a mesh."""
    meshed = with_mesh(graph)
    busy: set[tuple[str, str]] = set()
    for each in graph.of("kubernetes:*"):
        if holds_pods(each):
            try:
                busy.add((each.provider_urn, namespace_of(each)))
            except Undetermined:
                busy.add((each.provider_urn, NOWHERE))
    strict = {(each.provider_urn, namespace_of(each)) for each in graph.of(PEER) if _strict(each)}
    loose = {(each.provider_urn, namespace_of(each)) for each in graph.of(PEER) if _loose(each)}
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
        marked = [labels.get(label) for label in LABELS] if isinstance(labels, dict) else [labels]
        if UNKNOWN in marked or undecided:
            yield Open("metadata.labels", namespace.urn)
            continue
        missing = []
        if key in loose or (key not in strict and (key[0], MESH_ROOT) not in strict):
            missing.append("STRICT")
        if not any(_denied(each) for each in denied.get(key, [])):
            missing.append("deny AuthorizationPolicy")
        if not any(_closes(each) for each in policies.get(key, [])):
            missing.append("NetworkPolicy")
        if not meshed_by(labels if isinstance(labels, dict) else {}):
            missing.append("injection")
        if missing:
            yield Finding("", f"lacks {', '.join(missing)}", namespace.urn)


def _denied(policy: Resource) -> bool:
    try:
        return denies_all(policy.reader)
    except Undetermined:
        return False


def _closes(policy: Resource) -> bool:
    try:
        return bool(denies(policy.reader))
    except Undetermined:
        return True  # K8S-NS-03 leaves it open


def _loose(peer: Resource) -> bool:
    """Say whether it takes back for a whole namespace what the mesh asks of all."""
    told = peer.reader.raw("spec.mtls.mode")
    return told in ("PERMISSIVE", "DISABLE") and not peer.reader.has("spec.selector")


def _strict(peer: Resource) -> bool:
    return peer.reader.raw("spec.mtls.mode") == "STRICT" and not peer.reader.has("spec.selector")
