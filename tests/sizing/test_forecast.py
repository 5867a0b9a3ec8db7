"""The forecast repeats the season, its quantile covers, and bad input is named."""

from __future__ import annotations

import numpy as np
import pytest

from sizing.forecast import mase, percentiles, pinball, quantile, seasonal_naive


def test_a_series_that_repeats_is_forecast_exactly() -> None:
    series = [1.0, 2.0, 3.0, 4.0] * 5
    assert seasonal_naive(series, 4, 6).tolist() == [1, 2, 3, 4, 1, 2]
    assert quantile(series, 4, 4, 0.95).tolist() == [1, 2, 3, 4]


def test_a_quantile_covers_its_share() -> None:
    rng = np.random.default_rng(5)
    series = 100 + 10 * np.sin(np.arange(4000) * 2 * np.pi / 24) + rng.normal(0, 3, 4000)
    covered = [series[t : t + 24] <= quantile(series[:t].tolist(), 24, 24, 0.95) for t in range(1000, 3900, 100)]
    assert 0.92 <= float(np.mean(covered)) <= 0.98
    assert pinball(series[-24:].tolist(), series[-24:].tolist(), 0.95) == 0
    assert mase(series[-24:].tolist(), series[-24:].tolist(), series[:-24].tolist(), 24) == 0


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="less than a season"):
        seasonal_naive([1.0], 4, 1)
    with pytest.raises(ValueError, match="no samples"):
        percentiles([])
    assert percentiles([1.0, 2.0, 3.0])[0.5] == 2
