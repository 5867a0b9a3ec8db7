"""The mesh's permissions, made of the same flows as the network policies: nothing is allowed that is not written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from components.kubernetes.crds.istio import (
    AuthorizationPolicy,
    AuthorizationPolicySpec,
    AuthorizationPolicySpecRules,
    AuthorizationPolicySpecRulesFrom,
    AuthorizationPolicySpecRulesFromSource,
    AuthorizationPolicySpecRulesTo,
    AuthorizationPolicySpecRulesToOperation,
    AuthorizationPolicySpecSelector,
    AuthorizationPolicySpecTargetRefs,
)
from components.kubernetes.flows import Flow, Pods, waypoint, waypoint_of
from stacks.services.settings import Mesh

NOT_MESHED: Final = frozenset({"kube-system", "istio-system"})
"""Namespaces whose pods are the mesh itself, or the node's."""
WAYPOINT: Final = "waypoint"


@dataclass(frozen=True, kw_only=True)
class Permission:
    """One policy, and where it goes."""

    namespace: str
    name: str
    policy: AuthorizationPolicy


def principal(pods: Pods, trust_domain: str) -> str:
    """Identity of an account in the mesh; of all accounts of a namespace when none is named."""
    return f"{trust_domain}/ns/{pods.namespace}/sa/{pods.account or '*'}"


def permissions(flows: tuple[Flow, ...], wish: Mesh, namespaces: tuple[str, ...]) -> Iterator[Permission]:
    """Yield deny-all for each meshed namespace, and one policy for each pair of caller, target and port in it.

    Flows of one pair that differ in methods or paths are rules of the same policy.
    """
    held: dict[tuple[str, str], Permission] = {}
    for each in _each(flows, wish, namespaces):
        key = (each.namespace, each.name)
        held[key] = _joined(held[key], each) if key in held else each
    yield from held.values()


def _joined(first: Permission, second: Permission) -> Permission:
    """Put the rules of two policies of one name into one; all else of them is alike."""
    mine, other = first.policy.spec, second.policy.spec
    rules = [*(mine.rules or ())]
    rules += [each for each in other.rules or () if each not in rules]
    return replace(first, policy=AuthorizationPolicy(spec=replace(mine, rules=rules)))


def _each(flows: tuple[Flow, ...], wish: Mesh, namespaces: tuple[str, ...]) -> Iterator[Permission]:
    for namespace in namespaces:
        yield Permission(
            namespace=namespace, name="deny-all", policy=AuthorizationPolicy(spec=AuthorizationPolicySpec())
        )
        if waypoint_of(wish, namespace):
            yield _closed_waypoint(namespace)
    for flow in flows:
        if flow.protocol != "TCP":
            continue  # the mesh carries TCP only
        if isinstance(flow.source, Pods) and isinstance(flow.target, Pods) and flow.target.namespace in namespaces:
            yield from _through(flow, wish) if flow.through is not None else [_direct(flow, flow.source, wish)]


def _closed_waypoint(namespace: str) -> Permission:
    """A waypoint lets everything through until a policy names it."""
    target = AuthorizationPolicySpecTargetRefs(group="gateway.networking.k8s.io", kind="Gateway", name=WAYPOINT)
    spec = AuthorizationPolicySpec(target_refs=[target])
    return Permission(namespace=namespace, name="deny-all-waypoint", policy=AuthorizationPolicy(spec=spec))


def _slug(flow: Flow) -> str:
    assert isinstance(flow.source, Pods)  # noqa: S101 - asked before
    assert isinstance(flow.target, Pods)  # noqa: S101
    to = "-".join(value for _, value in sorted(flow.target.labels.items())) or "all"
    ports = "-".join(map(str, flow.ports))
    return f"{flow.source.namespace}-{flow.source.account or 'all'}-{to}-{ports}"


def _from(pods: Pods, wish: Mesh) -> list[AuthorizationPolicySpecRulesFrom]:
    """Name the account; a flow from a whole namespace names the namespace."""
    if pods.account:
        source = AuthorizationPolicySpecRulesFromSource(principals=[principal(pods, wish.trust_domain)])
    else:
        source = AuthorizationPolicySpecRulesFromSource(namespaces=[pods.namespace])
    return [AuthorizationPolicySpecRulesFrom(source=source)]


def _direct(flow: Flow, source: Pods, wish: Mesh, name: str = "") -> Permission:
    assert isinstance(flow.target, Pods)  # noqa: S101
    operation = AuthorizationPolicySpecRulesToOperation(ports=[str(port) for port in flow.ports])
    if wish.mode == "sidecar":
        operation = _operation(flow)
    rule = AuthorizationPolicySpecRules(
        from_=_from(source, wish), to=[AuthorizationPolicySpecRulesTo(operation=operation)]
    )
    labels = dict(flow.target.labels)
    selector = AuthorizationPolicySpecSelector(match_labels=labels) if labels else None
    spec = AuthorizationPolicySpec(action="ALLOW", selector=selector, rules=[rule])
    name = name or f"allow-{_slug(flow)}"
    return Permission(namespace=flow.target.namespace, name=name, policy=AuthorizationPolicy(spec=spec))


def _operation(flow: Flow) -> AuthorizationPolicySpecRulesToOperation:
    """Methods, paths and ports stand in one operation: all of them must hold."""
    return AuthorizationPolicySpecRulesToOperation(
        methods=list(flow.methods) or None,
        paths=list(flow.paths) or None,
        ports=[str(port) for port in flow.ports],
    )


def _through(flow: Flow, wish: Mesh) -> Iterator[Permission]:
    """Let the waypoint reach the pods, and the caller reach the service through the waypoint."""
    assert isinstance(flow.source, Pods)  # noqa: S101
    assert isinstance(flow.target, Pods)  # noqa: S101
    app = flow.target.labels["app"]
    yield _direct(flow, waypoint(flow.target.namespace), wish, f"allow-waypoint-{app}-{'-'.join(map(str, flow.ports))}")
    rule = AuthorizationPolicySpecRules(
        from_=_from(flow.source, wish), to=[AuthorizationPolicySpecRulesTo(operation=_operation(flow))]
    )
    target = AuthorizationPolicySpecTargetRefs(group="", kind="Service", name=app)
    spec = AuthorizationPolicySpec(action="ALLOW", target_refs=[target], rules=[rule])
    policy = AuthorizationPolicy(spec=spec)
    yield Permission(namespace=flow.target.namespace, name=f"call-{_slug(flow)}", policy=policy)
