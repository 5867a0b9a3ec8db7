"""The committed figures of the delivery say what they claim, and their measures can fail."""

from __future__ import annotations

import json

import jsonschema
import pytest

from automation.signing import contract
from bench import pipeline
from bench.figure import meets
from bench.program import HERE

GOALS = {
    "D1": "< 1", "D1-growth": "<= 3.3", "D1-comment": "<= 65536", "D2": "< 10", "D3": "< 1", "D3-tamper": "= 0",
    "D4": "= 0", "D5": "= 8",
}  # fmt: skip


def test_the_committed_file() -> None:
    committed = json.loads(pipeline.PIPELINE.read_text())
    jsonschema.validate(committed, json.loads((HERE / "schema.json").read_text()))
    assert {one["id"]: one["goal"] for one in committed["figures"]} == GOALS
    for one in committed["figures"]:
        assert one["met"] == meets(one["goal"], one["value"]), one


def test_tampering_that_nobody_checks_would_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {one.id: one.value for one in pipeline.plans()}["D3-tamper"] == 0
    monkeypatch.setattr(contract, "before", lambda *_, **__: [])
    assert {one.id: one.value for one in pipeline.plans()}["D3-tamper"] > 5
