"""Which series an expression asks for, who hears of an alert, and which runbooks there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from charter.alerting import Routes
from charter.series import series

from automation.policy import runbooks


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ('absent(up{job="x", name=~"a|b"})', {"up"}),
        ("histogram_quantile(0.95, sum by (le, app) (rate(a_seconds_bucket[5m]))) > 0.2", {"a_seconds_bucket"}),
        ("sum(x) by (le) / on(a) group_left(b) y offset 5m", {"x", "y"}),
        ("team:errors:ratio_rate1h > 1e3 and vector(0) or -Inf", {"team:errors:ratio_rate1h"}),
        ('label_replace(x, "node", "$1", "instance", "(.*)")', {"x"}),
        ("x @ start() > bool 2", {"x"}),
    ],
)
def test_series(expression: str, wanted: set[str]) -> None:
    assert series(expression) == wanted


TELLS = {"hook": True, "nobody": False}


@pytest.mark.parametrize(
    ("route", "heard"),
    [
        ({"receiver": "hook"}, True),
        ({"receiver": "nobody"}, False),
        ({"receiver": "gone"}, False),
        ({"receiver": "nobody", "routes": [{"receiver": "hook", "match": {"severity": "critical"}}]}, True),
        ({"receiver": "hook", "routes": [{"receiver": "nobody", "matchers": ['severity="critical"']}]}, False),
        ({"receiver": "hook", "routes": [{"receiver": "nobody", "matchers": ["severity!=critical"]}]}, True),
        ({"receiver": "hook", "routes": [{"matchers": [{"name": "severity", "value": "critical"}]}]}, True),
        ({"receiver": "nobody", "routes": [{"receiver": "hook", "matchers": ['pod="a"']}]}, True),  # the series tells
        (
            {
                "receiver": "nobody",
                "routes": [
                    {"receiver": "nobody", "match_re": {"severity": "crit.*"}, "continue": True},
                    {"receiver": "hook", "match": {"severity": "critical"}},
                ],
            },
            True,
        ),
    ],
)
def test_routes(route: dict[str, Any], heard: bool) -> None:  # noqa: FBT001  a case's answer
    assert Routes(route, TELLS).reach({"severity": "critical", "alertname": "A"}) is heard


def test_runbooks(tmp_path: Path) -> None:
    assert runbooks(tmp_path) == {}
    folder = tmp_path / "docs" / "runbooks"
    folder.mkdir(parents=True)
    (folder / "a.md").write_text("# Alerts\n\n## Slow Requests (p95)\n", "utf-8")
    wanted = ["docs/runbooks/a.md", "docs/runbooks/a.md#alerts", "docs/runbooks/a.md#slow-requests-p95"]
    assert runbooks(tmp_path) == {"runbooks": wanted}
