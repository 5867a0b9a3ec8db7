"""`size` shows plans, writes pictures and JSON that a second command judges without solving."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner

from automation.cli import app

RUN = CliRunner()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("size")
    done = RUN.invoke(app, ["size", "dev", "--json", "--quality", "fast", "--pictures", str(folder / "pictures")])
    assert done.exit_code == 0, done.output
    (folder / "size.json").write_text(done.stdout)
    return folder


def test_the_json_carries_problem_and_assignment(made: Path) -> None:
    for cluster in json.loads((made / "size.json").read_text())["clusters"].values():
        assert cluster["problem"]["types"][0]["allocatable"]
        placed = sum(
            sum(blocks.values())
            for nodes in cluster["assignment"].values()
            for node in nodes
            for blocks in node["pods"].values()
        )
        assert placed == sum(w["replicas"] for w in cluster["problem"]["workloads"])
        assert cluster["baselines"]
        assert cluster["verifier"] == []


def test_the_pictures_are_well_formed(made: Path) -> None:
    pictures = sorted((made / "pictures").glob("*.svg"))
    assert len(pictures) % 3 == 0
    assert pictures
    for path in pictures:
        assert ET.fromstring(path.read_text()).tag.endswith("svg")


def test_what_was_written_is_judged_without_solving(made: Path) -> None:
    assert RUN.invoke(app, ["size", "verify", str(made / "size.json")]).exit_code == 0
    changed = json.loads((made / "size.json").read_text())
    next(iter(changed["clusters"].values()))["plan"]["cost_usd_month"] *= 0.5
    wrong = made / "wrong.json"
    wrong.write_text(json.dumps(changed))
    done = RUN.invoke(app, ["size", "verify", str(wrong)])
    assert done.exit_code == 1
    assert "does not follow" in done.stdout


def test_no_evidence_is_wrong_input(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    assert RUN.invoke(app, ["size", "verify", str(tmp_path / "x.json")]).exit_code == 2
    assert RUN.invoke(app, ["size", "verify"]).exit_code == 2
    assert RUN.invoke(app, ["size", "dev", "x"]).exit_code == 2
