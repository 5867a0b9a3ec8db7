"""The second backend: a real API server behind every cluster that the stand-in clouds make."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from sandbox.kubernetes import clouds
from sandbox.kubernetes.backend import ApiError, Json
from sandbox.kubernetes.kubeconfig import Target
from sandbox.kubernetes.ledger import Ledger
from sandbox.kubernetes.live import LiveCluster
from sandbox.kubernetes.planes import PLANES, Planes
from sandbox.kubernetes.rest import Rest
from sandbox.state import Database

_DEFINITIONS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_THERE: Final = 409


class ApiServers:
    """Makes clusters that are control planes of their own; a server on this machine is used as it is."""

    validates = False

    def __init__(self, state: Path, database: Database) -> None:
        """Keep data under `state`; drop what belonged to clusters that were deleted while nobody served."""
        self._database = database
        self._planes = Planes(state / PLANES)
        self._clusters: dict[str, LiveCluster] = {}
        self._equipped: dict[str, Rest] = {}
        self._lock = threading.Lock()
        for host in self._planes.known():
            if not clouds.exists(database, host):
                self._planes.drop(host)

    def cluster(self, server: str, credentials: Json, namespace: str) -> LiveCluster:
        """Open the cluster at an address; all connections to it share one client."""
        target = Target(server, namespace, credentials)
        key = server if clouds.is_local(target.host) else target.host
        with self._lock:
            if key not in self._clusters:
                self._clusters[key] = self._open(target)
            return self._clusters[key]

    def _open(self, target: Target) -> LiveCluster:
        ledger = Ledger(self._database, target.host)
        if clouds.is_local(target.host):
            rest = Rest(target.server, target.credentials)
            return LiveCluster(lambda: rest, ledger)

        def connect() -> Rest:
            clouds.require(self._database, target.host)
            rest = self._planes.rest(target.host)
            if self._equipped.get(target.host) is not rest:
                equip(rest, clouds.definitions(self._database, target.host))
                self._equipped[target.host] = rest
            return rest

        return LiveCluster(connect, ledger)

    def cluster_gone(self, host: str) -> None:
        """Drop a cluster's control plane and its data."""
        self._planes.drop(host)

    def close(self) -> None:
        """End all control planes; their data stays for the next process."""
        self._planes.close()


def equip(rest: Rest, definitions: tuple[Json, ...]) -> None:
    """Give a server what its cloud brings; what it has from an earlier run stays."""
    for definition in definitions:
        try:
            rest.call("POST", _DEFINITIONS, body=definition, query={"fieldManager": "cloud"})
        except ApiError as no:
            if no.code != _THERE:
                raise


def open_backend(state: Path, database: Database, now: str) -> ApiServers:
    """Open the backend of a stage; control planes have the machine's own clock, so `now` says nothing to them."""
    del now
    return ApiServers(state, database)
