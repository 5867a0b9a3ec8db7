"""Definitions of custom resources that a chart brings, read from the shared folder of upstream definitions."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

Json = dict[str, Any]

BRINGS: Final[Mapping[str, tuple[str, str, bool]]] = {
    "cert-manager": ("cert-manager", "crds.enabled", False),
    "external-secrets": ("external-secrets", "installCRDs", True),
    "base": ("istio", "base.enableCRDTemplates", True),
    "kube-prometheus-stack": ("prometheus-operator", "crds.enabled", True),
    "alloy": ("alloy", "crds.create", True),
    "opentelemetry-operator": ("opentelemetry-operator", "crds.create", True),
    "chaos-mesh": ("chaos-mesh", "", True),
    "argo-cd": ("argo-cd", "crds.install", True),
    "argo-rollouts": ("argo-rollouts", "installCRDs", True),
    "keda": ("keda", "crds.install", True),
    "vertical-pod-autoscaler": ("vpa", "crds.enabled", True),
    "gatekeeper": ("gatekeeper", "", True),
    "kyverno": ("kyverno", "crds.install", True),
    "trivy-operator": ("trivy-operator", "operator.installCRDs", True),
    "velero": ("velero", "upgradeCRDs", True),
    "gha-runner-scale-set-controller": ("actions-runner-controller", "", True),
    "external-dns": ("external-dns", "", True),
    "cilium": ("cilium", "", True),
    "cloudnative-pg": ("cloudnative-pg", "crds.create", True),
    "plugin-barman-cloud": ("cnpg-barman-cloud", "crds.create", True),
    "karmada": ("karmada", "", True),
    "karpenter-crd": ("karpenter", "", True),
    "aws-load-balancer-controller": ("aws-load-balancer-controller", "", True),
    "k6-operator": ("k6-operator", "", True),
}
"""Chart: folder of definitions, value that switches them on (empty: always), and the chart's default of it.

Source: values.yaml of each chart at the versions of charts.lock, 2026-11.
"""


def brought(chart: str, values: Mapping[str, Any]) -> tuple[Json, ...]:
    """Return the definitions that a chart installs with some values; none where the shared folder is absent."""
    folder, switch, default = BRINGS.get(chart, ("", "", True))
    if not folder or not _switched(values, switch, default=default):
        return ()
    return _read(Path(os.environ.get("SHARED", "../shared")) / "crds" / folder)


def given(folder: str) -> tuple[Json, ...]:
    """Return the definitions of a folder, for what a managed cluster has from the start; none without the folder."""
    return _read(Path(os.environ.get("SHARED", "../shared")) / "crds" / folder)


def _switched(values: Any, switch: str, *, default: bool) -> bool:
    for step in switch.split(".") if switch else ():
        values = values.get(step) if isinstance(values, Mapping) else None
    return default if not switch or values is None else bool(values)


_SCHEMA_ONLY: Final = "DummyCRD"
"""Gatekeeper keeps the schema of what constraints select in a definition that no chart installs."""


class _Loader(yaml.CSafeLoader):
    """Reads a bare `=`, which some upstream enumerations hold."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda _, node: node.value)


@cache
def _read(folder: Path) -> tuple[Json, ...]:
    found = []
    for file in sorted(folder.glob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        definition = json.loads(text) if text.startswith("{") else yaml.load(text, _Loader)  # noqa: S506 - a safe one
        if definition.get("kind") == "CustomResourceDefinition" and definition["spec"]["names"]["kind"] != _SCHEMA_ONLY:
            found.append(definition)
    return tuple(found)


def outline(definition: Json) -> Json:
    """Keep what tells which kind is served where: a backend without a server judges no custom resource."""
    spec = definition["spec"]
    versions = [
        {"name": each["name"], "served": each.get("served", True), "storage": each.get("storage", False)}
        for each in spec["versions"]
    ]
    kept = {"group": spec["group"], "names": spec["names"], "scope": spec["scope"], "versions": versions}
    return {**definition, "metadata": {"name": definition["metadata"]["name"]}, "spec": kept}
