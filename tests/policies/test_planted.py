"""A thousand resources with sixty planted faults: all are found, and nothing else is."""

from __future__ import annotations

import charter.rules  # noqa: F401
from charter.example_states import exported
from charter.facts import read_facts
from charter.offline import judge
from charter.rule import RULES

from bench.law_mutants import mutants
from tests.policies.estate import FACTS, SIZE, Graph, good
from tests.policies.faults import FAULTS, plant, score


def found(graph: Graph) -> set[tuple[str, str]]:
    verdicts, judging = judge(exported(graph), read_facts(FACTS))
    assert not [each for each in verdicts if "the rule itself failed" in each.text]
    assert {rule for rule, _ in judging.tally.undetermined} <= {"CH-02"}  # an image without a digest has no signature
    return {(each.rule.id, each.urn.rpartition("::")[2]) for each in verdicts}


def test_the_estate_is_good() -> None:
    graph = good()
    assert len(graph) == SIZE
    assert not found(graph)


def test_all_sixty_faults_are_found_and_nothing_else() -> None:
    graph = good()
    labels = plant(graph)
    assert len(labels) == len(FAULTS) == 60
    result = score(labels, found(graph))
    assert not result.missed
    assert not result.alarms


HERE = (
    *("AWS-BUD-01", "AWS-GDT-01", "AWS-NET-06", "AZ-BUD-01", "CF-LB-01", "CF-PAG-01", "GCP-BUD-01", "GCP-FBS-01"),
    *("CH-01", "CH-02", "CH-03", "CH-07", "CH-10", "CH-11", "CH-16", "CH-17", "CH-20", "CH-22", "CH-23", "CH-25"),
    *("CH-29", "K8S-AVL-02", "K8S-CHA-01", "K8S-MON-01", "K8S-NET-03", "K8S-POD-06"),
)
"""Rules of which the program's own stacks hold nothing to spoil, or nothing that they alone would tell of."""


def test_a_mutant_of_the_estate_is_killed_by_its_rule_alone() -> None:
    state = exported(good(cells=1, size=0))
    made = mutants(state, FACTS, without=set(RULES) - set(HERE))
    assert {mutant.rule for mutant in made if mutant.exactly and mutant.in_stack} >= set(HERE)
