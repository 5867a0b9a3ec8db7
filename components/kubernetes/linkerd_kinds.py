# ruff: noqa: RUF009 - fields are declared with their names on the wire
"""Linkerd's policy resources as typed models, written by hand: no definitions of Linkerd lie in the shared folder.

Fields: linkerd.io/2-edge/reference/authorization-policy, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from components.kubernetes.shapes import Custom, Shape, wire

GROUP = "policy.linkerd.io"


@dataclass(frozen=True, kw_only=True)
class Reference(Shape):
    """Points at another object of the namespace."""

    kind: Literal["Server", "HTTPRoute", "MeshTLSAuthentication"]
    name: str
    group: str = GROUP


@dataclass(frozen=True, kw_only=True)
class ServerSpecPodSelector(Shape):
    """Which pods; none means all of the namespace."""

    match_labels: Mapping[str, str] = wire("matchLabels")


@dataclass(frozen=True, kw_only=True)
class ServerSpec(Shape):
    """One port of some pods."""

    pod_selector: ServerSpecPodSelector = wire("podSelector")
    port: int
    proxy_protocol: Literal["HTTP/1", "HTTP/2", "unknown", "opaque"] = wire("proxyProtocol", default="unknown")
    access_policy: Literal["deny", "all-authenticated"] = wire("accessPolicy", default="deny")


@dataclass(frozen=True, kw_only=True)
class Server(Custom):
    """What may be talked to at all."""

    API_VERSION: ClassVar[str] = f"{GROUP}/v1beta3"
    KIND: ClassVar[str] = "Server"
    spec: ServerSpec


@dataclass(frozen=True, kw_only=True)
class HTTPRouteMatchPath(Shape):
    """A whole path, or whole segments at its beginning."""

    type: Literal["Exact", "PathPrefix"]
    value: str


@dataclass(frozen=True, kw_only=True)
class HTTPRouteMatch(Shape):
    """Path and method; a method that is not there means any."""

    path: HTTPRouteMatchPath
    method: str | None = None


@dataclass(frozen=True, kw_only=True)
class HTTPRouteRule(Shape):
    """Any of the matches."""

    matches: Sequence[HTTPRouteMatch]


@dataclass(frozen=True, kw_only=True)
class HTTPRouteSpec(Shape):
    """Requests of a Server."""

    parent_refs: Sequence[Reference] = wire("parentRefs")
    rules: Sequence[HTTPRouteRule]


@dataclass(frozen=True, kw_only=True)
class HTTPRoute(Custom):
    """Some of the requests to a Server."""

    API_VERSION: ClassVar[str] = f"{GROUP}/v1beta3"
    KIND: ClassVar[str] = "HTTPRoute"
    spec: HTTPRouteSpec


@dataclass(frozen=True, kw_only=True)
class MeshTLSAuthenticationSpec(Shape):
    """Any of these identities; one that begins with *. stands for all that end so."""

    identities: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class MeshTLSAuthentication(Custom):
    """Who somebody is."""

    API_VERSION: ClassVar[str] = f"{GROUP}/v1alpha1"
    KIND: ClassVar[str] = "MeshTLSAuthentication"
    spec: MeshTLSAuthenticationSpec


@dataclass(frozen=True, kw_only=True)
class AuthorizationPolicySpec(Shape):
    """Lets those in who pass every authentication."""

    target_ref: Reference = wire("targetRef")
    required_authentication_refs: Sequence[Reference] = wire("requiredAuthenticationRefs")


@dataclass(frozen=True, kw_only=True)
class AuthorizationPolicy(Custom):
    """Who may reach a Server, or some requests of it."""

    API_VERSION: ClassVar[str] = f"{GROUP}/v1alpha1"
    KIND: ClassVar[str] = "AuthorizationPolicy"
    spec: AuthorizationPolicySpec
