"""Demand of the next steps from a series: the season before, corrected by its own error's quantiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sizing.packing import Floats


def seasonal_naive(series: Sequence[float], season: int, steps: int) -> Floats:
    """The last whole season again; ValueError when the series is shorter than a season."""
    if len(series) < season or season < 1:
        raise ValueError(f"{len(series)} values are less than a season of {season}: give a longer series")
    last = np.asarray(series[-season:], dtype=float)
    return np.resize(last, steps)


def quantile(series: Sequence[float], season: int, steps: int, level: float) -> Floats:
    """The seasonal naive forecast plus the `level` quantile of its own past errors (at most eight seasons back)."""
    values = np.asarray(series, dtype=float)
    point = seasonal_naive(series, season, steps)
    errors = (values[season:] - values[:-season])[-8 * season :]
    return np.maximum(0.0, point + (float(np.quantile(errors, level)) if len(errors) else 0.0))


def pinball(actual: Sequence[float], forecast: Sequence[float], level: float) -> float:
    """Mean pinball loss of a quantile forecast."""
    over = np.asarray(actual, dtype=float) - np.asarray(forecast, dtype=float)
    return float(np.maximum(level * over, (level - 1) * over).mean())


def mase(actual: Sequence[float], forecast: Sequence[float], past: Sequence[float], season: int) -> float:
    """Mean absolute error over that of the seasonal naive forecast within `past`; below 1 is better than it."""
    values = np.asarray(past, dtype=float)
    naive = float(np.abs(values[season:] - values[:-season]).mean())
    error = float(np.abs(np.asarray(actual, dtype=float) - np.asarray(forecast, dtype=float)).mean())
    return error / naive if naive > 0 else float("inf")


def percentiles(samples: Sequence[float], levels: Sequence[float] = (0.5, 0.95, 0.99)) -> dict[float, float]:
    """What a workload asked for at most in a share of the time: from a series of measured use."""
    if not len(samples):
        raise ValueError("no samples: a percentile needs at least one")
    return {level: float(np.quantile(np.asarray(samples, dtype=float), level)) for level in levels}
