"""Whether a problem makes sense: the first field that is wrong, and what is allowed there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sizing.problem import Problem

QUALITIES: Final = ("fast", "standard", "best")
SPREADS: Final = ("none", "zone", "host")
SPOT_WISHES: Final = ("never", "tolerant", "only")
LOSSES: Final = ("none", "zone")
MOST_PODS: Final = 1_000_000
"""Of a workload; Kubernetes is made for 150,000 pods a cluster
(https://kubernetes.io/docs/setup/best-practices/cluster-large/, 2026-11-22)."""
MOST: Final = {"cpu_milli": 10**7, "memory_mib": 10**9, "gpu": 10**4}
"""Of a pod: far more than any node has, and few enough digits for every formula."""


class WrongProblem(ValueError):  # noqa: N818 - part of the interface
    """The problem itself is wrong; the message names the field."""


def check(problem: Problem) -> None:
    """Raise WrongProblem naming the first wrong field and what is allowed."""
    where = f"problem of cluster {problem.cluster!r}"
    _need(problem.zones >= 1, f"{where}: zones is {problem.zones}; at least 1")
    _need(problem.quality in QUALITIES, f"{where}: quality is {problem.quality!r}; one of {', '.join(QUALITIES)}")
    _need(0 <= problem.threshold < 1, f"{where}: threshold is {problem.threshold}; 0 <= threshold < 1")
    _need(
        problem.vcpu_quota is None or problem.vcpu_quota > 0,
        f"{where}: vcpu_quota is {problem.vcpu_quota}; above zero, or absent",
    )
    _need(
        problem.max_changed_nodes is None or problem.max_changed_nodes > 0,
        f"{where}: max_changed_nodes is {problem.max_changed_nodes}; above zero, or absent",
    )
    _need(
        problem.budget_usd_month is None or problem.budget_usd_month > 0,
        f"{where}: budget_usd_month is {problem.budget_usd_month}; above zero, or absent",
    )
    _need(min(problem.agents) >= 0, f"{where}: agents is {problem.agents._asdict()}; nothing in it is negative")
    _need(bool(problem.pools), f"{where}: pools is empty; a cluster needs at least one pool")
    names = [pool.name for pool in problem.pools]
    _need(len(set(names)) == len(names), f"{where}: pools: a name occurs twice in {sorted(names)}")
    for pool in problem.pools:
        spot = f"{where}: pools.{pool.name}"
        _need(0 <= pool.min <= pool.max, f"{spot}: min {pool.min}, max {pool.max}; 0 <= min <= max")
        _need(pool.max >= 1, f"{spot}.max is {pool.max}; at least 1")
        _need(1 <= pool.slots <= 5, f"{spot}.slots is {pool.slots}; 1 to 5")  # noqa: PLR2004
        _need(bool(pool.arch), f"{spot}.arch is empty; amd64, arm64 or both")
    jobs = [w.name for w in problem.workloads]
    _need(len(set(jobs)) == len(jobs), f"{where}: workloads: a name occurs twice: {_twice(jobs)}")
    for w in problem.workloads:
        spot = f"{where}: workloads.{w.name}"
        _need(1 <= w.replicas <= MOST_PODS, f"{spot}.replicas is {_number(w.replicas)}; 1 to {MOST_PODS:,}")
        for key, most in MOST.items():
            asked = getattr(w, key)
            _need(0 <= asked <= most, f"{spot}.{key} is {_number(asked)}; 0 to {most:,}")
        _need(w.cpu_milli + w.memory_mib > 0, f"{spot}: cpu_milli and memory_mib are both 0; a pod asks for something")
        _need(w.spread in SPREADS, f"{spot}.spread is {w.spread!r}; one of {', '.join(SPREADS)}")
        _need(w.spot in SPOT_WISHES, f"{spot}.spot is {w.spot!r}; one of {', '.join(SPOT_WISHES)}")
        _need(w.survives in LOSSES, f"{spot}.survives is {w.survives!r}; one of {', '.join(LOSSES)}")
        _need(
            w.survives == "none" or problem.zones > 1,
            f"{spot}.survives is zone, but the cluster has one zone: use more zones, or survives: none",
        )
        _need(
            w.zone is None or 0 <= w.zone < problem.zones,
            f"{spot}.zone is {w.zone}; the cluster's zones are 0 to {problem.zones - 1}",
        )
        _need(
            w.zone is None or (w.survives == "none" and w.spread != "zone"),
            f"{spot}: its volumes are in zone {w.zone}, so it neither spreads over zones nor survives the loss of one",
        )
        _need(bool(w.pools), f"{spot}.pools is empty; name at least one pool")
        unknown = sorted(set(w.pools) - set(names))
        _need(not unknown, f"{spot}.pools names {unknown}; the cluster's pools are {sorted(names)}")


def _number(value: int) -> str:
    """A number in full, or how long it is."""
    return f"{value:,}" if abs(value) < 10**15 else "a number of more than 15 digits"


def _twice(names: list[str]) -> str:
    return ", ".join(sorted({name for name in names if names.count(name) > 1}))


def _need(condition: bool, message: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not condition:
        raise WrongProblem(message)
