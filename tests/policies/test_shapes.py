"""Odd shapes of real programs: each table row is a resource, or a graph, that a rule must find, let be or leave open.

`shapes.yaml` holds them by rule: `wrong`, `fine` and `open`, each a list of graphs as examples write them, or of single
resources. `!unknown` stands for what only an update tells.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import charter.rules  # noqa: F401
import pytest
import yaml
from charter.example_states import exported
from charter.facts import read_facts
from charter.offline import judge
from charter.rule import RULES
from charter.values import UNKNOWN_STRING_VALUE


class Loader(yaml.CSafeLoader):
    """Reads unknowns too."""


Loader.add_constructor("!unknown", lambda *_: UNKNOWN_STRING_VALUE)  # type: ignore[no-untyped-call]
TABLE: dict[str, dict[str, list[dict[str, Any]]]] = yaml.load(
    Path(__file__).with_name("shapes.yaml").read_text("utf-8"), Loader=Loader
)
ROWS = [
    pytest.param(rule, kind, row, id=f"{rule}-{kind}-{index}")
    for rule, kinds in TABLE.items()
    for kind, rows in kinds.items()
    for index, row in enumerate(rows)
]


@pytest.mark.parametrize(("rule", "kind", "row"), ROWS)
def test_shape(rule: str, kind: str, row: dict[str, Any]) -> None:
    graph = {"it": row} if isinstance(row.get("type"), str) else {key: row[key] for key in row if key != "facts"}
    verdicts, judging = judge(exported(graph), read_facts(row.get("facts", {})))
    assert not [each for each in verdicts if "the rule itself failed" in each.text]
    found = [each for each in verdicts if each.rule.id == rule]
    left = [path for (name, _), path in judging.tally.undetermined.items() if name == rule]
    assert bool(found) == (kind == "wrong"), found
    assert bool(left) == (kind == "open") or kind == "wrong", left


def test_rows_are_of_rules() -> None:
    assert set(TABLE) <= set(RULES)
    assert {kind for kinds in TABLE.values() for kind in kinds} == {"wrong", "fine", "open"}
