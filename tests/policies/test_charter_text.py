"""The charter's text and the rules: no sentence without a rule, no rule without a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import charter.rules  # noqa: F401
from charter.rule import RULES

TEXT = (Path(__file__).parents[2] / "docs" / "charter.md").read_text("utf-8")
SENTENCES = [line for line in TEXT.splitlines() if line.startswith("- ")]
RULE = re.compile(r"`((?:AWS|GCP|AZ|CF|K8S|CH)-[A-Z0-9-]+)`")


def test_every_sentence_names_rules_that_exist() -> None:
    assert SENTENCES
    for sentence in SENTENCES:
        named = RULE.findall(sentence)
        assert named, sentence
        assert re.match(r"- [A-Z`].*\. `", sentence), sentence
        assert set(named) <= set(RULES), sentence


def test_every_rule_stands_in_exactly_one_sentence() -> None:
    named = [rule for sentence in SENTENCES for rule in RULE.findall(sentence)]
    assert sorted(named) == sorted(RULES)


def test_nothing_else_claims() -> None:
    body = TEXT.partition("\n## ")[2]
    assert all(not line or line.startswith(("- ", "## ")) for line in body.splitlines()[1:])
