"""What all services register is lawful: judged whole, as an exported state is."""

from __future__ import annotations

import json
from typing import Any

import charter.rules  # noqa: F401
import pytest
from charter.example_states import exported
from charter.facts import read_facts
from charter.offline import judge

from tests.components.kubernetes.services.test_references import emitted
from tests.components.mock_cloud import Cloud

ELSEWHERE = {"CH-23", "CH-21"}
"""Labels of owners come from a stack's tags, ends of experiments from its file: this cluster of memory has neither."""


@pytest.mark.parametrize("which", ["gatekeeper", "kyverno"])
def test_all_services_are_lawful(cloud: Cloud, which: str) -> None:
    found = emitted(cloud, which)
    graph: dict[str, dict[str, Any]] = {
        f"{kind}-{place}": {"type": kind, "props": json.loads(json.dumps(inputs))}
        for place, (kind, inputs) in enumerate(found)
        if kind.startswith("kubernetes:")
    }
    verdicts, judging = judge(exported(graph), read_facts({"sandbox": True}))
    assert judging.tally.evaluated > len(graph)
    assert {each.rule.id for each in verdicts} == ELSEWHERE, [str(each) for each in verdicts]
