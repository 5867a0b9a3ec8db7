"""Common tags and labels on everything that can carry them, filled in one place while resources are declared.

A stack transformation (in this process) and not a transform (a call back from the engine for each resource): it costs
microseconds and works under mocks too.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from base64 import b32encode
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final
from weakref import WeakKeyDictionary

import pulumi

from stacks.model import Stack
from stacks.tags import common_tags

IDEMPOTENCY: Final = "idempotency"
"""Tag that finds a resource again which was created but never acknowledged: a hash of its URN."""

HASH_LENGTH: Final = 26
"""130 bits of base32: no collision in practice, and short enough for a label of Google Cloud (63 characters)."""

KUBERNETES_PREFIX: Final = "ecosystem.dev/"
KUBERNETES_LABELS: Final = ("environment", "owner")

MAPS: Final[Mapping[str, tuple[str, ...]]] = {
    "aws": ("tags",),
    "azure-native": ("tags",),
    "gcp": ("labels", "resource_labels", "user_labels"),
}
"""Constructor parameters that hold tags, by package; only those that are maps of texts (some `tags` are lists)."""

TEXT_MAPS: Final = ("typing.Mapping[str", "typing.Union[typing.Mapping[str", "typing.Optional[typing.Mapping[str")
"""How the annotation of such a parameter starts, in the spellings of the generated SDKs."""

EXCEPTIONS: Final[Mapping[str, str]] = {
    "gcp:gkehub/": "labels there select fleet members, they do not describe them",
}
"""Prefixes of types that are left alone although a parameter looks like tags, with the reason.

Cloudflare is no package of `MAPS`: only DNS records carry tags, as a list, and only on paid plans.
"""


def install(stack: Stack) -> None:
    """Fill tags on every resource declared from now on; call it before the outermost component is made."""
    pulumi.runtime.register_stack_transformation(Tagging(common_tags(stack)))


def idempotency(urn: str) -> str:
    """Hash a URN to the value of its idempotency tag: the first 26 characters of base32(sha256), in lower case."""
    return b32encode(hashlib.sha256(urn.encode()).digest()).decode().lower()[:HASH_LENGTH]


def google_label(text: str) -> str:
    """Spell a text as a label of Google Cloud: lower case, digits, `_`, `-`, at most 63 characters.

    Source: docs.cloud.google.com/compute/docs/labeling-resources#requirements, 2026-11.
    """
    return re.sub(r"[^a-z0-9_-]", "-", text.lower())[:63]


class Tagging:
    """Knows the common tags of one stack and the URN that each resource will have."""

    def __init__(self, tags: Mapping[str, str]) -> None:
        self._tags = dict(tags)
        self._labels = {google_label(key): google_label(value) for key, value in tags.items()}
        self._kubernetes = {f"{KUBERNETES_PREFIX}{key}": tags[key] for key in KUBERNETES_LABELS if key in tags}
        self._start = f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::"
        self._types: WeakKeyDictionary[pulumi.Resource, str] = WeakKeyDictionary()

    def __call__(self, args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        """Fill what this resource can carry; anything else passes unchanged."""
        urn = self._urn(args)
        package = args.type_.partition(":")[0]
        if package == "kubernetes":
            changed = self._with_metadata(args)
        elif package in MAPS:
            changed = self._with_tags(args, package, urn)
        else:
            return None
        return pulumi.ResourceTransformationResult({**args.props, **changed}, args.opts) if changed else None

    def _urn(self, args: pulumi.ResourceTransformationArgs) -> str:
        """Build the URN as the engine does: the types of the parents, the own type, the name."""
        parent = args.opts.parent
        above = "" if parent is None else self._types.get(parent)
        if above is None:
            if parent is not pulumi.runtime.get_root_resource():
                raise ValueError(
                    f"{args.type_} {args.name}: its parent was declared before tagging.install; install first"
                )
            above = ""
        self._types[args.resource] = qualified = f"{above}${args.type_}" if above else args.type_
        return f"{self._start}{qualified}::{args.name}"

    def _with_tags(self, args: pulumi.ResourceTransformationArgs, package: str, urn: str) -> dict[str, Any]:
        if args.type_.startswith(tuple(EXCEPTIONS)):
            return {}
        tags = self._labels if package == "gcp" else self._tags
        own = {**tags, IDEMPOTENCY: idempotency(urn)}
        if args.type_ in INNER:
            INNER[args.type_](args.props, tags)
        kind: type = type(args.resource)
        return {name: merged(args, args.props.get(name), own) for name in carriers(kind, package)}

    def _with_metadata(self, args: pulumi.ResourceTransformationArgs) -> dict[str, Any]:
        """Label an object; a patch is left alone, because it would take ownership of what it names."""
        kind: type = type(args.resource)
        if args.type_.endswith(("Patch", "List")) or "metadata" not in parameters(kind):
            return {}
        return {"metadata": _labelled(args, args.props.get("metadata"), self._kubernetes)}


@cache
def parameters(kind: type) -> Mapping[str, inspect.Parameter]:
    """Read the constructor parameters of an SDK's class; a class without generated constructor has none."""
    constructor = getattr(kind, "_internal_init", None)
    return inspect.signature(constructor).parameters if constructor else {}


