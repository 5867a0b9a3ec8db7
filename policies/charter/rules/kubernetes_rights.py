"""Rules over who may do what in a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from charter.cluster_kinds import (
    BINDINGS,
    NOBODY,
    ROLES,
)
from charter.facts import Facts
from charter.graph import Graph
from charter.pods import ANY_KIND, holds_pods, merged, name_of, namespace_of, pods
from charter.rule import (
    CRITICAL,
    HIGH,
    Finding,
    Found,
    Resource,
    apart,
    located,
    resource_rule,
    stack_rule,
)
from charter.values import Reader


@resource_rule(
    "K8S-RBC-01",
    "Nobody is bound to everything, and nobody unknown to anything.",
    CRITICAL,
    [*BINDINGS, *(f"{each}Patch" for each in BINDINGS)],
    remediation="Bind a role with the verbs that are needed to a named account.",
)
def bindings(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """cluster-admin, and the groups that everybody is in."""
    reader = resource.reader
    if reader.read("roleRef.name") == "cluster-admin":
        yield Finding("roleRef.name", "is cluster-admin")
    for subject in reader.each("subjects"):
        if subject.text("name") in NOBODY:
            yield Finding(subject.at("name"), "is a group of everybody, or of masters")


@resource_rule(
    "K8S-RBC-02",
    "A role names its verbs, resources and groups.",
    HIGH,
    [*ROLES, *(f"{each}Patch" for each in ROLES)],
    remediation="Write them out instead of *.",
)
def no_wildcards(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """A wildcard grows with every resource that is ever added to the cluster."""
    for rule in resource.reader.each("rules"):
        yield from apart(*(_stars(rule, name) for name in ("verbs", "resources", "apiGroups", "nonResourceURLs")))
    yield from apart(_aggregated(resource.reader))


def _stars(rule: Reader, name: str) -> Iterator[Found]:
    for path, value in rule.items(name):
        if value == "*" or (name == "resources" and str(value).startswith("*/")):
            yield Finding(path, "is *")


def _aggregated(reader: Reader) -> Iterator[Found]:
    """A selector without labels takes in the rules of every role there is."""
    for selector in reader.each("aggregationRule.clusterRoleSelectors"):
        if not selector.has("matchLabels") and not selector.has("matchExpressions"):
            yield Finding(selector.path, "selects every role")


ADMITTING = (
    *("mutatingwebhookconfigurations", "validatingwebhookconfigurations"),
    *("validatingadmissionpolicies", "validatingadmissionpolicybindings"),
    *("mutatingadmissionpolicies", "mutatingadmissionpolicybindings"),
)
"""What decides which objects a cluster takes, and changes them on the way."""
DANGEROUS = (
    (frozenset({"escalate", "bind"}), frozenset({"roles", "clusterroles", "rolebindings", "clusterrolebindings"})),
    (frozenset({"impersonate"}), frozenset({"users", "groups", "serviceaccounts", "userextras", "uids"})),
    (frozenset({"create", "get"}), frozenset({"pods/exec", "pods/attach"})),
    (frozenset({"create", "get", "update", "patch"}), frozenset({"nodes/proxy"})),
    (frozenset({"update", "patch", "approve"}), frozenset({"certificatesigningrequests/approval", "signers"})),
    (frozenset({"update", "patch"}), frozenset({"pods/ephemeralcontainers"})),
    (frozenset({"create", "update", "patch", "delete"}), frozenset(ADMITTING)),
    (frozenset({"create"}), frozenset({"serviceaccounts/token"})),
)


@resource_rule(
    "K8S-RBC-03",
    "No role lets its holder become more than it is.",
    HIGH,
    [*ROLES, *(f"{each}Patch" for each in ROLES)],
    remediation="Drop the verb; read secrets by name in one namespace.",
)
def no_escalation(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Known ways up: kubernetes.io/docs/concepts/security/rbac-good-practices."""
    for rule in resource.reader.each("rules"):
        yield from apart(_ways_up(rule, cluster=resource.kind.startswith("ClusterRole")))


def _ways_up(rule: Reader, *, cluster: bool) -> Iterator[Found]:
    verbs, resources = (set(_sure(rule.raw(name))) for name in ("verbs", "resources"))
    for dangerous, on in DANGEROUS:
        if verbs & (dangerous | {"*"}) and any(_holds(each, on) for each in resources):
            yield Finding(rule.at("verbs"), f"lets its holder {min(dangerous)} {min(on)}")
            return
    reads = verbs & {"get", "list", "watch", "*"} and resources & {"secrets", "*"}
    if cluster and reads and not rule.read("resourceNames", []):
        yield Finding(rule.at("resources"), "reads the secrets of every namespace")
        return
    rule.texts("verbs")  # what is not known yet may be a way up
    rule.texts("resources")


def _sure(value: Any) -> list[str]:
    """Return the texts of a list that are known."""
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]


def _holds(resource: str, dangerous: frozenset[str]) -> bool:
    """Say whether a resource of a role is a dangerous one: by name, by a wildcard, or as a part of one."""
    if resource == "*" or resource in dangerous or resource.partition("/")[0] in dangerous:
        return True
    whole, _, part = resource.partition("/")
    return any(
        (whole in ("*", each.partition("/")[0])) and part in ("*", each.partition("/")[2]) and "/" in each
        for each in dangerous
        if part
    )


@stack_rule(
    "K8S-POD-11",
    "A workload has an account of its own, and its token only where it is used.",
    HIGH,
    ANY_KIND,
    remediation="Name a ServiceAccount; set automountServiceAccountToken false unless a binding names the account.",
    applies=holds_pods,
)
def own_account(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """A token that nobody needs is a token that somebody takes."""
    bound = {
        (each.provider_urn, str(subject.get("namespace")), str(subject.get("name")))
        for each in graph.of(*BINDINGS)
        for subject in _listed(each.props.get("subjects"))
        if isinstance(subject, dict)
    }
    silent = {
        (each.provider_urn, str(each.reader.raw("metadata.namespace")), name_of(each))
        for each in graph.of("kubernetes:core/v1:ServiceAccount")
        if each.reader.raw("automountServiceAccountToken") is False
    }
    for workload in graph.of("kubernetes:*"):
        for pod in pods(workload):
            for found in apart(_account(workload, pod.spec, bound, silent)):
                yield located(merged(workload, found), workload.urn)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


Accounts = set[tuple[str, str, str]]
"""Accounts of a cluster: provider, namespace, name."""


def _account(workload: Resource, spec: Reader, bound: Accounts, silent: Accounts) -> Iterator[Found]:
    name = spec.text("serviceAccountName", spec.text("serviceAccount"))
    if name in ("", "default"):
        yield Finding(spec.at("serviceAccountName"), "is the namespace's default account")
    account = (workload.provider_urn, namespace_of(workload), name)
    mounted = spec.flag("automountServiceAccountToken", default=account not in silent)
    everybody = {(workload.provider_urn, "None", f"system:serviceaccounts{part}") for part in ("", f":{account[1]}")}
    if mounted and account not in bound and not everybody & bound:
        yield Finding(spec.at("automountServiceAccountToken"), "must be false: nothing binds this account")
