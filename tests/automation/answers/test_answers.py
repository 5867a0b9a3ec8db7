"""Drift is answered: adopted where a key of the stack file makes it, put right, or let be until a date."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from automation.answers import adopt, ignored
from automation.answers.ignored import Ignored
from automation.exits import Ending
from sandbox.state import Database

ROOT = Path(__file__).resolve().parents[3]
TINY = ROOT / "tests" / "engine" / "projects" / "tiny"
DAY = date(2026, 11, 21)
URN = "urn:pulumi:small::tiny::aws:ec2/vpc:Vpc::net"
STACK = """config:
  cloud-ecosystem:stack:
    owner: platform-team   # who pays
    budget: {monthly_usd: 500, receivers: [a@example.org]}
    clouds: {aws: {account: "123456789012", regions: {eu-west-1: {zones: 2}}}}
"""


def test_one_value_changes_and_every_other_character_stays() -> None:
    leaf = next(one for one in adopt.leaves(STACK) if one.keys[-1] == "owner")
    made = adopt.replaced(STACK, leaf, "other-team")
    assert made == STACK.replace("platform-team", "other-team")
    assert adopt.patch(STACK, made, "Pulumi.x.yaml").count("\n-") == 1
    for value in ("on", "1", "a: b", "", "x#y", "null", "0123", 7, True, ["a", "b"], "1e3"):
        changed = adopt.replaced(STACK, leaf, value)
        assert yaml.safe_load(changed)["config"]["cloud-ecosystem:stack"]["owner"] == value


def test_candidates_have_the_value_and_the_like_name_first() -> None:
    text = "a: {x: 2, zones: 2}\nb: '2'\nc: [2, 3]\n"
    assert [one.path for one in adopt.candidates(text, "zones", 2)] == ["a.zones", "a.x", "c.0"]
    assert [one.path for one in adopt.candidates(text, "z", [2, 3])] == ["c"]
    assert adopt.candidates(text, "z", old=True) == []


def rows(*paths: str) -> list[dict[str, Any]]:
    return [{"op": "changed", "urn": URN, "type": "t", "id": "i", "paths": list(paths)}]


def test_ignored_until_a_day_and_not_on_it() -> None:
    one = Ignored(stack="small", urn=URN, path="tags", until=date(2026, 12, 1), reason="a test")
    left, lines = ignored.split(rows("tags.owner", "tagsAll", "cidr"), [one], "small", DAY)
    assert left == rows("tagsAll", "cidr")
    assert lines == ["ignored until 2026-12-01: net tags.owner (a test)"]
    left, lines = ignored.split(rows("tags.owner"), [one], "small", date(2026, 12, 1))
    assert left == rows("tags.owner")
    assert lines == ["no longer ignored since 2026-12-01: net tags.owner (a test)"]
    assert ignored.split(rows("tags.owner"), [one], "prod", DAY)[0] == rows("tags.owner")
    whole = Ignored(stack="small", urn=URN, until=date(2026, 12, 1), reason="gone by hand")
    assert ignored.split(rows(), [whole], "small", DAY)[0] == []


def test_thousands_of_rows_are_split() -> None:
    many = [{**rows("a")[0], "urn": f"{URN}-{n}"} for n in range(5000)]
    one = Ignored(stack="small", urn=f"{URN}-17", until=date(2026, 12, 1), reason="one of many")
    left, lines = ignored.split(many, [one], "small", DAY)
    assert (len(left), len(lines)) == (4999, 1)


@pytest.mark.parametrize("text", ["2026-11-21", "2026-11-20", "2028-01-01", "tomorrow", "20261301"])
def test_nothing_is_ignored_for_ever(text: str) -> None:
    with pytest.raises(Ending):
        ignored.until(text, DAY)
    assert ignored.until("2026-11-22", DAY) == date(2026, 11, 22)


def test_the_file(tmp_path: Path) -> None:
    one = Ignored(stack="small", urn=URN, path="tags", until=date(2026, 12, 1), reason="a test")
    ignored.add(tmp_path, one)
    ignored.add(tmp_path, one.model_copy(update={"reason": "another"}))
    assert [each.reason for each in ignored.load(tmp_path)] == ["another"]
    for text in ("ignored: [{stack: x}]", "[", "ignored: 7", "[a]"):
        (tmp_path / ignored.FILE).write_text(text)
        with pytest.raises(Ending) as caught:
            ignored.load(tmp_path)
        assert caught.value.code == 2


@dataclass
class Hands:
    project: Path
    state: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "ENGINE") if name in os.environ}
        return subprocess.run(
            [sys.executable, "-m", "automation", *words, "--project", str(self.project)],
            env={**kept, "ECOSYSTEM_STATE": str(self.state), "PYTHONPATH": str(ROOT), "ECOSYSTEM_ACTOR": "ada"},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def plant(self, **tags: str) -> None:
        """Change tags of the VPC behind the engine's back."""
        (database,) = self.state.glob("**/clouds.sqlite")
        store = Database(database)
        with store.transaction():
            (thing,) = [one for one in store.find("1=1", ()) if one.type == "aws:ec2/vpc:Vpc"]
            for name, value in tags.items():
                for side in (thing.inputs, thing.outputs):
                    side.setdefault("tags", {})[name] = value
            store.change(thing)
        store.close()


@pytest.mark.engine
@pytest.mark.slow
def test_three_answers(tmp_path: Path) -> None:
    project = tmp_path / "tiny"
    shutil.copytree(TINY, project, ignore=shutil.ignore_patterns("__pycache__"))
    hands = Hands(project, tmp_path / "state")
    assert hands.run("up", "small", "--offline", "--no-policies").returncode == 0
    hands.plant(owner="other-team", purpose="lost")
    assert hands.run("drift", "small", "--offline").returncode == 5

    wrong = hands.run("answer", "small", "adopt", "--urn", "data", "--offline")
    assert wrong.returncode == 2
    assert "it did not drift" in wrong.stderr

    patch = tmp_path / "drift.patch"
    ran = hands.run("answer", "small", "adopt", "--urn", "net", "--offline", "--out", str(patch))
    assert ran.returncode == 0, ran.stderr
    assert "owner in Pulumi.small.yaml makes this" in ran.stdout
    assert "other resources would change" in ran.stdout  # the owner stands on all of them
    assert "purpose" in ran.stdout
    assert "no key of Pulumi.small.yaml makes this" in ran.stdout
    before = (project / "Pulumi.small.yaml").read_text()
    subprocess.run(["git", "apply", "--unsafe-paths", str(patch)], cwd=project, check=True)
    assert (project / "Pulumi.small.yaml").read_text() == before.replace("platform-team", "other-team", 1)
    (project / "Pulumi.small.yaml").write_text(before)

    assert hands.run("answer", "small", "ignore", "--urn", "net", "--offline").returncode == 2
    words = ("--urn", "net", "--until", "2027-06-30", "--reason", "moves to another team")
    assert hands.run("answer", "small", "ignore", *words, "--offline").returncode == 0
    ran = hands.run("drift", "small", "--offline", "--json")
    assert ran.returncode == 0
    assert "ignored until 2027-06-30" in " ".join(json.loads(ran.stdout)["notes"])
    (project / ignored.FILE).unlink()

    assert hands.run("answer", "small", "revert", "--urn", "net", "--offline").returncode == 1  # no law, no revert
    ran = hands.run("answer", "small", "revert", "--urn", "net", "--offline", "--no-policies", "--json")
    assert ran.returncode == 0, ran.stderr
    assert "1 update" in json.loads(ran.stdout)["lines"][0]
    assert hands.run("drift", "small", "--offline").returncode == 0
