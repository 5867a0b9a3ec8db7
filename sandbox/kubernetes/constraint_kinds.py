"""What Gatekeeper does with a template: it defines the kind of its constraints, and takes it back with the template.

Form of the definition: pkg/client/crds/create.go of open-policy-agent/frameworks at v0.10, read 2026-11.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.asked import Asked
from sandbox.connection import Connection
from sandbox.kubernetes import words
from sandbox.kubernetes.backend import ApiError, Cluster, Json, ObjectRef, Unreachable
from sandbox.kubernetes.chart_definitions import outline
from sandbox.kubernetes.releases import WithReleases
from sandbox.kubernetes.waiting import until_gone

TEMPLATE: Final = "ConstraintTemplate"
_GROUP: Final = "constraints.gatekeeper.sh"
_MANAGER: Final = "gatekeeper"
_FREE: Final = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_ACTIONS: Final = ("deny", "dryrun", "warn", "scoped")


class WithTemplates(WithReleases):
    """The kubernetes provider of a cluster where Gatekeeper may run."""

    def create(
        self, asked: Asked, inputs: dict[str, Any], connection: Connection, *, preview: bool
    ) -> tuple[str, dict[str, Any]]:
        """Make the object; a template's kind of constraint is there afterwards."""
        made = super().create(asked, inputs, connection, preview=preview)
        if _defines(asked) and not preview:
            _post(self.cluster(connection), inputs)
        return made

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
        """Change the object; a template's kind of constraint follows it."""
        changed = super().update(asked, id_, olds, news, connection, preview=preview)
        if _defines(asked) and not preview:
            _post(self.cluster(connection), news)
        return changed

    def delete(self, asked: Asked, id_: str, connection: Connection, state: dict[str, Any]) -> None:
        """Remove the object; a template takes its kind and every constraint of it along."""
        super().delete(asked, id_, connection, state)
        if not _defines(asked):
            return
        try:
            cluster, ref = self.cluster(connection), _ref(_definition(state))
            if cluster.get(ref) is not None:
                cluster.delete(ref, propagation="Background")
            if cluster.waits:
                until_gone(cluster, ref, {}, asked.timeout, connection)
            cluster.gone(ref)
        except Unreachable:
            return
        except ApiError as no:
            if no.code != 404:  # noqa: PLR2004 - gone is what was asked for
                raise words.refused(str(no)) from no


def _defines(asked: Asked) -> bool:
    return asked.type.endswith(f":{TEMPLATE}")


def _post(cluster: Cluster, template: Mapping[str, Any]) -> None:
    whole = _definition(template)
    definition = whole if cluster.waits else outline(whole)
    try:
        if cluster.get(_ref(definition)) is None:
            cluster.post(definition, manager=_MANAGER, dry_run=False)
        else:
            cluster.apply(definition, manager=_MANAGER, force=True, dry_run=False)
    except ApiError as no:
        raise words.refused(f"Gatekeeper cannot define {definition['metadata']['name']}: {no}") from no


def _ref(definition: Mapping[str, Any]) -> ObjectRef:
    return ObjectRef("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", definition["metadata"]["name"])


def _definition(template: Mapping[str, Any]) -> Json:
    """Define the kind of a template's constraints."""
    crd = template["spec"]["crd"]["spec"]
    kind = crd["names"]["kind"]
    plural = kind.lower()
    spec = {
        "type": "object",
        "properties": {
            "enforcementAction": {"type": "string", "enum": list(_ACTIONS)},
            "match": _match(Path(os.environ.get("SHARED", "../shared")) / "crds" / "gatekeeper" / "matchcrd.yaml"),
            "parameters": (crd.get("validation") or {}).get("openAPIV3Schema") or _FREE,
            "scopedEnforcementActions": {"type": "array", "items": _FREE},
        },
    }
    schema = {"type": "object", "properties": {"metadata": {"type": "object"}, "spec": spec, "status": _FREE}}
    versions: list[Json] = [
        {
            "name": version,
            "served": True,
            "storage": version == "v1beta1",
            "schema": {"openAPIV3Schema": schema},
            "subresources": {"status": {}},
        }
        for version in ("v1beta1", "v1alpha1")
    ]
    names = {
        "kind": kind,
        "listKind": f"{kind}List",
        "plural": plural,
        "singular": plural,
        "categories": ["constraint"],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{_GROUP}", "labels": {"gatekeeper.sh/constraint": "yes"}},
        "spec": {"group": _GROUP, "names": names, "scope": "Cluster", "versions": versions},
    }


@cache
def _match(file: Path) -> Json:
    """Schema of what a constraint selects; anything where upstream's definition is not at hand."""
    if not file.is_file():
        return dict(_FREE)
    definition = yaml.safe_load(file.read_text(encoding="utf-8"))
    found: Json = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["embeddedMatch"]
    return found
