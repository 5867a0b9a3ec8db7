"""What the stand-in clouds refuse of single values: by their rules, and by the row of a type."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.behaviour import every_rule, rules  # noqa: F401
from sandbox.behaviour.rows import rows
from sandbox.checks import judge
from tests.sandbox import values_of_links, values_of_stores

GOOD = {**values_of_links.GOOD, **values_of_stores.GOOD}


@pytest.mark.parametrize("rule", GOOD)
def test_what_is_right_passes(rule: str) -> None:
    assert list(rules.CHECKS[rule](GOOD[rule])) == []


@pytest.mark.parametrize(("rule", "change", "path"), [*values_of_links.BAD, *values_of_stores.BAD])
def test_what_a_cloud_refuses_is_refused_at_its_path(rule: str, change: dict[str, Any], path: str) -> None:
    found = {failure.path for failure in rules.CHECKS[rule]({**GOOD[rule], **change})}
    assert path in found


@pytest.mark.parametrize(("token", "inputs", "path"), [*values_of_links.ROWS, *values_of_stores.ROWS])
def test_a_row_refuses_values_that_no_schema_knows(token: str, inputs: dict[str, Any], path: str) -> None:
    known = rows(token.partition(":")[0])[token]
    assert path in {failure.path for failure in judge(known, inputs)}
