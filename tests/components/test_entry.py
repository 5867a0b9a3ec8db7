"""The entry: quick when nobody looks, untouched while debugging, and never left in the way of others."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest

from components import entry

PROJECT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(pulumi.log, "debug", pulumi.log.debug)
    monkeypatch.setattr(sys, "gettrace", lambda: None)
    monkeypatch.delenv(entry.SWITCH, raising=False)
    threshold = gc.get_threshold()
    yield
    gc.enable()
    gc.unfreeze()
    gc.set_threshold(*threshold)


def test_nothing_is_collected_while_declaring_and_rarely_afterwards() -> None:
    seen: list[bool] = []
    entry.run(lambda: seen.append(gc.isenabled()))
    assert seen == [False]
    assert gc.isenabled()
    assert gc.get_threshold() == entry.COLLECT_AFTER
    assert gc.get_freeze_count() > 0


def test_a_failing_program_leaves_the_collector_on() -> None:
    with pytest.raises(ValueError, match="wrong"), entry.imports():
        raise ValueError("wrong")
    assert gc.isenabled()


def test_who_switched_the_collector_off_keeps_it_off() -> None:
    gc.disable()
    with entry.imports():
        pass
    assert not gc.isenabled()


def test_debug_messages_are_silent_afterwards() -> None:
    entry.run(lambda: None)
    assert pulumi.log.debug is entry._silent
    pulumi.log.debug("text", stream_id=1)


def _by_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(entry.SWITCH, "1")


def _by_tracer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "gettrace", lambda: print)


def _by_debugger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "debugpy", sys)


@pytest.mark.parametrize("look_inside", [_by_variable, _by_tracer, _by_debugger])
def test_nothing_is_touched_while_debugging(look_inside: object, monkeypatch: pytest.MonkeyPatch) -> None:
    look_inside(monkeypatch)  # type: ignore[operator]
    speaks, threshold = pulumi.log.debug, gc.get_threshold()
    seen: list[bool] = []
    with entry.imports():
        seen.append(gc.isenabled())
    entry.run(lambda: seen.append(gc.isenabled()))
    assert seen == [True, True]
    assert pulumi.log.debug is speaks
    assert gc.get_threshold() == threshold


def test_automation_is_no_debugging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_DEBUG_COMMANDS", "true")  # set for `--event-log`, in every run
    assert not entry.debugging()


def test_an_older_sdk_without_the_entry_point_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(pulumi, "run")
    seen: list[int] = []
    entry.run(lambda: seen.append(1))
    assert seen == [1]


def test_the_loop_is_turned_in_a_program_only(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []
    monkeypatch.setattr(pulumi, "run", given.append)
    entry.run(lambda: None)
    assert given == [entry._turn_twice]
    loop = asyncio.new_event_loop()  # not asyncio.run, which takes the main thread's loop away from later tests
    loop.run_until_complete(entry._turn_twice())
    loop.close()


def test_no_cloud_is_loaded_with_the_platform() -> None:
    clouds = "('pulumi_aws', 'pulumi_gcp', 'pulumi_azure_native', 'pulumi_cloudflare', 'qiskit', 'highspy')"
    code = f"import sys, components.platform; print([m for m in {clouds} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"
