"""May A call B with this method and path? Answered from authorization policies as the mesh judges them.

Order and matching: istio.io/latest/docs/reference/config/security/authorization-policy, 2026-11. A node proxy (ztunnel)
sees connections only: there a rule of an ALLOW with methods or paths never holds, and of a DENY always does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

LAYER_7: Final = ("methods", "paths", "hosts", "notMethods", "notPaths", "notHosts")
GATEWAYS: Final = "gateway.networking.k8s.io"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call. Identities are `TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT`; empty means plain text."""

    principal: str
    namespace: str
    service: str
    labels: Mapping[str, str]
    port: int
    method: str = "GET"
    path: str = "/"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer, and who gave it."""

    allowed: bool
    reason: str


def may(request: Request, policies: Iterable[Mapping[str, Any]], waypoint: str = "") -> Verdict:
    """Judge a call; `waypoint` is the identity of the target's waypoint, empty where there is none (or sidecars).

    With a waypoint, it judges the caller with the policies that target it or the service; then the node proxy of the
    target judges the waypoint with the policies that select the pods.
    """
    mine = [each for each in policies if each["metadata"]["namespace"] == request.namespace]
    on_pods = [each for each in mine if not _targets(each) and _selects(each, request.labels)]
    if not waypoint:
        return _judge(request, on_pods, layer_7=True, who="the target's proxy")
    on_way = [each for each in mine if _aims(each, request)]
    first = _judge(request, on_way, layer_7=True, who="the waypoint")
    if not first.allowed:
        return first
    inner = Request(**{**request.__dict__, "principal": waypoint})
    return _judge(inner, on_pods, layer_7=False, who="the target's node")


def _targets(policy: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    spec = policy.get("spec") or {}
    return list(spec.get("targetRefs") or ([spec["targetRef"]] if spec.get("targetRef") else []))


def _aims(policy: Mapping[str, Any], request: Request) -> bool:
    for target in _targets(policy):
        if target.get("kind") == "Service" and target["name"] == request.service:
            return True
        if target.get("kind") == "Gateway" and target.get("group") == GATEWAYS and target["name"] == "waypoint":
            return True
    return False


def _selects(policy: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    wanted = ((policy.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items())


def _judge(request: Request, policies: list[Mapping[str, Any]], *, layer_7: bool, who: str) -> Verdict:
    by_action: dict[str, list[Mapping[str, Any]]] = {}
    for each in policies:
        by_action.setdefault((each.get("spec") or {}).get("action", "ALLOW"), []).append(each)
    if by_action.get("CUSTOM"):
        raise ValueError("a CUSTOM policy asks another server: what it answers is not known here")
    for each in by_action.get("DENY", []):
        if _holds(request, each, layer_7=layer_7):
            return Verdict(allowed=False, reason=f"{who}: {each['metadata']['name']} denies it")
    allowing = by_action.get("ALLOW", [])
    if not allowing:
        return Verdict(allowed=True, reason=f"{who}: no policy")
    for each in allowing:
        if _holds(request, each, layer_7=layer_7):
            return Verdict(allowed=True, reason=f"{who}: {each['metadata']['name']} allows it")
    return Verdict(allowed=False, reason=f"{who}: no policy allows it")


def _holds(request: Request, policy: Mapping[str, Any], *, layer_7: bool) -> bool:
    spec = policy.get("spec") or {}
    denies = spec.get("action") == "DENY"
    return any(_rule(request, rule, layer_7=layer_7, denies=denies) for rule in spec.get("rules") or ())


def _rule(request: Request, rule: Mapping[str, Any], *, layer_7: bool, denies: bool) -> bool:
    if rule.get("when"):
        raise ValueError("a rule with `when` is not judged here")
    sources = rule.get("from")
    if sources and not any(_source(request, each.get("source") or {}) for each in sources):
        return False
    targets = rule.get("to")
    return not targets or any(
        _operation(request, each.get("operation") or {}, layer_7=layer_7, denies=denies) for each in targets
    )


def _source(request: Request, source: Mapping[str, Any]) -> bool:
    parts = request.principal.split("/")
    namespace = parts[2] if len(parts) == 5 else ""  # noqa: PLR2004 - domain, ns, name, sa, name
    account = f"{namespace}/{parts[4]}" if namespace else ""
    known = {"principals": request.principal, "namespaces": namespace, "serviceAccounts": account}
    return _fields(source, known)


def _operation(request: Request, operation: Mapping[str, Any], *, layer_7: bool, denies: bool) -> bool:
    known = {"methods": request.method, "paths": request.path, "ports": str(request.port)}
    if not layer_7 and any(operation.get(name) for name in LAYER_7):
        if not denies:
            return False
        operation = {key: value for key, value in operation.items() if key not in LAYER_7}
    return _fields(operation, known)


def _fields(wanted: Mapping[str, Any], known: Mapping[str, str]) -> bool:
    for name, patterns in wanted.items():
        negated = name.startswith("not")
        key = name[3:4].lower() + name[4:] if negated else name
        if key not in known:
            raise ValueError(f"{name} is not judged here")
        if patterns and any(_matches(pattern, known[key]) for pattern in patterns) == negated:
            return False
    return True


def _matches(pattern: str, value: str) -> bool:
    """Exact, prefix with * at the end, suffix with * at the start, or * for anything but nothing."""
    if "{" in pattern:
        raise ValueError(f"{pattern}: path templates are not judged here")
    if pattern == "*":
        return bool(value)
    if pattern.endswith("*"):
        return value.startswith(pattern[:-1])
    if pattern.startswith("*"):
        return value.endswith(pattern[1:])
    return value == pattern
