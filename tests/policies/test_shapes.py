"""Odd shapes of real programs: each table row is a resource, or a graph, that a rule must find, let be or leave open.

`shapes.yaml` holds them by rule: `wrong`, `fine` and `open`, each a list of graphs as examples write them, or of single
resources. `!unknown` stands for what only an update tells.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import reduce
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


COMPLETED = {
    ("AWS-EKS-02", "enabledClusterLogTypes"),
    ("AWS-S3-02", "rules"),
    ("CF-WAF-01", "rules"),
    ("CF-WAF-02", "rules"),
    ("CH-02", "*"),
    ("CH-11", "allowedAccountIds"),
    ("CH-16", "*"),
    ("CH-18", "args"),
    ("CH-22", "namespaces"),
    ("CH-24", "volumeClaimTemplates"),
    ("GCP-FBS-01", "source"),
    ("GCP-IAM-03", "auditLogConfigs"),
    ("K8S-MON-01", "endpoints"),
    ("K8S-POD-05", "drop"),
    ("K8S-POD-13", "topologySpreadConstraints"),
}
"""Lists in which one item more may put right what is wrong; `*` stands for all of a rule."""


def lists(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each list that holds something."""
    if isinstance(value, list) and value:
        yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        yield from lists(item, (*path, key))


PLACES = [
    (rule, row, name, path)
    for rule, kinds in TABLE.items()
    for row in kinds.get("wrong", [])
    for name, each in ({"it": row} if isinstance(row.get("type"), str) else row).items()
    if name != "facts"
    for path in lists(each.get("props") or {})
    if not {(rule, "*"), (rule, next(key for key in reversed(path) if isinstance(key, str)))} & COMPLETED
]


def test_what_is_known_decides_beside_what_is_not() -> None:
    """An item that only an update tells hides nothing that stands beside it."""
    hidden = []
    for rule, row, name, path in PLACES:
        graph = copy.deepcopy({"it": row} if isinstance(row.get("type"), str) else row)
        graph.pop("facts", None)
        reduce(lambda held, key: held[key], path, graph[name]["props"]).insert(0, UNKNOWN_STRING_VALUE)
        verdicts, _ = judge(exported(graph), read_facts(row.get("facts", {})))
        assert not [each for each in verdicts if "the rule itself failed" in each.text]
        if rule not in {each.rule.id for each in verdicts}:
            hidden.append((rule, path))
    assert len(PLACES) > 200
    assert not hidden
