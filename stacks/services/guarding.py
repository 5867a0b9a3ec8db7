"""Guarding: what may enter a cluster, what runs in it, what its images hold, and who answers for its names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from stacks.clouds import Cloud
from stacks.part import FreezeMapping, Frozen, Name, Part
from stacks.services.facts import Facts, Pods
from stacks.services.service import Service

Https = Annotated[
    str, Field(pattern=r"^https://[^\s@/]+(/[^\s@]*)?$", json_schema_extra={"x-allowed": "an https address"})
]
ImagePattern = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9.:-]*/[a-zA-Z0-9._/*-]+$",
        json_schema_extra={"x-allowed": "REGISTRY/PATH, with * for anything: ghcr.io/example/*"},
    ),
]
Domain = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$",
        json_schema_extra={"x-allowed": "a domain in lower case: example.org"},
    ),
]
Zone = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9/._-]{1,300}$", json_schema_extra={"x-allowed": "id or name of a zone"})
]
RenderedFile = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/-]*\.ya?ml$",
        json_schema_extra={"x-allowed": "a YAML file inside the project"},
    ),
]


class Probes(Service):
    """Questions from outside: does an address answer, and how long is its certificate good? blackbox exporter."""

    urls: Annotated[tuple[Https, ...], Field(max_length=50)] = ()
    """Addresses that must answer with a status of 2xx over TLS."""
    timeout_seconds: Annotated[int, Field(ge=1, le=25)] = 5
    """How long an answer may take."""


class Gatekeeper(Service):
    """Refuses what breaks the law when it enters a cluster, and audits what is there: Gatekeeper."""

    rules: RenderedFile | None = Field(default=None, examples=["config/admission/gatekeeper.yaml"])
    """ConstraintTemplates and constraints, as the law renders them; absent means the rules of the law that stand in
    the project."""
    action: Literal["deny", "warn", "dryrun"] = "deny"
    """What happens to an object that breaks a rule."""


class Signer(Part):
    """Who signs images: an identity of an OpenID issuer, whose signatures stand in a public log."""

    images: Annotated[tuple[ImagePattern, ...], Field(min_length=1)] = Field(examples=[("ghcr.io/example/*",)])
    """Images that must carry the signature."""
    issuer: Https = Field(examples=["https://token.actions.githubusercontent.com"])
    """Issuer of the identity."""
    subject: Annotated[str, Field(pattern=r"^[A-Za-z0-9:/._*@+-]+$", max_length=300)] = Field(
        examples=["https://github.com/example/*"]
    )
    """The identity; * stands for anything."""


class Kyverno(Service):
    """Refuses images without a valid signature, and what breaks the law: Kyverno."""

    rules: RenderedFile | None = Field(default=None, examples=["config/admission/cel.yaml"])
    """ValidatingAdmissionPolicies with bindings, as the law renders them; absent means those of the project."""
    signers: Annotated[Mapping[Name, Signer], FreezeMapping] = Frozen()
    """Who signs which images, by name."""
    action: Literal["deny", "audit"] = "deny"
    """What happens to a pod whose image is not signed."""


class Falco(Service):
    """Watches system calls of all containers: Falco with its modern eBPF probe."""

    priority: Literal["critical", "error", "warning", "notice"] = "warning"
    """Least priority that is written down."""


class Trivy(Service):
    """Looks for known weaknesses in images and for mistakes in workloads: Trivy operator."""

    severities: tuple[Literal["CRITICAL", "HIGH", "MEDIUM", "LOW"], ...] = ("CRITICAL", "HIGH")
    """Which weaknesses are reported."""
    report_hours: Annotated[int, Field(ge=1, le=168)] = 24
    """How long a report is good."""
    jobs: Annotated[int, Field(ge=1, le=10)] = 3
    """Scans at a time."""


class Dns(Service):
    """Names of the gateway, kept in a zone: external-dns."""

    provider: Literal["cloud", "cloudflare"] = "cloud"
    """Whose zone: the cloud's own, by the identity of the pods, or Cloudflare's, by a token of the secret manager."""
    zones: Annotated[Mapping[Cloud, Zone], FreezeMapping] = Frozen()
    """Zone of each cloud: its id (AWS), name (Google) or resource id (Azure); with Cloudflare none is needed."""
    domains: Annotated[tuple[Domain, ...], Field(min_length=1, max_length=20)] = Field(examples=[("example.org",)])
    """Domains whose names are kept; no other name is touched."""
    remove: bool = False
    """Whether names that nothing asks for any more are removed."""


PROBES = Facts(
    title="Probes (blackbox exporter)",
    charts=("prometheus-blackbox-exporter",),
    namespace="probes",
    needs=("monitoring",),
    after=("mesh",),
    pods=lambda _wish: (Pods(name="blackbox", cpu_milli=20, memory_mib=48, replicas=2),),
)
GATEKEEPER = Facts(
    title="Admission (Gatekeeper)",
    charts=("gatekeeper",),
    namespace="gatekeeper-system",
    definitions=(
        "config.gatekeeper.sh",
        "constraints.gatekeeper.sh",
        "expansion.gatekeeper.sh",
        "externaldata.gatekeeper.sh",
        "mutations.gatekeeper.sh",
        "status.gatekeeper.sh",
        "syncset.gatekeeper.sh",
        "templates.gatekeeper.sh",
    ),
    after=("mesh", "monitoring"),
    excludes=("kyverno",),
    pods=lambda _wish: (
        Pods(name="webhook", cpu_milli=100, memory_mib=512, replicas=3),
        Pods(name="audit", cpu_milli=100, memory_mib=640),
    ),
)
KYVERNO = Facts(
    title="Admission (Kyverno)",
    charts=("kyverno",),
    namespace="kyverno",
    definitions=("kyverno.io", "policies.kyverno.io", "reports.kyverno.io", "wgpolicyk8s.io"),
    after=("mesh", "monitoring"),
    excludes=("gatekeeper",),
    pods=lambda _wish: (
        Pods(name="admission", cpu_milli=100, memory_mib=384, replicas=3),
        Pods(name="reports", cpu_milli=50, memory_mib=128, replicas=2),
    ),
)
FALCO = Facts(
    title="Runtime (Falco)",
    charts=("falco",),
    namespace="falco",
    after=("monitoring",),
    pods=lambda _wish: (Pods(name="falco", cpu_milli=100, memory_mib=384, per_node=True),),
)
"""Its agents stand in kube-system: they need the node."""
TRIVY = Facts(
    title="Images (Trivy operator)",
    charts=("trivy-operator",),
    namespace="trivy-system",
    definitions=("aquasecurity.github.io",),
    after=("mesh", "monitoring"),
    pods=lambda wish: (
        Pods(name="operator", cpu_milli=50, memory_mib=256),
        Pods(name="scan", cpu_milli=100, memory_mib=512, replicas=wish.jobs),
    ),
)
DNS = Facts(
    title="Names (external-dns)",
    charts=("external-dns",),
    namespace="external-dns",
    definitions=("externaldns.k8s.io",),
    needs=("mesh",),
    after=("external_secrets", "monitoring"),
    reads=lambda wish: wish.provider == "cloudflare",
    pods=lambda _wish: (Pods(name="external-dns", cpu_milli=25, memory_mib=96),),
)

__all__ = [
    "DNS", "FALCO", "GATEKEEPER", "KYVERNO", "PROBES", "TRIVY",
    "Dns", "Falco", "Gatekeeper", "Https", "Kyverno", "Probes", "Signer", "Trivy",
]  # fmt: skip
