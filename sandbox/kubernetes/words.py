"""Refusals in the provider's words (paraphrased; design/kubernetes-provider.md, Errors)."""

from __future__ import annotations

import grpc

from sandbox.asked import Asked
from sandbox.errors import Refused
from sandbox.kubernetes.backend import ApiError, Json, NoSuchKind, Unreachable

DELETE_VARIABLE = "PULUMI_K8S_DELETE_UNREACHABLE"
_CONFLICTS = (
    "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/"
    "#handle-field-conflicts-on-existing-resources"
)
_HINTS = (
    ". Hints: give the resource an alias if it was renamed; use the Patch resource to change it; import it; or set "
    "upsertExistingObjects on the provider"
)


def not_created(asked: Asked, body: Json, no: ApiError) -> Refused:
    """Say why a create failed."""
    if isinstance(no, Unreachable):
        return unreachable(no)
    if isinstance(no, NoSuchKind):
        return _unknown(
            f"creation of resource {asked.urn} failed because the Kubernetes API server reported that the apiVersion "
            f"for this resource does not exist. Verify that any required CRDs have been created: {no}"
        )
    name = (body.get("metadata") or {}).get("name")
    hints = _HINTS if no.reason == "AlreadyExists" else ""
    return _unknown(f"resource {name} was not successfully created by the Kubernetes API server: {no}{hints}")


def not_live(asked: Asked, body: Json, no: ApiError, manager: str) -> str:
    """Say why a change did not come to life; a conflict names our manager, the other one and the path."""
    if no.reason == "Conflict":
        name = (body.get("metadata") or {}).get("name")
        return (
            f"the Kubernetes API server reported that {name!r} failed to fully initialize or become live: Server-Side "
            f'Apply field conflict detected. See {_CONFLICTS} for troubleshooting help. Manager "{manager}": {no}'
        )
    return (
        f"resource {asked.urn} was successfully created, but the Kubernetes API server reported that it failed to "
        f"fully initialize or become live: {no}"
    )


def not_ready(asked: Asked, name: str, why: str) -> str:
    """Say what an object still waited for when its time was over."""
    return (
        f"resource {asked.urn} was successfully created, but the Kubernetes API server reported that it failed to "
        f"fully initialize or become live: {name!r} timed out waiting to be Ready: {why}"
    )


def unreachable(no: Unreachable, variable: str = "") -> Refused:
    """Say that nobody answers, and for reads and deletes how to drop what is lost."""
    text = f"configured Kubernetes cluster is unreachable: unable to load schema information from the API server: {no}"
    if variable:
        text += f". If the cluster was deleted, set {variable}=true to drop its resources from the state"
    return _unknown(text)


def refused(text: str) -> Refused:
    """Pass a refusal of the server on."""
    return _unknown(text)


def _unknown(text: str) -> Refused:
    return Refused("", text, grpc.StatusCode.UNKNOWN)
