"""What stands in for the SDK's private functions answers what they answer."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi import resource as declaration
from pulumi.runtime import resource as registration
from pulumi.runtime import resource_cycle_breaker as cycles
from pulumi.runtime.proto import source_pb2

from components import entry, sdk_work
from tests.components.mock_cloud import Cloud

STOCK_TRACE: Callable[[], source_pb2.StackTrace] = registration._get_stack_trace
STOCK_REACHABLE, STOCK_NOTE, STOCK_DECLARE = cycles._reachable, cycles._add_dep, cycles.declare_dependency
STOCK_ALIAS: Any = registration.collapse_alias_to_urn


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "_get_stack_trace", STOCK_TRACE)
    monkeypatch.setattr(cycles, "_reachable", STOCK_REACHABLE)
    monkeypatch.setattr(cycles, "_add_dep", STOCK_NOTE)
    monkeypatch.setattr(declaration, "collapse_alias_to_urn", STOCK_ALIAS)
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
            cycles._reachable, cycles._add_dep = sdk_work.reachable, sdk_work.note
            mine: Any = cycles.declare_dependency(ours[one], ours[other])  # type: ignore[arg-type]
            cycles._reachable, cycles._add_dep = STOCK_REACHABLE, STOCK_NOTE
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


class Forgetful(set[tuple[str, str]]):
    """What lets the same be registered twice."""

    def __contains__(self, _: object) -> bool:
        return False


class Component(pulumi.ComponentResource):
    """A component with a name that it once had."""


@pytest.mark.parametrize(
    "alias",
    [
        pulumi.Alias(name="old"),
        pulumi.Alias(type_="a:b:C", stack="other", project="another"),
        pulumi.Alias(parent=None),
        pulumi.Alias(parent="urn:pulumi:stack::project::a:b:C::above"),
        "urn:pulumi:stack::project::a:b:C::whole",
        pulumi.Output.from_input(pulumi.Alias(name="later")),
    ],
    ids=["name", "type", "root", "parent", "urn", "output"],
)
def test_an_alias_is_the_same_when_somebody_waits_for_it(cloud: Cloud, alias: Any) -> None:
    """Also of the children, for an engine that is told URNs."""

    cloud.registered = Forgetful()

    def urns() -> pulumi.Output[list[list[str]]]:
        found = []
        for name, stock in (("mine", sdk_work.LateAlias), ("stock", STOCK_ALIAS)):
            declaration.collapse_alias_to_urn = stock  # type: ignore[assignment]
            above = Component("a:b:Component", "above", None, pulumi.ResourceOptions(aliases=[alias]))
            assert type(above._aliases[0]) is (sdk_work.LateAlias if name == "mine" else pulumi.Output)
            own = registration.all_aliases([pulumi.Alias(name="then")], "above-child", "a:b:Child", above)
            found.append(pulumi.Output.all(*above._aliases, *own))
        return pulumi.Output.all(*found)

    mine, stock = cloud.run(urns)
    assert mine == stock
    assert len(set(mine)) == len(mine) == 4


def test_all_are_in_place_only_when_nobody_looks_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.gettrace", lambda: print)
    entry.run(lambda: None)
    assert (registration._get_stack_trace, cycles._reachable) == (STOCK_TRACE, STOCK_REACHABLE)
    monkeypatch.setattr("sys.gettrace", lambda: None)
    monkeypatch.delenv(entry.SWITCH, raising=False)
    entry.run(lambda: None)
    assert (registration._get_stack_trace, cycles._reachable) == (sdk_work.stack_trace, sdk_work.reachable)
    assert declaration.collapse_alias_to_urn is sdk_work.LateAlias  # type: ignore[comparison-overlap]


def test_an_sdk_in_another_form_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cycles, "_DEPENDENCIES_PROPERTY", "_other")
    monkeypatch.delattr(registration, "_get_source_position_for_frame")
    monkeypatch.delattr(registration, "collapse_alias_to_urn")
    sdk_work.shorten()
    assert (registration._get_stack_trace, cycles._reachable) == (STOCK_TRACE, STOCK_REACHABLE)
    assert declaration.collapse_alias_to_urn is STOCK_ALIAS


def test_an_sdk_that_notes_dependencies_in_another_way_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def declared(from_resource: Any, to_resource: Any) -> bool:
        setattr(from_resource, sdk_work.DEPENDENCIES, {to_resource})
        return True

    monkeypatch.setattr(cycles, "declare_dependency", declared)
    sdk_work.shorten()
    assert (cycles._reachable, cycles._add_dep) == (STOCK_REACHABLE, STOCK_NOTE)
    monkeypatch.setattr(cycles, "declare_dependency", STOCK_DECLARE)
    sdk_work.shorten()
    assert (cycles._reachable, cycles._add_dep) == (sdk_work.reachable, sdk_work.note)
