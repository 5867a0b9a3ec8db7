"""A measured series played again under four ways to size: static peak, reactive, forecast-driven, perfect foresight.

The step is the series' own. What stands is counted in pods; it costs what the plan for the next dearer demand level
costs. A node is ready `ready_minutes` after it is asked for: a pod above what stands waits that long, at most a step.
Reactive: nodes are asked for when pods wait, and given back when they were not needed for `hold` steps.
Forecast-driven: what stands in a step was asked for a step ahead, from the past only; what it lacks is added
reactively, what it no longer needs goes after `hold` steps that the forecast does not need either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sizing.packing import Floats

LEVELS_TRIED = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
TEACHERS = 4  # seasons on which the level is chosen
MEMORY = 7  # seasons of errors that the forecast's margin is taken from


@dataclass(frozen=True)
class Fleet:
    """How nodes come and go, in minutes and steps of the series."""

    step_minutes: float = 5.0
    ready_minutes: float = 1.5
    hold: int = 2


@dataclass(frozen=True)
class Outcome:
    """USD a month on average, pod minutes spent waiting, and how often nodes came or went."""

    cost_usd_month: float
    pending_pod_minutes: float
    scale_events: int


def stepwise(series: Sequence[float], season: int, level: float, start: int) -> Floats:
    """For each step from `start` on: the value before, moved as a season ago, plus the `level` quantile of past errors.

    The margin is renewed once a season. Before `start`: 0. ValueError when less than two seasons come before `start`.
    """
    values = np.asarray(series, dtype=float)
    if start < 2 * season:
        raise ValueError(f"{start} values before the first forecast are less than two seasons of {season}: start later")
    floor = np.zeros(len(values))
    guess = values[season:-1] + values[1:-season] - values[: -season - 1]  # of step season + 1 + i
    error = values[season + 1 :] - guess
    for first in range(start, len(values), season):
        past = error[max(0, first - (MEMORY + 1) * season - 1) : first - season - 1]
        last = min(first + season, len(values))
        floor[first:last] = guess[first - season - 1 : last - season - 1] + float(np.quantile(past, level))
    return np.maximum(floor, 0.0)


def play(demand: Sequence[float], floor: Floats | None, fleet: Fleet, grain: float) -> tuple[Floats, float]:
    """What stands in each step, in pods rounded up to whole grains, and the pod minutes that were waited."""
    need = np.ceil(np.asarray(demand, dtype=float) / grain - 1e-9)
    least = np.zeros(len(need)) if floor is None else np.ceil(floor / grain - 1e-9)
    standing = np.zeros(len(need))
    held, low, waited = float(need[0]), 0, 0.0
    for step in range(len(need)):
        held = max(held, float(least[step]))
        waited += max(0.0, float(demand[step]) - held * grain) * min(fleet.ready_minutes, fleet.step_minutes)
        now = max(float(need[step]), float(least[step]))
        low = low + 1 if now < held else 0
        if now > held or low > fleet.hold:
            held, low = now, 0
        standing[step] = held
    return standing * grain, waited


def outcomes(
    series: Sequence[float], price: Sequence[float], season: int, teach: int, fleet: Fleet | None = None
) -> dict[str, Outcome]:
    """Each way's outcome after the first `teach` steps, which only teach.

    `price`: USD a month of the plan for 0, 1, 2, ... equal parts of the series' peak.
    """
    fleet = fleet or Fleet()
    values = np.asarray(series, dtype=float)
    peak, parts = float(values.max()), len(price) - 1
    grain = peak / parts
    known = values[teach:]
    level, hold = _taught(values[:teach], season, fleet, grain)
    ahead = stepwise(values.tolist(), season, level, teach)[teach:]

    def outcome(standing: Floats, waited: float) -> Outcome:
        steps = np.minimum(np.ceil(standing / grain - 1e-9).astype(int), parts)
        cost = float(np.asarray(price, dtype=float)[steps].mean())
        return Outcome(round(cost, 2), round(waited, 1), int((np.diff(steps) != 0).sum()))

    return {
        "static": outcome(np.full(len(known), peak), 0.0),
        "reactive": outcome(*play(known.tolist(), None, fleet, grain)),
        "forecast": outcome(*play(known.tolist(), ahead, replace(fleet, hold=hold), grain)),
        "perfect": outcome(known, 0.0),
    }


def _taught(past: Floats, season: int, fleet: Fleet, grain: float) -> tuple[float, int]:
    """Level and hold for the forecast: fewest scale events of those that beat the reactive way on the last seasons."""
    first = max(2 * season, len(past) - TEACHERS * season)
    late = past[first:].tolist()
    standing, allowed = play(late, None, fleet, grain)
    tried: list[tuple[bool, bool, float, float, int]] = []
    for level in LEVELS_TRIED:
        ahead = stepwise(past.tolist(), season, level, first)[first:]
        for hold in range(fleet.hold + 1):
            held, waited = play(late, ahead, replace(fleet, hold=hold), grain)
            cheaper = float(held.mean()) < float(standing.mean())
            events = float((np.diff(held) != 0).sum())
            worth = events if cheaper else float(held.mean())
            tried.append((waited > allowed, not cheaper, worth, level, hold))
    *_, level, hold = min(tried)
    return level, hold
