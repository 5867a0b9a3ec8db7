"""Change objects of running control planes behind the engine's back, from any process (drift)."""

from __future__ import annotations

from pathlib import Path

from sandbox.kubernetes.backend import Json, ObjectRef, Unreachable
from sandbox.kubernetes.discovery import Discovery
from sandbox.kubernetes.kubeconfig import parse
from sandbox.kubernetes.planes import PLANES
from sandbox.kubernetes.rest import Rest

MANAGER = "kubectl"  # the port takes its fields back at the next update


class Behind:
    """One cluster's API server, as somebody uses it who does not use the port."""

    def __init__(self, state: Path, host: str) -> None:
        """Find the control plane of a host under a state directory. Raises Unreachable when it does not run."""
        note = state / PLANES / host / "kubeconfig"
        if not note.exists():
            raise Unreachable(f"the control plane of {host} does not run: drift it while the sandbox serves")
        target = parse(note.read_text(encoding="utf-8"))
        self._rest = Rest(target.server, target.credentials)
        self._kinds = Discovery(self._rest)

    def get(self, ref: ObjectRef) -> Json:
        """Read an object. Raises ApiError."""
        return self._rest.call("GET", self._kinds.path(ref))

    def put(self, ref: ObjectRef, body: Json) -> None:
        """Write a whole object that was read before. Raises ApiError, as for a field that cannot change."""
        self._rest.call("PUT", self._kinds.path(ref), body=body, query={"fieldManager": MANAGER})

    def remove(self, ref: ObjectRef) -> None:
        """Delete an object and what it owns. Raises ApiError."""
        self._rest.call("DELETE", self._kinds.path(ref), query={"propagationPolicy": "Background"})


def has_planes(state: Path, host: str) -> bool:
    """Tell whether objects of a host live in a control plane and not in the database."""
    return (state / PLANES / host).is_dir()
