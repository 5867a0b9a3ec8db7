"""The law's figures are whole, and the good stacks and their mutants are what the figures say."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import charter.rules  # noqa: F401
import jsonschema
import pytest
from charter.facts import read_facts
from charter.offline import judge
from charter.rule import RULES

from bench.figure import meets
from bench.law_figures import TARGET
from bench.law_mutants import mutants
from bench.law_stack import Recorder, facts, state
from bench.program import HERE


def test_the_committed_figures_have_the_form_and_hold_all_thirteen() -> None:
    committed: dict[str, Any] = json.loads(TARGET.read_text())
    jsonschema.validate(committed, json.loads((HERE / "schema.json").read_text()))
    for one in committed["figures"]:
        assert one["met"] == meets(one["goal"], one["value"]), one
    assert {f"L{number}" for number in range(1, 14)} <= {one["id"] for one in committed["figures"]}


DIGESTS = {"CH-03", "K8S-HLM-01"}
"""What stays open until `lock` has asked the registries, which nobody can offline."""


@pytest.mark.engine
def test_the_good_stack_is_good_and_each_rule_alone_finds_its_mutant() -> None:
    with Recorder() as recorder:
        good, told = state(recorder, "dev"), facts("dev")
    verdicts, _ = judge(good, read_facts(told))
    assert not verdicts
    named = {"sinks": {"aws": "trail"}, "budgets": dict.fromkeys(("aws", "gcp", "azure-native"), "budget")}
    named |= {"costs": {"aws": "billing"}, "runbooks": told["evidence"].get("runbooks", [])}
    verdicts, judging = judge(good, read_facts({**told, "evidence": named}))
    assert not verdicts
    open_ = {rule for rule, _ in judging.tally.undetermined}
    assert open_ == DIGESTS, "whatever else is open is open for want of a name"
    made = defaultdict(list)
    for mutant in mutants(good, told):
        made[mutant.rule].append(mutant)
    assert {rule for rule, found in made.items() if any(mutant.exactly for mutant in found)} == set(RULES)
