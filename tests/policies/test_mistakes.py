"""The ten mistakes of the original documents: each is found by its rule, through the engine and in a state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import charter.rules  # noqa: F401
import pytest
import yaml
from charter.example_states import exported
from charter.facts import read_facts
from charter.offline import judge

from tests.policies.door import Door

MISTAKES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "mistakes.yaml").read_text("utf-8"))


def test_there_are_ten() -> None:
    assert len(MISTAKES) == 10


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_by_its_rule(name: str) -> None:
    mistake = MISTAKES[name]
    rules = {mistake["rule"]} if isinstance(mistake["rule"], str) else set(mistake["rule"])
    facts = {"production": True, **mistake.get("facts", {})}
    assert rules <= {each.rule for each in Door(facts).graph(mistake["resources"])}
    verdicts, _ = judge(exported(mistake["resources"]), read_facts(facts))
    assert rules <= {each.rule.id for each in verdicts}
