"""The quick way to a resource's rules finds what asking every rule finds; nothing is passed over for speed."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import charter.rules  # noqa: F401
import pytest
from charter.decoding import decoded
from charter.examples import cases, written
from charter.facts import Facts, read_facts
from charter.judge import Judge, Verdict
from charter.leaves import marks
from charter.lists import listed
from charter.rule import RULES, Open, Resource, matching
from charter.rules import kubernetes_network
from charter.rules.kubernetes_namespaces import _in_system, not_in_default
from charter.rules.kubernetes_network import POLICY as POLICY_KIND
from charter.rules.kubernetes_network import _exact
from charter.values import UNKNOWN, Undetermined, plain
from pulumi_policy.deserialize import deserialize_properties
from pulumi_policy.proxy import unknown_checking_proxy

from tests.policies import fuzz
from tests.policies.door import wire

FACTS = [read_facts({"production": production, "today": "2026-11-21"}) for production in (True, False)]
SINGLE = [rule for rule in RULES.values() if rule.check]


def every_rule(resource: Resource, facts: Facts) -> tuple[list[Verdict], dict[str, Any]]:
    """Ask each rule that may be asked, one after the other, without an index and without marks."""
    judge = Judge()
    verdicts: list[Verdict] = []
    for each in listed(resource):
        rules = tuple(r for r in matching(SINGLE, each.type) if r.applies is None or r.applies(each))
        judge.tally.resource(each.urn, rules)
        for rule in rules:
            judge._run(rule, each.urn, rule.check, (each, facts), verdicts)
    return verdicts, judge.tally.document()


def quickly(resource: Resource, facts: Facts) -> tuple[list[Verdict], dict[str, Any]]:
    judge = Judge()
    return judge.resource(resource, facts), judge.tally.document()


def examples() -> Iterator[tuple[str, dict[str, Any]]]:
    for rule in sorted(written()):
        for case in cases(rule):
            for each in case.resources.values():
                yield each["type"], dict(each.get("props", {}))


def odd(seed: int, number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    chance = random.Random(seed)
    for _ in range(number):
        yield fuzz.odd(chance)


def resource(kind: str, props: dict[str, Any], number: int) -> Resource:
    kept = ("*", "tags") if number % 5 == 0 else ()
    urn = f"urn:pulumi:prod::p::{kind}::it{number}"
    return Resource(urn=urn, type=kind, name=f"it{number}", props=props, ignore_changes=kept)


@pytest.mark.parametrize("facts", FACTS, ids=["production", "elsewhere"])
def test_what_is_found_in_every_example_is_what_every_rule_finds(facts: Facts) -> None:
    seen = 0
    for number, (kind, props) in enumerate(examples()):
        made = resource(kind, props, number)
        assert quickly(made, facts) == every_rule(made, facts), (kind, props)
        seen += 1
    assert seen > 1000


def test_what_is_found_in_odd_resources_is_what_every_rule_finds() -> None:
    found = 0
    for number, (kind, props) in enumerate(odd(11, 1500)):
        made = resource(kind, props, number)
        verdicts, counts = quickly(made, FACTS[0])
        assert (verdicts, counts) == every_rule(made, FACTS[0]), (kind, props)
        found += bool(verdicts)
    assert found > 500


def test_decoding_is_plain_and_its_marks_are_those_of_a_look_of_its_own() -> None:
    marked = 0
    for kind, props in (*examples(), *odd(12, 500)):
        sent = deserialize_properties(wire(props))
        for value in (unknown_checking_proxy(sent), wire(props), props):
            made, seen = decoded(value)
            assert made == plain(value), kind
            assert seen == marks(made), kind
            marked += bool(seen)
    assert marked > 500


POLICY: dict[str, Any] = {
    "metadata": {"name": "a", "namespace": "shop"},
    "spec": {
        "podSelector": {},
        "ingress": [
            {"from": [{"podSelector": {"matchLabels": {"a": "b"}}}], "ports": [{"port": 80}, {"port": "http"}]},
            {"from": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": [{"port": 1, "endPort": 65535}]},
        ],
        "egress": [
            {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}, {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}],
             "ports": [{"port": 443, "endPort": 444}]},
            {"to": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"a": "b"}}}], "ports": [{"port": 53}]},
        ],
    },
}  # fmt: skip
PARTS: tuple[Any, ...] = (
    *(None, True, 0, -1, 1, 65_535, -70_000, 80.5, "", " -70000", "-70000", "http", "0.0.0.0/0", "::/0", "internet"),
    *("0.0.0.0/1", "128.0.0.0/1", "8000::/1", "10.1.2.3/32", "default", "kube-system", UNKNOWN, [UNKNOWN], [], {}),
    *([{}], {"a": UNKNOWN}, {"cidr": UNKNOWN}, {"cidr": "0.0.0.0/0", "except": UNKNOWN}, [{"port": UNKNOWN}], [7]),
    *([{"ipBlock": {"cidr": "0.0.0.0/1"}}, {"ipBlock": {"cidr": "128.0.0.0/1"}}], [{"ipBlock": None}]),
)


def test_a_policy_that_is_passed_at_a_glance_has_nothing_that_a_close_look_finds() -> None:
    glance = close = 0
    chance = random.Random(5)
    for _ in range(8000):
        made = copy.deepcopy(POLICY)
        for _ in range(chance.randrange(3)):
            places = list(fuzz._places(made))
            at = made
            *way, last = chance.choice(places)
            for step in way:
                at = at[step]
            at[last] = plain(chance.choice(PARTS))
        policy = resource(POLICY_KIND, made, 1)
        try:
            found = [*_exact(policy), *_in_system(policy, custom=False)]
        except Undetermined:
            found = [Open("")]
        if kubernetes_network._plainly_exact(made.get("spec")) and not_in_default(policy, FACTS[0]) == ():
            assert not found, made
            glance += 1
        else:
            close += 1
    assert min(glance, close) > 500
