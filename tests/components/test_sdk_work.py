"""What stands in for the SDK's private functions answers what they answer."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi.runtime import resource as registration
from pulumi.runtime import resource_cycle_breaker as cycles
from pulumi.runtime.proto import source_pb2

from components import entry, sdk_work

STOCK_TRACE: Callable[[], source_pb2.StackTrace] = registration._get_stack_trace
STOCK_REACHABLE = cycles._reachable


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "_get_stack_trace", STOCK_TRACE)
    monkeypatch.setattr(cycles, "_reachable", STOCK_REACHABLE)
    monkeypatch.setattr(pulumi.log, "debug", pulumi.log.debug)


class Thing:
    """Something with dependencies, as the SDK notes them."""


def test_the_same_dependencies_are_refused_as_circles() -> None:
    chance = random.Random(3)
    seen = []
    for _ in range(200):
        ours, theirs = [Thing() for _ in range(12)], [Thing() for _ in range(12)]
        for _ in range(40):
            one, other = chance.randrange(12), chance.randrange(12)
            cycles._reachable = sdk_work.reachable
            mine: Any = cycles.declare_dependency(ours[one], ours[other])  # type: ignore[arg-type]
            cycles._reachable = STOCK_REACHABLE
            assert mine == cycles.declare_dependency(theirs[one], theirs[other]), (one, other)  # type: ignore[arg-type]
            seen.append(mine)
    assert 500 < sum(seen) < len(seen) - 500


class Innermost:
    def __init__(self, ask: Callable[[], source_pb2.StackTrace]) -> None:
        self.found = ask()


class Custom(Innermost):
    def __init__(self, ask: Callable[[], source_pb2.StackTrace]) -> None:
        super().__init__(ask)


class Bucket(Custom):
    def __init__(self, ask: Callable[[], source_pb2.StackTrace]) -> None:
        self._internal_init(ask)

    def _internal_init(self, ask: Callable[[], source_pb2.StackTrace]) -> None:
        super().__init__(ask)


def test_the_trace_is_the_same_line_for_line() -> None:
    made = [Bucket(ask).found for ask in (STOCK_TRACE, sdk_work.stack_trace)]
    assert made[0] == made[1]
    assert made[0].frames[0].pc.uri.endswith("test_sdk_work.py")
    assert len(made[0].frames) > 5


def test_outside_of_a_resource_there_is_no_trace() -> None:
    assert Innermost(sdk_work.stack_trace).found == Innermost(STOCK_TRACE).found == source_pb2.StackTrace()


def test_code_without_a_file_has_no_place() -> None:
    traces: list[source_pb2.StackTrace] = []
    for ask in (STOCK_TRACE, sdk_work.stack_trace):
        exec(
            compile("traces.append(Bucket(ask).found)", "<made>", "exec"),
            {"Bucket": Bucket, "ask": ask, "traces": traces},
        )
    assert traces[0].frames[0] == traces[1].frames[0] == source_pb2.StackFrame()


def test_both_are_in_place_only_when_nobody_looks_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.gettrace", lambda: print)
    entry.run(lambda: None)
    assert (registration._get_stack_trace, cycles._reachable) == (STOCK_TRACE, STOCK_REACHABLE)
    monkeypatch.setattr("sys.gettrace", lambda: None)
    monkeypatch.delenv(entry.SWITCH, raising=False)
    entry.run(lambda: None)
    assert (registration._get_stack_trace, cycles._reachable) == (sdk_work.stack_trace, sdk_work.reachable)


def test_an_sdk_in_another_form_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cycles, "_DEPENDENCIES_PROPERTY", "_other")
    monkeypatch.delattr(registration, "_get_source_position_for_frame")
    sdk_work.shorten()
    assert (registration._get_stack_trace, cycles._reachable) == (STOCK_TRACE, STOCK_REACHABLE)
