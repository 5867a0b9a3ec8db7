"""The kubernetes provider as its vendor's behaves, in front of any backend."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

import grpc

from sandbox.cloud import Asked, Difference
from sandbox.compare import differences
from sandbox.connection import Connection
from sandbox.errors import Failure, Refused, Uninitialised
from sandbox.kubernetes.backend import ApiError, Backend, Cluster, Json, NoSuchKind, ObjectRef, Unreachable
from sandbox.kubernetes.inputs import AUTONAMED, canonical, inputs_of, pruned, unsupported
from sandbox.kubernetes.kinds import POD_KEEPS, replaces
from sandbox.kubernetes.kubeconfig import parse
from sandbox.kubernetes.ready import reason_not_ready
from sandbox.paths import matches
from sandbox.schema.store import SchemaStore
from sandbox.schema.validate import validate
from sandbox.state import Database, Thing
from sandbox.wire import UNKNOWN, has_unknown

FIRST_MANAGER = "pulumi-kubernetes"
HANDED_OVER = (FIRST_MANAGER, "kubectl", "before-first-apply")
HIDDEN = ("__inputs", "__initialApiVersion", "__fieldManager")


class Kubernetes:
    """Behaviour of the kubernetes port; clusters are opened per connection."""

    package = "kubernetes"

    def __init__(self, backend: Backend, database: Database, store: SchemaStore) -> None:
        """Talk to clusters through `backend`; the database only tells runs apart (generations)."""
        self.backend = backend
        self.database = database
        self.store = store

    def cluster(self, connection: Connection) -> Cluster:
        """Open the cluster of a connection."""
        found = connection.config.get("__cluster")
        if found is None:
            target = parse(connection.text("kubeconfig"), connection.text("context"), connection.text("cluster"))
            namespace = connection.text("namespace") or target.namespace or "default"
            connection.config["__namespace"] = namespace
            found = connection.config["__cluster"] = self.backend.cluster(target.server, target.credentials, namespace)
            connection.scope = target.host
        return found  # type: ignore[no-any-return]

    def check(
        self, asked: Asked, olds: dict[str, Any], news: dict[str, Any], random: bytes, proposed: str | None
    ) -> tuple[dict[str, Any], list[Failure]]:
        """Name it, bring it into canonical form; judge it where no server will."""
        problem = unsupported(asked.type, news, self.store)
        if problem:
            return news, [Failure("", problem)]
        failures: list[Failure] = []
        if self.backend.validates and asked.type in self.store:
            failures = validate(self.store.get(asked.type), news, open_enums=False)
        if failures:
            return news, failures
        return canonical(asked, olds, news, random, proposed), []

    def diff(
        self, asked: Asked, old_inputs: dict[str, Any], news: dict[str, Any], ignore: list[str]
    ) -> Difference:
        """Compare inputs (the old ones are the live object's after a refresh)."""
        kind = str(news.get("kind") or asked.type.rpartition(":")[2])
        patterns = replaces(kind, news, secrets_mutable=False, maps_mutable=False)
        changes = {
            path: change
            for path, change in differences(old_inputs, news)
            if not any(matches(path, pattern) for pattern in ignore)
            and path[:3] != ("metadata", "annotations", AUTONAMED)
        }
        replacing = frozenset(
            path
            for path in changes
            if any(matches(path, pattern) for pattern in patterns)
            and not (kind == "Pod" and any(matches(path, pattern) for pattern in POD_KEEPS))
        )
        before, after = old_inputs.get("metadata") or {}, news.get("metadata") or {}
        autonamed = AUTONAMED in (after.get("annotations") or {})
        same_place = all(before.get(key) == after.get(key) for key in ("name", "namespace"))
        return Difference(changes, replacing, bool(replacing) and same_place and not autonamed)

    def create(
        self, asked: Asked, inputs: dict[str, Any], connection: Connection, *, preview: bool
    ) -> tuple[str, dict[str, Any]]:
        """POST; in a preview a dry run, with the vendor's fall-backs."""
        body = self._body(inputs, connection)
        cluster = self.cluster(connection)
        if preview:
            return "", self._dry(asked, cluster, body, inputs)
        try:
            if asked.type.endswith("Patch"):
                manager = self._manager()
                live = cluster.apply(body, manager=manager, force=_forced(body), dry_run=False)
            else:
                live, manager = cluster.post(body, manager=FIRST_MANAGER, dry_run=False), self._manager()
        except ApiError as no:
            raise self._not_created(asked, body, no) from no
        ref = self._ref(cluster, body)
        outputs = _outputs(live, inputs, str(body["apiVersion"]), manager)
        return ref.id, self._await(asked, cluster, ref, outputs, inputs)

    def update(  # noqa: PLR0913 - the Behaviour protocol
        self, asked: Asked, id_: str, olds: dict[str, Any], news: dict[str, Any], connection: Connection, *, preview: bool
    ) -> dict[str, Any]:
        """Hand the first manager's fields over, then apply without force."""
        body = self._body(news, connection)
        cluster = self.cluster(connection)
        manager = str(olds.get("__fieldManager") or FIRST_MANAGER)
        if preview:
            if has_unknown(news):
                return dict(news)
            try:
                live = cluster.apply(body, manager=manager, force=True, dry_run=True)
            except (Unreachable, NoSuchKind):
                return dict(news)
            except ApiError as no:
                raise self._not_live(asked, body, no) from no
            return _outputs(live, news, str(body["apiVersion"]), manager)
        ref = self._ref(cluster, body)
        try:
            cluster.hand_over(ref, HANDED_OVER, manager)
            live = cluster.apply(body, manager=manager, force=_forced(body), dry_run=False)
        except Unreachable as no:
            raise self._not_created(asked, body, no) from no
        except ApiError as no:
            if no.code != grpc.StatusCode.UNKNOWN.value[0] and no.reason in {"Conflict", "Invalid"}:
                now = cluster.get(ref) or body
                raise Uninitialised(
                    id_, [str(self._not_live(asked, body, no))],
                    _outputs(now, news, str(olds.get("__initialApiVersion") or body["apiVersion"]), manager), news,
                ) from no  # fmt: skip
            raise self._not_live(asked, body, no) from no
        outputs = _outputs(live, news, str(olds.get("__initialApiVersion") or body["apiVersion"]), manager)
        return self._await(asked, cluster, ref, outputs, news)

    def read(
        self, asked: Asked, id_: str, connection: Connection, old_inputs: dict[str, Any], state: dict[str, Any]
    ) -> Thing | None:
        """GET; the inputs are the live object cut to the shape of the old inputs."""
        cluster = self.cluster(connection)
        namespace, _, name = id_.rpartition("/")
        api, kind = kind_of(asked.type, old_inputs or state)
        try:
            live = cluster.get(ObjectRef(api, kind, namespace, name))
        except NoSuchKind:
            return None
        except Unreachable as no:
            raise self._unreachable(no, "PULUMI_K8S_DELETE_UNREACHABLE") from no
        if live is None:
            return None
        inputs = pruned(live, old_inputs) if old_inputs else inputs_of(live)
        manager = str(state.get("__fieldManager") or FIRST_MANAGER)
        outputs = _outputs(live, inputs, str(state.get("__initialApiVersion") or api), manager)
        return Thing(self.package, asked.type, id_, asked.urn, 1, connection.scope, "", name, inputs, outputs)

    def delete(self, asked: Asked, id_: str, connection: Connection, state: dict[str, Any]) -> None:
        """DELETE in the foreground, then wait until it is gone."""
        if asked.type.endswith("Patch"):
            return
        cluster = self.cluster(connection)
        namespace, _, name = id_.rpartition("/")
        api, kind = kind_of(asked.type, state)
        ref = ObjectRef(api, kind, namespace, name)
        try:
            cluster.delete(ref, propagation="Foreground")
            deadline = time.monotonic() + 600
            while cluster.waits and cluster.get(ref) is not None:
                if time.monotonic() > deadline:
                    raise Refused("", f"{kind} {id_} was not deleted within 10 minutes", grpc.StatusCode.UNKNOWN)
                time.sleep(0.1)
        except NoSuchKind:
            return
        except Unreachable as no:
            raise self._unreachable(no, "PULUMI_K8S_DELETE_UNREACHABLE") from no
        except ApiError as no:
            if no.code != 404:  # noqa: PLR2004 - gone is what was asked for
                raise Refused("", str(no), grpc.StatusCode.UNKNOWN) from no

    # --- parts ---

    @staticmethod
    def _manager() -> str:
        return f"{FIRST_MANAGER}-{secrets.token_hex(4)}"

    def _body(self, inputs: Mapping[str, Any], connection: Connection) -> Json:
        cluster = self.cluster(connection)
        body = {key: value for key, value in inputs.items() if not key.startswith("__")}
        if str(body.get("kind", "")).endswith("Patch"):
            body["kind"] = str(body["kind"]).removesuffix("Patch")
        meta = dict(body.get("metadata") or {})
        try:
            if not meta.get("namespace") and cluster.is_namespaced(str(body["apiVersion"]), str(body["kind"])):
                meta["namespace"] = connection.config["__namespace"]
        except ApiError:
            pass  # the request that follows says it better
        return {**body, "metadata": meta}

    @staticmethod
    def _ref(cluster: Cluster, body: Json) -> ObjectRef:
        meta = body["metadata"]
        namespaced = cluster.is_namespaced(str(body["apiVersion"]), str(body["kind"]))
        return ObjectRef(body["apiVersion"], body["kind"], meta.get("namespace", "") if namespaced else "", meta["name"])

    def _dry(self, asked: Asked, cluster: Cluster, body: Json, inputs: dict[str, Any]) -> dict[str, Any]:
        if has_unknown(inputs):
            return dict(inputs)
        try:
            live = cluster.post(body, manager=FIRST_MANAGER, dry_run=True)
        except ApiError as no:
            if no.reason in {"Unreachable", "NoSuchKind", "NotFound", "AlreadyExists", "Forbidden"}:
                return dict(inputs)
            raise self._not_created(asked, body, no) from no
        outputs = {key: value for key, value in live.items() if key != "status"}
        meta = dict(outputs["metadata"])
        meta |= {key: UNKNOWN for key in ("uid", "resourceVersion", "creationTimestamp") if key in meta}
        return {**outputs, "metadata": {key: item for key, item in meta.items() if key != "managedFields"}}

    def _await(
        self, asked: Asked, cluster: Cluster, ref: ObjectRef, outputs: dict[str, Any], inputs: dict[str, Any]
    ) -> dict[str, Any]:
        notes = (outputs.get("metadata") or {}).get("annotations") or {}
        if not cluster.waits or notes.get("pulumi.com/skipAwait") == "true":
            return outputs
        deadline = time.monotonic() + float(notes.get("pulumi.com/timeoutSeconds") or 600)
        while True:
            live = cluster.get(ref) or {}
            why = reason_not_ready(live)
            fresh = {**{key: outputs[key] for key in HIDDEN}, **_plain(live)}
            if why is None:
                return fresh
            if time.monotonic() > deadline:
                text = f"resource {asked.urn} was successfully created, but the Kubernetes API server reported " \
                    f'that it failed to fully initialize or become live: "{ref.name}" timed out waiting to be Ready: {why}'  # fmt: skip
                raise Uninitialised(ref.id, [text], fresh, inputs)
            time.sleep(0.1)

    def _not_created(self, asked: Asked, body: Json, no: ApiError) -> Refused:
        if isinstance(no, Unreachable):
            return self._unreachable(no)
        name = body["metadata"].get("name")
        text = f"resource {name} was not successfully created by the Kubernetes API server: {no}"
        if isinstance(no, NoSuchKind):
            text = (
                f"creation of resource {asked.urn} failed because the Kubernetes API server reported that the "
                f"apiVersion for this resource does not exist. Verify that any required CRDs have been created: {no}"
            )
        if no.reason == "AlreadyExists":
            text += (
                ". Hints: give the resource an alias if it was renamed; use the Patch resource to change it; "
                "import it; or set upsertExistingObjects on the provider"
            )
        return Refused("", text, grpc.StatusCode.UNKNOWN if not self.backend.validates else _status(no))

    @staticmethod
    def _not_live(asked: Asked, body: Json, no: ApiError) -> Refused:
        text = (
            f"resource {asked.urn} was successfully created, but the Kubernetes API server reported that it failed "
            f"to fully initialize or become live: {no}"
        )
        if no.reason == "Conflict":
            text = (
                f"the Kubernetes API server reported that {body['metadata'].get('name')} failed to fully initialize "
                "or become live: Server-Side Apply field conflict detected. See "
                f"https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources: {no}"
            )
        return Refused("", text, grpc.StatusCode.UNKNOWN)

    @staticmethod
    def _unreachable(no: Unreachable, variable: str = "") -> Refused:
        text = f"configured Kubernetes cluster is unreachable: unable to load schema information from the API server: {no}"
        if variable:
            text += f". If the cluster was deleted, set {variable}=true to drop its resources from the state"
        return Refused("", text, grpc.StatusCode.UNAVAILABLE)


def kind_of(token: str, old: Mapping[str, Any]) -> tuple[str, str]:
    """Give apiVersion and kind of a type token (`kubernetes:core/v1:Namespace` is v1)."""
    _, place, kind = token.split(":")
    api = str(old.get("apiVersion") or place.removeprefix("core/"))
    return api, kind.removesuffix("Patch")


def _status(no: ApiError) -> grpc.StatusCode:
    return {
        "AlreadyExists": grpc.StatusCode.ALREADY_EXISTS,
        "NotFound": grpc.StatusCode.NOT_FOUND,
        "NoSuchKind": grpc.StatusCode.NOT_FOUND,
    }.get(no.reason, grpc.StatusCode.INVALID_ARGUMENT)


def _forced(body: Json) -> bool:
    return (body["metadata"].get("annotations") or {}).get("pulumi.com/patchForce") == "true"


def _plain(live: Json) -> Json:
    """Fields that start with x-kubernetes- get names that the SDK can carry."""
    return {key.replace("x-kubernetes-", "x_kubernetes_").replace("-", "_") if key.startswith("x-") else key: item
            for key, item in live.items()}  # fmt: skip


def _outputs(live: Json, inputs: Mapping[str, Any], initial: str, manager: str) -> dict[str, Any]:
    return {**_plain(live), "__inputs": dict(inputs), "__initialApiVersion": initial, "__fieldManager": manager}
