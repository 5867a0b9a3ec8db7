"""What namespaces cost: one contract, and two programs that keep it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from stacks.part import FreezeMapping, Frozen, Memory, Name, Part
from stacks.services.facts import Facts, Pods
from stacks.services.service import Days, Service


class Prices(Part):
    """Own prices in USD an hour."""

    cpu: Annotated[float, Field(gt=0, le=10)] = Field(examples=[0.031])
    """One virtual CPU for an hour."""
    memory: Annotated[float, Field(gt=0, le=10)] = Field(examples=[0.004])
    """One GiB of memory for an hour."""
    storage: Annotated[float, Field(gt=0, le=10)] = Field(examples=[0.0001])
    """One GiB of a volume for an hour."""
    gpu: Annotated[float, Field(gt=0, le=1000)] = Field(default=1, examples=[0.95])
    """One GPU for an hour."""


class Spending(Service):
    """What every program that tells of cost is told."""

    budgets: Annotated[Mapping[Name, Annotated[float, Field(gt=0, le=10_000_000)]], FreezeMapping] = Frozen()
    """USD a month that a namespace may cost, by its name; above it there is an alert."""
    prices: Prices | None = None
    """Own prices instead of the cloud's list: what was negotiated, in USD."""
    bill: bool = False
    """Whether the cloud's bill is read too: `cloud-integration` in the secret manager says where it lies."""


class Cost(Spending):
    """What each namespace costs: OpenCost."""


class Kubecost(Spending):
    """What each namespace costs, with pages, budgets and history of its own: Kubecost, instead of OpenCost."""

    licence_accepted: bool = False
    """Whether whoever pays has read IBM's terms: the chart is Apache-2.0, its images state no licence, and the free
    edition is limited in size and history."""
    storage: Memory = "64Gi"
    """Size of the volume of its database."""
    retention_days: Days = 91
    """How long daily figures are kept."""


def _kubecost(_wish: Kubecost) -> tuple[Pods, ...]:
    return (
        Pods(name="agent", cpu_milli=100, memory_mib=512),
        Pods(name="aggregator", cpu_milli=250, memory_mib=3072),
        Pods(name="store", cpu_milli=50, memory_mib=256),
        Pods(name="bill", cpu_milli=50, memory_mib=320),
        Pods(name="page", cpu_milli=20, memory_mib=64),
    )


COST: Final = Facts(
    title="Cost (OpenCost)",
    charts=("opencost",),
    namespace="opencost",
    needs=("monitoring",),
    excludes=("kubecost",),
    reads=lambda wish: wish.bill,
    pods=lambda _wish: (Pods(name="opencost", cpu_milli=50, memory_mib=256),),
)
KUBECOST: Final = Facts(
    title="Cost (Kubecost)",
    charts=("kubecost",),
    namespace="kubecost",
    needs=("monitoring",),
    excludes=("cost",),
    reads=lambda wish: wish.bill,
    pods=_kubecost,
)

__all__ = ["COST", "KUBECOST", "Cost", "Kubecost", "Prices", "Spending"]
