"""May A call B with this method and path? Answered from Linkerd's policies as its proxy judges them.

linkerd.io/2-edge/reference/authorization-policy, read 2026-11: the Server of pod and port; if routes hang on it, the
one that fits best (whole path, longest beginning, then method: gateway-api.sigs.k8s.io/reference/spec, HTTPRouteRule),
else none and the request is refused; then any policy of the route or its Server whose authentications are all passed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from components.kubernetes.permits import Request, Verdict

Object = Mapping[str, Any]
PARTS: Final = 5


def may(request: Request, objects: Sequence[Object]) -> Verdict:
    """Judge a call. Raises ValueError where two Servers hold the same port of a pod: Linkerd allows one."""
    mine = [each for each in objects if each["metadata"]["namespace"] == request.namespace]
    servers = [each for each in mine if each["kind"] == "Server" and _holds(each, request)]
    if len(servers) > 1:
        names = ", ".join(each["metadata"]["name"] for each in servers)
        raise ValueError(f"{names}: one port of a pod has one Server")
    if not servers:
        return Verdict(allowed=False, reason="no Server has this port: the namespace denies")
    (server,) = servers
    targets = [("Server", server["metadata"]["name"])]
    routes = [each for each in mine if each["kind"] == "HTTPRoute" and _hangs(each, server)]
    if routes:
        best = max(routes, key=lambda each: _fit(each, request) or (-1, -1, -1))
        if _fit(best, request) is None:
            return Verdict(allowed=False, reason="no route of the Server fits")
        targets.append(("HTTPRoute", best["metadata"]["name"]))
    for policy in mine:
        if policy["kind"] == "AuthorizationPolicy" and _aims(policy, targets):
            needed = [each["name"] for each in policy["spec"]["requiredAuthenticationRefs"]]
            if all(_passes(mine, name, request.principal) for name in needed):
                return Verdict(allowed=True, reason=f"{policy['metadata']['name']} allows it")
    return Verdict(allowed=False, reason=f"nobody was let into {targets[-1][1]} like this")


def _holds(server: Object, request: Request) -> bool:
    spec = server["spec"]
    wanted = (spec.get("podSelector") or {}).get("matchLabels") or {}
    return spec["port"] == request.port and all(request.labels.get(key) == value for key, value in wanted.items())


def _hangs(route: Object, server: Object) -> bool:
    return any(each["name"] == server["metadata"]["name"] for each in route["spec"]["parentRefs"])


def _aims(policy: Object, targets: list[tuple[str, str]]) -> bool:
    target = policy["spec"]["targetRef"]
    return (target["kind"], target["name"]) in targets


def _fit(route: Object, request: Request) -> tuple[int, int, int] | None:
    """How well a route fits: whole path, length of the beginning, method; nothing where it does not."""
    found = [
        (path["type"] == "Exact", len(path["value"].rstrip("/")), bool(match.get("method")))
        for rule in route["spec"]["rules"]
        for match in rule["matches"]
        for path in [match["path"]]
        if match.get("method") in (None, request.method) and _on(path, request.path)
    ]
    return max(((int(whole), length, int(method)) for whole, length, method in found), default=None)


def _on(path: Object, asked: str) -> bool:
    if path["type"] == "Exact":
        return bool(asked == path["value"])
    start = path["value"].rstrip("/")
    return asked.rstrip("/") == start or asked.startswith(f"{start}/")


def _passes(objects: list[Object], name: str, principal: str) -> bool:
    parts = principal.split("/")
    if len(parts) != PARTS:
        return False
    domain, _, namespace, _, account = parts
    who = f"{account}.{namespace}.serviceaccount.identity.linkerd.{domain}"
    wanted = [
        identity
        for each in objects
        if each["kind"] == "MeshTLSAuthentication" and each["metadata"]["name"] == name
        for identity in each["spec"]["identities"]
    ]
    return any(who == each or (each.startswith("*.") and who.endswith(each[1:])) for each in wanted)
