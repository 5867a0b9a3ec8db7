"""Abnormal ends: signals, killed engines, broken files, locks, hangs; and that the next run puts things right."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests.engine.conftest import ROOT, Hands, children, until

pytestmark = pytest.mark.engine

MANY = {"ECOSYSTEM_TINY_GROUPS": "120"}


def _engine(process: subprocess.Popen[str]) -> psutil.Process:
    """The engine while it applies: its command line says `up`."""

    def find() -> psutil.Process | None:
        return next((p for p in children(process, "--skip-preview") if "pulumi" in Path(p.exe()).name), None)

    found: psutil.Process = until(find)
    return found


def _created(hands: Hands, more_than: int) -> None:
    until(lambda: hands.place.joinpath("clouds/clouds.sqlite").exists() and len(hands.things()) > more_than)


def _no_duplicates(hands: Hands) -> None:
    """Each thing of the program exists once, and the state knows it."""
    twice = {urn: count for (_, urn), count in Counter(hands.things()).items() if count > 1}
    assert not twice
    known = {r["urn"] for r in hands.resources() if r.get("id")}
    assert {urn for _, urn in hands.things()} <= known


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_what_is_in_flight(deployed: Hands, number: signal.Signals) -> None:
    run = deployed.start("up", "--offline", "--parallel", "2", **MANY)
    _created(deployed, 15)
    run.send_signal(number)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 1, out + err
    assert f"was stopped by {number.name}" in err
    assert deployed.locks() == []
    assert deployed.pending() == []
    assert len(deployed.things()) < 124
    _no_duplicates(deployed)
    made = deployed.json("up", "--offline", **MANY)
    assert made["up_steps"]["create"] == 124 - (made["up_steps"]["same"] - 2)
    _no_duplicates(deployed)


@pytest.mark.slow
@pytest.mark.parametrize("after", [5, 17, 60])
def test_a_killed_engine_leaves_no_duplicate_and_no_orphan(deployed: Hands, after: int) -> None:
    run = deployed.start("up", "--offline", "--parallel", "4", **MANY)
    _created(deployed, after)
    engine = _engine(run)
    program = [
        p for p in engine.children(recursive=True) if any("pulumi-language-python-exec" in c for c in p.cmdline())
    ]
    engine.kill()
    out, err = run.communicate(timeout=60)
    assert run.returncode == 1, out + err
    _, alive = psutil.wait_procs(program, timeout=5)
    assert not alive, "the program outlives its engine"
    assert len(deployed.locks()) == 1, "the dead engine's lock is still there"
    made = deployed.json("recover", "--offline")
    assert any("freed the lock" in line for line in made["recovered"])
    assert deployed.locks() == []
    assert deployed.pending() == []
    made = deployed.json("up", "--offline", **MANY)
    _no_duplicates(deployed)
    assert len(deployed.things()) == 124
    assert deployed.json("up", "--offline", **MANY)["up_steps"] == {"same": 126}


def test_up_recovers_by_itself(deployed: Hands) -> None:
    run = deployed.start("up", "--offline", **MANY)
    _created(deployed, 10)
    _engine(run).kill()
    run.communicate(timeout=60)
    made = deployed.json("up", "--offline", **MANY)
    assert any("freed the lock" in note for note in made["notes"])
    _no_duplicates(deployed)
    assert len(deployed.things()) == 124


def test_a_killed_program_is_named(deployed: Hands) -> None:
    run = deployed.start("up", "--offline", "--parallel", "1", **MANY)
    _created(deployed, 10)
    engine = _engine(run)
    for process in engine.children(recursive=True):
        if any("pulumi-language-python-exec" in part for part in process.cmdline()):
            process.kill()
    run.communicate(timeout=90)
    assert run.returncode == 1
    assert deployed.locks() == []
    json.loads(deployed.state_file.read_text())
    assert deployed.json("up", "--offline", **MANY)["resources"] == 126
    _no_duplicates(deployed)


def test_the_second_of_two_runs_leaves_and_names_the_first(deployed: Hands) -> None:
    first = deployed.start("up", "--offline", "--parallel", "1", **MANY)
    engine = _engine(first)
    until(deployed.locks)
    engine.suspend()  # or a busy machine lets it end before the second begins
    try:
        began = time.monotonic()
        made = deployed.json("up", "--offline", code=1, **MANY)
    finally:
        engine.resume()
    assert made["error"]["reason"] == "locked"
    assert socket.gethostname() in " ".join(made["error"]["details"])
    assert time.monotonic() - began < 30  # the bound of the fault matrix is 10 s on an idle machine
    assert first.wait(timeout=120) == 0, first.communicate()
    _no_duplicates(deployed)


def test_a_preview_during_an_update_says_that_the_state_moved(deployed: Hands) -> None:
    first = deployed.start("up", "--offline", "--parallel", "1", **MANY)
    _created(deployed, 6)
    made = deployed.json("preview", "--offline", **MANY)
    assert any("STATE MOVED" in note for note in made["notes"])
    assert first.wait(timeout=120) == 0


def _lock(hands: Hands, pid: int) -> Path:
    folder = next(hands.place.glob("backend/.pulumi")) / "locks/organization/tiny/small"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "11111111-2222-3333-4444-555555555555.json"
    said = {"pid": pid, "username": "somebody", "hostname": socket.gethostname(), "timestamp": "2026-11-21T10:00:00Z"}
    path.write_text(json.dumps(said))
    return path


def test_a_lock_that_is_not_ours_is_never_deleted(deployed: Hands) -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    path = _lock(deployed, ended.pid)
    made = deployed.json("up", "--offline", code=1)
    assert made["error"]["reason"] == "locked"
    assert "somebody" in made["error"]["details"][0]
    assert "not one of ours" in made["error"]["details"][1]
    assert path.exists()


@pytest.mark.parametrize("text", ["", '{"version": 3, "checkpoint": {"latest": {"resou', "[]"])
def test_a_broken_state_file_is_named_and_restored_by_one_command(deployed: Hands, text: str) -> None:
    deployed.json("up", "--offline", ECOSYSTEM_TINY_GROUPS="1")
    deployed.state_file.write_text(text)
    made = deployed.json("up", "--offline", code=1)
    assert made["error"]["reason"] == "state"
    assert str(deployed.state_file) in made["error"]["sentence"]
    command = made["error"]["details"][0]
    assert "python -m automation restore small" in command
    ran = deployed.run("restore", "--offline")
    assert ran.returncode == 0, ran.stderr
    assert deployed.json("up", "--offline", ECOSYSTEM_TINY_GROUPS="1")["resources"] == 7
    _no_duplicates(deployed)


def test_an_output_that_never_resolves_is_named(fresh: Hands) -> None:
    made = fresh.json("preview", "--offline", "--patience", "12", code=3, ECOSYSTEM_TINY_HANG="yes")
    assert made["error"]["reason"] == "no-progress"
    (line,) = made["error"]["details"]
    assert line.startswith("aws:ec2/securityGroup:SecurityGroup waiting-group")
    assert "description" in line
    assert fresh.locks() == []


def test_an_unwritable_backend_changes_no_cloud(deployed: Hands) -> None:
    """A full disk, from the engine's side: no file may grow beyond what the state needs to grow."""
    if os.geteuid() == 0:
        limit = ["prlimit", f"--fsize={deployed.state_file.stat().st_size // 2}"]
    else:
        limit = ["bash", "-c", 'ulimit -f 1; exec "$@"', "-"]
    assert shutil.which(limit[0])
    good = deployed.state_file.read_bytes()
    command = [*limit, *deployed._command(("up", "--offline", "--json"))]
    ran = subprocess.run(
        command, env=deployed._environment({"ECOSYSTEM_TINY_GROUPS": "3"}), cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip
    assert ran.returncode != 0
    assert deployed.state_file.read_bytes() == good or json.loads(deployed.state_file.read_text())
