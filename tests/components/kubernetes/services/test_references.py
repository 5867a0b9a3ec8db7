"""Every reference between objects leads somewhere; one that does not is found wherever it is planted."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from components.kubernetes.references import check, of_inputs
from components.kubernetes.references.known import known
from components.kubernetes.references.schedules import wrong
from stacks.services.settings import Services
from tests.components.kubernetes.services.built import ALL, KYVERNO, WORKLOADS, build
from tests.components.kubernetes.services.planted_references import KYVERNO as OTHERS
from tests.components.kubernetes.services.planted_references import NAMES, RELEASES
from tests.components.mock_cloud import Cloud

Emitted = list[tuple[str, dict[str, Any]]]
HELD: dict[str, Emitted] = {}


def emitted(cloud: Cloud, which: str) -> Emitted:
    """Type and inputs of what all services register, built once."""
    if which not in HELD:
        build(cloud, ALL if which == "gatekeeper" else KYVERNO)
        HELD[which] = [(each.typ, each.inputs) for each in cloud.asked]
    return HELD[which]


def dangling(found: Emitted, services: dict[str, Any]) -> list[str]:
    things = [thing for kind, inputs in found if (thing := of_inputs(kind, inputs))]
    wish = Services.model_validate_json(json.dumps(services))
    return [str(each) for each in check(things, known(wish, ("platform",), WORKLOADS))]


def planted(found: Emitted, kind: str, name: str, path: str, value: Any) -> Emitted:
    """The same objects with one mistake in one of them."""
    steps = [int(step) if step.isdigit() else step for step in path.split(".")]
    for place, (typ, inputs) in enumerate(found):
        called = inputs.get("name") if kind == "Release" else (inputs.get("metadata") or {}).get("name")
        if typ.endswith(f":{kind}") and name in {"", called}:
            changed = copy.deepcopy(inputs)
            spot: Any = changed["values"] if kind == "Release" else changed
            for step in steps[:-1]:
                spot = spot[step]
            spot[steps[-1]] = value
            renamed = typ.replace(kind, str(value)) if path == "kind" else typ
            return [*found[:place], (renamed, changed), *found[place + 1 :]]
    raise AssertionError(f"no {kind} {name} among what is emitted")


@pytest.mark.parametrize("which", ["gatekeeper", "kyverno"])
def test_every_reference_leads_somewhere(cloud: Cloud, which: str) -> None:
    found = emitted(cloud, which)
    assert len(found) > 400
    assert dangling(found, ALL if which == "gatekeeper" else KYVERNO) == []


def test_workloads_are_known_in_each_namespace_of_tenants() -> None:
    wish = Services.model_validate_json("{}")
    found = known(wish, ("platform", "analytics"), (each for each in ("gateway", "agent")))
    assert len(found.apps) == 4


def test_every_planted_mistake_is_found(cloud: Cloud) -> None:
    found = emitted(cloud, "gatekeeper")
    others = emitted(cloud, "kyverno")
    missed = [
        (kind, name, path, value)
        for objects, services, mistakes in ((found, ALL, NAMES), (others, KYVERNO, OTHERS))
        for kind, name, path, value in mistakes
        if not dangling(planted(objects, kind, name, path, value), services)
    ]
    missed += [
        ("Release", name, path, value)
        for name, path, value in RELEASES
        if not dangling(planted(found, "Release", name, path, value), ALL)
    ]
    assert missed == []


@pytest.mark.parametrize(
    "expression", ["0 2 * * *", "*/5 0-6/2 1,15 jan-mar MON", "@daily", "@every 1h30m", "0 0 29 2 *"]
)
def test_a_schedule_is_read(expression: str) -> None:
    assert not wrong(expression)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("0 2 * *", "4 fields"),
        ("60 2 * * *", "minute `60` is outside 0 to 59"),
        ("0 2 * * 7", "day of week `7` is outside 0 to 6"),
        ("0 2 30 feb *", "no month"),
        ("0 2 * * */0", "no positive number"),
        ("0 5-2 * * *", "hour `5-2`"),
        ("@every day", "2 fields"),
        ("", "0 fields"),
    ],
)
def test_what_is_no_schedule_is_told(expression: str, said: str) -> None:
    assert said in wrong(expression)
    assert not wrong("0 0 1 * * *", seconds=True)
