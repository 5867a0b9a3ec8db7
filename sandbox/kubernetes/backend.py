"""What the kubernetes provider needs of a cluster; two backends fulfil it: schema-only and a real API server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

Json = dict[str, Any]


@dataclass(frozen=True)
class ObjectRef:
    """One object of a cluster; `namespace` is empty for cluster-scoped kinds."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @property
    def id(self) -> str:
        """The engine's id of it."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class ApiError(Exception):
    """The API server said no; `reason` is its machine-readable word (NotFound, Conflict, Invalid, ...)."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        """Keep status code, reason and text apart."""
        super().__init__(message)
        self.code = code
        self.reason = reason


class Unreachable(ApiError):  # noqa: N818 - it is what happened
    """Nobody answers at the server's address."""

    def __init__(self, why: str) -> None:
        """Say why."""
        super().__init__(0, "Unreachable", why)


class NoSuchKind(ApiError):  # noqa: N818 - as above
    """The server does not serve this apiVersion and kind."""

    def __init__(self, api_version: str, kind: str) -> None:
        """Name the kind in the client library's words."""
        super().__init__(404, "NoSuchKind", f'no matches for kind "{kind}" in version "{api_version}"')


class Cluster(Protocol):
    """One cluster, as one provider instance sees it. All methods raise ApiError, Unreachable or NoSuchKind."""

    waits: bool
    """True when controllers bring objects to life and readiness must be waited for."""
    pauses: tuple[float, ...]
    """Seconds before each further try of a create whose kind or namespace is missing."""

    def reachable(self) -> str | None:
        """Return None, or why the server does not answer."""

    def is_namespaced(self, api_version: str, kind: str) -> bool:
        """Tell whether objects of this kind live in a namespace."""

    def post(self, body: Json, *, manager: str, dry_run: bool) -> Json:
        """Create an object and return the live one."""

    def apply(self, body: Json, *, manager: str, force: bool, dry_run: bool) -> Json:
        """Server-side apply; a foreign field raises ApiError(409, "Conflict", server's text)."""

    def hand_over(self, ref: ObjectRef, managers: tuple[str, ...], to: str) -> None:
        """Give the fields that some managers own to another one."""

    def get(self, ref: ObjectRef) -> Json | None:
        """Return the live object, or None."""

    def delete(self, ref: ObjectRef, *, propagation: Literal["Foreground", "Background", "Orphan"]) -> None:
        """Ask for deletion; the provider waits until `get` answers None."""

    def gone(self, ref: ObjectRef) -> None:
        """Hear that the provider is done with an object: it is deleted, or was found missing."""


class Backend(Protocol):
    """Makes clusters out of kubeconfigs."""

    validates: bool
    """True when Check must judge inputs by the SDK's schema, because no server will."""

    def cluster(self, server: str, credentials: Json, namespace: str) -> Cluster:
        """Open a cluster by its server address; does not connect yet.

        `credentials` are the kubeconfig's user entry, and of its cluster's entry all but the server.
        """

    def cluster_gone(self, host: str) -> None:
        """Hear that a cloud has deleted the cluster at an address: its objects went with it."""

    def close(self) -> None:
        """End whatever was started."""
