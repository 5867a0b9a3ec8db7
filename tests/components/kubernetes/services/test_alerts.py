"""Every alert fires when it should, else is silent: Prometheus' own tool says so. Each one is explained."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.kubernetes import alerts
from components.kubernetes.raised import PAGE
from components.kubernetes.shapes import plain
from stacks.services.settings import Services
from tests.components.kubernetes.services.alert_cases import CASES, FIGURES
from tests.components.kubernetes.services.built import ALL
from toolchain.prometheus import recipe

HOURS = 720
"""Minutes above which a case tells of days."""
PROJECT = Path(__file__).parents[4]


def program(name: str) -> Path:
    """A program of Prometheus, built or installed; without it the test is skipped, in CI it fails."""
    found = recipe().program(name) or (Path(which) if (which := shutil.which(name)) else None)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail(f"{name} is not built: make prometheus")
    if found is None:
        pytest.skip(f"{name} is not built: make prometheus")
    return found


def emitted(**changes: Any) -> dict[str, Any]:
    """The groups of a platform with all services."""
    wish = Services.model_validate_json(json.dumps({**ALL, **changes}))
    groups: dict[str, Any] = plain(alerts.rules(wish, availability=0.999))["spec"]
    return groups


def named(kind: str) -> set[str]:
    return {rule[kind] for group in emitted()["groups"] for rule in group["rules"] if kind in rule}


def sections() -> dict[str, str]:
    text = (PROJECT / PAGE).read_text(encoding="utf-8")
    return {part.split("\n", 1)[0].strip(): part for part in re.split(r"(?m)^## ", text)[1:]}


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    assert {case.alert for case in CASES if case.firing} == named("alert")
    assert {case.alert for case in CASES if not case.firing} == named("alert")
    assert {figure.record for figure in FIGURES} == named("record")


@pytest.mark.parametrize("every", ["1m", "15m"], ids=["minutes", "days"])
def test_promtool_agrees_with_every_case(tmp_path: Path, every: str) -> None:
    """Cases of days are judged each quarter of an hour: their windows are long enough for that."""
    promtool = program("promtool")
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(emitted()), encoding="utf-8")
    tests = [
        _test(
            f"{case.alert}: {case.why}",
            case.series,
            f'count(ALERTS{{alertname="{case.alert}", alertstate="firing"}})',
            case.at,
            {"{}": case.firing} if case.firing else {},
        )
        for case in CASES
        if (int(case.at.partition("m")[0]) > HOURS) == (every != "1m")
    ]
    if every == "1m":
        rounded = "sum without (__name__) (round({}, 0.0001))"
        tests += [
            _test(each.record, each.series, rounded.format(each.record), each.at, each.samples) for each in FIGURES
        ]
    order = [group["name"] for group in emitted()["groups"]]
    document = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": every,
        "group_eval_order": order,  # ratios before what reads them: here both are judged at the same moment
        "tests": tests,
    }
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")

    for command in (["check", "rules", "--lint-fatal", "rules.yaml"], ["test", "rules", "tests.yaml"]):
        asked = subprocess.run([promtool, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert asked.returncode == 0, asked.stdout + asked.stderr


def _test(name: str, series: dict[str, str], expr: str, at: str, samples: Mapping[str, float]) -> dict[str, Any]:
    wanted = [{"labels": labels, "value": value} for labels, value in samples.items()]
    asked = {"expr": expr, "eval_time": at, "exp_samples": wanted}
    return {"name": name, "interval": "1m", "input_series": _series(series), "promql_expr_test": [asked]}


def _series(series: dict[str, str]) -> list[dict[str, str]]:
    return [{"series": name, "values": values} for name, values in series.items()]


def test_a_wrong_expectation_is_found(tmp_path: Path) -> None:
    """The judge itself: without it a case that says nothing would pass."""
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(emitted()), encoding="utf-8")
    asked = {"expr": 'count(ALERTS{alertname="TargetDown", alertstate="firing"})', "eval_time": "13m"}
    test = {"interval": "1m", "input_series": [{"series": "up", "values": "0x20"}], "promql_expr_test": [asked]}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": [test]}))
    told = subprocess.run(
        [program("promtool"), "test", "rules", "tests.yaml"], cwd=tmp_path, capture_output=True, check=False
    )
    assert told.returncode != 0


def test_every_alert_is_explained_and_nothing_else_is() -> None:
    found = sections()
    assert set(found) == named("alert")
    for name, text in found.items():
        for part in ("**What.**", "**Why.**", "**What to do.**"):
            assert part in text, (name, part)


@pytest.mark.parametrize("base", ["", "https://github.com/example/platform/blob/main/"])
def test_every_alert_points_at_its_section(base: str) -> None:
    wish = {**ALL["monitoring"], **({"runbooks": base} if base else {})}
    for group in emitted(monitoring=wish)["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                place = f"{base.rstrip('/')}/{PAGE}" if base else PAGE
                assert rule["annotations"]["runbook_url"] == f"{place}#{rule['alert'].lower()}"
                assert rule["annotations"]["summary"]
                assert rule["labels"]["severity"] in {"critical", "warning"}
