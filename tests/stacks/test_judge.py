"""Whatever a file holds, it is judged: no traceback, no loop, and the same answer as from the model itself."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from stacks.envelope import KEY
from stacks.judge import judge
from stacks.load import read_text
from stacks.model import Stack
from stacks.problems import StackFileError
from stacks.tree import Path
from stacks.workloads import PROJECT
from stacks.yaml_core import read
from tests.stacks.corpus import FILES

RICH = read((FILES / "happy.overrides.yaml").read_text(encoding="utf-8")).data["config"][KEY]
WORDS = ("aws", "general", "aws-eu-west-1", "1.34", "10.0.0.0/8", "zone", "only", "500m", "2026-11-21", "never", "*")
KEYS = st.sampled_from(WORDS) | st.text(max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**12) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(WORDS) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def paths(data: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    if isinstance(data, dict):
        for key, value in data.items():
            yield from paths(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from paths(value, (*path, index))


PATHS = [path for path in paths(RICH) if path]


def planted(changes: list[tuple[Path, Any]]) -> Any:
    data = copy.deepcopy(RICH)
    for path, value in changes:
        place = data
        for step in path[:-1]:
            inside = step in place if isinstance(place, dict) else isinstance(place, list) and isinstance(step, int)
            if not inside or (isinstance(place, list) and int(step) >= len(place)):
                break
            place = place[step]
        else:
            last = path[-1]
            named = isinstance(place, dict) and isinstance(last, str)  # as in a file: its keys are text
            if named or (isinstance(place, list) and isinstance(last, int) and last < len(place)):
                place[last] = value
    return data


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(PATHS), VALUES), min_size=1, max_size=4))
def test_any_mistake_is_judged(changes: list[tuple[Path, Any]]) -> None:
    data = planted(changes)
    stack, problems = judge(data, PROJECT)
    assert (stack is None) == bool(problems)
    assert all("\n" not in problem.line() for problem in problems)
    try:
        Stack.model_validate_json(json.dumps(data))
    except ValidationError:
        assert problems, "the model refuses what the loader takes"


@settings(max_examples=60)
@given(st.dictionaries(st.text(max_size=12), VALUES, max_size=3) | VALUES)
def test_anything_at_all_is_judged(data: Any) -> None:
    stack, problems = judge(data, PROJECT)
    assert stack is None
    assert problems


@settings(max_examples=150)
@given(st.text(max_size=60) | st.text(alphabet="ab:-[]{}\"'#&*!|>%@`, \n\t~", max_size=40))
def test_any_text_is_judged(text: str) -> None:
    with pytest.raises(StackFileError, match="does not describe a stack"):
        read_text(text, "x.yaml")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_leaving_out_or_emptying_anything_is_judged(path: Path) -> None:
    for value in ({}, [], "", None, 0, -1, 1.5, True, "x" * 200):
        stack, problems = judge(planted([(path, value)]), PROJECT)
        assert (stack is None) == bool(problems)
