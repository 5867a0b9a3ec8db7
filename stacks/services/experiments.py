"""Experiments: what may be broken, how often, what ends it, and until when it is permitted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field

from stacks.part import Name, Part
from stacks.services.facts import Facts, Pods
from stacks.services.service import Mail, Service

HostPattern = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+([a-z0-9-]*[a-z0-9]|\*)$",
        json_schema_extra={"x-allowed": "a full host name in lower case; a * may be its last part"},
    ),
]
MountPath = Annotated[
    str,
    Field(pattern=r"^(/[A-Za-z0-9._-]+)+$", json_schema_extra={"x-allowed": "an absolute path without a / at the end"}),
]


class Target(Part):
    """A workload that experiments may hit; it must have two replicas at least."""

    namespace: Name = Field(examples=["platform"])
    """Tenant namespace."""
    workload: Name = Field(examples=["gateway"])
    """Name of a workload of the stack: the label `app` of its pods."""
    experiment: Literal["pod-kill", "network-delay", "network-loss", "cpu-stress", "memory-stress", "io-delay",
                        "dns-error"] = Field(examples=["pod-kill"])  # fmt: skip
    """What is done to one of its pods."""
    volume: MountPath | None = Field(default=None, examples=["/data"])
    """Where the volume is mounted whose files become slow; `io-delay` needs it."""
    hosts: Annotated[tuple[HostPattern, ...], Field(max_length=20)] = Field(
        default=(), examples=[("payments.example.org",)]
    )
    """Names that are not found any more; `dns-error` needs one at least."""


class Chaos(Service):
    """Experiments that break one thing at a time, on a schedule: Chaos Mesh."""

    targets: Annotated[tuple[Target, ...], Field(max_length=10)] = ()
    """What may be hit."""
    hours: Literal[1, 2, 3, 4, 6, 8, 12] = 6
    """An experiment on each target every so many hours."""
    duration_seconds: Annotated[int, Field(ge=10, le=900)] = 60
    """How long an experiment lasts."""
    abort_url: Annotated[str, Field(pattern=r"^https?://[^\s@]+$")] | None = Field(
        default=None, examples=["http://gateway.platform.svc:8080/healthz"]
    )
    """What is asked while an experiment runs; a wrong answer ends it. A service of the cluster is named
    NAME.NAMESPACE.svc: the mesh and the network then let the controller ask exactly this."""
    expires: date | None = Field(default=None, examples=["2026-12-15"])
    """Day on which the permission for experiments ends; the law (CH-21) wants one within 30 days."""
    approver: Mail | None = None
    """Who permits them, an e-mail address; production needs it (CH-21)."""
    ticket: Annotated[str, Field(pattern=r"^[\w./:#-]+$")] | None = None
    """Under which they are permitted; production needs it (CH-21)."""


@dataclass(frozen=True)
class Asked:
    """A service of the cluster that is asked whether it is well."""

    workload: str
    namespace: str
    port: int
    path: str


INSIDE: Final = re.compile(
    r"^(?P<scheme>https?)://(?P<workload>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)\.svc(\.cluster\.local)?\.?"
    r"(:(?P<port>\d{1,5}))?(?P<path>/[^?#]*)?(\?[^#]*)?$"
)
HTTP: Final = 80
HTTPS: Final = 443


def asked(url: str | None) -> Asked | None:
    """Read the address of a service of the cluster; None for any other address."""
    found = INSIDE.match(url or "")
    if found is None:
        return None
    port = int(found["port"]) if found["port"] else HTTPS if found["scheme"] == "https" else HTTP
    return Asked(found["workload"], found["namespace"], port, found["path"] or "/")


def _pods(wish: Chaos) -> tuple[Pods, ...]:
    found = [
        Pods(name="controller", cpu_milli=25, memory_mib=256, replicas=2),
        Pods(name="proxy", cpu_milli=10, memory_mib=96, replicas=2),
        Pods(name="dashboard", cpu_milli=25, memory_mib=128),
        Pods(name="daemon", cpu_milli=20, memory_mib=64, per_node=True, enclosed=True),
    ]
    if any(each.experiment == "dns-error" for each in wish.targets):
        found.append(Pods(name="dns", cpu_milli=50, memory_mib=72, replicas=2))
    return tuple(found)


CHAOS: Final = Facts(
    title="Experiments (Chaos Mesh)",
    charts=("chaos-mesh",),
    namespace="chaos-mesh",
    definitions=("chaos-mesh.org",),
    needs=("cert_manager", "monitoring"),
    after=("mesh",),
    pods=_pods,
)
"""`proxy` is the mesh's beside each controller: by it the controller has an identity and asks after health."""

__all__ = ["CHAOS", "Asked", "Chaos", "Target", "asked"]
