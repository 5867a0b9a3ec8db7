"""Rules over namespaces: what they enforce, deny and hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final

from charter.cluster_kinds import (
    CLUSTER_WIDE,
    DNS_PORT,
    LIMITS,
    NAMESPACE,
    NOWHERE,
    POLICY,
    PSS,
    QUOTA,
    SYSTEM_NAMESPACES,
    WARN,
    by_namespace,
    ours,
)
from charter.facts import Facts
from charter.graph import Graph
from charter.pods import AGENT_SPACES, ANY_KIND, name_of, namespace_of, pods
from charter.rule import (
    HIGH,
    MEDIUM,
    Excused,
    Finding,
    Found,
    Open,
    Resource,
    resource_rule,
    stack_rule,
)
from charter.values import UNKNOWN, Reader, Undetermined
from charter.words import shown


@resource_rule(
    "K8S-NS-01",
    "A namespace enforces the restricted Pod Security Standard, at a version that is named.",
    HIGH,
    [NAMESPACE],
    remediation=f"Set the labels {PSS}=restricted and {PSS}-version=v1.35 (the cluster's).",
)
def pod_security(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Without a version, an upgrade of the cluster changes what is allowed.

    The namespace of a named node agent is excused as long as it warns of what is outside the standard.
    """
    labels = resource.reader.map("metadata.labels")
    why = AGENT_SPACES.get(name_of(resource), "") if labels.get(WARN) == "restricted" else ""
    for key, right in ((PSS, lambda text: text == "restricted"), (f"{PSS}-version", _version)):
        value = labels.get(key)
        if value is UNKNOWN:
            yield Open(f"metadata.labels.{key}")
        elif key == PSS and why and value in ("privileged", "baseline"):
            yield Excused(f"metadata.labels.{key}", why)
        elif not right(value):
            yield Finding(f"metadata.labels.{key}", f"is {shown(value)}; it must be {_told(key)}")


def _version(text: Any) -> bool:
    return bool(re.fullmatch(r"v1\.\d+", str(text)))


def _told(key: str) -> str:
    return "v1.MINOR" if key.endswith("version") else "restricted"


@resource_rule(
    "K8S-NS-02",
    "Nothing of ours lives in default or in the system's namespaces.",
    MEDIUM,
    ANY_KIND,
    remediation="Give metadata.namespace a namespace of your own.",
)
def not_in_default(resource: Resource, _facts: Facts) -> Iterable[Found]:
    """Node agents may live in kube-system; objects of the cluster itself have no namespace."""
    metadata = resource.props.get("metadata")
    told = metadata.get("namespace") if type(metadata) is dict else None
    if type(told) is str and told and told not in SYSTEM_NAMESPACES:
        return ()
    kind = _lives(resource.type)
    if kind is NOT_IN_ONE:
        return ()
    if kind is RELEASE:
        wrong = resource.props.get("namespace") in ("default", "kube-public", "kube-node-lease")
        return (Finding("namespace", "is no namespace of our own"),) if wrong else ()
    if type(metadata) is dict and told is None and kind is CUSTOM:
        return ()
    return _in_system(resource, custom=kind is CUSTOM)


NOT_IN_ONE: Final = "objects of the cluster, lists and patches"
RELEASE: Final = "charts"
CUSTOM: Final = "kinds whose definition is not here"
OWN: Final = "kinds that live in a namespace"


@cache
def _lives(resource_type: str) -> str:
    """Return how objects of a type stand to namespaces."""
    kind = resource_type.rpartition(":")[2]
    if "helm.sh" in resource_type:
        return RELEASE
    if kind in CLUSTER_WIDE or kind.endswith(("List", "Patch")):
        return NOT_IN_ONE
    if resource_type.startswith("kubernetes:rbac") and kind.startswith("Cluster"):
        return NOT_IN_ONE
    known = ("kubernetes:core", "kubernetes:apps", "kubernetes:batch", "kubernetes:net")
    return OWN if resource_type.startswith(known) else CUSTOM


def _in_system(resource: Resource, *, custom: bool) -> Iterator[Found]:
    if "metadata" not in resource.props and not pods(resource):
        return
    namespace = namespace_of(resource)
    if namespace == "kube-system" and resource.kind == "DaemonSet":
        return
    if custom and not resource.reader.has("metadata.namespace"):
        return  # a custom resource without a namespace may be cluster-wide; its definition is not here
    if namespace in SYSTEM_NAMESPACES:
        yield Finding("metadata.namespace", f"is {namespace}")


@stack_rule(
    "K8S-NS-03",
    "A namespace is closed both ways, except for asking names.",
    HIGH,
    [NAMESPACE, POLICY],
    remediation="Add a NetworkPolicy with podSelector {} and both policyTypes, and one that allows DNS (53).",
)
def default_deny(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Deny first; without DNS nothing would work and somebody would open everything."""
    policies = by_namespace(graph, POLICY)
    for key, namespace in ours(graph).items():
        denied: set[str] = set()
        names = False
        unclear = "metadata.namespace" if policies.get((key[0], NOWHERE)) else ""
        for policy in policies.get(key, []):
            try:
                denied |= denies(policy.reader)
                names = names or _allows_dns(policy.reader)
            except Undetermined as unknown:
                unclear = unknown.path
        missing = [kind for kind in ("Ingress", "Egress") if kind not in denied]
        if (missing or not names) and unclear:
            yield Open(unclear, namespace.urn)
            continue
        if missing:
            yield Finding("", f"no default-deny NetworkPolicy for {' and '.join(missing)}", namespace.urn)
        if not names:
            yield Finding("", "no NetworkPolicy allows DNS", namespace.urn)


def denies(policy: Reader) -> set[str]:
    """Return the directions in which a policy closes a whole namespace."""
    if policy.read("spec.podSelector", None) not in ({}, {"matchLabels": {}}) and policy.has("spec.podSelector"):
        return set()
    kinds = set(policy.texts("spec.policyTypes")) or {"Ingress"}
    return {kind for kind in kinds if not policy.read(f"spec.{str(kind).lower()}", [])}


def _allows_dns(policy: Reader) -> bool:
    kinds: set[str] = set()
    for rule in policy.each("spec.egress"):
        ports = list(rule.each("ports"))
        if not ports and rule.read("ports", []) == []:
            return True  # every port; K8S-NET-01 tells of it
        kinds |= {port.text("protocol", "TCP") for port in ports if _is_dns(port)}
    return "UDP" in kinds


def _is_dns(port: Reader) -> bool:
    first = port.read("port")
    if first is None or str(first) in (str(DNS_PORT), "dns", "dns-tcp"):
        return True
    return str(first).isdigit() and int(first) <= DNS_PORT <= port.number("endPort", int(first))


@stack_rule(
    "K8S-NS-04",
    "No namespace can take the whole cluster.",
    MEDIUM,
    [NAMESPACE, QUOTA, LIMITS],
    remediation="Add one ResourceQuota and one LimitRange to the namespace.",
)
def bounded(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """One of each."""
    for kind in (QUOTA, LIMITS):
        held = by_namespace(graph, kind)
        for key, namespace in ours(graph).items():
            if not held.get(key) and held.get((key[0], NOWHERE)):
                yield Open("metadata.namespace", namespace.urn)
            elif not held.get(key):
                yield Finding("", f"no {kind.rpartition(':')[2]} in this namespace", namespace.urn)
