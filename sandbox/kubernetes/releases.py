"""Helm releases: recorded as Helm does, in a Secret of their namespace, and the definitions that their charts bring.

What a chart's templates render is not made here: there is no registry to fetch a chart from.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from sandbox.asked import Asked
from sandbox.cloud import Difference
from sandbox.compare import differences
from sandbox.connection import Connection
from sandbox.errors import Failure
from sandbox.kubernetes import words
from sandbox.kubernetes.backend import ApiError, Cluster, Json, ObjectRef, Unreachable
from sandbox.kubernetes.chart_definitions import brought, outline
from sandbox.kubernetes.options import Options
from sandbox.kubernetes.provider import Kubernetes
from sandbox.kubernetes.waiting import TimeOver, again_while_missing, until_gone
from sandbox.paths import matches
from sandbox.schema.validate import validate
from sandbox.state import Thing
from sandbox.wire import has_unknown

RELEASE: Final = "kubernetes:helm.sh/v3:Release"
_MANAGER: Final = "helm"
_NAME_LIMIT: Final = 53  # helm.sh/docs/chart_template_guide/getting_started, 2026-11
_REPLACES: Final = ("name", "namespace")


class WithReleases(Kubernetes):
    """The kubernetes provider with its one type that is no object: `helm.sh/v3:Release`."""

    def check(
        self, asked: Asked, olds: dict[str, Any], news: dict[str, Any], random: bytes, proposed: str | None
    ) -> tuple[dict[str, Any], list[Failure]]:
        """Name the release; refuse what Helm refuses before it fetches anything."""
        if asked.type != RELEASE:
            return super().check(asked, olds, news, random, proposed)
        checked = dict(news)
        if not checked.get("name"):
            checked["name"] = olds.get("name") or proposed or f"{asked.name}-{random.hex()[:8]}"
        failures = validate(self.store.get(RELEASE), news, open_enums=False)
        if len(str(checked["name"])) > _NAME_LIMIT:
            failures.append(Failure("name", f"release name exceeds the limit of {_NAME_LIMIT} characters"))
        options = checked.get("repositoryOpts")
        if str(checked.get("chart", "")).startswith("oci://") and isinstance(options, Mapping) and options.get("repo"):
            failures.append(Failure("repositoryOpts", "an oci:// chart has no repository of its own"))
        return checked, failures

    def diff(self, asked: Asked, old_inputs: dict[str, Any], news: dict[str, Any], ignore: list[str]) -> Difference:
        """Compare inputs; another name or namespace is another release."""
        if asked.type != RELEASE:
            return super().diff(asked, old_inputs, news, ignore)
        changes = {
            path: change
            for path, change in differences(dict(old_inputs), news)
            if not any(matches(path, pattern) for pattern in ignore)
        }
        replaces = frozenset(path for path in changes if path[0] in _REPLACES)
        return Difference(changes, replaces, delete_first=False)

    def create(
        self, asked: Asked, inputs: dict[str, Any], connection: Connection, *, preview: bool
    ) -> tuple[str, dict[str, Any]]:
        """Install: definitions first, as Helm does, then the record."""
        if asked.type != RELEASE:
            return super().create(asked, inputs, connection, preview=preview)
        if preview:
            return "", dict(inputs)
        cluster, namespace = self.cluster(connection), _namespace(inputs, connection)
        try:
            again_while_missing(
                lambda: cluster.post(_record(inputs, namespace, 1), manager=_MANAGER, dry_run=False),
                cluster,
                connection,
            )
            _define(cluster, inputs)
        except ApiError as no:
            raise words.refused(f"failed to install chart {inputs['chart']}: {no}") from no
        return f"{namespace}/{inputs['name']}", _outputs(inputs, namespace, 1)

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
        """Upgrade: a new revision in the record; definitions that a template brings are upgraded too."""
        if asked.type != RELEASE:
            return super().update(asked, id_, olds, news, connection, preview=preview)
        if preview and has_unknown(news):
            return dict(news)
        namespace = id_.partition("/")[0]
        revision = int((olds.get("status") or {}).get("revision", 1)) + 1
        if not preview:
            cluster = self.cluster(connection)
            try:
                if cluster.get(_ref(namespace, news)) is None:
                    raise words.refused(f"release {id_} not found: somebody removed it; refresh brings it back")
                _define(cluster, news)
                cluster.apply(_record(news, namespace, revision), manager=_MANAGER, force=True, dry_run=False)
            except ApiError as no:
                raise words.refused(f"failed to upgrade {id_}: {no}") from no
        return _outputs(news, namespace, revision)

    def read(
        self, asked: Asked, id_: str, connection: Connection, old_inputs: dict[str, Any], state: dict[str, Any]
    ) -> Thing | None:
        """Look the record up."""
        if asked.type != RELEASE:
            return super().read(asked, id_, connection, old_inputs, state)
        namespace, _, name = id_.partition("/")
        try:
            live = self.cluster(connection).get(_ref(namespace, {"name": name}))
        except Unreachable as no:
            if Options.of(connection).delete_unreachable:
                return None
            raise words.unreachable(no, words.DELETE_VARIABLE) from no
        if live is None:
            return None
        held = json.loads(base64.b64decode(live["data"]["release"]))
        inputs, outputs = held["config"], _outputs(held["config"], namespace, held["version"])
        return Thing(self.package, asked.type, id_, asked.urn, 1, connection.scope, "", name, inputs, outputs)

    def delete(self, asked: Asked, id_: str, connection: Connection, state: dict[str, Any]) -> None:
        """Uninstall: the record goes, and with it the definitions and all objects of their kinds."""
        if asked.type != RELEASE:
            super().delete(asked, id_, connection, state)
            return
        namespace, _, name = id_.partition("/")
        gone = [_ref(namespace, {"name": name})]
        gone += [_definition_ref(each) for each in brought(_chart(state), state.get("values") or {})]
        try:
            _remove(self.cluster(connection), gone, asked, connection)
        except TimeOver as late:
            raise words.refused(f"release {id_} was not uninstalled in time ({late.why})") from late
        except Unreachable as no:
            if Options.of(connection).delete_unreachable:
                return
            raise words.unreachable(no, words.DELETE_VARIABLE) from no
        except ApiError as no:
            if no.code != 404:  # noqa: PLR2004 - gone is what was asked for
                raise words.refused(str(no)) from no


def _remove(cluster: Cluster, gone: list[ObjectRef], asked: Asked, connection: Connection) -> None:
    for ref in gone:
        if cluster.get(ref) is not None:
            cluster.delete(ref, propagation="Background")
    for ref in gone:
        if cluster.waits:
            until_gone(cluster, ref, {}, asked.timeout, connection)
        cluster.gone(ref)


def _chart(inputs: Mapping[str, Any]) -> str:
    """Name of the chart: the last part of an address, without digest and tag."""
    return str(inputs.get("chart", "")).rstrip("/").rpartition("/")[2].partition("@")[0].partition(":")[0]


def _namespace(inputs: Mapping[str, Any], connection: Connection) -> str:
    return str(inputs.get("namespace") or connection.config["__namespace"])


def _ref(namespace: str, inputs: Mapping[str, Any]) -> ObjectRef:
    return ObjectRef("v1", "Secret", namespace, f"sh.helm.release.v1.{inputs['name']}")


def _definition_ref(definition: Json) -> ObjectRef:
    api = "apiextensions.k8s.io/v1"
    return ObjectRef(api, "CustomResourceDefinition", "", definition["metadata"]["name"])


def _record(inputs: Mapping[str, Any], namespace: str, revision: int) -> Json:
    """Build the record; Helm keeps one Secret per revision, here the last one stands for all."""
    held = {"config": dict(inputs), "version": revision, "info": {"status": "deployed"}}
    labels = {"owner": "helm", "name": inputs["name"], "status": "deployed", "version": str(revision)}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": _ref(namespace, inputs).name, "namespace": namespace, "labels": labels},
        "type": "helm.sh/release.v1",
        "data": {"release": base64.b64encode(json.dumps(held, sort_keys=True).encode()).decode()},
    }


def _define(cluster: Cluster, inputs: Mapping[str, Any]) -> None:
    for whole in brought(_chart(inputs), inputs.get("values") or {}):
        definition = whole if cluster.waits else outline(whole)
        if cluster.get(_definition_ref(definition)) is None:
            cluster.post(definition, manager=_MANAGER, dry_run=False)
        else:
            cluster.apply(definition, manager=_MANAGER, force=True, dry_run=False)


def _outputs(inputs: Mapping[str, Any], namespace: str, revision: int) -> dict[str, Any]:
    status = {
        "status": "deployed",
        "name": inputs["name"],
        "namespace": namespace,
        "chart": _chart(inputs),
        "version": inputs.get("version", ""),
        "appVersion": "",
        "revision": revision,
    }
    return {**inputs, "status": status, "resourceNames": {}}
