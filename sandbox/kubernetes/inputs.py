"""Inputs of Kubernetes objects: names, canonical form, and what a live object says about them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.kubernetes.kinds import is_built_in
from sandbox.kubernetes.quantities import in_canonical_form
from sandbox.schema.store import SchemaStore
from sandbox.wire import has_unknown, is_unknown

if TYPE_CHECKING:
    from sandbox.asked import Asked

AUTONAMED = "pulumi.com/autonamed"
_SERVER_OWNED = ("uid", "resourceVersion", "generation", "managedFields", "creationTimestamp", "deletionTimestamp",
                 "selfLink")  # fmt: skip
_NO_QUANTITIES = frozenset({"metadata", "data", "binaryData", "stringData", "apiVersion", "kind"})
_COMPONENTS = ("helm.sh/v4", "kustomize", "yaml", "apiextensions.k8s.io/v1:CustomResourcePatch")


def unsupported(token: str, news: Mapping[str, Any], store: SchemaStore) -> str:
    """Say why a type cannot be served, or return the empty string."""
    _, place, kind = token.split(":")
    if place.startswith(_COMPONENTS):
        return f"{token} is built inside the vendor's provider and is not available offline: render it to objects"
    if token in store:
        if kind.endswith("List"):
            return f"{token}: lists are not created; declare each object of the list"
    elif "/" not in place or "." not in place.partition("/")[0]:
        near = store.near(token)
        return f"unknown resource type {token}" + (f"; did you mean {near[0]}?" if near else "")
    meta = news.get("metadata") or {}
    if isinstance(meta, Mapping):
        if meta.get("generateName"):
            return "metadata.generateName is not supported with server-side apply: set metadata.name or leave it out"
        if kind.endswith("Patch") and not meta.get("name"):
            return f"metadata.name: {token} must name the object that it patches"
    return ""


def canonical(
    asked: Asked, olds: Mapping[str, Any], news: dict[str, Any], random: bytes, proposed: str | None
) -> dict[str, Any]:
    """Add apiVersion, kind and a name; move a Secret's stringData into data; drop what the server owns."""
    _, place, kind = asked.type.split(":")
    news.setdefault("apiVersion", place.removeprefix("core/"))
    news.setdefault("kind", kind.removesuffix("Patch"))
    meta = news.get("metadata")
    if isinstance(meta, str):
        return news  # not known yet
    meta = {key: item for key, item in (meta or {}).items() if key not in _SERVER_OWNED}
    if meta.get("name") is None:
        old = olds.get("metadata") or {}
        if AUTONAMED in (old.get("annotations") or {}) and old.get("name"):
            meta["name"] = old["name"]
        else:
            meta["name"] = proposed or f"{asked.name}-{random.hex()[:8]}"
        notes = meta.get("annotations")
        if not isinstance(notes, str):
            meta["annotations"] = {**(notes or {}), AUTONAMED: "true"}
    news["metadata"] = meta
    if kind == "Secret":
        _encode(news)
    if is_built_in(str(news["apiVersion"]), str(news["kind"])):
        return {key: item if key in _NO_QUANTITIES else in_canonical_form(kind, item) for key, item in news.items()}
    return news


def _encode(news: dict[str, Any]) -> None:
    plain = news.get("stringData")
    if not isinstance(plain, Mapping) or has_unknown(plain):
        return
    data = news.get("data")
    if isinstance(data, str) and is_unknown(data):
        return
    encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}
    news["data"] = {**(data or {}), **encoded}
    del news["stringData"]


def pruned(live: Any, old: Any) -> Any:
    """Cut a live object to the shape of the old inputs: drift shows in what the program sets and nowhere else."""
    if isinstance(live, Mapping) and isinstance(old, Mapping):
        return {key: pruned(live[key], item) for key, item in old.items() if key in live and not key.startswith("__")}
    if isinstance(live, list) and isinstance(old, list):
        if all(isinstance(item, Mapping) and "name" in item for item in (*live, *old)):
            shapes = {item["name"]: item for item in old}
            return [pruned(item, shapes.get(item["name"], item)) for item in live]
        return [pruned(item, old[index] if index < len(old) else item) for index, item in enumerate(live)]
    return live


def inputs_of(live: Mapping[str, Any]) -> dict[str, Any]:
    """Give the inputs of an imported object: the live one without what the server owns."""
    meta = {key: item for key, item in live["metadata"].items() if key not in _SERVER_OWNED}
    return {**{key: item for key, item in live.items() if key not in {"status", "metadata"}}, "metadata": meta}
