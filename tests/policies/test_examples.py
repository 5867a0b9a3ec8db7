"""Every rule through the real servicer: right passes, wrong is found where it is, unknowns stay open."""

from __future__ import annotations

import charter.rules  # noqa: F401
import pytest
from charter.examples import Case, cases, written
from charter.rule import RULES

from tests.policies.door import Door

CASES = [case for rule in sorted(written()) for case in cases(rule)]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rule}-{case.label}" for case in CASES])
def test_case(case: Case) -> None:
    door = Door(case.facts)
    found = door.judge(case)
    if case.finds:
        assert found, f"{case.rule} finds nothing"
        level = RULES[case.rule].severity.level
        assert {each.level for each in found} == {level}
        if case.at is not None:
            assert case.at in {each.path for each in found}
        if case.on is not None:
            kind = case.resources[case.on]
            assert any(each.urn.endswith(f"::{kind.get('name', case.on)}") for each in found)
    else:
        assert not found
    assert bool(door.open_pairs(case.rule)) == case.opens


def test_examples_are_of_rules() -> None:
    assert set(written()) <= set(RULES)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_has_all_four_kinds_of_cases(rule: str) -> None:
    if rule in ("CH-14", "CH-30"):
        return  # they judge configuration and counts, not resources: test_facts asks them
    entry = written().get(rule)
    assert entry is not None, f"{rule} has no examples"
    assert entry.get("wrong"), f"{rule} has no bad case"
    assert entry.get("fine"), f"{rule} has no boundary case"
    assert entry.get("unknown") or entry.get("no_unknown"), f"{rule} has no unknown case and does not say why"
