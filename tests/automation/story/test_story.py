"""The story of a change, told by really doing it; its canary believes the series, whatever the chapter is called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from automation.exits import Ending
from automation.pipeline.rollback import applied, target
from automation.story.chapters import SERIES, Story
from automation.story.scratch import Scratch

ROOT = Path(__file__).resolve().parents[3]


def told(folder: Path, name: str, series: str) -> tuple[bool, Story]:
    """One canary chapter, in this checkout: the folder `project` is a link to it."""
    folder.mkdir(exist_ok=True)
    if not (folder / "project").exists():
        (folder / "project").symlink_to(ROOT)
    story = Story(Scratch(folder), folder, {name: SERIES / f"{series}.json"}, lambda _: None)
    return story.canary(name), story


def test_flip_the_series_and_the_outcome_flips(tmp_path: Path) -> None:
    for name, series, promoted in (("good", "good", True), ("good", "bad", False), ("bad", "bad", False)):
        outcome, story = told(tmp_path, name, series)
        assert outcome is promoted
        (chapter,) = story.chapters
        assert chapter.good is (name == series)
    assert "canary: rolled-back" in chapter.got


def test_an_unreadable_series_promotes_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("[]")
    story = Story(Scratch(tmp_path), tmp_path, {"good": tmp_path / "broken.json"}, lambda _: None)
    (tmp_path / "project").symlink_to(ROOT)
    assert story.canary("good") is False


def entry(commit: str, outcome: str = "ok", action: str = "up", stack: str = "dev") -> dict[str, str]:
    return {"action": action, "stack": stack, "mode": "offline", "commit": commit * 40, "outcome": outcome}


def test_the_way_back_is_what_the_ledger_knows_as_applied() -> None:
    entries = [
        entry("a"), entry("b"), entry("b"), entry("c", "failed"), entry("d", action="plan"), entry("e", stack="prod"),
        entry("f"),
    ]  # fmt: skip
    known = applied(entries, "dev", "offline")
    assert known == ["a" * 40, "b" * 40, "f" * 40]
    assert target(known, None, "dev") == "b" * 40
    assert target(known, "aaaaaaa", "dev") == "a" * 40
    for wanted in ("c" * 40, "aaa", "", "--upload-pack=x"):
        with pytest.raises(Ending) as caught:
            target(known, wanted, "dev")
        assert caught.value.code == 2
    with pytest.raises(Ending):
        target(["a" * 40], None, "dev")
    with pytest.raises(Ending):
        target([], None, "dev")


@pytest.mark.engine
@pytest.mark.slow
def test_the_whole_story(tmp_path: Path) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "ENGINE") if name in os.environ}
    ran = subprocess.run(
        [sys.executable, "-m", "automation", "story", "--out", str(tmp_path / "out")],
        cwd=ROOT,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
        timeout=880,
    )
    assert ran.returncode == 0, ran.stderr[-6000:]
    chapters = json.loads((tmp_path / "out" / "story.json").read_text())
    assert [one["title"] for one in chapters if not one["good"]] == []
    assert {"a tampered plan", "a stale plan", "a forked pull request"} <= {one["title"] for one in chapters}
    (report,) = json.loads((tmp_path / "out" / "report-change" / "report.json").read_text())
    assert report["availability"]["after"] > 0.99
    assert report["reachable"]["edges"] > 0
    assert any(row["values"] for row in report["changed"])
    assert (tmp_path / "out" / "report-fork" / "report.html").exists()
