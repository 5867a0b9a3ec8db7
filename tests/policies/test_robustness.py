"""Odd values: every leaf unknown, secret or of another shape; nothing crashes, nothing is made up, nothing leaks."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import charter.rules  # noqa: F401
import pytest
from charter.examples import Case, cases, written
from charter.rule import RULES
from charter.values import UNKNOWN
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.policies import fuzz
from tests.policies.door import Door

GOOD = [next(cases(rule)) for rule in sorted(written())]
CANARY = "canary-Zq81xPv7Lw22"
TYPES = sorted({each["type"] for case in GOOD for each in case.resources.values()})
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 70_000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
)
KEYS = st.sampled_from(
    """spec template metadata labels containers policy rules tags ingress name
    namespace vpcConfig securityContext properties egress ports from to selector policyTypes
    env value resources subjects document pool_objects""".split()  # noqa: SIM905
)
VALUES = st.recursive(
    st.one_of(LEAVES, st.just(UNKNOWN)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            yield from paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield (*path, index)
            yield from paths(item, (*path, index))


def replaced(case: Case, name: str, path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    made: dict[str, Any] = copy.deepcopy(dict(case.resources))
    target = made[name]["props"]
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return made


@pytest.mark.parametrize("case", GOOD, ids=[case.rule for case in GOOD])
def test_an_unknown_anywhere_makes_no_finding_of_the_rule_that_needs_it(case: Case) -> None:
    """What is good stays good when a part of it is not known: undetermined at most, and no rule falls over."""
    for name, resource in case.resources.items():
        for path in paths(resource.get("props", {})):
            door = Door(case.facts)
            found = door.graph(replaced(case, name, path, UNKNOWN))
            assert not [each for each in found if "the rule itself failed" in each.text], path
            if case.rule not in {"CH-06", "CH-10", "AWS-NET-05"}:
                own = [each for each in found if each.rule == case.rule]
                assert not own, (path, own)


@pytest.mark.parametrize("case", GOOD, ids=[case.rule for case in GOOD])
@pytest.mark.parametrize(
    "value", [CANARY, [CANARY], {CANARY: CANARY}, 7, True], ids=["text", "list", "map", "number", "flag"]
)
def test_a_value_of_another_shape_neither_crashes_a_rule_nor_stands_in_a_message(case: Case, value: Any) -> None:
    for name, resource in case.resources.items():
        for path in paths(resource.get("props", {})):
            found = Door(case.facts).graph(replaced(case, name, path, value))
            assert not [each for each in found if "the rule itself failed" in each.text], path
            assert not [each for each in found if CANARY in each.text], path


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kind=st.sampled_from(TYPES), props=st.dictionaries(KEYS, VALUES, max_size=5))
def test_anything_through_the_servicer(kind: str, props: dict[str, Any]) -> None:
    found = Door({"production": True}).graph({"it": {"type": kind, "props": props}})
    assert not [each for each in found if "the rule itself failed" in each.text]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**63))
@example(seed=1256)
def test_spoilt_examples_through_the_servicer(seed: int) -> None:
    door, chance = Door({"production": True}), random.Random(seed)
    graph = {}
    for number in range(fuzz.BATCH):
        kind, props = fuzz.odd(chance)
        graph[f"it{number}"] = {"type": kind, "props": props}
    assert not [each for each in door.graph(graph) if "the rule itself failed" in each.text]


def test_import_of_the_rules_knows_them_all() -> None:
    assert len([rule for rule in RULES if not rule.startswith("CH-")]) == 119
