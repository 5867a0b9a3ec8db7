"""A cluster behind a real API server: the requests that the vendor's provider would send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from sandbox.kubernetes.backend import ApiError, Json, NoSuchKind, ObjectRef
from sandbox.kubernetes.discovery import Discovery
from sandbox.kubernetes.kinds import is_built_in
from sandbox.kubernetes.ledger import Ledger
from sandbox.kubernetes.owners import handed_over
from sandbox.kubernetes.rest import APPLY, JSON_PATCH, Rest

DEFINITION: Final = "CustomResourceDefinition"
_TRIES: Final = 5  # when somebody else wrote in between


class LiveCluster:
    """One API server; the connection is made when it is first used."""

    waits = True
    pauses: tuple[float, ...] = (2, 4, 8, 16, 32)  # kubernetes-provider.md: five retries, about a minute in all

    def __init__(self, connect: Callable[[], Rest], ledger: Ledger) -> None:
        """Reach the server by `connect` (it raises Unreachable); tell `ledger` what was made and what went."""
        self._connect = connect
        self._ledger = ledger
        self._opened: tuple[Rest, Discovery] | None = None

    def _server(self) -> tuple[Rest, Discovery]:
        rest = self._connect()
        if self._opened is None or self._opened[0] is not rest:
            self._opened = (rest, Discovery(rest))
        return self._opened

    def reachable(self) -> str | None:
        """Ask for the server's version."""
        try:
            self._server()[0].call("GET", "/version")
        except ApiError as no:
            return str(no)
        return None

    def is_namespaced(self, api_version: str, kind: str) -> bool:
        """Ask the server."""
        return self._server()[1].find(api_version, kind).namespaced

    def post(self, body: Json, *, manager: str, dry_run: bool) -> Json:
        """Create an object; unknown fields of built-in kinds are refused, those of custom resources are dropped."""
        rest, discovery = self._server()
        ref = self._ref(body)
        path = discovery.collection(ref.api_version, ref.kind, ref.namespace)
        query = {"fieldManager": manager, "fieldValidation": _strictness(ref), "dryRun": "All" if dry_run else ""}
        live = self._known(ref, lambda: rest.call("POST", path, body=body, query=query))
        if not dry_run:
            self._ledger.made(ref, body)
        return live

    def apply(self, body: Json, *, manager: str, force: bool, dry_run: bool) -> Json:
        """Server-side apply; a definition of custom resources is put as a whole."""
        rest, discovery = self._server()
        ref = self._ref(body)
        query = {"fieldManager": manager, "fieldValidation": _strictness(ref), "dryRun": "All" if dry_run else ""}
        old = self.get(ref) if ref.kind == DEFINITION else None
        if old is not None:
            version = {"resourceVersion": old["metadata"]["resourceVersion"]}
            whole = {**body, "metadata": {**body["metadata"], **version}}
            return rest.call("PUT", discovery.path(ref), body=whole, query=query)
        query["force"] = "true" if force else "false"
        path = discovery.path(ref)
        live = self._known(ref, lambda: rest.call("PATCH", path, body=body, query=query, content=APPLY))
        if not dry_run:
            self._ledger.made(ref, body)
        return live

    def hand_over(self, ref: ObjectRef, managers: tuple[str, ...], to: str) -> None:
        """Rewrite the managed fields; starts again when the object changed meanwhile."""
        rest, discovery = self._server()
        for left in reversed(range(_TRIES)):
            live = self.get(ref)
            fields = handed_over(live, managers, to) if live else None
            if live is None or fields is None:
                return
            patch = [
                {"op": "replace", "path": "/metadata/managedFields", "value": fields},
                {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
            ]
            try:
                rest.call("PATCH", discovery.path(ref), body=patch, query={"fieldManager": to}, content=JSON_PATCH)
            except ApiError as no:
                if no.reason == "Conflict" and left:
                    continue
                raise
            return

    def get(self, ref: ObjectRef) -> Json | None:
        """Read an object."""
        rest, discovery = self._server()
        try:
            path = discovery.path(ref)
            return self._known(ref, lambda: rest.call("GET", path))
        except ApiError as no:
            if no.reason == "NotFound":
                return None
            raise

    def delete(self, ref: ObjectRef, *, propagation: Literal["Foreground", "Background", "Orphan"]) -> None:
        """Ask for deletion."""
        rest, discovery = self._server()
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        path = discovery.path(ref)
        self._known(ref, lambda: rest.call("DELETE", path, body=options))

    def gone(self, ref: ObjectRef) -> None:
        """Strike an object off the ledger."""
        self._ledger.gone(ref)

    def _ref(self, body: Json) -> ObjectRef:
        meta = body["metadata"]
        namespaced = self.is_namespaced(body["apiVersion"], body["kind"])
        namespace = str(meta.get("namespace") or "default") if namespaced else ""
        return ObjectRef(body["apiVersion"], body["kind"], namespace, str(meta["name"]))

    def _known(self, ref: ObjectRef, ask: Callable[[], Json]) -> Json:
        """Notice a kind that was served once and is gone."""
        try:
            return ask()
        except ApiError as no:
            if no.reason == "NoSuchKind":
                self._server()[1].forget(ref.api_version, ref.kind)
                raise NoSuchKind(ref.api_version, ref.kind) from no
            raise


def _strictness(ref: ObjectRef) -> str:
    return "Strict" if is_built_in(ref.api_version, ref.kind) else "Warn"
