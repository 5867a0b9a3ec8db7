"""Inputs of the objects that the tests make."""

from __future__ import annotations

from typing import Any

NAMESPACE = "kubernetes:core/v1:Namespace"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SECRET = "kubernetes:core/v1:Secret"
QUOTA = "kubernetes:core/v1:ResourceQuota"
POD = "kubernetes:core/v1:Pod"
SERVICE = "kubernetes:core/v1:Service"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
DEFINITION = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
SKIP = {"pulumi.com/skipAwait": "true"}


def named(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, **more}


def pod(**security: Any) -> dict[str, Any]:
    return {"containers": [{"name": "main", "image": "example.org/main:1", "securityContext": security}]}


def deployment(name: str, image: str = "example.org/app:1", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "annotations": dict(SKIP)},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": image}]},
            },
            **spec,
        },
    }


def definition(group: str, kind: str, scope: str = "Namespaced") -> dict[str, Any]:
    """A custom kind whose spec has a number `size` and a `mode` of two values."""
    plural = kind.lower() + "s"
    properties = {"size": {"type": "integer"}, "mode": {"type": "string", "enum": ["fast", "slow"]}}
    spec = {"type": "object", "properties": properties}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
    }
    names = {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    return {
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "names": names, "scope": scope, "versions": [version]},
    }
