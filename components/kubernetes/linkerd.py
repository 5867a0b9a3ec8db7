"""The same permissions in Linkerd's words: from the flows that Istio's policies are made of.

Linkerd judges a request by the one route that fits it best, Istio by all policies together. So every method and every
path that anybody was given becomes a cell of a table, and in each cell stands everybody who may do that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from components.kubernetes.flows import Flow, Pods
from components.kubernetes.linkerd_kinds import (
    AuthorizationPolicy,
    AuthorizationPolicySpec,
    HTTPRoute,
    HTTPRouteMatch,
    HTTPRouteMatchPath,
    HTTPRouteRule,
    HTTPRouteSpec,
    MeshTLSAuthentication,
    MeshTLSAuthenticationSpec,
    Reference,
    Server,
    ServerSpec,
    ServerSpecPodSelector,
)
from components.kubernetes.shapes import Custom

CLOSED: Final = {"config.linkerd.io/default-inbound-policy": "deny", "linkerd.io/inject": "enabled"}
"""Annotations of a namespace in the mesh: what no policy allows is refused."""
ANY: Final = ""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """One object, and where it goes."""

    namespace: str
    name: str
    what: Custom


@dataclass(frozen=True, order=True)
class Path:
    """A whole path, or everything below one; below the empty one is everything."""

    value: str
    below: bool

    def covers(self, other: Path) -> bool:
        """Say whether every path of the other one is one of this."""
        if not self.below:
            return self == other
        inside = other.value.startswith(f"{self.value}/")
        return inside or not self.value or (other.below and other.value == self.value)


def identity(pods: Pods, trust_domain: str) -> str:
    """Identity of an account; of all accounts of a namespace when none is named."""
    return f"{pods.account or '*'}.{pods.namespace}.serviceaccount.identity.linkerd.{trust_domain}"


def permissions(flows: Sequence[Flow], trust_domain: str, namespaces: Sequence[str]) -> Iterator[Placed]:
    """Yield a Server for each port that is asked, and who may ask it. Raises ValueError for a path it cannot say."""
    asked: dict[tuple[str, tuple[tuple[str, str], ...], int], list[Flow]] = {}
    for flow in flows:
        if isinstance(flow.source, Pods) and isinstance(flow.target, Pods) and flow.target.namespace in namespaces:
            for port in flow.ports:
                labels = tuple(sorted(flow.target.labels.items()))
                asked.setdefault((flow.target.namespace, labels, port), []).append(flow)
    for (namespace, labels, port), several in sorted(asked.items()):
        name = f"{'-'.join(value for _, value in labels) or 'all'}-{port}"
        layer_7 = any(flow.methods or flow.paths for flow in several)
        selector = ServerSpecPodSelector(match_labels=dict(labels))
        spec = ServerSpec(pod_selector=selector, port=port, proxy_protocol="HTTP/1" if layer_7 else "unknown")
        yield Placed(namespace=namespace, name=name, what=Server(spec=spec))
        if layer_7:
            yield from _cells(namespace, name, several, trust_domain)
        else:
            yield from _let(namespace, name, Reference(kind="Server", name=name), several, trust_domain)


def _cells(namespace: str, server: str, flows: Sequence[Flow], trust_domain: str) -> Iterator[Placed]:
    methods = sorted({ANY}.union(*(flow.methods for flow in flows)))
    wished = {path for flow in flows for path in paths(flow)}
    edges = {Path(path.value, below=False) for path in wished if path.below and path.value}
    number = 0
    for path in sorted(wished | edges):
        for method in methods:
            inside = [flow for flow in flows if _may(flow, method, path)]
            if not inside and not (path in edges and method == ANY):
                continue
            name, number = f"{server}-{number}", number + 1
            kind: HTTPRouteMatchPath = HTTPRouteMatchPath(
                type="PathPrefix" if path.below else "Exact", value=path.value or "/"
            )
            rule = HTTPRouteRule(matches=[HTTPRouteMatch(path=kind, method=method or None)])
            spec = HTTPRouteSpec(parent_refs=[Reference(kind="Server", name=server)], rules=[rule])
            yield Placed(namespace=namespace, name=name, what=HTTPRoute(spec=spec))
            yield from _let(namespace, name, Reference(kind="HTTPRoute", name=name), inside, trust_domain)


def _may(flow: Flow, method: str, path: Path) -> bool:
    return (not flow.methods or method in flow.methods) and any(mine.covers(path) for mine in paths(flow))


def paths(flow: Flow) -> list[Path]:
    """Paths of a flow; everything when none is named. Raises ValueError for a * that is not behind a slash."""
    found = [_path(each) for each in flow.paths]
    return found or [Path("", below=True)]


def _path(pattern: str) -> Path:
    if not pattern.endswith("*"):
        return Path(pattern, below=False)
    if not pattern.endswith("/*"):
        raise ValueError(f"{pattern}: Linkerd knows whole segments only; write the * behind a slash")
    return Path(pattern[:-2], below=True)


def _let(namespace: str, name: str, target: Reference, flows: Sequence[Flow], trust_domain: str) -> Iterator[Placed]:
    """Let the sources of some flows in; nobody when there is none: what nobody was let into is refused."""
    who = sorted({identity(flow.source, trust_domain) for flow in flows if isinstance(flow.source, Pods)})
    if not who:
        return
    spec = MeshTLSAuthenticationSpec(identities=who)
    yield Placed(namespace=namespace, name=name, what=MeshTLSAuthentication(spec=spec))
    needed = Reference(kind="MeshTLSAuthentication", name=name)
    policy = AuthorizationPolicySpec(target_ref=target, required_authentication_refs=[needed])
    yield Placed(namespace=namespace, name=name, what=AuthorizationPolicy(spec=policy))
