"""Journal, locks and state files: what the next run reads after an abnormal end."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from automation import locks, recovery, statefile
from automation.events import step_of
from automation.exits import Ending
from automation.journal import Intent, Journal
from components import tagging


def _step(urn: str, op: str = "create", type_: str = "aws:ec2/vpc:Vpc", id_: str = "") -> Any:
    new = {
        "urn": urn,
        "type": type_,
        "id": id_,
        "custom": True,
        "inputs": {},
        "outputs": {},
        "parent": "p",
        "provider": "a::b",
    }
    return step_of({"op": op, "urn": urn, "type": type_, "new": new, "old": None, "detailedDiff": None})


def test_begun_and_acknowledged(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.start("up")
    journal.engine(4711)
    for name in ("a", "b", "c"):
        journal.begun(_step(name))
    journal.begun(_step("changed", "update"))
    journal.acknowledged(_step("a", id_="vpc-1"))
    past = Journal(tmp_path / "j").past()
    assert {intent.urn: intent.id for intent in past.open} == {"a": "vpc-1", "b": "", "c": ""}
    assert (past.ended, set(past.engines)) == (False, {4711})
    journal.end(clean=False)
    assert len(journal.past().open) == 3, "a failed run leaves its doubts"
    journal.end(clean=True)
    assert journal.past().open == []
    journal.settle()
    assert journal.past().ended


def test_a_torn_last_line_is_no_entry(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.start("up")
    journal.begun(_step("a"))
    with journal.path.open("a") as file:
        file.write('{"run": "x", "event": "beg')
    assert [intent.urn for intent in journal.past().open] == ["a"]


def test_the_tag_is_the_one_that_components_set() -> None:
    urn = "urn:pulumi:prod::cloud-ecosystem::ecosystem:aws:Network$aws:ec2/vpc:Vpc::aws-eu-west-1"
    assert recovery.idempotency(urn) == tagging.idempotency(urn)
    assert recovery.TAG == tagging.IDEMPOTENCY


class _Engine:
    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.taken: dict[str, Any] = {}

    def export(self) -> dict[str, Any]:
        return self.state

    def import_state(self, state: dict[str, Any]) -> None:
        self.taken = state


class _Finder:
    def __init__(self, search: recovery.Search) -> None:
        self.search = search

    def find(self, _intents: Any) -> recovery.Search:
        return self.search


def _journal(tmp_path: Path, *urns: str) -> Journal:
    journal = Journal(tmp_path / "j")
    journal.start("up")
    for urn in urns:
        journal.begun(_step(urn))
    return journal


def test_what_was_never_made_is_forgotten(tmp_path: Path) -> None:
    engine: Any = _Engine({"deployment": {"resources": [], "pending_operations": [_pending("b")]}})
    done = recovery.settle(engine, _journal(tmp_path, "a"), _Finder(recovery.Search({})))
    assert sorted(done.forgotten) == ["a", "b"]
    assert engine.taken["deployment"]["pending_operations"] == []
    assert not (tmp_path / "j").exists()


def _pending(urn: str) -> dict[str, Any]:
    return {"type": "creating", "resource": {"urn": urn, "type": "aws:ec2/vpc:Vpc", "custom": True}}


def test_what_cannot_be_looked_for_is_refused_and_listed(tmp_path: Path) -> None:
    engine: Any = _Engine({"deployment": {"resources": []}})
    finder = _Finder(recovery.Search({}, unsearchable=("a",)))
    with pytest.raises(Ending) as ending:
        recovery.settle(engine, _journal(tmp_path, "a"), finder)
    assert ending.value.reason == "orphans"
    assert f"idempotency={recovery.idempotency('a')}" in ending.value.details[0]
    assert (tmp_path / "j").exists(), "nothing is forgotten by a refusal"
    done = recovery.settle(engine, Journal(tmp_path / "j"), finder, again=frozenset({"a"}))
    assert done.forgotten == ["a"]


def test_what_the_state_knows_is_not_in_doubt(tmp_path: Path) -> None:
    engine: Any = _Engine({"deployment": {"resources": [{"urn": "a", "id": "vpc-1"}]}})
    assert not recovery.settle(engine, _journal(tmp_path, "a"), _Finder(recovery.Search({}))).anything


def test_real_clouds_are_unsearchable_without_their_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    search = recovery.CommandFinder().find(
        [Intent("a", "aws:ec2/vpc:Vpc", "r"), Intent("b", "cloudflare:index/zone:Zone", "r")]
    )
    assert search == recovery.Search({}, ("a", "b"))


def _lock(folder: Path, name: str, **said: Any) -> Path:
    path = folder / ".pulumi/locks/organization/p/s" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {"pid": 1, "username": "u", "hostname": socket.gethostname(), "timestamp": "2026-11-21T10:00:00+00:00"}
    path.write_text(json.dumps({**known, **said}))
    return path


def test_only_dead_locks_of_our_own_engines_are_freed(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()
    me = psutil.Process()
    since = datetime.fromtimestamp(me.create_time() + 60, UTC).isoformat()
    kept_ = [
        _lock(tmp_path, "other-dead", pid=child.pid + 100_000_0),
        _lock(tmp_path, "ours-alive", pid=os.getpid(), timestamp=since),
        _lock(tmp_path, "other-host", pid=child.pid, hostname="elsewhere"),
    ]
    dead = _lock(tmp_path, "ours-dead", pid=child.pid)
    reused = _lock(tmp_path, "ours-reused", pid=os.getppid(), timestamp="2020-01-01T00:00:00+00:00")
    freed, kept = locks.free_own_dead(locks.held(tmp_path, "p", "s"), {child.pid, os.getpid(), os.getppid()})
    assert {lock.path for lock in freed} == {dead, reused}
    assert {lock.path for lock in kept} == set(kept_)
    assert all(path.exists() for path in kept_)
    assert not dead.exists()


@pytest.mark.parametrize("url", ["s3://bucket", "https://api.pulumi.com", "", "gs://x"])
def test_other_backends_have_no_lock_files_of_ours(url: str) -> None:
    assert locks.backend_directory(url) is None


GOOD = {
    "version": 3,
    "checkpoint": {"stack": "s", "latest": {"resources": [{"urn": "a"}, {"urn": "b", "parent": "a"}]}},
}


def _state(tmp_path: Path, text: str) -> Path:
    path = statefile.path_of(tmp_path, "p", "s")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("{", "not JSON"),
        ("[]", "no state"),
        (json.dumps({"version": 3, "checkpoint": {"latest": {"resources": [{"urn": "a"}, {"urn": "a"}]}}}), "twice"),
        (
            json.dumps({"version": 3, "checkpoint": {"latest": {"resources": [{"urn": "a", "parent": "z"}]}}}),
            "does not hold",
        ),
    ],
)
def test_a_broken_state_is_named(tmp_path: Path, text: str, word: str) -> None:
    path = _state(tmp_path, text)
    with pytest.raises(Ending, match=word) as ending:
        statefile.check(tmp_path, "p", "s")
    assert str(path) in ending.value.sentence
    assert "restore s" in ending.value.details[0]


def test_the_newest_good_copy_comes_back(tmp_path: Path) -> None:
    path = _state(tmp_path, "{")
    path.with_name("s.json.bak").write_text("")
    older = tmp_path / ".pulumi/backups/p/s"
    older.mkdir(parents=True)
    (older / "s.1.json").write_text(json.dumps(GOOD))
    taken, broken = statefile.restore(tmp_path, "p", "s")
    assert taken == older / "s.1.json"
    assert broken.read_text() == "{"
    statefile.check(tmp_path, "p", "s")


def test_without_a_good_copy_nothing_is_touched(tmp_path: Path) -> None:
    path = _state(tmp_path, "{")
    with pytest.raises(Ending, match="no good copy"):
        statefile.restore(tmp_path, "p", "s")
    assert path.read_text() == "{"


def test_a_sidecar_that_a_kill_left_empty_is_removed(tmp_path: Path) -> None:
    path = _state(tmp_path, json.dumps(GOOD))
    empty, good = path.with_name("s.json.attrs"), path.with_name("s.json.bak.attrs")
    empty.write_text("")
    good.write_text('{"user.content_type": "application/json"}')
    assert statefile.mend_sidecars(tmp_path, "p", "s") == [empty]
    assert good.exists()
    assert path.exists()
