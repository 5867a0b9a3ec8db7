"""A canary's verdict, computed from its metric series: traffic rises only while every cloud's gates hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from automation.pipeline.settings import Canary


@dataclass(frozen=True)
class Sample:
    """What one cloud's new version showed at one share of traffic; `stable_*` is the old version meanwhile."""

    percent: int
    requests: int
    errors: int
    latency_p95_ms: float
    stable_error_rate: float | None = None
    stable_latency_p95_ms: float | None = None


@dataclass
class Verdict:
    """How far each cloud came, and why it ended there; `promoted` only when all clouds carry all traffic."""

    outcome: Literal["promoted", "rolled-back"]
    reached: dict[str, int]
    vetoes: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        return dict(self.__dict__)


def _sample(row: Mapping[str, Any]) -> Sample:
    sample = Sample(**row)
    numbers = (sample.requests, sample.errors, sample.latency_p95_ms)
    if any(not math.isfinite(number) or number < 0 for number in numbers) or sample.errors > sample.requests:
        raise ValueError(f"not a measurement: {dict(row)}")
    return sample


def _veto(cloud: str, percent: int, samples: Sequence[Sample], rules: Canary) -> str:
    """Why this cloud stops at this step; nothing when its gates hold. No data is a veto, not a pass."""
    if len(samples) < rules.samples_min:
        return f"{cloud} at {percent} %: {len(samples)} samples, {rules.samples_min} are needed: silence is no success"
    requests = sum(sample.requests for sample in samples)
    if requests == 0:
        return f"{cloud} at {percent} %: no request reached the new version"
    rate = sum(sample.errors for sample in samples) / requests
    if rate > rules.error_rate_max:
        return f"{cloud} at {percent} %: error rate {rate:.2%} is above {rules.error_rate_max:.2%}"
    latency = max(sample.latency_p95_ms for sample in samples)
    if latency > rules.latency_p95_ms_max:
        return f"{cloud} at {percent} %: p95 latency {latency:.0f} ms is above {rules.latency_p95_ms_max:.0f} ms"
    return _worse(cloud, percent, samples, (rate, latency), rules.worse_than_stable_max)


def _worse(cloud: str, percent: int, samples: Sequence[Sample], seen: tuple[float, float], times: float) -> str:
    """Compare with the stable version where the series tells it; an error in a thousand is noise."""
    stable_rates = [s.stable_error_rate for s in samples if s.stable_error_rate is not None]
    stable_latencies = [s.stable_latency_p95_ms for s in samples if s.stable_latency_p95_ms is not None]
    rate, latency = seen
    if stable_rates and rate > max(0.001, max(stable_rates) * times):
        return f"{cloud} at {percent} %: error rate {rate:.2%}, the stable version has {max(stable_rates):.2%}"
    if stable_latencies and latency > max(stable_latencies) * times:
        stable = max(stable_latencies)
        return f"{cloud} at {percent} %: p95 latency {latency:.0f} ms, the stable version has {stable:.0f} ms"
    return ""


def judge(series: Mapping[str, Sequence[Mapping[str, Any]]], rules: Canary) -> Verdict:
    """Walk the steps with all clouds at once; the first veto of any cloud takes all of them back.

    `series`: cloud -> rows with the fields of `Sample`. Raises ValueError on rows that are no measurements.
    """
    clouds = [cloud for cloud in rules.order if cloud in series] + sorted(set(series) - set(rules.order))
    if not clouds:
        return Verdict("rolled-back", {}, ["no cloud measured anything: silence is no success"])
    read = {cloud: [_sample(row) for row in series[cloud]] for cloud in clouds}
    reached = dict.fromkeys(clouds, 0)
    log: list[str] = []
    for percent in rules.steps_percent:
        vetoes = []
        for cloud in clouds:
            reached[cloud] = percent
            veto = _veto(cloud, percent, [s for s in read[cloud] if s.percent == percent], rules)
            log.append(veto or f"{cloud} at {percent} %: good")
            if veto:
                vetoes.append(veto)
        if vetoes:
            log.append(f"all clouds back to 0 %: {', '.join(clouds)}")
            return Verdict("rolled-back", reached, vetoes, log)
    return Verdict("promoted", reached, [], log)
