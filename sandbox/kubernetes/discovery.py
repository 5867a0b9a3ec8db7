"""Which kinds an API server serves, and under which path."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from sandbox.kubernetes.backend import ApiError, NoSuchKind, ObjectRef
from sandbox.kubernetes.rest import Rest


@dataclass(frozen=True)
class Served:
    """A kind as the server names it in paths."""

    plural: str
    namespaced: bool


class Discovery:
    """Remembers what was found; what was not found is asked for again, since a definition may have come."""

    def __init__(self, rest: Rest) -> None:
        """Ask through `rest`."""
        self._rest = rest
        self._known: dict[tuple[str, str], Served] = {}
        self._lock = threading.Lock()

    def find(self, api_version: str, kind: str) -> Served:
        """Find a kind. Raises NoSuchKind."""
        found = self._known.get((api_version, kind))
        if found is None:
            with self._lock:
                self._load(api_version)
            found = self._known.get((api_version, kind))
        if found is None:
            raise NoSuchKind(api_version, kind)
        return found

    def _load(self, api_version: str) -> None:
        try:
            answer = self._rest.call("GET", root(api_version))
        except ApiError as no:
            if no.code == 404:  # noqa: PLR2004 - the group is not served
                return
            raise
        for item in answer.get("resources") or ():
            if "/" not in item["name"]:
                self._known[api_version, item["kind"]] = Served(item["name"], bool(item["namespaced"]))

    def forget(self, api_version: str, kind: str) -> None:
        """Drop a kind that turned out to be gone."""
        self._known.pop((api_version, kind), None)

    def collection(self, api_version: str, kind: str, namespace: str) -> str:
        """Give the path under which objects of a kind are created."""
        served = self.find(api_version, kind)
        place = f"/namespaces/{namespace or 'default'}" if served.namespaced else ""
        return f"{root(api_version)}{place}/{served.plural}"

    def path(self, ref: ObjectRef) -> str:
        """Give the path of one object."""
        return f"{self.collection(ref.api_version, ref.kind, ref.namespace)}/{ref.name}"


def root(api_version: str) -> str:
    """Give the path of a group and version; the core group has its own."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
