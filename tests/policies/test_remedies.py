"""What the law puts right: only upwards, once for all, never by surprise, and shown by the engine."""

from __future__ import annotations

from typing import Any

import charter.rules  # noqa: F401
import pytest
from charter.example_states import exported
from charter.examples import Case, cases, written
from charter.facts import read_facts
from charter.judge import Judge
from charter.offline import judge
from charter.remedies import REMEDIES, All, Floor, Least, Most, Remedy, Scale, on, remedied
from charter.rule import Resource
from charter.spellings import canonical
from charter.states import SECRET_SIGNATURE, SIGNATURE
from charter.values import SECRET, UNKNOWN, plain
from google.protobuf import json_format, struct_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel

from tests.policies.door import Door, urn

FACTS = read_facts({"remediate": True, "environment": "dev", "owners": ["platform-team"]})
CASES = [case for rule in sorted(written()) for case in cases(rule)]
TYPES = sorted({remedy.type for remedy in REMEDIES})
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 4000),
    st.sampled_from(
        ["optional", "required", "MUTABLE", "IMMUTABLE", "TLS1_0", "TLS1_3", "TLS9", "on", "off", "api", ""]
    ),
    st.just(UNKNOWN),
)
VALUES = st.one_of(LEAVES, st.lists(LEAVES, max_size=3))


def put_right(kind: str, props: dict[str, Any]) -> dict[str, Any] | None:
    before = repr(props)
    made = remedied(kind, props, FACTS, lambda _: SECRET)
    assert repr(props) == before, "what is passed in is never changed"
    return made


def findings(kind: str, props: dict[str, Any]) -> set[tuple[str, str]]:
    facts = FACTS.model_copy(update={"secrets_visible": True})
    found = Judge().resource(Resource(urn=urn(kind, "it"), type=kind, name="it", props=plain(props)), facts)
    return {(each.rule.id, each.path) for each in found}


def test_a_remedy_only_takes_findings_away_and_settles_at_once() -> None:
    changed = 0
    for label, each in ((f"{case.rule}/{case.label}", each) for case in CASES for each in case.resources.values()):
        props = each.get("props", {})
        made = put_right(each["type"], props)
        if made is None:
            continue
        changed += 1
        assert findings(each["type"], made) <= findings(each["type"], props), label
        assert put_right(each["type"], made) is None, label
    assert changed > len(REMEDIES)


def test_every_remedy_helps_the_rule_that_it_names() -> None:
    for remedy in REMEDIES:
        assert any(_helps(remedy, case) for case in cases(remedy.rule)), remedy


def _helps(remedy: Remedy, case: Case) -> bool:
    """Say whether a weak value in a case's graph is found, and not any more once it was put right."""
    for name, each in case.resources.items():
        if canonical(each["type"]) != remedy.type and len(case.resources) > 1:
            continue  # a single one stands for the other types of its rule too
        weak = _set(each.get("props", {}), remedy.path.split("."), _weakest(remedy.floor))
        made = put_right(remedy.type, weak)
        assert made is not None, remedy
        hosts = ({**each, "type": remedy.type, "props": props} for props in (weak, made))
        found, left = (_of_graph(case, {**case.resources, name: host}) for host in hosts)
        if any(rule == remedy.rule for rule, *_ in found - left):
            return True
    return False


def _of_graph(case: Case, graph: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(each.rule.id, each.urn, each.path) for each in judge(exported(graph), read_facts(case.facts))[0]}


def _weakest(floor: Floor) -> Any:
    if isinstance(floor, Scale):
        return floor.steps[0]
    if isinstance(floor, All):
        return []
    return floor.least - 1 if isinstance(floor, Least) else floor.most + 1


def _set(props: dict[str, Any], steps: list[str], value: Any) -> dict[str, Any]:
    step, *rest = steps
    return {**props, step: _set(props.get(step) or {}, rest, value) if rest else value}


