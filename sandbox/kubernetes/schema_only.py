"""The fast backend: no server, objects live in the stage's database, keyed by the cluster's host."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any, Literal

from sandbox.kubernetes.backend import ApiError, Json, NoSuchKind, ObjectRef, Unreachable
from sandbox.kubernetes.kinds import CLUSTER_SCOPED
from sandbox.kubernetes.kubeconfig import Target
from sandbox.schema.tokens import tokens
from sandbox.state import Database

_BORN_NAMESPACES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
CLUSTERS = (
    "aws:eks/cluster:Cluster",
    "gcp:container/cluster:Cluster",
    "azure-native:containerservice:ManagedCluster",
)
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})


class SchemaOnly:
    """Makes clusters that keep what they are given and judge it by the SDK's schema."""

    validates = True

    def __init__(self, database: Database, now: str) -> None:
        """Keep objects in `database`; `now` is the stage's clock."""
        self.database = database
        self.now = now

    def cluster(self, server: str, credentials: Json, namespace: str) -> SchemaCluster:
        """Open the cluster at an address."""
        return SchemaCluster(self.database, Target(server, namespace, credentials).host, self.now)

    def close(self) -> None:
        """Nothing was started."""


class SchemaCluster:
    """One cluster in the database."""

    waits = False

    def __init__(self, database: Database, host: str, now: str) -> None:
        """Show the cluster of a host; a host that no cloud of the stage has made does not answer."""
        self.database = database
        self.host = host
        self.now = now

    def reachable(self) -> str | None:
        """Look for a cluster with this address in the clouds."""
        if self.host in _LOOPBACK:
            return None
        found = self.database.by_handle(CLUSTERS, self.host)
        return None if found else f"dial tcp: lookup {self.host}: no such host"

    def _ask(self) -> None:
        why = self.reachable()
        if why:
            raise Unreachable(why)

    def is_namespaced(self, api_version: str, kind: str) -> bool:
        """Look the kind up in the table, or in the custom resource definitions of this cluster."""
        if self._built_in(api_version, kind):
            return kind not in CLUSTER_SCOPED
        definition = self._definition(api_version, kind)
        if definition is None:
            raise NoSuchKind(api_version, kind)
        return bool(definition["spec"].get("scope", "Namespaced") == "Namespaced")

    @staticmethod
    def _built_in(api_version: str, kind: str) -> bool:
        known = tokens("kubernetes")
        place = api_version if "/" in api_version else f"core/{api_version}"
        return f"kubernetes:{place}:{kind}" in known

    def _definition(self, api_version: str, kind: str) -> Json | None:
        group, _, version = api_version.rpartition("/")
        for (body,) in self.database.execute(
            "SELECT body FROM objects WHERE cluster=? AND kind='CustomResourceDefinition'", (self.host,)
        ):
            spec = json.loads(body).get("spec") or {}
            served = {item.get("name") for item in spec.get("versions") or () if item.get("served", True)}
            if spec.get("group") == group and (spec.get("names") or {}).get("kind") == kind and version in served:
                return {"spec": spec}
        return None

    def post(self, body: Json, *, manager: str, dry_run: bool) -> Json:
        """Create an object; its namespace must exist."""
        self._ask()
        ref = self._ref(body)
        with self.database.transaction():
            if ref.namespace and ref.namespace not in _BORN_NAMESPACES and self.get(_namespace(ref.namespace)) is None:
                raise ApiError(404, "NotFound", f'namespaces "{ref.namespace}" not found')
            if self.get(ref) is not None:
                raise ApiError(409, "AlreadyExists", f'{_plural(ref.kind)} "{ref.name}" already exists')
            live = self._alive(body, ref, manager, 1)
            if not dry_run:
                self._write(ref, live)
        return live

    def apply(self, body: Json, *, manager: str, force: bool, dry_run: bool) -> Json:
        """Replace what was applied before; there are no other managers here."""
        self._ask()
        ref = self._ref(body)
        with self.database.transaction():
            old = self.get(ref)
            generation = 1 + int(old["metadata"].get("generation", 1)) if old else 1
            live = self._alive(body, ref, manager, generation)
            if old:
                live["metadata"]["uid"] = old["metadata"]["uid"]
            if not dry_run:
                self._write(ref, live)
        return live

    def hand_over(self, ref: ObjectRef, managers: tuple[str, ...], to: str) -> None:
        """Fields have one owner here."""

    def get(self, ref: ObjectRef) -> Json | None:
        """Read an object."""
        self._ask()
        rows = self.database.execute(
            "SELECT body FROM objects WHERE cluster=? AND api=? AND kind=? AND namespace=? AND name=?",
            (self.host, ref.api_version, ref.kind, ref.namespace, ref.name),
        )
        return dict(json.loads(rows[0][0])) if rows else None

    def delete(self, ref: ObjectRef, *, propagation: Literal["Foreground", "Background", "Orphan"]) -> None:
        """Remove an object; a namespace takes its objects along."""
        self._ask()
        with self.database.transaction():
            self.database.execute(
                "DELETE FROM objects WHERE cluster=? AND api=? AND kind=? AND namespace=? AND name=?",
                (self.host, ref.api_version, ref.kind, ref.namespace, ref.name),
            )
            if ref.kind == "Namespace":
                self.database.execute("DELETE FROM objects WHERE cluster=? AND namespace=?", (self.host, ref.name))

    def _ref(self, body: Json) -> ObjectRef:
        meta = body["metadata"]
        namespaced = self.is_namespaced(body["apiVersion"], body["kind"])
        return ObjectRef(
            body["apiVersion"], body["kind"], str(meta.get("namespace") or "default") if namespaced else "", meta["name"]
        )

    def _write(self, ref: ObjectRef, live: Json) -> None:
        self.database.execute(
            "INSERT OR REPLACE INTO objects VALUES (?,?,?,?,?,?)",
            (self.host, ref.api_version, ref.kind, ref.namespace, ref.name, json.dumps(live)),
        )

    def _alive(self, body: Json, ref: ObjectRef, manager: str, generation: int) -> Json:
        seed = hashlib.sha256(f"{self.host}/{ref.api_version}/{ref.kind}/{ref.id}".encode()).digest()
        meta: dict[str, Any] = {
            **body["metadata"],
            "uid": str(uuid.UUID(bytes=seed[:16], version=4)),
            "resourceVersion": str(1000 + generation),
            "creationTimestamp": self.now,
            "generation": generation,
            "managedFields": [{"manager": manager, "operation": "Apply" if generation > 1 else "Update",
                               "apiVersion": ref.api_version, "fieldsType": "FieldsV1", "time": self.now}],
        }  # fmt: skip
        if ref.namespace:
            meta["namespace"] = ref.namespace
        live = {**body, "metadata": meta}
        if ref.kind == "Namespace":
            live["status"] = {"phase": "Active"}
            meta["labels"] = {**(meta.get("labels") or {}), "kubernetes.io/metadata.name": ref.name}
        elif ref.kind == "ResourceQuota":
            live["status"] = {"hard": (body.get("spec") or {}).get("hard", {})}
        return live


def _namespace(name: str) -> ObjectRef:
    return ObjectRef("v1", "Namespace", "", name)


def _plural(kind: str) -> str:
    low = kind.lower()
    return low[:-1] + "ies" if low.endswith("y") else low + ("es" if low.endswith("s") else "s")
