"""`off-hours`: what rest saves, from the prices and on the machines of the stack's own plan."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from automation.cli import app
from automation.pipeline.commands import REGISTERED

RUN = CliRunner()
FILE = Path(__file__).parents[1] / "stackfiles" / "happy.off-hours.yaml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    assert REGISTERED
    shutil.copy(FILE, tmp_path / "Pulumi.test.yaml")
    return tmp_path


def asked(project: Path, *words: str) -> tuple[int, str]:
    done = RUN.invoke(app, ["off-hours", "test", "--project", str(project), "--quality", "fast", *words])
    return done.exit_code, done.output


def test_the_saving_follows_from_prices_and_hours(project: Path) -> None:
    code, text = asked(project, "--json")
    assert code == 0, text
    made = json.loads(text)
    assert made["hours_worked_a_week"] == 57.5
    (cluster,) = made["clusters"]
    assert cluster["nodes_at_rest"] < cluster["nodes"]
    difference = cluster["usd_month"] - cluster["usd_month_at_rest"]
    assert cluster["saving_usd_month"] == pytest.approx(difference * (1 - 57.5 / 168), abs=0.02)
    assert made["saving_usd_month"] == cluster["saving_usd_month"] > 0
    assert made["oldest_price"] == cluster["oldest_price"] >= "2024-01-01"
    code, text = asked(project)
    assert (code, f"saves {made['saving_usd_month']:.2f} of {made['usd_month']:.2f} USD a month" in text) == (0, True)


def test_a_stack_that_never_rests_is_told_so(project: Path) -> None:
    file = project / "Pulumi.test.yaml"
    text = file.read_text()
    start, end = text.index("    off_hours:"), text.index("    availability_target:")
    file.write_text(text[:start] + text[end:])
    code, text = asked(project)
    assert code == 2
    assert "has no off_hours" in text
