"""Propagation: which clusters carry a workload that is handed to Karmada, and with how many of its replicas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from stacks.part import FreezeMapping, Frozen, Name, Part
from stacks.services.service import PORT

Registry = Annotated[
    str,
    Field(
        pattern=rf"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:{PORT})?$",
        json_schema_extra={"x-allowed": "a host name with an optional port"},
    ),
]


class Propagated(Part):
    """One workload of the stack, its Deployment and its Service, spread over clusters by Karmada."""

    namespace: Name = Field(examples=["platform"])
    """Tenant namespace."""
    clusters: Annotated[tuple[str, ...], Field(min_length=1)] = Field(examples=[["aws-eu-west-1", "gcp-europe-west1"]])
    """Clusters that may carry it."""
    replicas: Literal["divided", "copied"] = "divided"
    """Whether all clusters together have its replicas, or each of them has all."""
    shares: Annotated[Mapping[str, Annotated[int, Field(ge=1, le=100)]], FreezeMapping] = Frozen()
    """Weights of clusters among each other; none means by the room that they have."""
    apart: Literal["cluster", "region", "provider"] | None = None
    """Over what it is spread at least twice; only where no shares say how."""
    moved_after_seconds: Annotated[int, Field(ge=30, le=86400)] = 300
    """How long a cluster may be gone before its replicas go to the others."""
    registries: Annotated[Mapping[str, Registry], FreezeMapping] = Frozen()
    """Registry that a cluster pulls from instead of the one in the manifest, by cluster."""


def divided(replicas: int, shares: Mapping[str, int]) -> dict[str, int]:
    """Divide replicas by weights as Karmada does: rounded down, what is left goes one by one to the heaviest.

    Among equal weights it goes by name here; there to who had more before, else by lot. Source:
    github.com/karmada-io/karmada pkg/util/helper/binding.go, Dispenser.TakeByWeight, 2026-11.
    """
    total = sum(shares.values())
    if not total:
        return {}
    order = sorted(shares, key=lambda name: (-shares[name], name))
    given = {name: replicas * shares[name] // total for name in order}
    for name in order[: replicas - sum(given.values())]:
        given[name] += 1
    return given
