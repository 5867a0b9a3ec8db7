"""Rules that the law has rendered for clusters: objects from outside this room, made one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.kubernetes.service import Service
from stacks.services.table import TABLE

PLACE: Final = {
    "ConstraintTemplate": 0,
    "ValidatingAdmissionPolicy": 0,
    "ValidatingAdmissionPolicyBinding": 1,
}
"""What comes first; a constraint, whose kind a template makes, comes last."""
LAST: Final = 2
ACTIONS: Final = ("dryrun", "warn", "deny")
"""From the mildest: what the law only advises is not refused because the stack file says `deny`."""
SYSTEM: Final = ("kube-node-lease", "kube-public", "kube-system")


def install(service: Service, documents: Sequence[Mapping[str, Any]], action: str) -> None:
    """Make the objects in their order; `action` (deny, warn, dryrun, audit) is what a broken rule leads to.

    A constraint stands on the template of its kind, a binding on its policy: each comes after what it stands on.
    """
    made: dict[str, pulumi.Resource] = {}
    on = [TABLE[name] for name, _ in service.ground.services.on()]
    exempt = sorted({namespace for each in on for namespace in (each.namespace, *each.more)} | set(SYSTEM))
    for document in sorted(documents, key=place):
        kind, name = str(document["kind"]), str(document["metadata"]["name"])
        needed = made.get(_needs(document))
        options = service.options(*((*service.last, needed) if needed is not None else service.last))
        resource = CustomResource(
            f"{service.named}-{kind.lower()}-{name}",
            api_version=str(document["apiVersion"]),
            kind=kind,
            metadata=ObjectMetaArgs(name=name, labels=dict(document["metadata"].get("labels") or {}) or None),
            spec=acting(document, action, exempt),
            opts=options,
        )
        made[_gives(document)] = resource
        service.made.append(resource)


def place(document: Mapping[str, Any]) -> tuple[int, str]:
    """Where a document stands among the others."""
    return PLACE.get(str(document["kind"]), LAST), str(document["metadata"]["name"])


def acting(document: Mapping[str, Any], action: str, exempt: Sequence[str]) -> dict[str, Any]:
    """The spec with the milder of what law and stack file want to happen, and not in the platform's own namespaces.

    What stands there comes from charts, which the law judges before they are installed; a refusal at the door would
    only stop a node's repair in the night.
    """
    spec = dict(document.get("spec") or {})
    if document["kind"] == "ValidatingAdmissionPolicyBinding":
        outside = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": list(exempt)}
        held = dict(spec.get("matchResources") or {})
        held["namespaceSelector"] = {"matchExpressions": [outside]}
        actions = spec.get("validationActions") or ["Deny"]
        return {**spec, "validationActions": actions if action == "deny" else ["Audit"], "matchResources": held}
    if place(document)[0] != LAST:
        return spec
    match = dict(spec.get("match") or {})
    match["excludedNamespaces"] = sorted({*match.get("excludedNamespaces", ()), *exempt})
    told = str(spec.get("enforcementAction") or ACTIONS[-1])
    return {**spec, "enforcementAction": min(told, action, key=ACTIONS.index), "match": match}


def _gives(document: Mapping[str, Any]) -> str:
    if document["kind"] == "ConstraintTemplate":
        return f"kind {document['spec']['crd']['spec']['names']['kind']}"
    return f"{document['kind']} {document['metadata']['name']}"


def _needs(document: Mapping[str, Any]) -> str:
    if document["kind"] == "ValidatingAdmissionPolicyBinding":
        return f"ValidatingAdmissionPolicy {document['spec']['policyName']}"
    return f"kind {document['kind']}"
