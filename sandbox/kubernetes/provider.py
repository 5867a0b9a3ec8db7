"""The kubernetes provider as its vendor's behaves, in front of any backend."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final

from sandbox.asked import Asked
from sandbox.cloud import Difference
from sandbox.connection import Connection
from sandbox.errors import Failure, Uninitialised
from sandbox.kubernetes import words
from sandbox.kubernetes.backend import ApiError, Backend, Cluster, Json, NoSuchKind, ObjectRef, Unreachable
from sandbox.kubernetes.difference import difference, property_path, value_at
from sandbox.kubernetes.inputs import canonical, inputs_of, pruned, unsupported
from sandbox.kubernetes.kubeconfig import parse
from sandbox.kubernetes.options import Options
from sandbox.kubernetes.outputs import HIDDEN, outputs_of, plain, raw
from sandbox.kubernetes.owners import entries, ignoring, updated_by
from sandbox.kubernetes.waiting import DELETES_UNAWAITED, TimeOver, again_while_missing, until_gone, until_live
from sandbox.kubernetes.wishes import FIRST_MANAGER, SKIP, field_manager, forced, notes_of, propagation
from sandbox.schema.store import SchemaStore
from sandbox.schema.validate import validate
from sandbox.state import Database, Thing
from sandbox.wire import has_unknown

HANDED_OVER: Final = (FIRST_MANAGER, "kubectl", "before-first-apply")
_PASSED_OVER: Final = frozenset({"Unreachable", "NoSuchKind", "NotFound", "AlreadyExists", "Forbidden"})


class Kubernetes:
    """Behaviour of the kubernetes port; clusters are opened per connection."""

    package = "kubernetes"

    def __init__(self, backend: Backend, database: Database, store: SchemaStore) -> None:
        """Talk to clusters through `backend`; the database is that of the stage."""
        self.backend = backend
        self.database = database
        self.store = store
        self._lock = threading.Lock()

    def cluster(self, connection: Connection) -> Cluster:
        """Open the cluster of a connection."""
        with self._lock:
            found = connection.config.get("__cluster")
            if found is None:
                target = parse(connection.text("kubeconfig"), connection.text("context"), connection.text("cluster"))
                namespace = connection.text("namespace") or target.namespace or "default"
                connection.config["__namespace"] = namespace
                found = self.backend.cluster(target.server, target.credentials, namespace)
                connection.config["__cluster"] = found
                connection.scope = target.host
        return found

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
        checked = canonical(asked, olds, news, random, proposed)
        namespace = Options.of(asked.connection).namespace
        if namespace and asked.connection is not None and isinstance(checked.get("metadata"), Mapping):
            body = self._body(checked, asked.connection)
            if body["metadata"].get("namespace"):
                checked["metadata"] = {**checked["metadata"], "namespace": body["metadata"]["namespace"]}
        return checked, []

    def diff(self, asked: Asked, old_inputs: dict[str, Any], news: dict[str, Any], ignore: list[str]) -> Difference:
        """Compare the last live object, which the door has cut to the old inputs' shape, with the new inputs."""
        return difference(old_inputs, news, ignore, Options.of(asked.connection))

    def create(
        self, asked: Asked, inputs: dict[str, Any], connection: Connection, *, preview: bool
    ) -> tuple[str, dict[str, Any]]:
        """POST; in a preview a dry run, with the vendor's fall-backs."""
        cluster, options, manager = self.cluster(connection), Options.of(connection), field_manager(asked, inputs)
        applied = asked.type.endswith("Patch") or options.upsert

        def send(*, dry_run: bool) -> Json:
            body = self._body(inputs, connection)
            if applied:
                return cluster.apply(body, manager=manager, force=forced(body, options), dry_run=dry_run)
            return cluster.post(body, manager=FIRST_MANAGER, dry_run=dry_run)

        try:
            if not preview:
                live = again_while_missing(lambda: send(dry_run=False), cluster, connection)
            elif has_unknown(inputs):
                return "", dict(inputs)
            else:
                live = send(dry_run=True)
        except ApiError as no:
            if preview and no.reason in _PASSED_OVER:
                return "", dict(inputs)
            raise words.not_created(asked, inputs, no) from no
        initial = str(inputs["apiVersion"])
        if preview:
            dry = {key: value for key, value in live.items() if key != "status"}
            return "", outputs_of(dry, inputs, initial, manager)
        ref = self._ref(cluster, self._body(inputs, connection))
        outputs = outputs_of(live, inputs, initial, manager)
        return ref.id, self._live(asked, connection, ref, outputs, inputs)

    def update(  # noqa: PLR0913 - the Behaviour protocol
        self,
        asked: Asked,
        id_: str,
        olds: dict[str, Any],
        news: dict[str, Any],
        connection: Connection,
        *,
        preview: bool,
    ) -> dict[str, Any]:
        """Hand the first manager's fields over, then apply without force."""
        if preview and has_unknown(news):
            return dict(news)
        cluster, options = self.cluster(connection), Options.of(connection)
        body = self._body(news, connection)
        manager = field_manager(asked, news, str(olds.get("__fieldManager") or ""))
        initial = str(olds.get("__initialApiVersion") or body["apiVersion"])
        try:
            ref = self._ref(cluster, body)
            live = cluster.get(ref)
            if live is None:
                raise words.refused(f"{ref.kind} {id_} not found: somebody deleted it; refresh brings it back")
            force = forced(body, options) or not entries(live) or (preview and updated_by(live, FIRST_MANAGER))
            if asked.ignore:
                paths = [property_path(path) for path in asked.ignore]
                body = ignoring(body, live, manager, [(path, value_at(live, path)) for path in paths])
            if not preview:
                cluster.hand_over(ref, HANDED_OVER, manager)
            now = cluster.apply(body, manager=manager, force=force, dry_run=preview)
        except Unreachable as no:
            if preview or options.skip_update_unreachable:
                return dict(news) if preview else dict(olds)
            raise words.unreachable(no) from no
        except ApiError as no:
            hidden = outputs_of({}, news, initial, manager)
            return self._not_updated(asked, id_, body, connection, hidden, no=no, preview=preview)
        outputs = outputs_of(now, news, initial, manager)
        return outputs if preview else self._live(asked, connection, ref, outputs, news)

    def _not_updated(  # noqa: PLR0913 - all that a partial failure carries
        self,
        asked: Asked,
        id_: str,
        body: Json,
        connection: Connection,
        hidden: dict[str, Any],
        *,
        no: ApiError,
        preview: bool,
    ) -> dict[str, Any]:
        """Pass over in a preview what the vendor passes over; otherwise the object stays as it is: half a failure."""
        news = hidden["__inputs"]
        if preview and no.reason in {"NoSuchKind", "Forbidden"}:
            return dict(news)
        text = words.not_live(asked, body, no, hidden["__fieldManager"])
        if preview or isinstance(no, NoSuchKind):
            raise words.refused(text) from no
        cluster = self.cluster(connection)
        live = cluster.get(self._ref(cluster, body)) or body
        raise Uninitialised(id_, [text], {**plain(live), **hidden}, news) from no

    def read(
        self, asked: Asked, id_: str, connection: Connection, old_inputs: dict[str, Any], state: dict[str, Any]
    ) -> Thing | None:
        """GET; the inputs are the live object cut to the shape of the old inputs."""
        cluster = self.cluster(connection)
        api, kind = kind_of(asked.type, old_inputs or state)
        try:
            ref = self._by_id(cluster, connection, api, kind, id_)
            live = cluster.get(ref)
        except NoSuchKind:
            cluster.gone(ObjectRef(api, kind, *id_.rpartition("/")[::2]))
            return None
        except Unreachable as no:
            if Options.of(connection).delete_unreachable:
                return None
            raise words.unreachable(no, words.DELETE_VARIABLE) from no
        except ApiError as no:
            raise words.refused(str(no)) from no
        if live is None:
            cluster.gone(ref)
            return None
        inputs = pruned(plain(live), old_inputs) if old_inputs else inputs_of(plain(live))
        manager = str(state.get("__fieldManager") or field_manager(asked, inputs))
        outputs = outputs_of(live, inputs, str(state.get("__initialApiVersion") or api), manager)
        return Thing(self.package, asked.type, ref.id, asked.urn, 1, connection.scope, "", ref.name, inputs, outputs)

    def delete(self, asked: Asked, id_: str, connection: Connection, state: dict[str, Any]) -> None:
        """DELETE in the foreground, then wait until it is gone; a patch gives its fields up and the object stays."""
        cluster = self.cluster(connection)
        api, kind = kind_of(asked.type, state)
        notes = notes_of(state)
        try:
            ref = self._by_id(cluster, connection, api, kind, id_)
            if asked.type.endswith("Patch"):
                _relinquish(cluster, ref, field_manager(asked, state, str(state.get("__fieldManager") or "")))
                return
            cluster.delete(ref, propagation=propagation(notes))
            if cluster.waits and not (notes.get(SKIP) == "true" and kind in DELETES_UNAWAITED):
                until_gone(cluster, ref, notes, asked.timeout, connection)
        except NoSuchKind:
            ref = ObjectRef(api, kind, *id_.rpartition("/")[::2])
        except TimeOver as late:
            raise words.refused(f"{kind} {id_} was not deleted in time ({late.why})") from late
        except Unreachable as no:
            if Options.of(connection).delete_unreachable:
                return
            raise words.unreachable(no, words.DELETE_VARIABLE) from no
        except ApiError as no:
            if no.code != 404:  # noqa: PLR2004 - gone is what was asked for
                raise words.refused(str(no)) from no
        cluster.gone(ref)

    # --- parts ---

    def _body(self, inputs: Mapping[str, Any], connection: Connection) -> Json:
        cluster = self.cluster(connection)
        body = {key: value for key, value in raw(inputs).items() if not key.startswith("__")}
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
        namespace = meta.get("namespace", "") if namespaced else ""
        return ObjectRef(body["apiVersion"], body["kind"], namespace, meta["name"])

    @staticmethod
    def _by_id(cluster: Cluster, connection: Connection, api: str, kind: str, id_: str) -> ObjectRef:
        namespace, _, name = id_.rpartition("/")
        if not namespace and cluster.is_namespaced(api, kind):
            namespace = connection.config["__namespace"]
        return ObjectRef(api, kind, namespace, name)

    def _live(
        self, asked: Asked, connection: Connection, ref: ObjectRef, outputs: dict[str, Any], inputs: dict[str, Any]
    ) -> dict[str, Any]:
        """Wait until an object is live. Raises Uninitialised with the state when it is not in time."""
        cluster = self.cluster(connection)
        notes = notes_of(outputs)
        if not cluster.waits or notes.get(SKIP) == "true" or asked.type.endswith("Patch"):
            return outputs
        hidden = {key: outputs[key] for key in HIDDEN}
        try:
            return {**plain(until_live(cluster, ref, notes, asked.timeout, connection)), **hidden}
        except TimeOver as late:
            seen = {**plain(late.last), **hidden} if late.last else outputs
            raise Uninitialised(ref.id, [words.not_ready(asked, ref.name, late.why)], seen, inputs) from late
        except (ApiError, ValueError) as no:
            raise Uninitialised(ref.id, [words.not_ready(asked, ref.name, str(no))], outputs, inputs) from no


def kind_of(token: str, old: Mapping[str, Any]) -> tuple[str, str]:
    """Give apiVersion and kind of a type token (`kubernetes:core/v1:Namespace` is v1)."""
    _, place, kind = token.split(":")
    api = str(old.get("apiVersion") or place.removeprefix("core/"))
    return api, kind.removesuffix("Patch")


def _relinquish(cluster: Cluster, ref: ObjectRef, manager: str) -> None:
    """Apply an object without fields: what the manager owned goes, unless somebody else owns it too."""
    if not cluster.waits or cluster.get(ref) is None:
        return
    meta = {"name": ref.name, **({"namespace": ref.namespace} if ref.namespace else {})}
    body = {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": meta}
    cluster.apply(body, manager=manager, force=False, dry_run=False)
