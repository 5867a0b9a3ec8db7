"""Small models of published algorithms, fed with what we emit: a wrong number shows as wrong behaviour."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TOLERANCE = 0.1
SYNC = 15
"""Seconds between two looks of the autoscaler (kube-controller-manager's default)."""


@dataclass
class Autoscaler:
    """Horizontal pod autoscaling: ratio, tolerance, stabilisation, policies.

    Source: kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale, algorithm details and configurable
    scaling behavior, read 2026-11.
    """

    spec: Mapping[str, Any]
    replicas: int
    wishes: list[tuple[int, int]] = field(default_factory=list)
    changes: list[tuple[int, int]] = field(default_factory=list)
    now: int = 0

    def __post_init__(self) -> None:
        """What runs at the start counts as a wish, too."""
        self.wishes.append((0, self.replicas))

    def look(self, ratios: Sequence[float]) -> int:
        """One look at usage divided by target of each metric; returns the replicas afterwards."""
        self.now += SYNC
        wish = max(self._wish(ratio) for ratio in ratios)
        wish = min(max(wish, self.spec["minReplicas"]), self.spec["maxReplicas"])
        self.wishes.append((self.now, wish))
        wish = self._calmed(wish)
        if wish > self.replicas:
            wish = min(wish, self._limit("scaleUp", up=True))
        elif wish < self.replicas:
            wish = max(wish, self._limit("scaleDown", up=False))
        self.changes.append((self.now, wish - self.replicas))
        self.replicas = wish
        return wish

    def _wish(self, ratio: float) -> int:
        if abs(ratio - 1) <= TOLERANCE:
            return self.replicas
        return math.ceil(self.replicas * ratio - 1e-9)

    def _calmed(self, wish: int) -> int:
        up, down = (self.spec["behavior"][way]["stabilizationWindowSeconds"] for way in ("scaleUp", "scaleDown"))
        lowest = min(each for at, each in self.wishes if at > self.now - max(up, 1))
        highest = max(each for at, each in self.wishes if at > self.now - max(down, 1))
        return lowest if lowest > self.replicas else min(self.replicas, highest)

    def _limit(self, way: str, *, up: bool) -> int:
        rules = self.spec["behavior"][way]
        limits = []
        for policy in rules["policies"]:
            moved = sum(change for at, change in self.changes if at > self.now - policy["periodSeconds"])
            start = self.replicas - moved
            step = policy["value"] if policy["type"] == "Pods" else math.ceil(start * policy["value"] / 100)
            limits.append(start + step if up else start - step)
        assert rules["selectPolicy"] == "Max"
        return max(limits) if up else min(limits)


@dataclass
class Breaker:
    """Outlier detection: consecutive errors eject a host, longer each time, never more than a share of them.

    Source: envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier, read 2026-11. A host is back when
    base time multiplied by its ejections is over; at least one may always be ejected.
    """

    spec: Mapping[str, Any]
    hosts: int
    errors: dict[int, int] = field(default_factory=dict)
    ejections: dict[int, int] = field(default_factory=dict)
    until: dict[int, float] = field(default_factory=dict)

    def answer(self, host: int, at: float, *, good: bool) -> None:
        """Hear of one answer of a host."""
        self.errors[host] = 0 if good else self.errors.get(host, 0) + 1
        if self.errors[host] < self.spec["consecutive5xxErrors"] or self.out(host, at):
            return
        away = sum(self.out(each, at) for each in range(self.hosts))
        if away and (away + 1) * 100 > self.spec["maxEjectionPercent"] * self.hosts:
            return
        self.ejections[host] = self.ejections.get(host, 0) + 1
        self.until[host] = at + seconds(self.spec["baseEjectionTime"]) * self.ejections[host]
        self.errors[host] = 0

    def out(self, host: int, at: float) -> bool:
        """Say whether a host gets no requests."""
        return self.until.get(host, 0) > at


def seconds(text: str) -> float:
    """Read a duration of one unit."""
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    unit = text.lstrip("0123456789.")
    return float(text.removesuffix(unit)) * units[unit]


def tries(route: Mapping[str, Any], takes: float) -> tuple[int, float]:
    """How often a target that needs `takes` seconds is asked, and how long the caller waits in all.

    Source: istio.io/latest/docs/reference/config/networking/virtual-service, HTTPRetry: attempts are retries, each
    bounded by perTryTimeout; the route's timeout bounds all of them together.
    """
    each, whole = seconds(route["retries"]["perTryTimeout"]), seconds(route["timeout"])
    waited, asked = 0.0, 0
    for _ in range(1 + int(route["retries"]["attempts"])):
        if waited >= whole:
            break
        asked += 1
        waited = min(waited + min(each, takes), whole)
        if takes <= each:
            break
    return asked, waited


def canary(steps: Sequence[Mapping[str, Any]], errors: Mapping[int, float], limit: float) -> Iterator[int]:
    """Yield the share of new pods' traffic step by step; an analysis above the limit ends at nothing.

    Source: argo-rollouts.readthedocs.io/en/stable/features/canary, read 2026-11.
    """
    weight = 0
    for step in steps:
        if "setWeight" in step:
            weight = step["setWeight"]
            yield weight
        elif "analysis" in step and errors.get(weight, 0.0) > limit:
            yield 0
            return
    if weight < 100:
        yield 100