def _strict(floor: Floor, value: Any) -> Any:
    """Return how strict a value is; larger is stricter, None is no value of the scale."""
    if value is None:
        return -1
    if isinstance(floor, Scale):
        found = [n for n, step in enumerate(floor.steps) if step == value and type(step) is type(value)]
        return found[0] if found else None
    if isinstance(floor, All):
        return len(set(floor.wanted) & set(map(str, value))) if isinstance(value, list) else None
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    if isinstance(floor, Least) and value == floor.endless:
        return 10**9
    return value if isinstance(floor, Least) else -value


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_nothing_is_ever_weakened(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(TYPES))
    mine = [remedy for remedy in REMEDIES if remedy.type == kind]
    props: dict[str, Any] = {}
    for remedy in mine:
        if data.draw(st.booleans()):
            props = _set(props, remedy.path.split("."), data.draw(VALUES))
    made = put_right(kind, props)
    for remedy in mine if made is not None else ():
        assert made is not None
        before, after = (_at(each, remedy.path) for each in (props, made))
        if before is UNKNOWN or before == after:
            assert after is before or after == before
            continue
        if isinstance(remedy.floor, Most) and before is None:
            assert after is None
            continue
        was, now = _strict(remedy.floor, before), _strict(remedy.floor, after)
        assert was is not None, (remedy, before, after)
        assert now > was, (remedy, before, after)
    if made is not None:
        assert put_right(kind, made) is None


def _at(props: Any, path: str) -> Any:
    for step in path.split("."):
        props = props.get(step) if isinstance(props, dict) else None
    return props


def test_tags_that_are_there_stay_and_those_that_nobody_told_stay_away() -> None:
    made = put_right("aws:ec2/vpc:Vpc", {"tags": {"owner": "somebody-else"}})
    assert made == {"tags": {"owner": "somebody-else", "environment": "dev", "managed-by": "pulumi"}}
    assert put_right("aws:ec2/vpc:Vpc", {"tags": UNKNOWN}) is None
    several = FACTS.model_copy(update={"owners": ("a", "b")})
    assert remedied("aws:ec2/vpc:Vpc", {}, several, str) == {"tags": {"environment": "dev", "managed-by": "pulumi"}}


def test_what_a_cloud_would_not_take_is_left_alone() -> None:
    signing = {"keyUsage": "SIGN_VERIFY", "tags": {"owner": "a", "environment": "dev", "managed-by": "pulumi"}}
    assert put_right("aws:kms/key:Key", signing) is None
    assert put_right("pulumi:providers:aws", {"secretKey": "hunter2"}) is None


@pytest.mark.parametrize(
    ("facts", "right"),
    [
        ({}, True),
        ({"production": True}, False),
        ({"production": True, "remediate": True}, True),
        ({"remediate": False}, False),
    ],
)
def test_production_has_to_ask_for_it(facts: dict[str, Any], right: bool) -> None:  # noqa: FBT001
    assert on(read_facts(facts)) is right


def remediation(props: dict[str, Any], facts: dict[str, Any] | None, kind: str = "aws:rds/instance:Instance") -> Any:
    """Ask the real servicer, as the engine does before it analyses."""
    door = Door({"production": False})
    if facts is not None:
        told = struct_pb2.Struct()
        told.update(facts)
        level = analyzer_pb2.EnforcementLevel.Value("REMEDIATE")
        config = {"charter-remediate": analyzer_pb2.PolicyConfig(enforcementLevel=level, properties=told)}
        door.servicer.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=config), None)
    sent = struct_pb2.Struct()
    sent.update(props)
    request = analyzer_pb2.AnalyzeRequest(type=kind, properties=sent, urn=urn(kind, "it"), name="it")
    return list(door.servicer.Remediate(request, None).remediations)


def test_the_engine_is_shown_what_was_put_right() -> None:
    hidden = {SIGNATURE: SECRET_SIGNATURE, "value": "kept"}
    props = {"password": "hunter2", "masterPassword": hidden, "publiclyAccessible": True, "name": SENTINEL}
    (told,) = remediation(props, {"environment": "dev"})
    assert told.policyName == "charter-remediate"
    made = json_format.MessageToDict(told.properties)
    assert made["password"] == {SIGNATURE: SECRET_SIGNATURE, "value": "hunter2"}
    assert made["masterPassword"] == hidden
    assert made["publiclyAccessible"] is False
    assert made["name"] == SENTINEL
    assert made["tags"] == {"environment": "dev", "managed-by": "pulumi"}
    assert not told.diagnostic
    assert remediation(made, {"environment": "dev"}) == []


SENTINEL = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def test_production_and_a_pack_without_facts_touch_nothing() -> None:
    weak = {"publiclyAccessible": True}
    assert remediation(weak, {"production": True}) == []
    assert remediation(weak, None) == []
    assert len(remediation(weak, {"production": True, "remediate": True})) == 1


def test_the_policy_is_registered_as_one_that_remediates() -> None:
    info = Door().servicer.GetAnalyzerInfo(None, None)
    (found,) = [each for each in info.policies if each.name == "charter-remediate"]
    assert (
        EnforcementLevel(analyzer_pb2.EnforcementLevel.Name(found.enforcementLevel).lower())
        == EnforcementLevel.REMEDIATE
    )
