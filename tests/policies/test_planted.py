"""A thousand resources with sixty planted faults: all are found, and nothing else is."""

from __future__ import annotations

import charter.rules  # noqa: F401
from charter.example_states import exported
from charter.facts import read_facts
from charter.offline import judge

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
