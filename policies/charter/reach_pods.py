"""Who reaches whom inside a cluster: services that the internet sees, and what network policies let through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from charter.graph import Graph
from charter.pods import namespace_of, pods
from charter.reach import INTERNET, Steps
from charter.reach_doors import SERVICE, STEPS_IN, behind, doors
from charter.reach_mesh import AUTHORIZATION, Caller, authorized, meshed
from charter.rule import Open, Resource
from charter.selectors import holds, selects
from charter.values import UNKNOWN, Reader, Undetermined, hazy

POLICY: Final = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
NAMESPACE: Final = "kubernetes:core/v1:Namespace"
OWN_NAME: Final = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class Workload:
    """Pods with their labels, where they live, and what their namespace is called by."""

    resource: Resource
    namespace: str
    labels: Mapping[str, Any]
    around: Mapping[str, Any]
    account: str = "default"

    @property
    def caller(self) -> Caller:
        """Return who its pods are in the mesh."""
        return Caller(self.namespace, self.account)

    @property
    def stores(self) -> bool:
        """Say whether it keeps data: a StatefulSet with volumes, or pods with the label tier=store."""
        return self.labels.get("tier") == "store" or (
            self.resource.kind == "StatefulSet" and self.resource.reader.has("spec.volumeClaimTemplates")
        )


def clusters(graph: Graph) -> Iterator[Steps]:
    """Yield the steps of each cluster that shows something to the internet; others have no way in."""
    for provider, shown in doors(graph).items():
        steps = Steps()
        try:
            _cluster(graph, provider, shown, steps)
        except Undetermined as unknown:
            steps.unread.append(Open(unknown.path, shown[0].urn))
        yield steps


def _cluster(graph: Graph, provider: str, shown: list[Resource], steps: Steps) -> None:
    workloads = list(_workloads(graph, provider))
    policies = [each for each in graph.of(POLICY) if each.provider_urn == provider]
    if any(hazy(policy.props.get("spec")) for policy in policies):
        raise Undetermined("spec")
    permissions = [each for each in graph.of(AUTHORIZATION) if each.provider_urn == provider]
    _inside(workloads, policies, permissions, steps)
    services = [each for each in graph.of(SERVICE) if each.provider_urn == provider]
    for entry in shown:
        if entry.type in STEPS_IN:
            steps.add(INTERNET, entry, entry.kind)
        for service, how in behind(graph, entry, services):
            selector = service.reader.map("spec.selector")
            for workload in workloads:
                if selector and workload.namespace == namespace_of(service) and holds(workload.labels, selector):
                    steps.add(entry.urn if entry.type in STEPS_IN else INTERNET, workload.resource, how)


def _inside(workloads: list[Workload], policies: list[Resource], permissions: list[Resource], steps: Steps) -> None:
    for workload in workloads:
        if workload.stores:
            steps.stores[workload.resource.urn] = workload.resource
        for other in workloads:
            if workload is other or not _lets(policies, workload, other):
                continue
            mesh = bool(permissions) and meshed(other.around)
            if not mesh or authorized(permissions, workload.caller, other.namespace, other.labels):
                steps.add(workload.resource.urn, other.resource, "mesh" if mesh else "network policies")


def _workloads(graph: Graph, provider: str) -> Iterator[Workload]:
    around = {
        str(each.reader.read("metadata.name", each.name)): each.reader.map("metadata.labels")
        for each in graph.of(NAMESPACE)
        if each.provider_urn == provider
    }
    for each in graph.of("kubernetes:*"):
        if each.provider_urn == provider:
            for pod in pods(each)[:1]:
                namespace = namespace_of(each)
                known = {OWN_NAME: namespace, **around.get(namespace, {})}
                account = pod.spec.text("serviceAccountName", "default")
                yield Workload(each, namespace, _labels(each, pod.metadata), known, account)


def _labels(workload: Resource, metadata: Reader) -> Mapping[str, Any]:
    if workload.reader.raw(metadata.path) is UNKNOWN:
        raise Undetermined(metadata.path)
    return metadata.map("labels")


def _lets(policies: list[Resource], source: Workload, target: Workload) -> bool:
    """Say whether the policies of both ends let a connection through; who has none is open."""
    return _side(policies, target, source, "ingress", "from") and _side(policies, source, target, "egress", "to")


def _side(policies: list[Resource], own: Workload, other: Workload, side: str, peers: str) -> bool:
    isolating = [each for each in policies if _isolates(each, own, side)]
    if not isolating:
        return True
    for policy in isolating:
        for rule in policy.reader.each(f"spec.{side}"):
            if not rule.has(peers) or any(_peer(peer, policy, other) for peer in rule.each(peers)):
                return True
    return False


def _isolates(policy: Resource, workload: Workload, side: str) -> bool:
    if namespace_of(policy) != workload.namespace:
        return False
    reader = policy.reader
    types = reader.values("spec.policyTypes") or ["Ingress", *(["Egress"] if reader.has("spec.egress") else [])]
    return side.capitalize() in types and selects(reader.raw("spec.podSelector"), workload.labels, "spec.podSelector")


def _peer(peer: Reader, policy: Resource, other: Workload) -> bool:
    if peer.has("ipBlock"):
        return False
    spaces = peer.raw("namespaceSelector")
    if spaces is None and other.namespace != namespace_of(policy):
        return False
    if spaces is not None and not selects(spaces, other.around, peer.at("namespaceSelector")):
        return False
    return selects(peer.raw("podSelector"), other.labels, peer.at("podSelector"))
