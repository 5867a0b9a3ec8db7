"""What is generated is fresh: pages, the matrix, the table of taggable types, the controls of the shared page."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from pathlib import Path
from types import ModuleType

import charter.rules  # noqa: F401
import pytest
from charter.rule import RULES

PROJECT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("SHARED", PROJECT.parent / "shared"))
LETTERS = {"C": "critical", "H": "high", "M": "medium"}


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"policy_{name}", PROJECT / "policies" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_are_fresh() -> None:
    for name, text in script("pages").pages().items():
        assert (PROJECT / "docs" / "policies" / name).read_text("utf-8") == text, "run `python policies/pages.py`"


def test_taggable_types_are_those_of_the_installed_sdks() -> None:
    made = script("taggable").table()
    assert json.loads((PROJECT / "policies/charter/data/taggable.json").read_text("utf-8")) == made


def test_every_rule_says_why_and_what_to_do() -> None:
    for rule in RULES.values():
        assert rule.title.endswith("."), rule.id
        assert rule.purpose, rule.id
        assert rule.remediation.endswith("."), rule.id
        assert "compliant" not in (rule.title + rule.purpose + rule.remediation), rule.id


def test_rules_have_the_severity_of_the_shared_page() -> None:
    page = SHARED / "design" / "rules.md"
    if not page.is_file():
        assert not os.environ.get("CI"), f"{page} is missing and CI must have it"
        pytest.skip(f"{page} is not here: set SHARED")
    form = re.compile(r"^((?:AWS|GCP|AZ|CF|K8S|CH)-[A-Z0-9-]+) ([CHM]) ", re.MULTILINE)
    said = {rule: LETTERS[letter] for rule, letter in form.findall(page.read_text("utf-8"))}
    assert {rule: RULES[rule].severity.value for rule in said if rule in RULES} == {
        rule: severity for rule, severity in said.items() if rule in RULES
    }
    assert {rule for rule in said if rule not in RULES} == set()
