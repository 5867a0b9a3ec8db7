"""The fast backend: no server, objects live in the stage's database, keyed by the cluster's host."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any, Literal

from sandbox.kubernetes import clouds
from sandbox.kubernetes.backend import ApiError, Json, ObjectRef, Unreachable
from sandbox.kubernetes.kinds import CLUSTER_SCOPED, custom_is_namespaced, is_built_in
from sandbox.kubernetes.kubeconfig import Target
from sandbox.state import Database

_BORN_NAMESPACES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})


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

    def cluster_gone(self, host: str) -> None:
        """Drop the cluster's objects."""
        self.database.execute("DELETE FROM objects WHERE cluster=?", (host,))

    def close(self) -> None:
        """Nothing was started."""


class SchemaCluster:
    """One cluster in the database."""

    waits = False
    pauses: tuple[float, ...] = (0.1, 0.2, 0.4)  # what is not there at once here will not come

    def __init__(self, database: Database, host: str, now: str) -> None:
        """Show the cluster of a host; a host that no cloud of the stage has made does not answer."""
        self.database = database
        self.host = host
        self.now = now

    def reachable(self) -> str | None:
        """Look for a cluster with this address in the clouds."""
        try:
            self._ask()
        except Unreachable as no:
            return str(no)
        return None

    def _ask(self) -> None:
        clouds.require(self.database, self.host)

    def is_namespaced(self, api_version: str, kind: str) -> bool:
        """Look the kind up in the table, then in the definitions of this cluster; others are taken on trust.

        Definitions may come with a chart, which nobody installs here: any custom kind is accepted.
        """
        if is_built_in(api_version, kind):
            return kind not in CLUSTER_SCOPED
        definition = self._definition(api_version, kind)
        if definition is None:
            return custom_is_namespaced(api_version, kind)
        return bool(definition["spec"].get("scope", "Namespaced") == "Namespaced")

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
        """Replace what the same manager applied before; what another one made is added to."""
        self._ask()
        ref = self._ref(body)
        with self.database.transaction():
            old = self.get(ref)
            generation = 1 + int(old["metadata"].get("generation", 1)) if old else 1
            if old and owner(old) != manager and not (force and dry_run):  # that is a preview before the hand-over
                body, manager = merged(old, body), owner(old)
            live = self._alive(body, ref, manager, generation)
            if old:
                live["metadata"]["uid"] = old["metadata"]["uid"]
            if not dry_run:
                self._write(ref, live)
        return live

    def hand_over(self, ref: ObjectRef, managers: tuple[str, ...], to: str) -> None:
        """Objects have one owner here: whoever made them, or whom it was handed to."""
        with self.database.transaction():
            live = self.get(ref)
            if live is not None and owner(live) in managers:
                live["metadata"]["managedFields"][0]["manager"] = to
                self._write(ref, live)

    def get(self, ref: ObjectRef) -> Json | None:
        """Read an object."""
        self._ask()
        rows = self.database.execute(
            "SELECT body FROM objects WHERE cluster=? AND api=? AND kind=? AND namespace=? AND name=?",
            (self.host, ref.api_version, ref.kind, ref.namespace, ref.name),
        )
        return dict(json.loads(rows[0][0])) if rows else None

    def delete(self, ref: ObjectRef, *, propagation: Literal["Foreground", "Background", "Orphan"]) -> None:
        """Remove an object; a namespace takes its objects along (nothing else has dependants here)."""
        del propagation
        self._ask()
        with self.database.transaction():
            definition = self.get(ref)
            self.database.execute(
                "DELETE FROM objects WHERE cluster=? AND api=? AND kind=? AND namespace=? AND name=?",
                (self.host, ref.api_version, ref.kind, ref.namespace, ref.name),
            )
            if ref.kind == "Namespace":
                self.database.execute("DELETE FROM objects WHERE cluster=? AND namespace=?", (self.host, ref.name))
            elif ref.kind == "CustomResourceDefinition" and definition is not None:
                spec = definition["spec"]
                self.database.execute(
                    "DELETE FROM objects WHERE cluster=? AND api LIKE ? AND kind=?",
                    (self.host, f"{spec['group']}/%", spec["names"]["kind"]),
                )

    def gone(self, ref: ObjectRef) -> None:
        """Nothing is kept beside the objects themselves."""

    def _ref(self, body: Json) -> ObjectRef:
        meta = body["metadata"]
        namespaced = self.is_namespaced(body["apiVersion"], body["kind"])
        namespace = str(meta.get("namespace") or "default") if namespaced else ""
        return ObjectRef(body["apiVersion"], body["kind"], namespace, meta["name"])

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


def owner(live: Json) -> str:
    """Name the manager that made an object."""
    fields = live["metadata"].get("managedFields") or [{}]
    return str(fields[0].get("manager"))


def merged(old: Any, new: Any) -> Any:
    """Lay maps over each other; anything else is replaced."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: merged(old.get(key), item) for key, item in new.items()}}
    return new
