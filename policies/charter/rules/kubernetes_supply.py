"""Rules over secrets and charts: what is brought into a cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator

from charter.cluster_kinds import (
    EXACT_VERSION,
    UNRESOLVED,
)
from charter.facts import Facts
from charter.leaves import SECRET
from charter.rule import (
    HIGH,
    Finding,
    Found,
    Open,
    Resource,
    apart,
    resource_rule,
)
from charter.secrets import harmless, refers, secret_name
from charter.values import UNKNOWN, Reader, walk


@resource_rule(
    "K8S-EXS-01",
    "Secrets come from a store, often, and by the workload's own identity.",
    HIGH,
    [
        "kubernetes:core/v1:Secret",
        "kubernetes:core/v1:SecretPatch",
        "kubernetes:external-secrets.io/v1:ExternalSecret",
        "kubernetes:external-secrets.io/v1:SecretStore",
        "kubernetes:external-secrets.io/v1:ClusterSecretStore",
        "kubernetes:external-secrets.io/v1:ClusterExternalSecret",
    ],
    remediation="Use an ExternalSecret with refreshInterval of an hour at most, and a store with workload identity.",
)
def external_secrets(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """A Secret with data in the program is a secret in the state."""
    reader = resource.reader
    if resource.kind in ("Secret", "SecretPatch"):
        for name in ("data", "stringData"):
            if reader.has(name):
                yield Finding(name, "holds data; take it from the secret store")
    elif resource.kind.endswith("ExternalSecret"):
        spec = reader.inside("spec.externalSecretSpec" if resource.kind.startswith("Cluster") else "spec")
        yield from apart(_refreshed(spec))
    else:
        if "fake" in reader.map("spec.provider"):
            yield Finding("spec.provider.fake", "is no store: its values stand in the program")
        for path, leaf in walk(reader.map("spec.provider"), "spec.provider"):
            if leaf is not UNKNOWN and STORED.search(path):
                yield Finding(path, "is a stored key; use workload identity")


STORED = re.compile(r"secretref\.(\w+\.)*name$", re.IGNORECASE)
"""Where a store's authentication names a Secret that holds a key, in the providers' several spellings."""


def _refreshed(spec: Reader) -> Iterator[Found]:
    if not 0 < _hours(spec.text("refreshInterval", "1h")) <= 1:
        yield Finding(spec.at("refreshInterval"), "is not between 0 and 1h")
    if spec.text("refreshPolicy", "Periodic") != "Periodic":
        yield Finding(spec.at("refreshPolicy"), "must be Periodic: a secret that changes in the store stays old here")


def _hours(text: str) -> float:
    total = 0.0
    parts = re.findall(r"(\d+(?:\.\d+)?)(h|m|s)", text)
    for number, unit in parts:
        total += float(number) / {"h": 1, "m": 60, "s": 3600}[unit]
    return total if parts else -1.0


@resource_rule(
    "K8S-HLM-01",
    "A chart is one exact thing from a known place.",
    HIGH,
    ["kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v4:Chart"],
    remediation="Give version exactly, an allowed repository, a digest, and no secret in values; say renderedSha256.",
)
def charts(resource: Resource, facts: Facts) -> Iterator[Found]:
    """A Release is opaque: what it renders must be known by a hash, in its description or values."""
    reader = resource.reader
    parts = [_chart(reader), _values(resource)]
    if resource.kind == "Release":
        parts.append(_rendered(reader))
    for found in apart(*parts):
        unresolved = isinstance(found, Finding) and found.path in UNRESOLVED and _unresolved(reader, found.path)
        yield Open(found.path) if unresolved and facts.sandbox else found


def _rendered(reader: Reader) -> Iterator[Found]:
    if not (reader.has("values.renderedSha256") or _noted(reader, "rendered")):
        yield Finding("description", "says no `rendered sha256:...`: what the release renders is not known")


def _noted(reader: Reader, what: str) -> bool:
    """Say whether the description notes a digest: `chart sha256:..., rendered sha256:...`."""
    return re.search(rf"\b{what} (sha256:)?[0-9a-f]{{64}}\b", reader.text("description")) is not None


def _unresolved(reader: Reader, path: str) -> bool:
    """Say whether the description admits that the lock could not resolve it: offline nobody can."""
    return f"{UNRESOLVED[path]} unresolved" in reader.text("description")


def _chart(reader: Reader) -> Iterator[Found]:
    if not EXACT_VERSION.match(reader.text("version")):
        yield Finding("version", "is not exact")
    repository = reader.text("repositoryOpts.repo")
    chart = reader.text("chart")
    if not (repository.startswith("https://") or chart.startswith("oci://")):
        yield Finding("repositoryOpts.repo", "is no https or oci address")
    if not (reader.flag("verify") or "@sha256:" in chart or _noted(reader, "chart")):
        yield Finding("verify", "is off, and neither the chart nor the description has a digest")


def _values(resource: Resource) -> Iterator[Found]:
    if not resource.reader.map("values") or not resource.marks & SECRET:
        return
    for path, text in resource.texts:
        named = path.startswith("values.") and secret_name(path.rpartition(".")[2])
        if named and not refers(path) and not harmless(text):
            yield Finding(path, "looks like a secret; keep it in the secret store")


@resource_rule(
    "K8S-CHA-01",
    "Chaos reaches where it is let, and nobody else can let it loose.",
    HIGH,
    ["kubernetes:helm.sh/v4:Chart", "kubernetes:helm.sh/v3:Release"],
    remediation="Set clusterScoped false or enableFilterNamespace true; dashboard.securityMode true, ClusterIP.",
)
def chaos_mesh(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Only the chart of Chaos Mesh is asked."""
    reader = resource.reader
    if not reader.text("chart").rstrip("/").rpartition("/")[2].partition(":")[0].startswith("chaos-mesh"):
        return
    values = reader.inside("values")
    if values.flag("clusterScoped", default=True) and not values.flag("controllerManager.enableFilterNamespace"):
        yield Finding("values.clusterScoped", "is true without enableFilterNamespace")
    if values.flag("dashboard.create", default=True):
        if not values.flag("dashboard.securityMode", default=True):
            yield Finding("values.dashboard.securityMode", "is off")
        if values.text("dashboard.service.type", "NodePort") != "ClusterIP":
            yield Finding("values.dashboard.service.type", "must be ClusterIP; the chart's default is NodePort")
