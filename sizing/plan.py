"""A plan: which instance types, how many nodes, where each pod goes, and how good that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

SOLVER_REVISION: Final = "2026-11-22.14"
"""Raise with every change that may change a plan."""


@dataclass(frozen=True, kw_only=True)
class PoolPlan:
    """One slot of a pool: a node pool of one instance type. Costs in USD per month of 730 h at list price."""

    pool: str
    slot: int
    cluster: str
    instance_type: str
    min: int
    desired: int
    max: int
    spot: bool
    nodes_cost_usd: float
    gap: float
    bound: float
    winner: str
    spare: int = 0

    @property
    def key(self) -> str:
        """`POOL-SLOT`, e.g. general-0."""
        return f"{self.pool}-{self.slot}"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The plan of one cluster.

    `cost_usd_month` is what was minimised (spot marked up by its risk), `list_usd_month` the list price of the nodes;
    `bound_usd_month` is proven: no plan within the limits costs less. `assignment` maps pool key to nodes, each
    {"zone", "pods": {workload: {"on_demand": n, "flexible": n}}}: the witness.
    """

    cluster: str
    pools: tuple[PoolPlan, ...]
    cost_usd_month: float
    list_usd_month: float
    bound_usd_month: float
    gap: float
    winner: str
    seed: int
    input_hash: str
    solver_revision: str
    assignment: Mapping[str, list[dict[str, Any]]]
    candidates: Mapping[str, float]
    quantum: Mapping[str, Any]
    oldest_price: str
    stale_prices: tuple[str, ...] = ()
    kept_previous: str = "no"
    binding: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)

    def to_object(self) -> dict[str, Any]:
        """Plain data for canonical JSON."""
        made = {key: value for key, value in vars(self).items() if key != "pools"}
        made["stale_prices"], made["binding"] = list(self.stale_prices), list(self.binding)
        made["pools"] = [asdict(pool) for pool in self.pools]
        return made

    @classmethod
    def from_object(cls, made: Mapping[str, Any]) -> Plan:
        """The plan back from plain data."""
        pools = tuple(PoolPlan(**pool) for pool in made["pools"])
        rest = {key: value for key, value in made.items() if key != "pools"}
        rest["stale_prices"], rest["binding"] = tuple(made["stale_prices"]), tuple(made["binding"])
        return cls(pools=pools, **rest)


@dataclass(frozen=True, kw_only=True)
class Relaxation:
    """A change of the wish after which a plan was found: what to change, limit by limit, and what that plan costs."""

    change: str
    cost_usd_month: float
    limits: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)  # name: (now, then)


@dataclass(frozen=True, kw_only=True)
class Infeasible:
    """No plan exists: what binds, what to change, and the numbers.

    `constraint` is one of pool_max, quota, budget, pod_too_large, price_missing, spot_share, unverified. `conflict`:
    limits that cannot hold together (`least`: none can be left out; `proven`: whatever the solver); `relaxations`:
    changes that help, the cheapest first.
    """

    constraint: str
    message: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    conflict: tuple[str, ...] = ()
    proven: bool = True
    least: bool = True
    relaxations: tuple[Relaxation, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """What to tell a person: the reason, what stands against what, and the ways out with their price."""
        told = [f"{self.constraint}: {self.message}"]
        if self.conflict:
            sure = "" if self.proven else " (no plan was found; that there is none is not proven)"
            some = "these cannot hold together" if self.least else "some of these cannot hold together with the demand"
            told.append(f"{some}{sure}: {'; '.join(self.conflict)}")
        told += [
            f"{'cheapest way out' if not number else 'or'}: {way.change} - then a plan costs "
            f"{way.cost_usd_month:,.0f} USD a month"
            for number, way in enumerate(self.relaxations)
        ]
        return tuple(told)