@cache
def carriers(kind: type, package: str) -> tuple[str, ...]:
    """Name the parameters of an SDK's class that hold tags as a map of texts."""
    return tuple(
        name
        for name in MAPS[package]
        if name in parameters(kind) and str(parameters(kind)[name].annotation).startswith(TEXT_MAPS)
    )


def merged(args: pulumi.ResourceTransformationArgs, given: Any, common: Mapping[str, str]) -> Any:
    """Add the common tags; a component that gives one of them another value is wrong, and is told so."""
    if given is None:
        return dict(common)
    if isinstance(given, Mapping):
        for key, value in common.items():
            if isinstance(given.get(key, value), str) and given.get(key, value) != value:
                raise ValueError(
                    f"{args.type_} {args.name}: {key} is a common tag, set in the stack file; do not pass it"
                )
        return {**given, **common}
    return pulumi.Output.from_input(given).apply(lambda tags: {**(tags or {}), **common})


def _instances(props: Mapping[str, Any], common: Mapping[str, str]) -> None:
    for specification in props.get("tag_specifications") or ():
        specification.tags = {**(specification.tags or {}), **common}


def _node_config(props: Mapping[str, Any], common: Mapping[str, str]) -> None:
    config = props.get("node_config")
    if config is not None:
        config.resource_labels = {**(config.resource_labels or {}), **common}


INNER: Final[Mapping[str, Callable[[Mapping[str, Any], Mapping[str, str]], None]]] = {
    "aws:ec2/launchTemplate:LaunchTemplate": _instances,  # instances, disks and interfaces
    "gcp:container/nodePool:NodePool": _node_config,  # virtual machines and disks
}
"""Types whose tags do not reach what they make; their arguments are objects (`*Args`), changed in place."""


def _labelled(args: pulumi.ResourceTransformationArgs, metadata: Any, labels: Mapping[str, str]) -> Any:
    if metadata is None or isinstance(metadata, Mapping):
        inside = dict(metadata or {})
        return {**inside, "labels": _with_manager(args, inside.get("labels"), labels)}
    if isinstance(metadata, pulumi.Output):
        return metadata.apply(lambda known: _labelled(args, known, labels))
    metadata.labels = _with_manager(args, metadata.labels, labels)
    return metadata


def _with_manager(args: pulumi.ResourceTransformationArgs, given: Any, labels: Mapping[str, str]) -> Any:
    """Add the labels; `managed-by` only where nothing else manages the object (a chart says Helm)."""
    manager = {"app.kubernetes.io/managed-by": "pulumi"}
    if given is None or isinstance(given, Mapping):
        return {**manager, **merged(args, given, labels)}
    return pulumi.Output.from_input(given).apply(lambda known: {**manager, **(known or {}), **labels})
