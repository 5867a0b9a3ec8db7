"""The committed figures say what they claim; the stand-in engine answers as the engine does."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bench import answers, latest, monitor
from bench.figure import Figure, machine, meets, versions
from bench.latest import LATEST, taken, write
from bench.program import HERE
from bench.record import BASELINE, OURS

GOALS = {
    "P1": "<= 0.40", "P2": "<= 1.4", "P3": "<= 4.4", "P4": "= 0", "P5": "<= 0.55", "P6": "<= 0.1", "P7": "< 600",
    "P8": "<= 2.0", "P9": "<= 0.10", "P10": "<= 0.6", "P11": "= 1.0",
}  # fmt: skip


@pytest.fixture(scope="module")
def committed() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(LATEST.read_text())
    return made


def test_the_committed_file_has_the_form(committed: dict[str, Any]) -> None:
    jsonschema.validate(committed, json.loads((HERE / "schema.json").read_text()))


def test_met_follows_from_value_and_goal(committed: dict[str, Any]) -> None:
    for one in committed["figures"]:
        assert one["met"] == meets(one["goal"], one["value"]), one


def test_no_figure_is_missing_and_none_changed_its_goal(committed: dict[str, Any]) -> None:
    found = {one["id"]: one["goal"] for one in committed["figures"]}
    assert {name: found.get(name) for name in GOALS} == GOALS
    assert len(found) == len(committed["figures"])


@pytest.mark.parametrize(
    ("goal", "value", "met"),
    [
        ("<= 0.40", 0.40, True), ("<= 0.40", 0.401, False), ("< 600", 600.0, False), ("= 0", 0, True),
        ("= 0", 1, False),
        ("= 1.0", 1.0, True), ("", 3.0, None), ("<= 4", None, None),
    ],
)  # fmt: skip
def test_a_goal_is_judged(goal: str, value: float | None, met: object) -> None:
    assert meets(goal, value) is met


def test_what_cannot_be_measured_says_why() -> None:
    def broken() -> list[Figure]:
        raise RuntimeError("no engine\nhere")

    (one,) = taken("P1", broken)
    assert (one.value, one.as_json()["met"]) == (None, None)
    assert "no engine here" in one.how


def test_figures_not_measured_again_stay(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    kept = [Figure("P10", "<= 0.6", 0.5, "before").as_json(), Figure("P2", "<= 1.4", 9.0, "before").as_json()]
    write([Figure("P2", "<= 1.4", 1.0, "now")], path, kept)
    made = json.loads(path.read_text())
    jsonschema.validate(made, json.loads((HERE / "schema.json").read_text()))
    assert [(one["id"], one["value"], one["met"]) for one in made["figures"]] == [("P2", 1.0, True), ("P10", 0.5, True)]
    assert {"python", "pulumi", "pulumi-aws"} <= set(versions())
    assert machine()["cores"]


def test_the_baseline_is_flat_and_large() -> None:
    resources = json.loads(gzip.decompress(BASELINE.read_bytes()))
    assert len(resources) > 900
    assert {one["class"].partition(".")[0] for one in resources} == {
        "pulumi_aws", "pulumi_gcp", "pulumi_azure_native", "pulumi_kubernetes",
    }  # fmt: skip
    assert not any(one["class"].startswith(OURS) for one in resources)
    providers = {one["name"] for one in resources if one["class"].endswith(".Provider")}
    assert {one["provider"] for one in resources} <= {*providers, ""}


def test_outputs_come_back_as_values() -> None:
    sent = {
        "tags": {
            monitor.SIGNATURE: monitor.OUTPUT,
            "value": {"a": [1, {monitor.SIGNATURE: monitor.OUTPUT, "value": 2}]},
        },
        "plain": "x",
    }
    assert monitor.plain(sent) == {"tags": {"a": [1, 2]}, "plain": "x"}


def test_a_cloud_computes_what_the_program_needs() -> None:
    identity: Mapping[str, Any] = {"identity": {"userAssignedIdentities": ["one"]}}
    made = answers.outputs("azure-native:storage:StorageAccount", "logs", identity)
    assert list(made["identity"]["userAssignedIdentities"]) == ["one"]
    assert answers.outputs("aws:ec2/vpc:Vpc", "net", {})["arn"] == "arn:aws:ec2:eu-west-1:123456789012:net"
    assert answers.identity("azure-native:network:Subnet", "a").endswith("/Microsoft.network/Subnet/a")


def test_every_measurement_can_be_chosen() -> None:
    assert set(GOALS) <= set(latest.measures(None))  # type: ignore[arg-type]  # nothing runs
